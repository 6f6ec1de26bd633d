/* See audit.h. */
#include "portal/store/audit.h"

#include <string.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"

enum { ENTRY_MAX_BYTES = 64 * 1024 };

static void add_text(struct buffer *out, const char *text)
{
    buffer_add_u32(out, (uint32_t)strlen(text));
    buffer_add_text(out, text);
}

static void add_record(struct buffer *out, char mark,
                       const struct digest *record)
{
    if (record == NULL)
        return;
    buffer_add_u8(out, (uint8_t)mark);
    buffer_add(out, record->bytes, DIGEST_LEN);
}

static bool entry_hash(const uint8_t previous[static DIGEST_LEN], int64_t seq,
                       int64_t at, const struct audit_entry *entry,
                       struct digest *hash)
{
    struct buffer bytes;
    buffer_init(&bytes, ENTRY_MAX_BYTES);
    buffer_add(&bytes, previous, DIGEST_LEN);
    buffer_add_u64(&bytes, (uint64_t)seq);
    buffer_add_u64(&bytes, (uint64_t)at);
    add_text(&bytes, entry->actor);
    add_text(&bytes, entry->action);
    add_text(&bytes, entry->object);
    add_text(&bytes, entry->result);
    add_record(&bytes, 'B', entry->before);
    add_record(&bytes, 'A', entry->after);
    *hash = digest_of(bytes.data, bytes.length);
    bool good = !bytes.failed;
    buffer_clear(&bytes);
    return good;
}

/* The newest row's number and hash; 0 and zeros in an empty log. */
static bool read_head(struct db *db, int64_t *seq,
                      uint8_t hash[static DIGEST_LEN])
{
    struct db_statement *s =
        db_prepare(db, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
    if (s == NULL)
        return false;
    *seq = 0;
    memset(hash, 0, DIGEST_LEN);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        struct slice blob = db_blob(s, 1);
        *seq = db_i64(s, 0);
        if (blob.length == DIGEST_LEN)
            memcpy(hash, blob.data, DIGEST_LEN);
    }
    db_reset(s);
    return step != DB_FAILED;
}

static void bind_record(struct db_statement *s, const char *name,
                        const struct digest *record)
{
    if (record != NULL)
        db_bind_blob(s, name, record->bytes, DIGEST_LEN);
    else
        db_bind_null(s, name);
}

bool audit_add(struct db *db, struct wall_time now,
               const struct audit_entry *entry)
{
    int64_t seq = 0;
    uint8_t previous[DIGEST_LEN];
    struct digest hash;
    if (!read_head(db, &seq, previous) ||
        !entry_hash(previous, seq + 1, now.us, entry, &hash))
        return false;
    struct db_statement *s = db_prepare(
        db, "INSERT INTO audit (seq, at, actor, action, object, result,"
            " previous_hash, hash, before_hash, after_hash) VALUES (:seq, :at,"
            " :actor, :action, :object, :result, :previous, :hash, :before,"
            " :after)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":seq", seq + 1);
    db_bind_i64(s, ":at", now.us);
    db_bind_text(s, ":actor", entry->actor);
    db_bind_text(s, ":action", entry->action);
    db_bind_text(s, ":object", entry->object);
    db_bind_text(s, ":result", entry->result);
    db_bind_blob(s, ":previous", previous, DIGEST_LEN);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    bind_record(s, ":before", entry->before);
    bind_record(s, ":after", entry->after);
    return db_do(s);
}

/* False when there is something in the column that is no digest. */
static bool read_record(struct db_statement *s, int column,
                        struct digest *digest, const struct digest **record)
{
    *record = db_is_null(s, column) ? NULL : digest;
    return *record == NULL || digest_read(db_blob(s, column), digest);
}

/* Whether the current row continues the chain; hash moves on to its own. */
static bool row_is_good(struct db_statement *s, int64_t seq,
                        uint8_t hash[static DIGEST_LEN])
{
    struct audit_entry entry = {db_text(s, 2), db_text(s, 3), db_text(s, 4),
                                db_text(s, 5)};
    struct slice previous = db_blob(s, 6), stored = db_blob(s, 7);
    struct digest right, before, after;
    if (!read_record(s, 8, &before, &entry.before) ||
        !read_record(s, 9, &after, &entry.after) || db_i64(s, 0) != seq ||
        !slice_equal(previous, slice_of_bytes(hash, DIGEST_LEN)) ||
        !entry_hash(hash, seq, db_i64(s, 1), &entry, &right) ||
        !slice_equal(stored, slice_of_bytes(right.bytes, DIGEST_LEN)))
        return false;
    memcpy(hash, right.bytes, DIGEST_LEN);
    return true;
}

bool audit_check(struct db *db, uint64_t *count, struct error_text *error)
{
    uint8_t hash[DIGEST_LEN] = {0};
    enum db_step step = DB_FAILED;
    struct db_statement *s =
        db_prepare(db, "SELECT seq, at, actor, action, object, result,"
                       " previous_hash, hash, before_hash, after_hash"
                       " FROM audit ORDER BY seq");
    *count = 0;
    if (s == NULL)
        return error_set(error, "%s", db_error(db));
    while ((step = db_step(s)) == DB_ROW) {
        if (!row_is_good(s, (int64_t)*count + 1, hash)) {
            error_set(error, "the audit log is broken at row %llu",
                      (unsigned long long)*count + 1);
            db_reset(s);
            return false;
        }
        ++*count;
    }
    return step == DB_DONE || error_set(error, "%s", db_error(db));
}
