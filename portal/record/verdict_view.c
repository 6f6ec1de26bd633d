/* See verdict_view.h. Words stand beside every mark and outcome, so that no
 * meaning is carried by colour alone. */
#include "portal/record/verdict_view.h"

#include <stdio.h>

#include "portal/show/chart.h"

static void fill_hex(struct model *m, const char *key, struct slice bytes)
{
    char text[2 * 64 + 1] = "";
    if (bytes.length <= 64)
        hex_of(bytes.data, bytes.length, text);
    model_text(m, key, text);
}

static void fill_words(struct visit *visit, struct model *m, const char *mark,
                       int64_t tier)
{
    char tier_text[24];
    snprintf(tier_text, sizeof(tier_text), "%lld", (long long)tier);
    model_text(m, "mark", mark);
    model_text(m, "_mark_words", visit_word(visit, "mark.", mark));
    model_i64(m, "tier", tier);
    model_text(m, "_tier_words", visit_word(visit, "tier.", tier_text));
}

static void fill_verdict(struct visit *visit, struct db_statement *s)
{
    struct model *m = model_object(visit->model, "verdict");
    fill_words(visit, m, db_text(s, 1), db_i64(s, 6));
    model_text(m, "verdict", db_text(s, 0));
    model_text(m, "_verdict_words",
               visit_word(visit, "machine.", db_text(s, 0)));
    model_bool(m, "is_genuine", db_i64(s, 2) != 0);
    model_bool(m, "is_effective", db_i64(s, 3) != 0);
    model_bool(m, "is_flagged", db_i64(s, 4) != 0);
    model_bool(m, "is_sample", db_i64(s, 5) != 0);
    model_text(m, "reason", visit_name(visit, db_text(s, 7), db_text(s, 8)));
    model_text(m, "remedy", visit_name(visit, db_text(s, 9), db_text(s, 10)));
    model_i64(m, "run", db_i64(s, 11));
    model_moment(m, "run_at", (struct wall_time){db_i64(s, 12)});
    model_end(m, "cut_off", (struct wall_time){db_i64(s, 13)});
    model_text(m, "rules_version", db_text(s, 14));
    fill_hex(m, "evidence_root", db_blob(s, 15));
}

bool verdict_view_fill(struct visit *visit, const char *voucher,
                       const char *cycle, struct verdict_view *view)
{
    *view = (struct verdict_view){0};
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT d.verdict, d.mark, d.is_genuine, d.is_effective, d.is_flagged,"
        " d.is_sample, d.tier, d.reason_zh, d.reason_en, d.remedy_zh,"
        " d.remedy_en, r.id, r.at, r.cut_off, r.rules_version, r.evidence_root"
        " FROM verdict.run r JOIN verdict.verdict d ON d.run_id = r.id"
        " WHERE r.id = (SELECT max(id) FROM verdict.run"
        "               WHERE cycle_id = :cycle)"
        " AND d.voucher_number = :voucher");
    if (s == NULL)
        return false;
    db_bind_text(s, ":cycle", cycle);
    db_bind_text(s, ":voucher", voucher);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        fill_verdict(visit, s);
        view->is_there = true;
        view->is_sample = db_i64(s, 5) != 0;
        view->run_id = db_i64(s, 11);
        view->cut_off.us = db_i64(s, 13);
    }
    db_reset(s);
    return step != DB_FAILED;
}

static void fill_result(struct visit *visit, struct db_statement *s,
                        struct model *line)
{
    char octets[CHART_VALUE_TEXT_LEN], day[DAY_TEXT_LEN];
    struct model *m = model_object(line, "result");
    model_text(m, "verdict", db_text(s, 0));
    model_text(m, "_verdict_words",
               visit_word(visit, "machine.", db_text(s, 0)));
    model_i64(m, "active_days", db_i64(s, 1));
    model_i64(m, "covered_days", db_i64(s, 2));
    day_to_text((struct civil_day){(int32_t)db_i64(s, 3)}, day);
    model_text(m, "window_start", day);
    day_to_text((struct civil_day){(int32_t)db_i64(s, 4) - 1}, day);
    model_text(m, "window_last", day);
    model_i64(m, "devices_seen", db_i64(s, 5));
    if (!db_is_null(s, 6))
        model_i64(m, "devices_contract", db_i64(s, 6));
    model_i64(m, "flows", db_i64(s, 7));
    model_i64(m, "octets", db_i64(s, 8));
    chart_octets_text(db_u64(s, 8), octets);
    model_text(m, "_octets_text", octets);
}

/* The rule's name in words; a rule that the portal does not know has none. */
static const char *rule_title(struct visit *visit, const char *rule)
{
    const char *words = visit_word(visit, "rule.", rule);
    return words != rule ? words : "";
}

static bool fill_rules(struct visit *visit, const struct verdict_view *view,
                       const char *voucher, int64_t line_no, struct model *line)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT rule, outcome, value_zh, value, threshold_zh, threshold,"
        " window, sentence_zh, sentence_en FROM verdict.verdict_rule WHERE "
        "run_id = :run"
        " AND voucher_number = :voucher AND line_no = :line ORDER BY seq");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":run", view->run_id);
    db_bind_text(s, ":voucher", voucher);
    db_bind_i64(s, ":line", line_no);
    model_list(line, "rules");
    while ((step = db_step(s)) == DB_ROW) {
        struct model *m = model_append(line, "rules");
        model_text(m, "rule", db_text(s, 0));
        model_text(m, "title", rule_title(visit, db_text(s, 0)));
        model_text(m, "outcome", db_text(s, 1));
        model_text(m, "_outcome_words",
                   visit_word(visit, "outcome.", db_text(s, 1)));
        model_text(m, "value", visit_name(visit, db_text(s, 2), db_text(s, 3)));
        model_text(m, "threshold",
                   visit_name(visit, db_text(s, 4), db_text(s, 5)));
        model_text(m, "window", db_text(s, 6));
        model_text(m, "sentence",
                   visit_name(visit, db_text(s, 7), db_text(s, 8)));
    }
    return step == DB_DONE;
}

bool verdict_view_fill_line(struct visit *visit,
                            const struct verdict_view *view,
                            const char *voucher, int64_t line_no,
                            struct model *line, struct verdict_window *window)
{
    *window = (struct verdict_window){0};
    if (!view->is_there)
        return true;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT verdict, active_days, covered_days, window_start_day,"
        " window_end_day, devices_seen, devices_contract, flows, octets"
        " FROM verdict.verdict_line WHERE run_id = :run"
        " AND voucher_number = :voucher AND line_no = :line");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":run", view->run_id);
    db_bind_text(s, ":voucher", voucher);
    db_bind_i64(s, ":line", line_no);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        fill_result(visit, s, line);
        window->is_there = true;
        window->start.number = (int32_t)db_i64(s, 3);
        window->end.number = (int32_t)db_i64(s, 4);
    }
    db_reset(s);
    return step != DB_FAILED && fill_rules(visit, view, voucher, line_no, line);
}
