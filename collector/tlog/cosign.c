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

#include "collector/tlog/checkpoint.h"

const struct note_key *cosign_witness(const struct cosign_witnesses *witnesses,
                                      const char *name)
{
    for (size_t i = 0; i < witnesses->count; i++)
        if (strcmp(witnesses->keys[i].name, name) == 0)
            return &witnesses->keys[i];
    return NULL;
}

static bool load_one(const char *path, struct cosign_witnesses *w,
                     struct error_text *error)
{
    struct note_key key;
    if (w->count == COSIGN_WITNESSES_MAX)
        return error_set(error, "%s: more than %d witnesses", path,
                         COSIGN_WITNESSES_MAX);
    if (!note_key_load(path, NULL, true, &key, error))
        return false;
    if (cosign_witness(w, key.name) != NULL)
        return error_set(error, "%s: a second key of %s", path, key.name);
    w->keys[w->count++] = key;
    return true;
}

bool cosign_witnesses_load(const char *folder,
                           struct cosign_witnesses *witnesses,
                           struct error_text *error)
{
    witnesses->count = 0;
    if (folder[0] == '\0')
        return true;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return error_set(error, "%s: %m", folder);
    bool good = true;
    for (struct dirent *e; good && (e = readdir(dir)) != NULL;) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] == '.' || length < 0 || (size_t)length >= sizeof(path))
            continue;
        good = load_one(path, witnesses, error);
    }
    closedir(dir);
    return good;
}

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

static bool take_lines(struct db *db, const struct cosign_witnesses *witnesses,
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
                 const struct cosign_witnesses *witnesses, struct slice file,
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
