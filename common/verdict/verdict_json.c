#include "common/verdict/verdict_json.h"

static void write_time(struct json_writer *json, const char *key,
                       struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_text(time, text);
    json_text(json, key, text);
}

static void write_day(struct json_writer *json, const char *key,
                      struct civil_day day)
{
    char text[DAY_TEXT_LEN];
    day_to_text(day, text);
    json_text(json, key, text);
}

static void write_measures(const struct finding *finding,
                           struct json_writer *json)
{
    json_array_begin(json, "measures");
    for (size_t i = 0; i < finding->count; i++) {
        const struct measure *m = &finding->measures[i];
        json_object_begin(json, NULL);
        json_text(json, "name", m->name);
        json_text(json, "unit", unit_text(m->unit));
        if (m->is_unknown)
            json_no_value(json, "value");
        else
            json_i64(json, "value", m->value);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_rule(const struct verdict_rule *rule,
                       struct json_writer *json)
{
    static const struct {
        const char *key;
        enum finding_part part;
        enum language language;
    } TEXTS[] = {
        {"value_zh", FINDING_VALUE, LANGUAGE_ZH},
        {"value_en", FINDING_VALUE, LANGUAGE_EN},
        {"threshold_zh", FINDING_THRESHOLD, LANGUAGE_ZH},
        {"threshold_en", FINDING_THRESHOLD, LANGUAGE_EN},
        {"sentence_zh", FINDING_SENTENCE, LANGUAGE_ZH},
        {"sentence_en", FINDING_SENTENCE, LANGUAGE_EN},
        {"remedy_zh", FINDING_REMEDY, LANGUAGE_ZH},
        {"remedy_en", FINDING_REMEDY, LANGUAGE_EN},
    };
    json_object_begin(json, NULL);
    json_text(json, "rule", rule->finding.rule);
    json_text(json, "outcome", rule_outcome_text(rule->finding.outcome));
    if (rule->finding.case_name[0] != '\0')
        json_text(json, "case", rule->finding.case_name);
    else
        json_no_value(json, "case");
    write_measures(&rule->finding, json);
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        json_text(json, TEXTS[i].key,
                  rule->texts[TEXTS[i].part][TEXTS[i].language]);
    json_object_end(json);
}

static void write_line(const struct verdict_line *line,
                       struct json_writer *json)
{
    json_object_begin(json, NULL);
    json_i64(json, "line", line->line_no);
    json_text(json, "service", line->service);
    json_text(json, "class", line->class);
    json_text(json, "verdict", line->word);
    json_i64(json, "active_days", line->active_days);
    json_i64(json, "covered_days", line->covered_days);
    write_day(json, "window_start", line->window_start);
    write_day(json, "window_end", line->window_end);
    json_i64(json, "devices_seen", line->devices_seen);
    if (line->has_contract)
        json_i64(json, "devices_contract", line->devices_contract);
    else
        json_no_value(json, "devices_contract");
    json_i64(json, "flows", line->flows);
    json_i64(json, "octets", line->octets);
    json_array_begin(json, "rules");
    for (const struct verdict_rule *rule = line->rules; rule != NULL;
         rule = rule->next)
        write_rule(rule, json);
    json_array_end(json);
    json_object_end(json);
}

void verdict_write_json(const struct verdict *v, const char *key,
                        struct json_writer *json)
{
    json_object_begin(json, key);
    json_text(json, "voucher", v->voucher);
    json_text(json, "verdict", v->word);
    json_text(json, "mark", v->mark);
    json_bool(json, "is_genuine", v->is_genuine);
    json_bool(json, "is_effective", v->is_effective);
    json_bool(json, "is_flagged", v->is_flagged);
    json_bool(json, "is_sample", v->is_sample);
    json_i64(json, "tier", v->tier);
    json_text(json, "reason_zh", v->reason[LANGUAGE_ZH]);
    json_text(json, "reason_en", v->reason[LANGUAGE_EN]);
    json_text(json, "remedy_zh", v->remedy[LANGUAGE_ZH]);
    json_text(json, "remedy_en", v->remedy[LANGUAGE_EN]);
    json_i64(json, "run", v->run);
    write_time(json, "run_at", v->run_at);
    json_text(json, "cycle", v->cycle);
    write_time(json, "cut_off", v->cut_off);
    json_text(json, "rules_version", v->rules_version);
    json_hex(json, "evidence_root", v->evidence_root.data,
             v->evidence_root.length);
    json_array_begin(json, "lines");
    for (const struct verdict_line *line = v->lines; line != NULL;
         line = line->next)
        write_line(line, json);
    json_array_end(json);
    json_object_end(json);
}
