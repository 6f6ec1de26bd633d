/*
 * Explaining reads verdict.db only: what was found is said, nothing is judged
 * again.
 */
#include "verifier/explain.h"

#include <inttypes.h>

#include "common/arena.h"
#include "common/crypto/digest.h"
#include "common/verdict/verdict_json.h"
#include "common/verdict/verdict_reader.h"
#include "rules/verdict_mark.h"

enum { VERDICT_LIMIT = 16 << 20 };

static const char *mark_zh(const char *mark)
{
    enum verdict_mark m;
    return verdict_mark_from(slice_of_text(mark), &m) ? verdict_mark_zh(m)
                                                      : mark;
}

/* --- text --- */

static void print_remedy(const struct verdict *v, struct buffer *out)
{
    if (v->remedy[LANGUAGE_ZH][0] != '\0')
        buffer_addf(out, "  怎样改变: %s\n", v->remedy[LANGUAGE_ZH]);
    if (v->remedy[LANGUAGE_EN][0] != '\0')
        buffer_addf(out, "  What would change it: %s\n",
                    v->remedy[LANGUAGE_EN]);
}

static void print_origin(const struct verdict *v, struct buffer *out)
{
    char cut_off[WALL_TEXT_LEN];
    wall_to_local_text(v->cut_off, cut_off);
    buffer_addf(out,
                "  周期 cycle %s, 运行 run %" PRId64
                ", 截止 cut-off %s (Asia/Shanghai)\n"
                "  规则 rules %s\n  证据 evidence ",
                v->cycle, v->run, cut_off, v->rules_version);
    for (size_t i = 0; i < v->evidence_root.length; i++)
        buffer_addf(out, "%02x", (unsigned char)v->evidence_root.data[i]);
    buffer_add_text(out, "\n");
}

static void print_verdict(const struct verdict *v, struct buffer *out)
{
    buffer_addf(out, "服务券 Voucher %s: %s (%s, %s)%s\n", v->voucher,
                mark_zh(v->mark), v->mark, v->word,
                v->is_flagged ? "  暂停待核 held" : "");
    if (v->is_sample)
        buffer_add_text(out, "  演示数据 DEMO DATA\n");
    buffer_addf(out, "  %s\n  %s\n", v->reason[LANGUAGE_ZH],
                v->reason[LANGUAGE_EN]);
    print_remedy(v, out);
    buffer_addf(out,
                "  真实性 genuine: %s; 有效性 effective: %s; 证据层级 evidence "
                "tier: %" PRId64 "\n",
                v->is_genuine ? "是 yes" : "否 no",
                v->is_effective ? "是 yes" : "否 no", v->tier);
    print_origin(v, out);
}

static void print_line(const struct verdict_line *l, struct buffer *out)
{
    char start[DAY_TEXT_LEN], end[DAY_TEXT_LEN];
    day_to_text(l->window_start, start);
    day_to_text(l->window_end, end);
    buffer_addf(out,
                "\n第 %" PRId64 " 行 Line %" PRId64 ": %s, 类别 class %s: %s\n"
                "  时段 window %s/%s: 活跃 active %" PRId64
                " 天 days, 监测 covered %" PRId64 " 天 days, 连接 connections "
                "%" PRId64 ", 字节 octets %" PRId64 ", 终端 hosts %" PRId64,
                l->line_no, l->line_no, l->service, l->class, l->word, start,
                end, l->active_days, l->covered_days, l->flows, l->octets,
                l->devices_seen);
    if (l->has_contract)
        buffer_addf(out, "/%" PRId64 " 合同 contract", l->devices_contract);
    buffer_add_text(out, "\n");
}

static void print_rule(const struct verdict_line *line,
                       const struct verdict_rule *rule, struct buffer *out)
{
    char window[VERDICT_WINDOW_LEN];
    verdict_window_text(line, window);
    buffer_addf(out, "  %-8s %-14s %s  [%s]  %s\n    %s\n    %s\n",
                rule->finding.rule, rule_outcome_text(rule->finding.outcome),
                rule->texts[FINDING_VALUE][LANGUAGE_EN],
                rule->texts[FINDING_THRESHOLD][LANGUAGE_EN], window,
                rule->texts[FINDING_SENTENCE][LANGUAGE_ZH],
                rule->texts[FINDING_SENTENCE][LANGUAGE_EN]);
}

static void print_text(const struct verdict *v, struct buffer *out)
{
    print_verdict(v, out);
    for (const struct verdict_line *l = v->lines; l != NULL; l = l->next) {
        print_line(l, out);
        for (const struct verdict_rule *r = l->rules; r != NULL; r = r->next)
            print_rule(l, r, out);
    }
}

static void print_json(const struct verdict *v, struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    verdict_write_json(v, NULL, &json);
    buffer_add_text(out, "\n");
}

/* --- reading --- */

struct db *explain_open(const char *path, struct error_text *error)
{
    struct db *db = db_open(":memory:", DB_READ, NULL, 0, error);
    if (db == NULL || db_attach(db, path, "verdict", error))
        return db;
    db_close(db);
    return NULL;
}

static enum verdict_found read_verdict(struct db *db, const char *number,
                                       struct arena *arena,
                                       struct verdict *verdict)
{
    if (arena == NULL || !db_begin_reading(db))
        return VERDICT_FAILED;
    enum verdict_found found = verdict_read(db, number, arena, verdict);
    db_rollback(db);
    return found;
}

enum explain_status explain_voucher(struct db *db, const char *number,
                                    bool as_json, struct buffer *out,
                                    struct error_text *error)
{
    static const enum explain_status STATUSES[] = {
        [VERDICT_FOUND] = EXPLAIN_DONE,
        [VERDICT_NONE] = EXPLAIN_UNKNOWN,
        [VERDICT_FAILED] = EXPLAIN_FAILED,
    };
    struct verdict verdict;
    struct arena *arena = arena_new(VERDICT_LIMIT);
    enum verdict_found found = read_verdict(db, number, arena, &verdict);
    if (found == VERDICT_NONE)
        error_set(error, "voucher %s has no verdict", number);
    else if (found == VERDICT_FAILED)
        error_set(error, "%s",
                  db_error(db)[0] != '\0' ? db_error(db) : "out of memory");
    else if (as_json)
        print_json(&verdict, out);
    else
        print_text(&verdict, out);
    if (arena != NULL)
        arena_free(arena);
    return STATUSES[found];
}
