/*
 * A line is stored as it came, once its signature fits the text of our own row:
 * a cosigned text that we do not know was signed with our key elsewhere.
 */
#include "collector/tlog/cosign.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "collector/tlog/log_checkpoint.h"

/* The row whose text was cosigned. */
static bool find_row(struct db *db, struct slice text,
                     const struct checkpoint *c, uint64_t *number,
                     struct error_text *error)
{
    struct db_statement *s = db_prepare(
        db, "SELECT number FROM checkpoint WHERE text = :text LIMIT 1");
    if (s == NULL)
        return error_set(error, "%s", db_error(db));
    db_bind_slice(s, ":text", text);
    enum db_step step = db_step(s);
    *number = step == DB_ROW ? db_u64(s, 0) : 0;
    db_reset(s);
    if (step == DB_FAILED)
        return error_set(error, "%s", db_error(db));
    return step == DB_ROW ||
           error_set(error,
                     "split view: this log's key signed the checkpoint of "
                     "%" PRIu64 " batches, and usage.db does not know it",
                     c->size);
}

static bool store(struct db *db, uint64_t number, const struct note_key *key,
                  struct slice line, int64_t signed_s, size_t *taken)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO cosignature (checkpoint, witness, signed_s, line) "
            "VALUES (:number, :witness, :signed, :line) "
            "ON CONFLICT DO NOTHING");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":number", number);
    db_bind_text(s, ":witness", key->name);
    db_bind_i64(s, ":signed", signed_s);
    db_bind_slice(s, ":line", line);
    if (!db_do(s))
        return false;
    *taken += db_changes(db) > 0;
    return true;
}

static bool take_lines(struct db *db, const struct note_keys *witnesses,
                       const struct note *note, uint64_t number, size_t *taken,
                       struct error_text *error)
{
    size_t known = 0;
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct note_key *key = &witnesses->keys[i];
        struct slice line;
        int64_t signed_s;
        enum note_result result = note_verify(note, key, &line, &signed_s);
        if (result == NOTE_WRONG)
            return error_set(error, "the cosignature of %s does not fit",
                             key->name);
        if (result == NOTE_ABSENT)
            continue;
        known++;
        if (!store(db, number, key, line, signed_s, taken))
            return error_set(error, "%s", db_error(db));
    }
    return known > 0 ||
           error_set(error, "it has no signature of a known witness "
                            "(key 'witnesses')");
}

bool cosign_take(struct db *db, const struct note_key *log,
                 const struct note_keys *witnesses, struct slice file,
                 size_t *taken, struct error_text *error)
{
    struct note note;
    struct checkpoint c;
    uint64_t number;
    *taken = 0;
    if (!note_split(file, &note, error) ||
        !checkpoint_read_signed(&note, log, &c, error) ||
        !find_row(db, note.text, &c, &number, error))
        return false;
    if (!db_begin(db))
        return error_set(error, "%s", db_error(db));
    if (!take_lines(db, witnesses, &note, number, taken, error)) {
        db_rollback(db);
        return false;
    }
    return db_commit(db) || error_set(error, "%s", db_error(db));
}
