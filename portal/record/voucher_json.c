#include "portal/record/voucher_json.h"

#include "common/verdict/verdict_json.h"
#include "common/writer.h"

static void add_time(struct json_writer *json, const char *key,
                     struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_text(time, text);
    json_text(json, key, text);
}

static void add_day(struct json_writer *json, const char *key,
                    struct civil_day day)
{
    char text[DAY_TEXT_LEN];
    day_to_text(day, text);
    json_text(json, key, text);
}

/* "" is no value. */
static void add_text(struct json_writer *json, const char *key,
                     const char *value)
{
    if (value[0] != '\0')
        json_text(json, key, value);
    else
        json_no_value(json, key);
}

static void add_name(struct json_writer *json, const char *key,
                     const struct voucher_name *name)
{
    json_object_begin(json, key);
    json_text(json, "id", name->id);
    json_text(json, "name_zh", name->zh);
    json_text(json, "name_en", name->en);
    json_object_end(json);
}

static void add_settlement(struct json_writer *json,
                           const struct voucher_settlement *settlement)
{
    if (!settlement->is_there) {
        json_no_value(json, "settlement");
        return;
    }
    json_object_begin(json, "settlement");
    json_text(json, "state", settlement->state);
    add_time(json, "submitted_at", settlement->submitted);
    if (settlement->is_confirmed)
        add_time(json, "supplier_confirmed_at", settlement->confirmed);
    else
        json_no_value(json, "supplier_confirmed_at");
    json_object_end(json);
}

static void add_application(struct json_writer *json, const struct voucher *v)
{
    json_object_begin(json, "application");
    json_text(json, "contract_no", v->contract_no);
    add_day(json, "contract_day", v->contract_day);
    add_time(json, "submitted_at", v->submitted);
    add_time(json, "supplier_confirmed_at", v->supplier_confirmed);
    add_time(json, "city_approved_at", v->city_approved);
    json_object_end(json);
}

static void add_identifiers(struct json_writer *json,
                            const struct voucher_line *line)
{
    json_array_begin(json, "identifiers");
    for (const struct voucher_identifier *one = line->identifiers; one != NULL;
         one = one->next) {
        json_object_begin(json, NULL);
        json_text(json, "kind", one->kind);
        json_text(json, "value", one->shown);
        json_bool(json, "is_masked", one->is_masked);
        add_name(json, "site", &one->site);
        json_object_end(json);
    }
    json_array_end(json);
}

static void add_endpoints(struct json_writer *json,
                          const struct voucher_line *line)
{
    json_array_begin(json, "endpoints");
    for (const struct voucher_endpoint *one = line->endpoints; one != NULL;
         one = one->next) {
        json_object_begin(json, NULL);
        json_text(json, "id", one->id);
        add_text(json, "protocol", one->protocol);
        add_text(json, "ports", one->ports);
        json_bool(json, "is_shared", one->is_shared);
        add_text(json, "address", one->address);
        add_text(json, "host", one->host);
        json_object_end(json);
    }
    json_array_end(json);
}

static void add_day_seen(struct json_writer *json, const struct voucher *v,
                         const struct voucher_line *line, size_t index)
{
    const struct timeline_day *day = &line->timeline.days[index];
    json_object_begin(json, NULL);
    add_day(json, "day",
            (struct civil_day){line->timeline.first.number + (int32_t)index});
    json_i64(json, "covered_percent",
             timeline_covered_percent(&line->timeline, index));
    json_bool(json, "is_covered", voucher_day_is_covered(v, line, index));
    json_bool(json, "is_active", day->is_active);
    json_i64(json, "active_minutes", day->active_minutes);
    json_u64(json, "flows", day->flows);
    json_u64(json, "octets", day->octets);
    if (day->has_hosts)
        json_u64(json, "hosts", day->hosts);
    else
        json_no_value(json, "hosts");
    json_object_end(json);
}

/* Each beside the days, and none of them added to them. */
static void add_witnesses(struct json_writer *json,
                          const struct voucher_line *line)
{
    json_array_begin(json, "witnesses");
    for (size_t i = 0; i < WITNESS_COUNT; i++) {
        const struct timeline_testimony *said = &line->said[i];
        if (said->days == 0)
            continue;
        json_object_begin(json, NULL);
        json_text(json, "source", said->name);
        json_i64(json, "tier", said->tier);
        json_i64(json, "days", said->days);
        json_u64(json, "flows", said->flows);
        json_u64(json, "octets", said->octets);
        if (i == WITNESS_SUPPLIER_PROBE)
            json_u64(json, "confirmed", said->confirmed);
        else
            json_no_value(json, "confirmed");
        json_object_end(json);
    }
    json_array_end(json);
}

static void add_item(struct json_writer *json, const struct voucher_line *line)
{
    json_object_begin(json, "item");
    json_i64(json, "no", line->item_no);
    add_text(json, "name_zh", line->item_zh);
    add_text(json, "name_en", line->item_en);
    json_object_end(json);
}

static void add_line(struct json_writer *json, const struct voucher *v,
                     const struct voucher_line *line)
{
    json_object_begin(json, NULL);
    json_i64(json, "line", line->line_no);
    add_name(json, "service", &line->service);
    json_text(json, "class", line->class);
    add_item(json, line);
    json_i64(json, "fee_fen", line->fee.fen);
    json_i64(json, "award_fen", line->award.fen);
    if (line->has_sets)
        json_i64(json, "networked_sets", line->networked_sets);
    else
        json_no_value(json, "networked_sets");
    add_identifiers(json, line);
    add_endpoints(json, line);
    json_bool(json, "is_judged", line->timeline.is_judged);
    json_array_begin(json, "days");
    for (size_t i = 0; i < TIMELINE_DAYS; i++)
        add_day_seen(json, v, line, i);
    json_array_end(json);
    add_witnesses(json, line);
    json_object_end(json);
}

void voucher_write_json(const struct voucher *v, struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_text(&json, "number", v->number);
    json_text(&json, "state", v->state);
    json_bool(&json, "is_sample", v->is_sample);
    json_bool(&json, "is_pilot", v->is_pilot);
    json_i64(&json, "amount_fen", v->amount.fen);
    add_time(&json, "issued_at", v->issued);
    add_name(&json, "enterprise", &v->enterprise);
    json_text(&json, "credit_code", v->credit_code);
    add_name(&json, "city", &v->city);
    add_text(&json, "county", v->county);
    add_name(&json, "supplier", &v->supplier);
    add_name(&json, "cycle", &v->cycle);
    add_time(&json, "settlement_deadline", v->settlement_deadline);
    add_application(&json, v);
    add_settlement(&json, &v->settlement);
    if (v->has_verdict)
        verdict_write_json(&v->verdict, "verdict", &json);
    else
        json_no_value(&json, "verdict");
    json_array_begin(&json, "lines");
    for (const struct voucher_line *line = v->lines; line != NULL;
         line = line->next)
        add_line(&json, v, line);
    json_array_end(&json);
    json_object_end(&json);
    buffer_add_text(out, "\n");
}
