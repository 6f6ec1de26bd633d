/* The verdict store: the schema is built in; rows are written as they are told. */
#include "verifier/verdict_store.h"

#include <string.h>

static const struct db_migration MIGRATIONS[] = {
#include "verifier/schema.inc"
};

struct db *verdict_store_open(const char *path, enum db_mode mode,
                              struct error_text *error)
{
    return db_open(path, mode, MIGRATIONS,
                   sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]), error);
}

bool verdict_store_begin(struct db *db, struct verdict_run *run)
{
    static const struct digest NONE;
    struct db_statement *s =
        db_prepare(db, "INSERT INTO run (cycle_id, at, cut_off, rules_version, "
                       " evidence_root, fingerprint) "
                       "VALUES (:cycle, :at, :cut_off, :rules, :none, :none)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":cycle", run->cycle_id);
    db_bind_i64(s, ":at", run->at.us);
    db_bind_i64(s, ":cut_off", run->cut_off.us);
    db_bind_text(s, ":rules", run->rules_version);
    db_bind_blob(s, ":none", NONE.bytes, sizeof(NONE.bytes));
    if (!db_do(s))
        return false;
    run->id = db_last_rowid(db);
    return true;
}

bool verdict_store_end(struct db *db, const struct verdict_run *run)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE run SET evidence_root = :root, fingerprint = :fingerprint "
            "WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":root", run->evidence_root.bytes, DIGEST_LEN);
    db_bind_blob(s, ":fingerprint", run->fingerprint.bytes, DIGEST_LEN);
    db_bind_i64(s, ":id", run->id);
    return db_do(s);
}

/* --- fingerprint: each text with its NUL, each number in 8 bytes --- */

static void add_text(struct digest_stream *stream, const char *text)
{
    digest_stream_add(stream, text, strlen(text) + 1);
}

static void add_number(struct digest_stream *stream, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    digest_stream_add(stream, bytes, sizeof(bytes));
}

static void add_verdict(struct digest_stream *stream, const char *number,
                        const struct voucher_verdict *v)
{
    add_text(stream, number);
    add_text(stream, verdict_word_text(v->word));
    add_text(stream, verdict_mark_text(v->mark));
    add_number(stream, v->is_genuine);
    add_number(stream, v->is_effective);
    add_number(stream, v->is_flagged);
    add_number(stream, v->is_sample);
    add_number(stream, v->tier);
    add_text(stream, v->reason[LANGUAGE_ZH]);
    add_text(stream, v->reason[LANGUAGE_EN]);
    add_text(stream, v->remedy[LANGUAGE_ZH]);
    add_text(stream, v->remedy[LANGUAGE_EN]);
}

static void add_line(struct digest_stream *stream, int line_no,
                     const struct line_verdict *v)
{
    add_number(stream, (uint64_t)line_no);
    add_text(stream, verdict_word_text(v->word));
    add_number(stream, v->window.active_days);
    add_number(stream, v->window.covered_days);
    add_number(stream, (uint64_t)v->window.start.number);
    add_number(stream, (uint64_t)v->window.end.number);
    add_number(stream, v->devices_seen);
    add_number(stream, v->flows);
    add_number(stream, v->octets);
}

static void add_finding(struct digest_stream *stream, const struct finding *f)
{
    add_text(stream, f->rule);
    add_text(stream, rule_outcome_text(f->outcome));
    add_text(stream, f->case_name);
    for (size_t i = 0; i < f->count; i++) {
        const struct measure *m = &f->measures[i];
        add_text(stream, m->name);
        add_text(stream, unit_text(m->unit));
        add_number(stream, m->is_unknown);
        add_number(stream, (uint64_t)m->value);
    }
}

/* --- rows --- */

static bool insert_verdict(struct db *db, int64_t run_id, const char *number,
                           const struct voucher_verdict *v)
{
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO verdict (run_id, voucher_number, verdict, mark, "
        " is_genuine, is_effective, is_flagged, is_sample, tier, reason_zh, "
        " reason_en, remedy_zh, remedy_en) "
        "VALUES (:run, :voucher, :verdict, :mark, :genuine, :effective, "
        " :flagged, :sample, :tier, :reason_zh, :reason_en, :remedy_zh, "
        " :remedy_en)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":run", run_id);
    db_bind_text(s, ":voucher", number);
    db_bind_text(s, ":verdict", verdict_word_text(v->word));
    db_bind_text(s, ":mark", verdict_mark_text(v->mark));
    db_bind_i64(s, ":genuine", v->is_genuine);
    db_bind_i64(s, ":effective", v->is_effective);
    db_bind_i64(s, ":flagged", v->is_flagged);
    db_bind_i64(s, ":sample", v->is_sample);
    db_bind_i64(s, ":tier", v->tier);
    db_bind_text(s, ":reason_zh", v->reason[LANGUAGE_ZH]);
    db_bind_text(s, ":reason_en", v->reason[LANGUAGE_EN]);
    db_bind_text(s, ":remedy_zh", v->remedy[LANGUAGE_ZH]);
    db_bind_text(s, ":remedy_en", v->remedy[LANGUAGE_EN]);
    return db_do(s);
}

static bool insert_line(struct db *db, int64_t run_id, const char *number,
                        const struct register_line *line,
                        const struct register_service *service,
                        const struct line_verdict *v)
{
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO verdict_line (run_id, voucher_number, line_no, "
        " service_id, class, verdict, active_days, covered_days, "
        " window_start_day, window_end_day, devices_seen, devices_contract, "
        " flows, octets) "
        "VALUES (:run, :voucher, :line, :service, :class, :verdict, :active, "
        " :covered, :start, :end, :seen, :contract, :flows, :octets)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":run", run_id);
    db_bind_text(s, ":voucher", number);
    db_bind_i64(s, ":line", line->line_no);
    db_bind_text(s, ":service", service->id);
    db_bind_text(s, ":class", service_class_text(service->class));
    db_bind_text(s, ":verdict", verdict_word_text(v->word));
    db_bind_i64(s, ":active", v->window.active_days);
    db_bind_i64(s, ":covered", v->window.covered_days);
    db_bind_i64(s, ":start", v->window.start.number);
    db_bind_i64(s, ":end", v->window.end.number);
    db_bind_u64(s, ":seen", v->devices_seen);
    if (line->sets > 0)
        db_bind_u64(s, ":contract", line->sets);
    else
        db_bind_null(s, ":contract");
    db_bind_u64(s, ":flows", v->flows);
    db_bind_u64(s, ":octets", v->octets);
    return db_do(s);
}

/* Where a finding stands. */
struct finding_place {
    int64_t run_id;
    const char *number;
    int line_no;
};

static void bind_place(struct db_statement *s,
                       const struct finding_place *place)
{
    db_bind_i64(s, ":run", place->run_id);
    db_bind_text(s, ":voucher", place->number);
    db_bind_i64(s, ":line", place->line_no);
}

static bool insert_measure(struct db *db, const struct finding_place *place,
                           const char *rule, size_t seq,
                           const struct measure *m)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO verdict_measure (run_id, voucher_number, line_no, "
            " rule, seq, name, unit, value) "
            "VALUES (:run, :voucher, :line, :rule, :seq, :name, :unit, "
            " :value)");
    if (s == NULL)
        return false;
    bind_place(s, place);
    db_bind_text(s, ":rule", rule);
    db_bind_i64(s, ":seq", (int64_t)seq + 1);
    db_bind_text(s, ":name", m->name);
    db_bind_text(s, ":unit", unit_text(m->unit));
    if (m->is_unknown)
        db_bind_null(s, ":value");
    else
        db_bind_i64(s, ":value", m->value);
    return db_do(s);
}

static bool insert_finding(struct db *db, const struct finding_place *place,
                           size_t seq, const struct finding *f)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO verdict_finding (run_id, voucher_number, line_no, "
            " seq, rule, outcome, case_name) "
            "VALUES (:run, :voucher, :line, :seq, :rule, :outcome, :case)");
    if (s == NULL)
        return false;
    bind_place(s, place);
    db_bind_i64(s, ":seq", (int64_t)seq + 1);
    db_bind_text(s, ":rule", f->rule);
    db_bind_text(s, ":outcome", rule_outcome_text(f->outcome));
    db_bind_text(s, ":case", f->case_name);
    if (!db_do(s))
        return false;
    for (size_t i = 0; i < f->count; i++) {
        if (!insert_measure(db, place, f->rule, i, &f->measures[i]))
            return false;
    }
    return true;
}

static bool add_findings(struct db *db, const struct finding_place *place,
                         const struct line_verdict *line,
                         struct digest_stream *fingerprint)
{
    for (size_t i = 0; i < line->finding_count; i++) {
        add_finding(fingerprint, &line->findings[i]);
        if (!insert_finding(db, place, i, &line->findings[i]))
            return false;
    }
    return true;
}

bool verdict_store_add(struct db *db, const struct verdict_run *run,
                       const struct register_view *registry,
                       const struct register_voucher *voucher,
                       const struct voucher_verdict *verdict,
                       const struct line_verdict *lines,
                       struct digest_stream *fingerprint)
{
    const char *number = voucher->number;
    add_verdict(fingerprint, number, verdict);
    if (!insert_verdict(db, run->id, number, verdict))
        return false;
    for (size_t i = 0; i < voucher->line_count; i++) {
        const struct register_line *line = &voucher->lines[i];
        add_line(fingerprint, line->line_no, &lines[i]);
        if (!insert_line(db, run->id, number, line,
                         &registry->services[line->service], &lines[i]))
            return false;
        struct finding_place place = {run->id, number, line->line_no};
        if (!add_findings(db, &place, &lines[i], fingerprint))
            return false;
    }
    return true;
}
