/*
 * Explaining reads verdict.db only: what was found is said, nothing is judged
 * again.
 */
#include "verifier/explain.h"

#include "common/arena.h"
#include "common/crypto/digest.h"
#include "common/shown.h"
#include "common/verdict/verdict_json.h"
#include "common/verdict/verdict_reader.h"

enum { VERDICT_LIMIT = 16 << 20 };

/* --- text --- */

static void say_list(struct buffer *out, enum language language,
                     const char *key, const struct text_argument *arguments)
{
    text_fill_list(out, language, key, arguments);
    buffer_add_text(out, "\n");
}
#define SAY(out, language, key, ...)                                           \
    say_list(out, language, key, TEXT_ARGUMENTS(__VA_ARGS__))

static void print_origin(const struct verdict *v, enum language language,
                         struct buffer *out)
{
    char root[2 * DIGEST_LEN + 1] = "";
    if (v->evidence_root.length <= DIGEST_LEN)
        hex_of(v->evidence_root.data, v->evidence_root.length, root);
    SAY(out, language, "verifier.explain.run", text_plain("cycle", v->cycle),
        text_number("run", v->run), text_end("cut_off", v->cut_off));
    SAY(out, language, "verifier.explain.rules",
        text_plain("rules", v->rules_version));
    SAY(out, language, "verifier.explain.evidence", text_plain("root", root));
}

static void print_verdict(const struct verdict *v, enum language language,
                          struct buffer *out)
{
    SAY(out, language,
        v->is_flagged ? "verifier.explain.voucher_held"
                      : "verifier.explain.voucher",
        text_plain("voucher", v->voucher), text_code("mark", "mark.", v->mark),
        text_code("verdict", "machine.", v->word));
    if (v->is_sample)
        SAY(out, language, "verifier.explain.sample");
    buffer_addf(out, "  %s\n", v->reason[language]);
    if (v->remedy[language][0] != '\0')
        SAY(out, language, "verifier.explain.remedy",
            text_plain("remedy", v->remedy[language]));
    SAY(out, language, "verifier.explain.marks",
        text_words("genuine", v->is_genuine ? "yes" : "no"),
        text_words("effective", v->is_effective ? "yes" : "no"),
        text_number("tier", v->tier));
    print_origin(v, language, out);
}

static void print_line(const struct verdict_line *l, enum language language,
                       struct buffer *out)
{
    buffer_add_text(out, "\n");
    SAY(out, language, "verifier.explain.line", text_number("line", l->line_no),
        text_plain("service", l->service), text_plain("class", l->class),
        text_code("verdict", "machine.", l->word));
    SAY(out, language,
        l->has_contract ? "verifier.explain.window_contract"
                        : "verifier.explain.window",
        text_day("start", l->window_start), text_day("end", l->window_end),
        text_number("active", l->active_days),
        text_number("covered", l->covered_days), text_number("flows", l->flows),
        text_number("octets", l->octets), text_number("seen", l->devices_seen),
        text_number("contract", l->devices_contract));
}

static void print_rule(const struct verdict_line *line,
                       const struct verdict_rule *rule, enum language language,
                       struct buffer *out)
{
    char window[VERDICT_WINDOW_LEN];
    verdict_window_text(line, window);
    buffer_addf(out, "  %-8s %-14s %s  [%s]  %s\n    %s\n", rule->finding.rule,
                rule_outcome_text(rule->finding.outcome),
                rule->texts[FINDING_VALUE][language],
                rule->texts[FINDING_THRESHOLD][language], window,
                rule->texts[FINDING_SENTENCE][language]);
}

static void print_text(const struct verdict *v, enum language language,
                       struct buffer *out)
{
    print_verdict(v, language, out);
    for (const struct verdict_line *l = v->lines; l != NULL; l = l->next) {
        print_line(l, language, out);
        for (const struct verdict_rule *r = l->rules; r != NULL; r = r->next)
            print_rule(l, r, language, out);
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
                                    bool as_json, enum language language,
                                    struct buffer *out,
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
        print_text(&verdict, language, out);
    if (arena != NULL)
        arena_free(arena);
    return STATUSES[found];
}
