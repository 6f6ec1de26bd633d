/* See voucher_page.h. */
#include "portal/record/voucher_page.h"

#include <string.h>

#include "portal/record/verdict_view.h"
#include "portal/record/voucher.h"
#include "portal/record/voucher_json.h"
#include "portal/show/chart.h"

static const char *name_of(const struct visit *visit,
                           const struct voucher_name *name)
{
    return visit_name(visit, name->zh, name->en);
}

/* --- the voucher --- */

static void fill_facts(struct visit *visit, const struct voucher *v)
{
    struct model *m = visit->model;
    model_text(m, "number", v->number);
    model_money(m, "_amount", visit->caller.language, v->amount);
    model_day_of(m, "issued", v->issued);
    model_bool(m, "is_pilot", v->is_pilot);
    model_bool(m, "is_sample", v->is_sample);
    model_text(m, "_state_words", visit_word(visit, "state.", v->state));
    model_text(m, "enterprise", name_of(visit, &v->enterprise));
    model_text(m, "credit_code", v->credit_code);
    model_text(m, "city", name_of(visit, &v->city));
    model_text(m, "county", v->county);
    model_text(m, "supplier", name_of(visit, &v->supplier));
    model_text(m, "cycle", name_of(visit, &v->cycle));
    model_end(m, "settlement_deadline", v->settlement_deadline);
}

static void fill_application(struct visit *visit, const struct voucher *v)
{
    char day[DAY_TEXT_LEN];
    struct model *m = model_object(visit->model, "application");
    day_to_text(v->contract_day, day);
    model_text(m, "contract", v->contract_no);
    model_text(m, "contract_day", day);
    model_moment(m, "submitted", v->submitted);
    model_moment(m, "supplier_confirmed", v->supplier_confirmed);
    model_moment(m, "city_approved", v->city_approved);
}

static void fill_settlement(struct visit *visit,
                            const struct voucher_settlement *settlement)
{
    if (!settlement->is_there)
        return;
    struct model *m = model_object(visit->model, "settlement");
    model_text(m, "_state_words",
               visit_word(visit, "settlement.", settlement->state));
    model_moment(m, "submitted", settlement->submitted);
    if (settlement->is_confirmed)
        model_moment(m, "supplier_confirmed", settlement->confirmed);
}

/* --- a line --- */

static void fill_identifiers(struct visit *visit,
                             const struct voucher_line *line, struct model *m)
{
    model_list(m, "identifiers");
    for (const struct voucher_identifier *one = line->identifiers; one != NULL;
         one = one->next) {
        struct model *row = model_append(m, "identifiers");
        model_text(row, "_kind_words", visit_word(visit, "kind.", one->kind));
        model_text(row, "shown", one->shown);
        model_text(row, "site", name_of(visit, &one->site));
    }
}

static void fill_endpoints(const struct voucher_line *line, struct model *m)
{
    model_list(m, "endpoints");
    for (const struct voucher_endpoint *one = line->endpoints; one != NULL;
         one = one->next) {
        struct model *row = model_append(m, "endpoints");
        model_text(row, "protocol", one->protocol);
        model_text(row, "ports", one->ports);
        model_bool(row, "is_shared", one->is_shared);
        model_text(row, "address", one->address);
        model_text(row, "host", one->host);
    }
}

static void fill_day(struct visit *visit, const struct voucher *v,
                     const struct voucher_line *line, size_t index,
                     struct model *m)
{
    static const char *const WEEKDAYS[] = {"0", "1", "2", "3", "4", "5", "6"};
    char text[CHART_VALUE_TEXT_LEN];
    const struct timeline *timeline = &line->timeline;
    struct civil_day date = {timeline->first.number + (int32_t)index};
    const struct timeline_day *day = &timeline->days[index];
    int weekday = day_of_week(date);
    day_to_text(date, text);
    model_text(m, "day", text);
    model_text(m, "_weekday", visit_word(visit, "weekday.", WEEKDAYS[weekday]));
    model_bool(m, "is_weekend", weekday >= DAY_SATURDAY);
    model_i64(m, "covered_percent", timeline_covered_percent(timeline, index));
    model_bool(m, "is_covered", voucher_day_is_covered(v, line, index));
    model_bool(m, "is_active", day->is_active);
    model_i64(m, "minutes", day->active_minutes);
    model_i64(m, "flows", (int64_t)day->flows);
    chart_octets_text(day->octets, text);
    model_text(m, "_octets_text", text);
    if (day->has_hosts)
        model_textf(m, "_hosts", "%llu", (unsigned long long)day->hosts);
    else
        model_text(m, "_hosts", "–");
}

static void fill_chart(const struct voucher *v, const struct voucher_line *line,
                       struct model *line_model)
{
    const struct timeline *timeline = &line->timeline;
    struct chart chart = {
        .first = timeline->first,
        .count = TIMELINE_DAYS,
        .unit = strcmp(line->class, "A") == 0 ? CHART_MINUTES : CHART_OCTETS,
        .has_window = line->verdict != NULL,
    };
    if (chart.has_window) {
        chart.window_start = line->verdict->window_start;
        chart.window_end = line->verdict->window_end;
    }
    for (size_t i = 0; i < TIMELINE_DAYS; i++) {
        const struct timeline_day *day = &timeline->days[i];
        chart.days[i] = (struct chart_day){
            .is_covered = voucher_day_is_covered(v, line, i),
            .is_active = day->is_active,
            .value =
                chart.unit == CHART_MINUTES ? day->active_minutes : day->octets,
        };
    }
    struct model *m = model_object(line_model, "_chart");
    model_i64(m, "line", line->line_no);
    model_bool(m, "is_minutes", chart.unit == CHART_MINUTES);
    chart_fill(&chart, m);
}

static void fill_share(const struct timeline_testimony *said, struct model *m)
{
    uint64_t permille = said->confirmed * 1000 / said->flows;
    model_textf(m, "_share", "%u.%u %%", (unsigned)(permille / 10),
                (unsigned)(permille % 10));
}

/* Sources that said anything, each with its tier; none of them is added. */
static void fill_witnesses(struct visit *visit, const struct voucher_line *line,
                           struct model *line_model)
{
    model_list(line_model, "witnesses");
    for (size_t i = 0; i < WITNESS_COUNT; i++) {
        const struct timeline_testimony *said = &line->said[i];
        char text[CHART_VALUE_TEXT_LEN];
        if (said->days == 0)
            continue;
        model_bool(line_model, "_has_witnesses", true);
        struct model *m = model_append(line_model, "witnesses");
        model_text(m, "_source_words",
                   visit_word(visit, "witness.", said->name));
        model_i64(m, "tier", said->tier);
        model_i64(m, "days", said->days);
        model_i64(m, "flows", (int64_t)said->flows);
        chart_octets_text(said->octets, text);
        model_text(m, "_octets_text", text);
        if (i == WITNESS_SUPPLIER_PROBE && said->flows > 0)
            fill_share(said, m);
    }
}

static void fill_line(struct visit *visit, const struct voucher *v,
                      const struct voucher_line *line, struct model *m)
{
    model_i64(m, "line", line->line_no);
    model_text(m, "service", name_of(visit, &line->service));
    model_i64(m, "item", line->item_no);
    model_text(m, "item_name", visit_name(visit, line->item_zh, line->item_en));
    model_text(m, "_class_words", visit_word(visit, "class.", line->class));
    model_money(m, "_fee", visit->caller.language, line->fee);
    model_money(m, "_award", visit->caller.language, line->award);
    if (line->has_sets)
        model_i64(m, "networked_sets", line->networked_sets);
    if (line->verdict != NULL)
        verdict_view_fill_line(visit, line->verdict, m);
    fill_identifiers(visit, line, m);
    fill_endpoints(line, m);
    fill_witnesses(visit, line, m);
    model_bool(m, "is_judged", line->timeline.is_judged);
    model_list(m, "days");
    for (size_t i = 0; i < TIMELINE_DAYS; i++)
        fill_day(visit, v, line, i, model_append(m, "days"));
    fill_chart(v, line, m);
}

/* --- the answer --- */

static void show_page(struct visit *visit, const struct voucher *v)
{
    fill_facts(visit, v);
    fill_application(visit, v);
    fill_settlement(visit, &v->settlement);
    if (v->has_verdict)
        verdict_view_fill(visit, &v->verdict);
    model_list(visit->model, "lines");
    for (const struct voucher_line *line = v->lines; line != NULL;
         line = line->next)
        fill_line(visit, v, line, model_append(visit->model, "lines"));
    visit_show(visit, "voucher", "voucher.title");
}

static void answer_json(struct visit *visit, const struct voucher *v)
{
    visit->response->content_type = "application/json; charset=utf-8";
    voucher_write_json(v, &visit->response->body);
    if (visit->response->body.failed)
        visit_refuse(visit, REFUSED_INTERNAL);
}

void voucher_page_show(struct visit *visit)
{
    const char *number = visit->request.arguments[0];
    const struct voucher_query query = {
        .db = visit->db,
        .arena = visit->arena,
        .caller = &visit->caller,
        .now = visit->now,
        .covered_permille =
            portal_parameters(visit->portal)->covered_minutes_permille,
    };
    struct voucher voucher;
    switch (voucher_read(&query, number, &voucher)) {
    case VOUCHER_FOUND:
        if (visit->request.wants_json)
            answer_json(visit, &voucher);
        else
            show_page(visit, &voucher);
        break;
    case VOUCHER_NONE:
        visit_audit(visit, "voucher.open", number, "DENIED");
        visit_refuse(visit, REFUSED_NO_RECORD);
        break;
    case VOUCHER_FAILED:
        visit_fail_db(visit);
        break;
    }
}
