/*
 * A file is read twice: first every row is checked and the file's hash taken,
 * then it is attributed. That it is done is written in the transaction of its
 * last batches; after a crash before that, the same file makes the same batches
 * again, and those that were counted are known.
 */
#include "collector/carrier.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/number_import.h"
#include "ledger/ledger.h"

/* The smallest hashes of rows. Holds up to twice as many as are kept. */
struct sample {
    int64_t hashes[2 * CARRIER_SAMPLE_ROWS];
    size_t count;
};

struct taking {
    const struct carrier_options *options;
    struct csv_file *file;
    struct wall_time now;
    struct carrier_span span;
    struct digest hash;
    struct sample *sample;
    struct carrier_result *result;
    struct csv_faults *faults;
    struct error_text *error;
};

static bool fail(struct taking *t, const char *why)
{
    return error_set(t->error, "%s: %s", csv_file_name(t->file), why);
}

static bool fail_db(struct taking *t)
{
    return fail(t, db_error(store_db(t->options->store)));
}

/* --- the sample of rows --- */

static int compare_hash(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sample_shrink(struct sample *s)
{
    size_t kept = 0;
    qsort(s->hashes, s->count, sizeof(s->hashes[0]), compare_hash);
    for (size_t i = 0; i < s->count && kept < CARRIER_SAMPLE_ROWS; i++)
        if (kept == 0 || s->hashes[kept - 1] != s->hashes[i])
            s->hashes[kept++] = s->hashes[i];
    s->count = kept;
}

/* Of the record, not of the text: other spelling is the same row. */
static void sample_add(struct sample *s, const struct carrier_record *r)
{
    struct digest digest = digest_of(r, sizeof(*r));
    int64_t hash;
    memcpy(&hash, digest.bytes, sizeof(hash));
    if (s->count == 2 * CARRIER_SAMPLE_ROWS)
        sample_shrink(s);
    s->hashes[s->count++] = hash;
}

/* --- first reading --- */

static void check_row(struct taking *t)
{
    struct carrier_record r;
    t->result->rows++;
    const char *fault = carrier_row_read(t->file, t->now, &r);
    if (fault != NULL) {
        csv_faults_add(t->faults, csv_file_name(t->file),
                       csv_file_line(t->file), "%s", fault);
        return;
    }
    if (r.start_ms < t->span.from_ms)
        t->span.from_ms = r.start_ms;
    if (r.end_ms > t->span.to_ms)
        t->span.to_ms = r.end_ms;
    sample_add(t->sample, &r);
}

static bool check_rows(struct taking *t)
{
    enum csv_status status;
    t->span = (struct carrier_span){INT64_MAX, INT64_MIN};
    while ((status = csv_file_next(t->file)) != CSV_END) {
        if (status == CSV_FAILED)
            return error_set(t->error, "%s:%" PRIu64 ": %s",
                             csv_file_name(t->file), csv_file_line(t->file),
                             csv_file_fault(t->file));
        if (status == CSV_BAD_ROW)
            csv_faults_add(t->faults, csv_file_name(t->file),
                           csv_file_line(t->file), "%s",
                           csv_file_fault(t->file));
        else
            check_row(t);
    }
    t->hash = csv_file_digest(t->file);
    sample_shrink(t->sample);
    return t->faults->count == 0;
}

static bool find_file(struct taking *t, bool *is_known)
{
    struct db_statement *s =
        db_prepare(store_db(t->options->store),
                   "SELECT 1 FROM source_file WHERE hash = :hash");
    if (s == NULL)
        return fail_db(t);
    db_bind_blob(s, ":hash", t->hash.bytes, DIGEST_LEN);
    enum db_step step = db_step(s);
    *is_known = step == DB_ROW;
    db_reset(s);
    return step != DB_FAILED || fail_db(t);
}

/* Rows that an earlier file brought. */
static bool check_against_earlier(struct taking *t)
{
    size_t again = 0;
    char name[200] = "";
    for (size_t i = 0; i < t->sample->count; i++) {
        struct db_statement *s = db_prepare(
            store_db(t->options->store),
            "SELECT f.name FROM source_row AS r JOIN source_file AS f "
            "ON f.id = r.file WHERE r.carrier = :carrier AND r.hash = :hash");
        if (s == NULL)
            return fail_db(t);
        db_bind_text(s, ":carrier", t->options->carrier);
        db_bind_i64(s, ":hash", t->sample->hashes[i]);
        if (db_step(s) == DB_ROW && again++ == 0)
            slice_copy(slice_of_text(db_text(s, 0)), name, sizeof(name));
        db_reset(s);
    }
    return again == 0 ||
           error_set(t->error,
                     "%s: %zu of %zu rows looked at were counted before, with "
                     "%s; a correction is a file with the new rows alone",
                     csv_file_name(t->file), again, t->sample->count, name);
}

/* --- second reading --- */

static bool reject(struct taking *t)
{
    FILE *out = t->options->rejects;
    struct slice raw = csv_file_raw(t->file);
    return out == NULL || (fwrite(raw.data, 1, raw.length, out) == raw.length &&
                           fputc('\n', out) != EOF);
}

static bool take_row(struct taking *t, struct carrier *carrier)
{
    struct carrier_record r;
    enum carrier_outcome outcome;
    if (carrier_row_read(t->file, t->now, &r) != NULL)
        return fail(t, "it was changed while it was read");
    if (!carrier_add(carrier, &r, &outcome))
        return fail(t, "its batches could not be stored");
    t->result->outcomes[outcome]++;
    if (outcome == CARRIER_ATTRIBUTED) {
        t->result->records += r.connections;
        sample_add(t->sample, &r);
    }
    return outcome == CARRIER_ATTRIBUTED || reject(t) ||
           fail(t, "what was not attributed could not be written");
}

static bool take_rows(struct taking *t, struct carrier *carrier)
{
    t->sample->count = 0; /* now of those that count */
    if (!csv_file_rewind(t->file, t->error))
        return false;
    if (t->options->rejects != NULL &&
        fprintf(t->options->rejects, "%s\n", csv_file_header(t->file)) < 0)
        return fail(t, "what was not attributed could not be written");
    enum csv_status status;
    while ((status = csv_file_next(t->file)) == CSV_ROW)
        if (!take_row(t, carrier))
            return false;
    return (status == CSV_END &&
            digest_equal(csv_file_digest(t->file), t->hash)) ||
           fail(t, "it was changed while it was read");
}

/* --- the end --- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool note_file(struct taking *t, int64_t *id)
{
    struct db *db = store_db(t->options->store);
    struct db_statement *s = db_prepare(
        db, "INSERT INTO source_file (hash, carrier, name, at_us, row_count, "
            "counted) VALUES (:hash, :carrier, :name, :at, :rows, :counted)");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", t->hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":carrier", t->options->carrier);
    db_bind_text(s, ":name", base_name(csv_file_name(t->file)));
    db_bind_i64(s, ":at", t->now.us);
    db_bind_u64(s, ":rows", t->result->rows);
    db_bind_u64(s, ":counted", t->result->outcomes[CARRIER_ATTRIBUTED]);
    bool good = db_do(s);
    *id = db_last_rowid(db);
    return good;
}

static bool note_sample(struct taking *t, int64_t file)
{
    for (size_t i = 0; i < t->sample->count; i++) {
        struct db_statement *s =
            db_prepare(store_db(t->options->store),
                       "INSERT OR IGNORE INTO source_row (carrier, hash, file) "
                       "VALUES (:carrier, :hash, :file)");
        if (s == NULL)
            return false;
        db_bind_text(s, ":carrier", t->options->carrier);
        db_bind_i64(s, ":hash", t->sample->hashes[i]);
        db_bind_i64(s, ":file", file);
        if (!db_do(s))
            return false;
    }
    return true;
}

static bool note_outcomes(struct taking *t)
{
    for (int o = CARRIER_ATTRIBUTED + 1; o < CARRIER_OUTCOME_COUNT; o++) {
        char detail[400];
        bool is_new;
        if (t->result->outcomes[o] == 0)
            continue;
        snprintf(detail, sizeof(detail),
                 "%s: %" PRIu64 " of %" PRIu64 " records: %s",
                 base_name(csv_file_name(t->file)), t->result->outcomes[o],
                 t->result->rows,
                 carrier_outcome_text((enum carrier_outcome)o));
        struct digest about = digest_of(detail, strlen(detail));
        const struct ledger_event event = {
            .reason = REASON_UNATTRIBUTED,
            .probe_id = t->options->carrier,
            .other = &about, /* each reason is an event of its own */
            .detail = detail,
        };
        if (!ledger_add_event(store_db(t->options->store), &event, t->now,
                              &is_new))
            return false;
    }
    return true;
}

static bool note_all(struct taking *t)
{
    int64_t file;
    sample_shrink(t->sample);
    if (!note_file(t, &file) || !note_sample(t, file) || !note_outcomes(t)) {
        fail_db(t);
        store_rollback(t->options->store);
        return false;
    }
    return store_commit(t->options->store) ||
           fail(t, "its batches could not be stored");
}

static bool take_file(struct taking *t)
{
    if (!check_rows(t) || !find_file(t, &t->result->is_repeated))
        return false;
    if (t->result->is_repeated)
        return true;
    if (t->result->rows == 0)
        return fail(t, "it has no rows");
    if (!check_against_earlier(t))
        return false;
    struct carrier *carrier =
        carrier_new(t->options, t->hash.bytes, t->span, t->now, t->error);
    bool good = carrier != NULL && take_rows(t, carrier);
    if (good && !carrier_close(carrier))
        good = fail(t, "its batches could not be stored");
    good = good && note_all(t);
    carrier_free(carrier);
    return good;
}

bool carrier_import_file(const struct carrier_options *options,
                         const char *path, struct wall_time now,
                         struct carrier_result *result,
                         struct csv_faults *faults, struct error_text *error)
{
    struct taking t = {.options = options,
                       .now = now,
                       .result = result,
                       .faults = faults,
                       .error = error};
    *result = (struct carrier_result){0};
    t.file = csv_file_open(path, CARRIER_COLUMNS, CARRIER_COLUMN_COUNT, error);
    if (t.file == NULL)
        return false;
    t.sample = calloc(1, sizeof(*t.sample));
    bool good = t.sample != NULL ? take_file(&t) : fail(&t, "out of memory");
    free(t.sample);
    csv_file_close(t.file);
    return good;
}
