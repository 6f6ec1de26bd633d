/*
 * A file is read three times. First every row is checked and the file's hash
 * taken; then its rows are attributed and held against those that were counted
 * before; then they are counted. So nothing is stored of a file that is refused,
 * and no transaction is as long as a file. That it was begun, and which rows it
 * counts, is written before the first of its batches, that it is whole with the
 * last: after a crash between the two the same file makes the same batches
 * again, those that were counted are known, and no other file counts them.
 */
#include "collector/carrier/carrier.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/carrier/carrier_form.h"
#include "collector/carrier/counted_rows.h"
#include "collector/carrier/number_import.h"
#include "collector/ledger/ledger.h"

enum { PLACE_LEN = 400 };

struct taking {
    const struct carrier_options *options;
    const struct carrier_form *form;
    const char *path;
    void *file;
    struct wall_time now;
    struct endpoint_list *endpoints;
    struct carrier_span span;
    struct digest hash;
    int64_t id; /* of the source_file; 0: none yet */
    struct counted_rows *rows;
    struct carrier *carrier;
    struct carrier_result *result;
    struct csv_faults *faults;
    struct error_text *error;
};

static bool fail(struct taking *t, const char *why)
{
    return error_set(t->error, "%s: %s", t->path, why);
}

static bool fail_db(struct taking *t)
{
    return fail(t, db_error(store_db(t->options->store)));
}

/* --- first reading --- */

static bool check_row(void *context, const struct carrier_record *record,
                      const char *fault)
{
    struct taking *t = context;
    t->result->rows++;
    if (record == NULL) {
        char place[PLACE_LEN];
        t->form->place(t->file, place, sizeof(place));
        csv_faults_add_at(t->faults, place, "%s", fault);
        return true;
    }
    if (record->start_ms < t->span.from_ms)
        t->span.from_ms = record->start_ms;
    if (record->end_ms > t->span.to_ms)
        t->span.to_ms = record->end_ms;
    return true;
}

static bool check_rows(struct taking *t)
{
    struct carrier_reading reading;
    t->span = (struct carrier_span){INT64_MAX, INT64_MIN};
    if (!t->form->read(t->file, t->now, check_row, t, &reading, t->error))
        return false;
    t->hash = reading.hash;
    t->result->missing = reading.missing;
    return t->faults->count == 0;
}

/* Gives the id of one that was begun. */
static bool find_file(struct taking *t, bool *is_whole)
{
    struct db_statement *s =
        db_prepare(store_db(t->options->store),
                   "SELECT id, is_whole FROM source_file WHERE hash = :hash");
    if (s == NULL)
        return fail_db(t);
    db_bind_blob(s, ":hash", t->hash.bytes, DIGEST_LEN);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        t->id = db_i64(s, 0);
        *is_whole = db_i64(s, 1) != 0;
    }
    db_reset(s);
    return step != DB_FAILED || fail_db(t);
}

/* --- second reading --- */

/* What a row says, whatever form it was written in: times to the second, since
 * some forms have no more. */
struct row_identity {
    int64_t start_s, end_s;
    uint64_t host, counts[5];
    uint8_t cloud[16];
    uint32_t cloud_version;
    uint16_t cloud_port, protocol;
};

static bool add_to_rows(struct taking *t, const struct carrier_record *r,
                        uint64_t host)
{
    struct row_identity row = {
        .start_s = r->start_ms / 1000,
        .end_s = r->end_ms / 1000,
        .host = host,
        .counts = {r->octets_up, r->octets_down, r->packets_up, r->packets_down,
                   r->connections},
        .cloud_version = r->cloud_address.version,
        .cloud_port = r->cloud_port,
        .protocol = r->protocol,
    };
    memcpy(row.cloud, r->cloud_address.bytes, sizeof(row.cloud));
    return counted_rows_add(t->rows, day_of_wall(wall_from_ms(r->start_ms)),
                            &row, sizeof(row));
}

static bool attribute_row(void *context, const struct carrier_record *record,
                          const char *fault)
{
    struct taking *t = context;
    struct carrier_answer answer;
    (void)fault;
    if (record == NULL)
        return fail(t, "it was changed while it was read");
    carrier_attribute(t->carrier, record, &answer);
    return answer.outcome != CARRIER_ATTRIBUTED ||
           add_to_rows(t, record, answer.host) ||
           fail(t, "more than 33554432 rows that count, or more than 800 days; "
                   "give it in parts");
}

static bool read_again(struct taking *t, carrier_row_fn *fn)
{
    struct carrier_reading reading;
    if (!t->form->read(t->file, t->now, fn, t, &reading, t->error))
        return false;
    return digest_equal(reading.hash, t->hash) ||
           fail(t, "it was changed while it was read");
}

/* Rows that an earlier file brought. */
static bool check_against_earlier(struct taking *t)
{
    struct counted_before before;
    if (!read_again(t, attribute_row))
        return false;
    counted_rows_sort(t->rows);
    if (!counted_rows_find(t->rows, store_db(t->options->store),
                           t->options->carrier, t->id, &before))
        return fail_db(t);
    return before.rows == 0 ||
           error_set(t->error,
                     "%s: %" PRIu64 " rows were counted before, with %s%s; a "
                     "correction is a file with the new rows alone",
                     t->path, before.rows, before.name,
                     before.is_whole ? ""
                                     : " (which was not taken to its end: "
                                       "import it again)");
}

/* --- third reading --- */

static bool take_row(void *context, const struct carrier_record *record,
                     const char *fault)
{
    struct taking *t = context;
    struct carrier_answer answer;
    FILE *rejects = t->options->rejects;
    (void)fault;
    if (record == NULL)
        return fail(t, "it was changed while it was read");
    carrier_attribute(t->carrier, record, &answer);
    t->result->outcomes[answer.outcome]++;
    if (answer.outcome != CARRIER_ATTRIBUTED)
        return rejects == NULL || t->form->reject(t->file, record, rejects) ||
               fail(t, "what was not attributed could not be written");
    t->result->records += record->connections;
    return carrier_store(t->carrier, record, &answer) ||
           fail(t, "its batches could not be stored");
}

static bool take_rows(struct taking *t)
{
    FILE *rejects = t->options->rejects;
    if (rejects != NULL && !t->form->reject_header(t->file, rejects))
        return fail(t, "what was not attributed could not be written");
    return read_again(t, take_row);
}

/* --- the end --- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Before the first of its batches. */
static bool note_begin(struct taking *t)
{
    struct db *db = store_db(t->options->store);
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO source_file (hash, carrier, name, at_us, is_whole, "
        "row_count, counted) VALUES (:hash, :carrier, :name, :at, 0, :rows, "
        "0)");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", t->hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":carrier", t->options->carrier);
    db_bind_text(s, ":name", base_name(t->path));
    db_bind_i64(s, ":at", t->now.us);
    db_bind_u64(s, ":rows", t->result->rows);
    if (!db_do(s))
        return false;
    t->id = db_last_rowid(db);
    return counted_rows_store(t->rows, db, t->options->carrier, t->id);
}

static bool begin(struct taking *t)
{
    if (t->id != 0) /* it goes on with one that was broken off */
        return true;
    if (!store_begin(t->options->store))
        return fail(t, "its batches could not be stored");
    if (!note_begin(t)) {
        fail_db(t);
        store_rollback(t->options->store);
        return false;
    }
    return store_commit(t->options->store) ||
           fail(t, "its batches could not be stored");
}

static bool note_whole(struct taking *t)
{
    struct db_statement *s =
        db_prepare(store_db(t->options->store),
                   "UPDATE source_file SET is_whole = 1, counted = :counted "
                   "WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":id", t->id);
    db_bind_u64(s, ":counted", t->result->outcomes[CARRIER_ATTRIBUTED]);
    return db_do(s);
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
                 base_name(t->path), t->result->outcomes[o], t->result->rows,
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
    if (!note_whole(t) || !note_outcomes(t)) {
        fail_db(t);
        store_rollback(t->options->store);
        return false;
    }
    return store_commit(t->options->store) ||
           fail(t, "its batches could not be stored");
}

static bool take_checked(struct taking *t)
{
    t->rows = counted_rows_new();
    if (t->rows == NULL)
        return fail(t, "out of memory");
    t->carrier = carrier_new(t->options, t->endpoints, t->hash.bytes, t->span,
                             t->now, t->error);
    if (t->carrier == NULL || !check_against_earlier(t) || !begin(t))
        return false;
    counted_rows_free(t->rows);
    t->rows = NULL;
    if (!take_rows(t))
        return false;
    return carrier_close(t->carrier)
               ? note_all(t)
               : fail(t, "its batches could not be stored");
}

static bool take_file(struct taking *t)
{
    t->endpoints = endpoint_list_load(t->options->endpoints, t->error);
    if (t->endpoints == NULL)
        return false;
    t->file = t->form->open(t->path, t->endpoints, t->error);
    if (t->file == NULL || !check_rows(t) ||
        !find_file(t, &t->result->is_repeated))
        return false;
    if (t->result->is_repeated)
        return true;
    return t->result->rows > 0 ? take_checked(t) : fail(t, "it has no rows");
}

bool carrier_import_file(const struct carrier_options *options,
                         const char *path, struct wall_time now,
                         struct carrier_result *result,
                         struct csv_faults *faults, struct error_text *error)
{
    struct taking t = {.options = options,
                       .form = options->form,
                       .path = path,
                       .now = now,
                       .result = result,
                       .faults = faults,
                       .error = error};
    *result = (struct carrier_result){0};
    bool good = take_file(&t);
    carrier_free(t.carrier);
    counted_rows_free(t.rows);
    if (t.file != NULL)
        t.form->close(t.file);
    endpoint_list_free(t.endpoints);
    return good;
}
