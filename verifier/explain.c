/*
 * Explaining reads verdict.db only: what was said is repeated, nothing is
 * judged again.
 */
#include "verifier/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/writer.h"
#include "rules/judge.h"

/* The two forms of the same story. */
struct teller {
    void (*verdict)(struct teller *t, struct db_statement *row);
    void (*line)(struct teller *t, struct db_statement *row);
    void (*rule)(struct teller *t, struct db_statement *row);
    void (*line_end)(struct teller *t);
    void (*end)(struct teller *t);
    struct buffer *out;
    struct json_writer json;
    bool has_lines;
};

/* Columns of the statements below. */
enum {
    V_NUMBER,
    V_WORD,
    V_MARK,
    V_GENUINE,
    V_EFFECTIVE,
    V_FLAGGED,
    V_SAMPLE,
    V_TIER,
    V_REASON_ZH,
    V_REASON_EN,
    V_REMEDY_ZH,
    V_REMEDY_EN,
    V_RUN,
    V_CYCLE,
    V_CUT_OFF,
    V_RULES,
    V_ROOT,
};
enum {
    L_NO,
    L_SERVICE,
    L_CLASS,
    L_WORD,
    L_ACTIVE,
    L_COVERED,
    L_START,
    L_END,
    L_SEEN,
    L_CONTRACT,
    L_FLOWS,
    L_OCTETS,
};
enum { R_RULE, R_OUTCOME, R_VALUE, R_THRESHOLD, R_WINDOW, R_ZH, R_EN };

static const char *mark_zh(const char *mark)
{
    enum verdict_mark m;
    if (verdict_mark_from(slice_of_text(mark), &m))
        return verdict_mark_zh(m);
    return mark;
}

/* --- text --- */

static void text_remedy(struct teller *t, struct db_statement *row)
{
    if (db_text(row, V_REMEDY_ZH)[0] != '\0')
        buffer_addf(t->out, "  怎样改变: %s\n", db_text(row, V_REMEDY_ZH));
    if (db_text(row, V_REMEDY_EN)[0] != '\0')
        buffer_addf(t->out, "  What would change it: %s\n",
                    db_text(row, V_REMEDY_EN));
}

static void text_verdict(struct teller *t, struct db_statement *row)
{
    char cut_off[WALL_TEXT_LEN];
    struct slice root = db_blob(row, V_ROOT);
    wall_to_local_text((struct wall_time){db_i64(row, V_CUT_OFF)}, cut_off);
    buffer_addf(t->out, "服务券 Voucher %s: %s (%s, %s)%s\n",
                db_text(row, V_NUMBER), mark_zh(db_text(row, V_MARK)),
                db_text(row, V_MARK), db_text(row, V_WORD),
                db_i64(row, V_FLAGGED) != 0 ? "  暂停待核 held" : "");
    if (db_i64(row, V_SAMPLE) != 0)
        buffer_add_text(t->out, "  演示数据 DEMO DATA\n");
    buffer_addf(t->out, "  %s\n  %s\n", db_text(row, V_REASON_ZH),
                db_text(row, V_REASON_EN));
    text_remedy(t, row);
    buffer_addf(t->out,
                "  真实性 genuine: %s; 有效性 effective: %s; 证据层级 evidence "
                "tier: %" PRId64 "\n",
                db_i64(row, V_GENUINE) ? "是 yes" : "否 no",
                db_i64(row, V_EFFECTIVE) ? "是 yes" : "否 no",
                db_i64(row, V_TIER));
    buffer_addf(t->out,
                "  周期 cycle %s, 运行 run %" PRId64
                ", 截止 cut-off %s (Asia/Shanghai)\n"
                "  规则 rules %s\n  证据 evidence ",
                db_text(row, V_CYCLE), db_i64(row, V_RUN), cut_off,
                db_text(row, V_RULES));
    for (size_t i = 0; i < root.length; i++)
        buffer_addf(t->out, "%02x", (unsigned char)root.data[i]);
    buffer_add_text(t->out, "\n");
}

static void text_line(struct teller *t, struct db_statement *row)
{
    char start[DAY_TEXT_LEN], end[DAY_TEXT_LEN];
    day_to_text((struct civil_day){(int32_t)db_i64(row, L_START)}, start);
    day_to_text((struct civil_day){(int32_t)db_i64(row, L_END)}, end);
    buffer_addf(t->out,
                "\n第 %" PRId64 " 行 Line %" PRId64 ": %s, 类别 class %s: %s\n"
                "  时段 window %s/%s: 活跃 active %" PRId64
                " 天 days, 监测 covered %" PRId64 " 天 days, 连接 connections "
                "%" PRId64 ", 字节 octets %" PRId64 ", 终端 hosts %" PRId64,
                db_i64(row, L_NO), db_i64(row, L_NO), db_text(row, L_SERVICE),
                db_text(row, L_CLASS), db_text(row, L_WORD), start, end,
                db_i64(row, L_ACTIVE), db_i64(row, L_COVERED),
                db_i64(row, L_FLOWS), db_i64(row, L_OCTETS),
                db_i64(row, L_SEEN));
    if (!db_is_null(row, L_CONTRACT))
        buffer_addf(t->out, "/%" PRId64 " 合同 contract",
                    db_i64(row, L_CONTRACT));
    buffer_add_text(t->out, "\n");
}

static void text_rule(struct teller *t, struct db_statement *row)
{
    buffer_addf(t->out, "  %-8s %-14s %s  [%s]  %s\n    %s\n    %s\n",
                db_text(row, R_RULE), db_text(row, R_OUTCOME),
                db_text(row, R_VALUE), db_text(row, R_THRESHOLD),
                db_text(row, R_WINDOW), db_text(row, R_ZH), db_text(row, R_EN));
}

static void text_nothing(struct teller *t)
{
    (void)t;
}

/* --- JSON --- */

static void json_day(struct json_writer *json, const char *key, int64_t number)
{
    char text[DAY_TEXT_LEN];
    day_to_text((struct civil_day){(int32_t)number}, text);
    json_text(json, key, text);
}

static void json_verdict(struct teller *t, struct db_statement *row)
{
    char cut_off[WALL_TEXT_LEN];
    struct json_writer *json = &t->json;
    struct slice root = db_blob(row, V_ROOT);
    wall_to_text((struct wall_time){db_i64(row, V_CUT_OFF)}, cut_off);
    json_object_begin(json, NULL);
    json_text(json, "voucher", db_text(row, V_NUMBER));
    json_text(json, "verdict", db_text(row, V_WORD));
    json_text(json, "mark", db_text(row, V_MARK));
    json_bool(json, "is_genuine", db_i64(row, V_GENUINE) != 0);
    json_bool(json, "is_effective", db_i64(row, V_EFFECTIVE) != 0);
    json_bool(json, "is_flagged", db_i64(row, V_FLAGGED) != 0);
    json_bool(json, "is_sample", db_i64(row, V_SAMPLE) != 0);
    json_i64(json, "tier", db_i64(row, V_TIER));
    json_text(json, "reason_zh", db_text(row, V_REASON_ZH));
    json_text(json, "reason_en", db_text(row, V_REASON_EN));
    json_text(json, "remedy_zh", db_text(row, V_REMEDY_ZH));
    json_text(json, "remedy_en", db_text(row, V_REMEDY_EN));
    json_i64(json, "run", db_i64(row, V_RUN));
    json_text(json, "cycle", db_text(row, V_CYCLE));
    json_text(json, "cut_off", cut_off);
    json_text(json, "rules_version", db_text(row, V_RULES));
    json_hex(json, "evidence_root", root.data, root.length);
    json_array_begin(json, "lines");
}

static void json_line_row(struct teller *t, struct db_statement *row)
{
    struct json_writer *json = &t->json;
    json_object_begin(json, NULL);
    json_i64(json, "line", db_i64(row, L_NO));
    json_text(json, "service", db_text(row, L_SERVICE));
    json_text(json, "class", db_text(row, L_CLASS));
    json_text(json, "verdict", db_text(row, L_WORD));
    json_i64(json, "active_days", db_i64(row, L_ACTIVE));
    json_i64(json, "covered_days", db_i64(row, L_COVERED));
    json_day(json, "window_start", db_i64(row, L_START));
    json_day(json, "window_end", db_i64(row, L_END));
    json_i64(json, "devices_seen", db_i64(row, L_SEEN));
    if (db_is_null(row, L_CONTRACT))
        json_no_value(json, "devices_contract");
    else
        json_i64(json, "devices_contract", db_i64(row, L_CONTRACT));
    json_i64(json, "flows", db_i64(row, L_FLOWS));
    json_i64(json, "octets", db_i64(row, L_OCTETS));
    json_array_begin(json, "rules");
}

static void json_rule(struct teller *t, struct db_statement *row)
{
    struct json_writer *json = &t->json;
    json_object_begin(json, NULL);
    json_text(json, "rule", db_text(row, R_RULE));
    json_text(json, "outcome", db_text(row, R_OUTCOME));
    json_text(json, "value", db_text(row, R_VALUE));
    json_text(json, "threshold", db_text(row, R_THRESHOLD));
    json_text(json, "window", db_text(row, R_WINDOW));
    json_text(json, "sentence_zh", db_text(row, R_ZH));
    json_text(json, "sentence_en", db_text(row, R_EN));
    json_object_end(json);
}

static void json_line_end(struct teller *t)
{
    json_array_end(&t->json);
    json_object_end(&t->json);
}

static void json_end(struct teller *t)
{
    json_array_end(&t->json);
    json_object_end(&t->json);
    buffer_add_text(t->out, "\n");
}

static const struct teller TEXT_TELLER = {
    .verdict = text_verdict,
    .line = text_line,
    .rule = text_rule,
    .line_end = text_nothing,
    .end = text_nothing,
};

static const struct teller JSON_TELLER = {
    .verdict = json_verdict,
    .line = json_line_row,
    .rule = json_rule,
    .line_end = json_line_end,
    .end = json_end,
};

/* --- reading --- */

static enum db_step tell_rules(struct teller *t, struct db *db, int64_t run,
                               const char *number, int64_t line_no)
{
    enum db_step step;
    struct db_statement *s = db_prepare(
        db, "SELECT rule, outcome, value, threshold, window, sentence_zh, "
            " sentence_en FROM verdict_rule WHERE run_id = :run AND "
            " voucher_number = :voucher AND line_no = :line ORDER BY seq");
    if (s == NULL)
        return DB_FAILED;
    db_bind_i64(s, ":run", run);
    db_bind_text(s, ":voucher", number);
    db_bind_i64(s, ":line", line_no);
    while ((step = db_step(s)) == DB_ROW)
        t->rule(t, s);
    return step;
}

static enum db_step tell_lines(struct teller *t, struct db *db, int64_t run,
                               const char *number)
{
    enum db_step step;
    struct db_statement *s = db_prepare(
        db, "SELECT line_no, service_id, class, verdict, active_days, "
            " covered_days, window_start_day, window_end_day, devices_seen, "
            " devices_contract, flows, octets FROM verdict_line "
            "WHERE run_id = :run AND voucher_number = :voucher "
            "ORDER BY line_no");
    if (s == NULL)
        return DB_FAILED;
    db_bind_i64(s, ":run", run);
    db_bind_text(s, ":voucher", number);
    while ((step = db_step(s)) == DB_ROW) {
        t->line(t, s);
        if (tell_rules(t, db, run, number, db_i64(s, L_NO)) == DB_FAILED) {
            db_reset(s);
            return DB_FAILED;
        }
        t->line_end(t);
    }
    return step;
}

/* DB_DONE: no such voucher. */
static enum db_step tell_verdict(struct teller *t, struct db *db,
                                 const char *number, int64_t *run)
{
    struct db_statement *s = db_prepare(
        db,
        "SELECT v.voucher_number, v.verdict, v.mark, v.is_genuine, "
        " v.is_effective, v.is_flagged, v.is_sample, v.tier, v.reason_zh, "
        " v.reason_en, v.remedy_zh, v.remedy_en, r.id, r.cycle_id, r.cut_off, "
        " r.rules_version, r.evidence_root "
        "FROM verdict AS v JOIN run AS r ON r.id = v.run_id "
        "WHERE v.voucher_number = :voucher ORDER BY v.run_id DESC LIMIT 1");
    if (s == NULL)
        return DB_FAILED;
    db_bind_text(s, ":voucher", number);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        *run = db_i64(s, V_RUN);
        t->verdict(t, s);
    }
    db_reset(s);
    return step;
}

enum explain_status explain_voucher(struct db *verdicts, const char *number,
                                    bool as_json, struct buffer *out,
                                    struct error_text *error)
{
    int64_t run;
    struct teller teller = as_json ? JSON_TELLER : TEXT_TELLER;
    teller.out = out;
    json_start(&teller.json, out);
    bool began = db_begin(verdicts);
    enum db_step step =
        began ? tell_verdict(&teller, verdicts, number, &run) : DB_FAILED;
    enum explain_status status = step == DB_ROW    ? EXPLAIN_DONE
                                 : step == DB_DONE ? EXPLAIN_UNKNOWN
                                                   : EXPLAIN_FAILED;
    if (status == EXPLAIN_DONE &&
        tell_lines(&teller, verdicts, run, number) == DB_FAILED)
        status = EXPLAIN_FAILED;
    if (status == EXPLAIN_DONE)
        teller.end(&teller);
    if (status == EXPLAIN_FAILED)
        error_set(error, "%s", db_error(verdicts));
    if (status == EXPLAIN_UNKNOWN)
        error_set(error, "voucher %s has no verdict", number);
    if (began)
        db_rollback(verdicts);
    return status;
}
