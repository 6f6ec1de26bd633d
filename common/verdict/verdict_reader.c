#include "common/verdict/verdict_reader.h"

#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { TEXT_LIMIT = 4096 };

struct reader {
    struct db *db;
    struct arena *arena;
    bool is_out_of_memory;
};

/* ---- columns, by their names ---- */

static const char *keep(struct reader *r, struct slice text)
{
    const char *kept = arena_copy_text(r->arena, text);
    r->is_out_of_memory |= kept == NULL;
    return kept != NULL ? kept : "";
}

static const char *text_of(struct reader *r, struct db_statement *s,
                           const char *column)
{
    return keep(r, slice_of_text(db_text(s, db_column(s, column))));
}

static int64_t number_of(struct db_statement *s, const char *column)
{
    return db_i64(s, db_column(s, column));
}

static struct civil_day day_of(struct db_statement *s, const char *column)
{
    return (struct civil_day){(int32_t)number_of(s, column)};
}

static void *take(struct reader *r, size_t size)
{
    void *piece = arena_take(r->arena, size);
    r->is_out_of_memory |= piece == NULL;
    return piece;
}

/* ---- rules ---- */

static void bind_line(struct db_statement *s, const struct verdict *v,
                      const struct verdict_line *line)
{
    db_bind_i64(s, ":run", v->run);
    db_bind_text(s, ":voucher", v->voucher);
    db_bind_i64(s, ":line", line->line_no);
}

static struct verdict_rule *add_rule(struct reader *r, struct db_statement *s,
                                     struct verdict_rule ***end)
{
    struct verdict_rule *rule = take(r, sizeof(*rule));
    if (rule == NULL)
        return NULL;
    rule->finding.rule = text_of(r, s, "rule");
    rule->finding.case_name = "";
    rule_outcome_from(slice_of_text(db_text(s, db_column(s, "outcome"))),
                      &rule->finding.outcome);
    for (int part = 0; part < FINDING_PART_COUNT; part++)
        for (int i = 0; i < LANGUAGE_COUNT; i++)
            rule->texts[part][i] = "";
    **end = rule;
    *end = &rule->next;
    return rule;
}

static void add_measure(struct reader *r, struct db_statement *s,
                        struct finding *finding)
{
    int value = db_column(s, "value");
    if (db_is_null(s, db_column(s, "name")) ||
        finding->count == FINDING_MEASURES_MAX)
        return;
    struct measure *m = &finding->measures[finding->count++];
    m->name = text_of(r, s, "name");
    unit_from(slice_of_text(db_text(s, db_column(s, "unit"))), &m->unit);
    m->is_unknown = db_is_null(s, value);
    m->value = db_i64(s, value);
}

static void make_texts(struct reader *r, struct verdict_rule *rule)
{
    struct buffer text;
    buffer_init(&text, TEXT_LIMIT);
    for (int part = 0; part < FINDING_PART_COUNT; part++) {
        for (int i = 0; i < LANGUAGE_COUNT; i++) {
            buffer_reset(&text);
            finding_text(&rule->finding, (enum finding_part)part,
                         (enum language)i, &text);
            rule->texts[part][i] = keep(r, buffer_slice(&text));
        }
    }
    r->is_out_of_memory |= text.failed;
    buffer_clear(&text);
}

static bool has_findings(struct reader *r)
{
    struct db_statement *s =
        db_prepare(r->db, "SELECT 1 FROM verdict.sqlite_master"
                          " WHERE name = 'verdict_finding'");
    bool has = s != NULL && db_step(s) == DB_ROW;
    if (s != NULL)
        db_reset(s);
    return has;
}

static bool read_findings(struct reader *r, const struct verdict *v,
                          struct verdict_line *line)
{
    enum db_step step;
    int64_t seq = 0;
    struct verdict_rule *rule = NULL, **end = &line->rules;
    struct db_statement *s = db_prepare(
        r->db,
        "SELECT f.seq, f.rule, f.outcome, f.case_name, m.name, m.unit, m.value"
        " FROM verdict.verdict_finding AS f"
        " LEFT JOIN verdict.verdict_measure AS m ON m.run_id = f.run_id"
        "  AND m.voucher_number = f.voucher_number AND m.line_no = f.line_no"
        "  AND m.rule = f.rule"
        " WHERE f.run_id = :run AND f.voucher_number = :voucher"
        "  AND f.line_no = :line ORDER BY f.seq, m.seq");
    if (s == NULL)
        return false;
    bind_line(s, v, line);
    while ((step = db_step(s)) == DB_ROW) {
        if (rule == NULL || number_of(s, "seq") != seq) {
            rule = add_rule(r, s, &end);
            seq = number_of(s, "seq");
            if (rule != NULL)
                rule->finding.case_name = text_of(r, s, "case_name");
        }
        if (rule != NULL)
            add_measure(r, s, &rule->finding);
    }
    for (rule = line->rules; rule != NULL; rule = rule->next)
        make_texts(r, rule);
    return step == DB_DONE;
}

/* What runs of before said. */
static bool read_said(struct reader *r, const struct verdict *v,
                      struct verdict_line *line)
{
    static const struct {
        enum finding_part part;
        enum language language;
        const char *column;
    } TEXTS[] = {
        {FINDING_VALUE, LANGUAGE_ZH, "value_zh"},
        {FINDING_VALUE, LANGUAGE_EN, "value"},
        {FINDING_THRESHOLD, LANGUAGE_ZH, "threshold_zh"},
        {FINDING_THRESHOLD, LANGUAGE_EN, "threshold"},
        {FINDING_SENTENCE, LANGUAGE_ZH, "sentence_zh"},
        {FINDING_SENTENCE, LANGUAGE_EN, "sentence_en"},
    };
    enum db_step step;
    struct verdict_rule **end = &line->rules;
    struct db_statement *s = db_prepare(
        r->db, "SELECT rule, outcome, value_zh, value, threshold_zh,"
               " threshold, sentence_zh, sentence_en FROM verdict.verdict_rule"
               " WHERE run_id = :run AND voucher_number = :voucher"
               " AND line_no = :line ORDER BY seq");
    if (s == NULL)
        return false;
    bind_line(s, v, line);
    while ((step = db_step(s)) == DB_ROW) {
        struct verdict_rule *rule = add_rule(r, s, &end);
        for (size_t i = 0; rule != NULL && i < sizeof(TEXTS) / sizeof(TEXTS[0]);
             i++)
            rule->texts[TEXTS[i].part][TEXTS[i].language] =
                text_of(r, s, TEXTS[i].column);
    }
    return step == DB_DONE;
}

static bool read_rules(struct reader *r, struct verdict *v)
{
    bool has = has_findings(r);
    for (struct verdict_line *line = v->lines; line != NULL;
         line = line->next) {
        if (has && !read_findings(r, v, line))
            return false;
        if (line->rules == NULL && !read_said(r, v, line))
            return false;
    }
    return true;
}

/* ---- lines ---- */

static void fill_line(struct reader *r, struct db_statement *s,
                      struct verdict_line *line)
{
    *line = (struct verdict_line){
        .line_no = number_of(s, "line_no"),
        .service = text_of(r, s, "service_id"),
        .class = text_of(r, s, "class"),
        .word = text_of(r, s, "verdict"),
        .active_days = number_of(s, "active_days"),
        .covered_days = number_of(s, "covered_days"),
        .window_start = day_of(s, "window_start_day"),
        .window_end = day_of(s, "window_end_day"),
        .devices_seen = number_of(s, "devices_seen"),
        .devices_contract = number_of(s, "devices_contract"),
        .has_contract = !db_is_null(s, db_column(s, "devices_contract")),
        .flows = number_of(s, "flows"),
        .octets = number_of(s, "octets"),
    };
}

static bool read_lines(struct reader *r, struct verdict *v)
{
    enum db_step step;
    struct verdict_line **end = &v->lines;
    struct db_statement *s = db_prepare(
        r->db, "SELECT line_no, service_id, class, verdict, active_days,"
               " covered_days, window_start_day, window_end_day, devices_seen,"
               " devices_contract, flows, octets FROM verdict.verdict_line"
               " WHERE run_id = :run AND voucher_number = :voucher"
               " ORDER BY line_no");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":run", v->run);
    db_bind_text(s, ":voucher", v->voucher);
    while ((step = db_step(s)) == DB_ROW) {
        struct verdict_line *line = take(r, sizeof(*line));
        if (line == NULL)
            continue;
        fill_line(r, s, line);
        *end = line;
        end = &line->next;
    }
    return step == DB_DONE;
}

/* ---- the verdict ---- */

static void fill_verdict(struct reader *r, struct db_statement *s,
                         struct verdict *v)
{
    struct slice root = db_blob(s, db_column(s, "evidence_root"));
    *v = (struct verdict){
        .voucher = text_of(r, s, "voucher_number"),
        .word = text_of(r, s, "verdict"),
        .mark = text_of(r, s, "mark"),
        .is_genuine = number_of(s, "is_genuine") != 0,
        .is_effective = number_of(s, "is_effective") != 0,
        .is_flagged = number_of(s, "is_flagged") != 0,
        .is_sample = number_of(s, "is_sample") != 0,
        .tier = number_of(s, "tier"),
        .reason = {[LANGUAGE_ZH] = text_of(r, s, "reason_zh"),
                   [LANGUAGE_EN] = text_of(r, s, "reason_en")},
        .remedy = {[LANGUAGE_ZH] = text_of(r, s, "remedy_zh"),
                   [LANGUAGE_EN] = text_of(r, s, "remedy_en")},
        .run = number_of(s, "run_id"),
        .is_newest_run = number_of(s, "is_newest_run") != 0,
        .cycle = text_of(r, s, "cycle_id"),
        .rules_version = text_of(r, s, "rules_version"),
        .run_at = {number_of(s, "at")},
        .cut_off = {number_of(s, "cut_off")},
        .evidence_root = {keep(r, root), root.length},
    };
}

static enum db_step read_verdict(struct reader *r, const char *voucher,
                                 struct verdict *v)
{
    struct db_statement *s = db_prepare(
        r->db,
        "SELECT v.voucher_number, v.run_id, v.verdict, v.mark, v.is_genuine,"
        " v.is_effective, v.is_flagged, v.is_sample, v.tier, v.reason_zh,"
        " v.reason_en, v.remedy_zh, v.remedy_en, r.cycle_id, r.at, r.cut_off,"
        " r.rules_version, r.evidence_root, NOT EXISTS (SELECT 1"
        "  FROM verdict.run AS n WHERE n.cycle_id = r.cycle_id"
        "  AND n.id > r.id) AS is_newest_run"
        " FROM verdict.verdict AS v JOIN verdict.run AS r ON r.id = v.run_id"
        " WHERE v.voucher_number = :voucher ORDER BY v.run_id DESC LIMIT 1");
    if (s == NULL)
        return DB_FAILED;
    db_bind_text(s, ":voucher", voucher);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        fill_verdict(r, s, v);
    db_reset(s);
    return step;
}

enum verdict_found verdict_read(struct db *db, const char *voucher,
                                struct arena *arena, struct verdict *verdict)
{
    struct reader reader = {.db = db, .arena = arena};
    *verdict = (struct verdict){0};
    enum db_step step = read_verdict(&reader, voucher, verdict);
    if (step == DB_DONE)
        return VERDICT_NONE;
    bool good = step == DB_ROW && read_lines(&reader, verdict) &&
                read_rules(&reader, verdict);
    return good && !reader.is_out_of_memory ? VERDICT_FOUND : VERDICT_FAILED;
}

const struct verdict_line *verdict_line_find(const struct verdict *verdict,
                                             int64_t line_no)
{
    const struct verdict_line *line = verdict->lines;
    while (line != NULL && line->line_no != line_no)
        line = line->next;
    return line;
}

void verdict_window_text(const struct verdict_line *line,
                         char text[static VERDICT_WINDOW_LEN])
{
    char start[DAY_TEXT_LEN], last[DAY_TEXT_LEN];
    day_to_text(line->window_start, start);
    /* People read the last day, not the first one after. */
    day_to_text((struct civil_day){line->window_end.number - 1}, last);
    snprintf(text, VERDICT_WINDOW_LEN, "%s/%s", start, last);
}
