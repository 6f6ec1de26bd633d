/* Words stand beside every mark and outcome, so that no meaning is carried by
 * colour alone. */
#include "portal/record/verdict_view.h"

#include <stdio.h>

#include "common/crypto/digest.h"
#include "portal/show/chart.h"

static void fill_hex(struct model *m, const char *key, struct slice bytes)
{
    char text[2 * 64 + 1] = "";
    if (bytes.length <= 64)
        hex_of(bytes.data, bytes.length, text);
    model_text(m, key, text);
}

static void fill_words(struct visit *visit, struct model *m,
                       const struct verdict *v)
{
    char tier[24];
    snprintf(tier, sizeof(tier), "%lld", (long long)v->tier);
    model_text(m, "mark", v->mark);
    model_text(m, "mark_words", visit_word(visit, "mark.", v->mark));
    model_text(m, "tier_words", visit_word(visit, "tier.", tier));
    model_text(m, "verdict_words", visit_word(visit, "machine.", v->word));
}

void verdict_view_fill(struct visit *visit, const struct verdict *v)
{
    struct model *m = model_object(visit->model, "_verdict");
    fill_words(visit, m, v);
    model_bool(m, "is_genuine", v->is_genuine);
    model_bool(m, "is_effective", v->is_effective);
    model_bool(m, "is_flagged", v->is_flagged);
    model_text(
        m, "reason",
        visit_name(visit, v->reason[LANGUAGE_ZH], v->reason[LANGUAGE_EN]));
    model_text(
        m, "remedy",
        visit_name(visit, v->remedy[LANGUAGE_ZH], v->remedy[LANGUAGE_EN]));
    model_i64(m, "run", v->run);
    model_moment(m, "run_at", v->run_at);
    model_end(m, "cut_off", v->cut_off);
    model_text(m, "rules_version", v->rules_version);
    fill_hex(m, "evidence_root", v->evidence_root);
}

static void fill_result(const struct verdict_line *line, struct model *m)
{
    char octets[CHART_VALUE_TEXT_LEN], day[DAY_TEXT_LEN];
    struct civil_day last = {line->window_end.number - 1};
    model_i64(m, "active_days", line->active_days);
    model_i64(m, "covered_days", line->covered_days);
    day_to_text(line->window_start, day);
    model_text(m, "window_start", day);
    day_to_text(last, day);
    model_text(m, "window_last", day);
    model_i64(m, "devices_seen", line->devices_seen);
    if (line->has_contract)
        model_i64(m, "devices_contract", line->devices_contract);
    model_i64(m, "flows", line->flows);
    chart_octets_text((uint64_t)line->octets, octets);
    model_text(m, "octets_text", octets);
}

/* The rule's name in words; a rule that the portal does not know has none. */
static const char *rule_title(struct visit *visit, const char *rule)
{
    const char *words = visit_word(visit, "rule.", rule);
    return words != rule ? words : "";
}

static void fill_rule(struct visit *visit, const struct verdict_rule *rule,
                      const char *window, struct model *m)
{
    static const struct {
        const char *key;
        enum finding_part part;
    } TEXTS[] = {
        {"value", FINDING_VALUE},
        {"threshold", FINDING_THRESHOLD},
        {"sentence", FINDING_SENTENCE},
    };
    const char *outcome = rule_outcome_text(rule->finding.outcome);
    model_text(m, "rule", rule->finding.rule);
    model_text(m, "title", rule_title(visit, rule->finding.rule));
    model_text(m, "outcome", outcome);
    model_text(m, "outcome_words", visit_word(visit, "outcome.", outcome));
    model_text(m, "window", window);
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        const char *const *texts = rule->texts[TEXTS[i].part];
        model_text(m, TEXTS[i].key,
                   visit_name(visit, texts[LANGUAGE_ZH], texts[LANGUAGE_EN]));
    }
}

void verdict_view_fill_line(struct visit *visit,
                            const struct verdict_line *verdict,
                            struct model *line)
{
    char text[VERDICT_WINDOW_LEN];
    fill_result(verdict, model_object(line, "_result"));
    verdict_window_text(verdict, text);
    model_list(line, "_rules");
    for (const struct verdict_rule *rule = verdict->rules; rule != NULL;
         rule = rule->next)
        fill_rule(visit, rule, text, model_append(line, "_rules"));
}
