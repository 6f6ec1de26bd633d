/*
 * See voucher_page.h.
 *
 * Lines are read into the arena first and then filled one by one: each needs
 * queries of its own, and their number is small and bounded.
 */
#include "portal/record/voucher_page.h"

#include <stdio.h>
#include <string.h>

#include "common/money.h"
#include "portal/record/timeline.h"
#include "portal/record/verdict_view.h"
#include "portal/show/chart.h"

enum { LINES_MAX = 64, DAYS_BEFORE_WINDOW = 2 };

struct voucher_facts {
    const char *number, *cycle_id, *enterprise_id;
    bool is_sample;
};

struct voucher_line {
    int64_t line_no;
    const char *service_id;
    enum chart_unit unit;
    struct model *model;
};

/* The number for programs, and for the page what people read. */
static void fill_money(struct visit *visit, struct model *m,
                       const char *fen_key, const char *key, int64_t fen)
{
    model_i64(m, fen_key, fen);
    model_money(m, key, visit->caller.language, (struct money){fen});
}

static const char *copy(struct visit *visit, const char *text)
{
    const char *made = arena_copy_text(visit->arena, slice_of_text(text));
    return made != NULL ? made : "";
}

static void fill_parties(struct visit *visit, struct db_statement *s)
{
    struct model *m = visit->model;
    model_text(m, "enterprise",
               visit_name(visit, db_text(s, 5), db_text(s, 6)));
    model_text(m, "credit_code", db_text(s, 7));
    model_text(m, "city_code", db_text(s, 8));
    model_text(m, "city", visit_name(visit, db_text(s, 9), db_text(s, 10)));
    model_text(m, "county", db_text(s, 11));
    model_text(m, "supplier",
               visit_name(visit, db_text(s, 12), db_text(s, 13)));
    model_text(m, "cycle", visit_name(visit, db_text(s, 14), db_text(s, 15)));
    model_end(m, "settlement_deadline", (struct wall_time){db_i64(s, 16)});
}

static void fill_application(struct visit *visit, struct db_statement *s)
{
    char day[DAY_TEXT_LEN];
    struct model *m = model_object(visit->model, "application");
    day_to_text((struct civil_day){(int32_t)db_i64(s, 18)}, day);
    model_text(m, "contract", db_text(s, 17));
    model_text(m, "contract_day", day);
    model_moment(m, "submitted", (struct wall_time){db_i64(s, 19)});
    model_moment(m, "supplier_confirmed", (struct wall_time){db_i64(s, 20)});
    model_moment(m, "city_approved", (struct wall_time){db_i64(s, 21)});
}

static void fill_facts(struct visit *visit, struct db_statement *s,
                       struct voucher_facts *facts)
{
    struct model *m = visit->model;
    model_text(m, "number", db_text(s, 0));
    fill_money(visit, m, "amount_fen", "_amount", db_i64(s, 1));
    model_day_of(m, "issued", (struct wall_time){db_i64(s, 2)});
    model_bool(m, "is_pilot", db_i64(s, 3) != 0);
    model_text(m, "state", db_text(s, 4));
    model_text(m, "_state_words", visit_word(visit, "state.", db_text(s, 4)));
    fill_parties(visit, s);
    fill_application(visit, s);
    facts->number = copy(visit, db_text(s, 0));
    facts->cycle_id = copy(visit, db_text(s, 22));
    facts->enterprise_id = copy(visit, db_text(s, 23));
    facts->is_sample = db_i64(s, 24) != 0;
}

/* DB_ROW when the voucher is there and in scope. */
static enum db_step read_facts(struct visit *visit, struct voucher_facts *facts)
{
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT v.number, v.amount_fen, v.issued_at, v.is_pilot, v.state,"
        " e.name_zh, e.name_en, e.credit_code, e.city_code, c.name_zh,"
        " c.name_en, e.county, s.name_zh, s.name_en, y.name_zh, y.name_en,"
        " y.settlement_deadline, a.contract_no, a.contract_day,"
        " a.submitted_at, a.supplier_confirmed_at, a.city_approved_at,"
        " a.cycle_id, e.id, e.is_sample"
        " FROM voucher v JOIN voucher_application a ON a.id = v.application_id"
        " JOIN enterprise e ON e.id = a.enterprise_id"
        " JOIN city c ON c.code = e.city_code"
        " JOIN supplier s ON s.id = a.supplier_id"
        " JOIN cycle y ON y.id = a.cycle_id"
        " WHERE v.number = :number"
        " AND CASE :scope WHEN 'all' THEN 1"
        "  WHEN 'city' THEN e.city_code = :scope_id"
        "  WHEN 'supplier' THEN a.supplier_id = :scope_id"
        "  WHEN 'enterprise' THEN a.enterprise_id = :scope_id ELSE 0 END");
    if (s == NULL)
        return DB_FAILED;
    db_bind_text(s, ":number", visit->request.arguments[0]);
    scope_bind(s, &visit->caller.scope);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        fill_facts(visit, s, facts);
    db_reset(s);
    return step;
}

static bool fill_settlement(struct visit *visit, const char *number)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT state, submitted_at, supplier_confirmed_at"
                   " FROM settlement WHERE voucher_number = :number"
                   " ORDER BY submitted_at DESC LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", number);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        struct model *m = model_object(visit->model, "settlement");
        model_text(m, "state", db_text(s, 0));
        model_text(m, "_state_words",
                   visit_word(visit, "settlement.", db_text(s, 0)));
        model_moment(m, "submitted", (struct wall_time){db_i64(s, 1)});
        if (!db_is_null(s, 2))
            model_moment(m, "supplier_confirmed",
                         (struct wall_time){db_i64(s, 2)});
    }
    db_reset(s);
    return step != DB_FAILED;
}

static void fill_line(struct visit *visit, struct db_statement *s,
                      struct voucher_line *line)
{
    struct model *m = model_append(visit->model, "lines");
    const char *class = db_text(s, 5);
    model_i64(m, "line", db_i64(s, 0));
    model_text(m, "service", visit_name(visit, db_text(s, 2), db_text(s, 3)));
    model_i64(m, "item", db_i64(s, 4));
    model_text(m, "item_name", visit_name(visit, db_text(s, 6), db_text(s, 7)));
    model_text(m, "class", class);
    model_text(m, "_class_words", visit_word(visit, "class.", class));
    fill_money(visit, m, "fee_fen", "_fee", db_i64(s, 8));
    fill_money(visit, m, "award_fen", "_award", db_i64(s, 9));
    if (!db_is_null(s, 10))
        model_i64(m, "networked_sets", db_i64(s, 10));
    *line = (struct voucher_line){
        .line_no = db_i64(s, 0),
        .service_id = copy(visit, db_text(s, 1)),
        .unit = strcmp(class, "A") == 0 ? CHART_MINUTES : CHART_OCTETS,
        .model = m,
    };
}

static bool read_lines(struct visit *visit, const char *number,
                       struct voucher_line *lines, size_t *count)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT l.line_no, l.service_id, v.name_zh, v.name_en, v.item_no,"
        " v.class, i.name_zh, i.name_en, l.fee_fen, l.award_fen,"
        " l.networked_sets FROM voucher_line l"
        " JOIN service v ON v.id = l.service_id"
        " LEFT JOIN catalogue_item i ON i.no = v.item_no AND i.rowid ="
        "   (SELECT max(j.rowid) FROM catalogue_item j WHERE j.no = v.item_no)"
        " WHERE l.voucher_number = :number ORDER BY l.line_no LIMIT :max");
    *count = 0;
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", number);
    db_bind_i64(s, ":max", LINES_MAX);
    model_list(visit->model, "lines");
    while ((step = db_step(s)) == DB_ROW)
        fill_line(visit, s, &lines[(*count)++]);
    return step == DB_DONE;
}

/* The enterprise and the province see a declared address; all others see its
 * mask. Numbers are kept as hashes, so that everybody sees the mask (PRIV-04). */
static bool fill_identifiers(struct visit *visit, const char *number,
                             const struct voucher_line *line)
{
    enum account_role role = visit->caller.account.role;
    bool sees =
        permission_is_given(role, ACTION_IDENTIFIER_RECORD) &&
        !permission_has_limit(role, ACTION_IDENTIFIER_RECORD, LIMIT_MASKED);
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT u.kind, CASE WHEN :sees AND u.kind = 'fixed_ip' THEN u.value"
        " WHEN instr(u.mask, '*') THEN u.mask ELSE '***' END, t.name_zh, "
        "t.name_en FROM user_side_identifier u"
        " JOIN site t ON t.id = u.site_id WHERE u.voucher_number = :number"
        " AND u.line_no = :line ORDER BY u.id LIMIT 100");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":sees", sees);
    db_bind_text(s, ":number", number);
    db_bind_i64(s, ":line", line->line_no);
    model_list(line->model, "identifiers");
    while ((step = db_step(s)) == DB_ROW) {
        struct model *m = model_append(line->model, "identifiers");
        model_text(m, "kind", db_text(s, 0));
        model_text(m, "_kind_words", visit_word(visit, "kind.", db_text(s, 0)));
        model_text(m, "shown", db_text(s, 1));
        model_text(m, "site", visit_name(visit, db_text(s, 2), db_text(s, 3)));
    }
    return step == DB_DONE;
}

static bool fill_endpoints(struct visit *visit, const struct voucher_line *line)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT e.id, e.protocol, e.ports, e.is_shared, a.address, a.host"
        " FROM endpoint e JOIN endpoint_address a ON a.endpoint_id = e.id"
        " WHERE e.service_id = :service ORDER BY e.id, a.address, a.host"
        " LIMIT 100");
    if (s == NULL)
        return false;
    db_bind_text(s, ":service", line->service_id);
    model_list(line->model, "endpoints");
    while ((step = db_step(s)) == DB_ROW) {
        struct model *m = model_append(line->model, "endpoints");
        model_text(m, "id", db_text(s, 0));
        model_text(m, "protocol", db_text(s, 1));
        model_text(m, "ports", db_text(s, 2));
        model_bool(m, "is_shared", db_i64(s, 3) != 0);
        model_text(m, "address", db_text(s, 4));
        model_text(m, "host", db_text(s, 5));
    }
    return step == DB_DONE;
}

static bool is_covered(struct visit *visit, const struct timeline *timeline,
                       size_t index)
{
    return timeline_is_covered(
        timeline, index,
        portal_parameters(visit->portal)->covered_minutes_permille);
}

static void fill_day(struct visit *visit, const struct timeline *timeline,
                     size_t index, struct model *m)
{
    static const char *const WEEKDAYS[] = {"0", "1", "2", "3", "4", "5", "6"};
    char text[CHART_VALUE_TEXT_LEN];
    struct civil_day date = {timeline->first.number + (int32_t)index};
    const struct timeline_day *day = &timeline->days[index];
    int weekday = day_of_week(date);
    day_to_text(date, text);
    model_text(m, "day", text);
    model_text(m, "_weekday", visit_word(visit, "weekday.", WEEKDAYS[weekday]));
    model_bool(m, "is_weekend", weekday >= DAY_SATURDAY);
    model_i64(m, "covered_percent", timeline_covered_percent(timeline, index));
    model_bool(m, "is_covered", is_covered(visit, timeline, index));
    model_bool(m, "is_active", day->is_active);
    model_i64(m, "minutes", day->active_minutes);
    model_i64(m, "flows", (int64_t)day->flows);
    model_i64(m, "octets", (int64_t)day->octets);
    chart_octets_text(day->octets, text);
    model_text(m, "_octets_text", text);
    if (day->has_hosts)
        model_textf(m, "_hosts", "%llu", (unsigned long long)day->hosts);
    else
        model_text(m, "_hosts", "–");
}

static void fill_chart(struct visit *visit, const struct voucher_line *line,
                       const struct timeline *timeline,
                       const struct verdict_window *window)
{
    struct chart chart = {
        .first = timeline->first,
        .count = TIMELINE_DAYS,
        .unit = line->unit,
        .window_start = window->start,
        .window_end = window->end,
        .has_window = window->is_there,
    };
    struct model *m = model_object(line->model, "_chart");
    for (size_t i = 0; i < TIMELINE_DAYS; i++) {
        const struct timeline_day *day = &timeline->days[i];
        chart.days[i] = (struct chart_day){
            .is_covered = is_covered(visit, timeline, i),
            .is_active = day->is_active,
            .value =
                line->unit == CHART_MINUTES ? day->active_minutes : day->octets,
        };
    }
    model_i64(m, "line", line->line_no);
    model_bool(m, "is_minutes", line->unit == CHART_MINUTES);
    chart_fill(&chart, m);
}

static struct wall_time evidence_end(struct visit *visit,
                                     const struct verdict_view *view)
{
    return view->is_there ? view->verdict.cut_off : visit->now;
}

/* The last days up to the cut-off, or the best window when that was earlier. */
static struct civil_day first_day(struct visit *visit,
                                  const struct verdict_view *view,
                                  const struct verdict_window *window)
{
    struct wall_time end = evidence_end(visit, view);
    struct civil_day last = day_of_wall((struct wall_time){end.us - 1});
    struct civil_day first = {last.number - TIMELINE_DAYS + 1};
    if (window->is_there && window->start.number < first.number)
        first.number = window->start.number - DAYS_BEFORE_WINDOW;
    return first;
}

/* Sources that said anything, each with its tier; none of them is added. */
static bool fill_witnesses(struct visit *visit,
                           const struct voucher_facts *facts,
                           const struct voucher_line *line,
                           struct civil_day first)
{
    struct timeline_testimony said[WITNESS_COUNT];
    model_list(line->model, "witnesses");
    if (!timeline_read_witnesses(visit->db, facts->enterprise_id,
                                 line->service_id, first, said))
        return false;
    for (size_t i = 0; i < WITNESS_COUNT; i++) {
        char text[CHART_VALUE_TEXT_LEN];
        if (said[i].days == 0)
            continue;
        model_bool(line->model, "_has_witnesses", true);
        struct model *m = model_append(line->model, "witnesses");
        model_text(m, "source", said[i].name);
        model_text(m, "_source_words",
                   visit_word(visit, "witness.", said[i].name));
        model_i64(m, "tier", said[i].tier);
        model_i64(m, "days", said[i].days);
        model_i64(m, "flows", (int64_t)said[i].flows);
        model_i64(m, "octets", (int64_t)said[i].octets);
        chart_octets_text(said[i].octets, text);
        model_text(m, "_octets_text", text);
        if (i != WITNESS_SUPPLIER_PROBE || said[i].flows == 0)
            continue;
        uint64_t permille = said[i].confirmed * 1000 / said[i].flows;
        model_i64(m, "confirmed", (int64_t)said[i].confirmed);
        model_textf(m, "_share", "%u.%u %%", (unsigned)(permille / 10),
                    (unsigned)(permille % 10));
    }
    return true;
}

static bool fill_evidence(struct visit *visit,
                          const struct voucher_facts *facts,
                          const struct voucher_line *line,
                          const struct verdict_view *view,
                          const struct verdict_window *window)
{
    struct timeline timeline;
    struct civil_day first = first_day(visit, view, window);
    bool good = fill_witnesses(visit, facts, line, first);
    if (!good)
        return false;
    if (view->is_there)
        good = timeline_read_facts(visit->db, facts->enterprise_id,
                                   line->service_id, first, &timeline);
    else
        good = timeline_read_usage(visit->db, facts->enterprise_id,
                                   line->service_id, first, &timeline);
    if (!good)
        return false;
    timeline.end = evidence_end(visit, view);
    model_bool(line->model, "is_judged", timeline.is_judged);
    model_list(line->model, "days");
    for (size_t i = 0; i < TIMELINE_DAYS; i++)
        fill_day(visit, &timeline, i, model_append(line->model, "days"));
    fill_chart(visit, line, &timeline, window);
    return true;
}

static bool fill_all(struct visit *visit, struct voucher_facts *facts)
{
    struct verdict_view view;
    struct voucher_line lines[LINES_MAX];
    struct verdict_window window;
    size_t count = 0;
    if (!fill_settlement(visit, facts->number) ||
        !verdict_view_fill(visit, facts->number, &view) ||
        !read_lines(visit, facts->number, lines, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        verdict_view_fill_line(visit, &view, lines[i].line_no, lines[i].model,
                               &window);
        if (!fill_identifiers(visit, facts->number, &lines[i]) ||
            !fill_endpoints(visit, &lines[i]) ||
            !fill_evidence(visit, facts, &lines[i], &view, &window))
            return false;
    }
    model_bool(visit->model, "is_sample",
               facts->is_sample || (view.is_there && view.verdict.is_sample));
    return true;
}

void voucher_page_show(struct visit *visit)
{
    struct voucher_facts facts = {0};
    enum db_step step = read_facts(visit, &facts);
    if (step == DB_DONE) {
        visit_audit(visit, "voucher.open", visit->request.arguments[0],
                    "DENIED");
        visit_refuse(visit, REFUSED_NO_RECORD);
    } else if (step == DB_FAILED || !fill_all(visit, &facts)) {
        visit_fail_db(visit);
    } else {
        visit_show(visit, "voucher", "voucher.title");
    }
}
