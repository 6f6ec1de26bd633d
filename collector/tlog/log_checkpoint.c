/*
 * The order of making one: files that a crash left unwritten; the comparison
 * with the last; subtrees; the row, committed; the file. So a file always has
 * its row, and a folder that is ahead of usage.db means an older usage.db.
 */
#include "collector/tlog/log_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/tlog/checkpoint_file.h"
#include "collector/tlog/event_log.h"
#include "collector/tlog/log_tree.h"

enum {
    NODES_A_TIME = 256, /* one transaction: 65536 leaves, some 50 ms */
    TEXT_MAX = 4096,
};

/* --- usage.db --- */

static bool read_row(struct db_statement *s, struct checkpoint *checkpoint,
                     struct buffer *note)
{
    struct error_text unused;
    uint64_t number = db_u64(s, 0);
    if (!checkpoint_read(slice_of_text(db_text(s, 1)), checkpoint, &unused))
        return false;
    checkpoint->number = number;
    if (note != NULL)
        buffer_addf(note, "%s\n%s", db_text(s, 1), db_text(s, 2));
    return true;
}

/* One row, if there is one. */
static bool take_row(struct db_statement *s, struct checkpoint *checkpoint,
                     struct buffer *note, bool *found)
{
    enum db_step step = s != NULL ? db_step(s) : DB_FAILED;
    *found = step == DB_ROW;
    bool good =
        step == DB_DONE || (step == DB_ROW && read_row(s, checkpoint, note));
    if (s != NULL)
        db_reset(s);
    return good;
}

bool log_checkpoint_last(struct db *db, struct checkpoint *checkpoint,
                         bool *found)
{
    return take_row(db_prepare(db, "SELECT number, text, signature "
                                   "FROM checkpoint "
                                   "ORDER BY number DESC LIMIT 1"),
                    checkpoint, NULL, found);
}

static bool add_cosignatures(struct db *db, uint64_t number,
                             struct buffer *note)
{
    struct db_statement *s =
        db_prepare(db, "SELECT line FROM cosignature "
                       "WHERE checkpoint = :number ORDER BY witness");
    enum db_step step = DB_FAILED;
    if (s == NULL)
        return false;
    db_bind_u64(s, ":number", number);
    while ((step = db_step(s)) == DB_ROW)
        buffer_add_text(note, db_text(s, 0));
    return step == DB_DONE;
}

bool log_checkpoint_find(struct db *db, uint64_t size,
                         struct checkpoint *checkpoint, struct buffer *note,
                         struct error_text *error)
{
    bool found;
    struct db_statement *s =
        db_prepare(db, "SELECT number, text, signature FROM checkpoint "
                       "WHERE :size = 0 OR size = :size "
                       "ORDER BY number DESC LIMIT 1");
    if (s != NULL)
        db_bind_u64(s, ":size", size);
    if (!take_row(s, checkpoint, note, &found) ||
        (found && note != NULL &&
         !add_cosignatures(db, checkpoint->number, note)))
        return error_set(error, "%s", db_error(db));
    if (found)
        return true;
    return size == 0 ? error_set(error, "there is no checkpoint yet; "
                                        "'yz-collector checkpoint' makes one")
                     : error_set(error,
                                 "no checkpoint has the size %" PRIu64
                                 "; see 'yz-collector checkpoint list'",
                                 size);
}

/* --- the folder beside it --- */

/* The newest file of this origin; *highest is the highest number of any. */
static bool newest_file(const char *folder, const char *origin,
                        struct checkpoint *newest, uint64_t *highest,
                        struct error_text *error)
{
    uint64_t *numbers;
    size_t count;
    *newest = (struct checkpoint){0};
    *highest = 0;
    if (!checkpoint_file_list(folder, &numbers, &count, error)) {
        free(numbers);
        return false;
    }
    if (count > 0)
        *highest = numbers[count - 1];
    for (size_t i = count; i-- > 0 && newest->number == 0;) {
        struct buffer file;
        struct note note;
        struct checkpoint c;
        struct error_text unused;
        if (checkpoint_file_read(folder, numbers[i], &file, &unused) &&
            note_split(buffer_slice(&file), &note, &unused) &&
            checkpoint_read(note.text, &c, &unused) &&
            strcmp(c.origin, origin) == 0) {
            *newest = c;
            newest->number = numbers[i];
        }
        buffer_clear(&file);
    }
    free(numbers);
    return true;
}

static bool is_older(const struct checkpoint *newest, const char *folder,
                     uint64_t known, struct error_text *error)
{
    if (newest->number <= known)
        return false;
    error_set(error,
              "rollback: %s holds checkpoint %" PRIu64 " over %" PRIu64
              " batches, usage.db knows none after number %" PRIu64
              ": it is an older copy",
              folder, newest->number, newest->size, known);
    return true;
}

/* A usage.db that was just born, or is of an older version, has none. */
static bool has_checkpoints(struct db *db, bool *has)
{
    struct db_statement *s = db_prepare(
        db, "SELECT count(*) FROM sqlite_schema WHERE name = 'checkpoint'");
    bool good = s != NULL && db_step(s) == DB_ROW;
    *has = good && db_i64(s, 0) == 1;
    if (s != NULL)
        db_reset(s);
    return good;
}

bool log_checkpoint_guard(struct db *db, const char *folder, const char *origin,
                          struct error_text *error)
{
    struct checkpoint newest, last = {0};
    uint64_t highest;
    bool found = false;
    if (!newest_file(folder, origin, &newest, &highest, error))
        return false;
    if (db != NULL && (!has_checkpoints(db, &found) ||
                       (found && !log_checkpoint_last(db, &last, &found))))
        return error_set(error, "%s", db_error(db));
    if (!found)
        last.number = 0;
    return !is_older(&newest, folder, last.number, error);
}

bool log_checkpoint_key_fits(struct db *db, const struct note_key *log,
                             struct error_text *error)
{
    bool has = false, good = true;
    if (!has_checkpoints(db, &has))
        return error_set(error, "%s", db_error(db));
    if (!has)
        return true;
    struct db_statement *s =
        db_prepare(db, "SELECT number, text, signature FROM checkpoint "
                       "WHERE substr(text, 1, length(:line)) = :line "
                       "ORDER BY number DESC LIMIT 1");
    if (s == NULL)
        return error_set(error, "%s", db_error(db));
    char line[NOTE_NAME_LEN + 1];
    snprintf(line, sizeof(line), "%s\n", log->name);
    db_bind_text(s, ":line", line);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        const struct note note = {slice_of_text(db_text(s, 1)),
                                  slice_of_text(db_text(s, 2))};
        good = note_verify(&note, log, NULL, NULL) != NOTE_ABSENT ||
               error_set(error,
                         "checkpoint %" PRIu64 " of %s was signed with another "
                         "key than log_key: keep the public half of that one "
                         "in log_former_keys, and give the log another "
                         "log_origin",
                         db_u64(s, 0), log->name);
    } else if (step == DB_FAILED) {
        good = error_set(error, "%s", db_error(db));
    }
    db_reset(s);
    return good;
}

/* --- making --- */

struct maker {
    struct db *db;
    const struct log_settings *settings;
    struct checkpoint last; /* number 0: none */
    struct error_text *error;
};

static enum log_checkpoint_status failed(struct maker *m)
{
    error_set(m->error, "%s", db_error(m->db));
    return LOG_CHECKPOINT_FAILED;
}

static enum log_checkpoint_status tree_failed(struct maker *m)
{
    error_set(m->error,
              "the Merkle tree has a hole or cannot be read (%s); run "
              "'yz-collector check'",
              db_error(m->db));
    return LOG_CHECKPOINT_FAILED;
}

/* Rows whose files a crash left unwritten. */
static bool write_files(struct maker *m, uint64_t after)
{
    struct db_statement *s =
        db_prepare(m->db, "SELECT number, text, signature FROM checkpoint "
                          "WHERE number > :after ORDER BY number");
    bool good = s != NULL;
    enum db_step step = DB_FAILED;
    if (s != NULL)
        db_bind_u64(s, ":after", after);
    while (good && (step = db_step(s)) == DB_ROW) {
        struct buffer note;
        buffer_init(&note, NOTE_MAX);
        buffer_addf(&note, "%s\n%s", db_text(s, 1), db_text(s, 2));
        good = checkpoint_file_write(m->settings->folder, db_u64(s, 0),
                                     buffer_slice(&note), m->error);
        buffer_clear(&note);
    }
    if (s != NULL)
        db_reset(s);
    return good &&
           (step == DB_DONE || error_set(m->error, "%s", db_error(m->db)));
}

static bool extend_tree(struct maker *m, uint64_t size)
{
    bool is_done = false;
    while (!is_done) {
        if (!db_begin(m->db))
            return false;
        if (!log_tree_extend(m->db, size, NODES_A_TIME, &is_done)) {
            db_rollback(m->db);
            return false;
        }
        if (!db_commit(m->db))
            return false;
    }
    return true;
}

/* Has the tree of now the last checkpoint's as its beginning? */
static enum log_checkpoint_status compare_with_last(struct maker *m,
                                                    uint64_t size)
{
    struct digest root;
    const struct checkpoint *last = &m->last;
    if (last->number == 0 || strcmp(last->origin, m->settings->origin) != 0)
        return LOG_CHECKPOINT_MADE;
    if (size < last->size) {
        error_set(m->error,
                  "rollback: the log has %" PRIu64 " batches, checkpoint "
                  "%" PRIu64 " signed %" PRIu64,
                  size, last->number, last->size);
        return LOG_CHECKPOINT_ROLLBACK;
    }
    if (!log_tree_root(m->db, last->size, &root))
        return tree_failed(m);
    if (digest_equal(root, last->root))
        return LOG_CHECKPOINT_MADE;
    error_set(m->error,
              "rollback: the first %" PRIu64 " batches of the log are not "
              "those that checkpoint %" PRIu64 " signed",
              last->size, last->number);
    return LOG_CHECKPOINT_ROLLBACK;
}

static bool insert_row(struct maker *m, const struct checkpoint *c,
                       struct slice text, struct slice signature)
{
    struct db_statement *s = db_prepare(
        m->db, "INSERT INTO checkpoint (number, size, made_us, text, "
               "signature) VALUES (:number, :size, :made, :text, :signature)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":number", c->number);
    db_bind_u64(s, ":size", c->size);
    db_bind_i64(s, ":made", c->made.us);
    db_bind_slice(s, ":text", text);
    db_bind_slice(s, ":signature", signature);
    return db_do(s);
}

/* Goes on from the events that the last checkpoint signed. */
static bool take_events(struct maker *m, struct checkpoint *made)
{
    uint64_t end;
    if (m->last.has_events)
        made->events = m->last.events;
    made->has_events = true;
    if (!event_log_end(m->db, &end) ||
        !event_log_extend(m->db, "main", &made->events, end))
        return error_set(m->error, "%s", db_error(m->db));
    return made->events.count == end ||
           error_set(m->error,
                     "rollback: event %" PRIu64 " is missing in usage.db",
                     (end < made->events.count ? end : made->events.count) + 1);
}

static enum log_checkpoint_status sign_and_store(struct maker *m,
                                                 const struct checkpoint *c)
{
    struct buffer note, signature;
    struct note_key key;
    enum log_checkpoint_status status = LOG_CHECKPOINT_FAILED;
    buffer_init(&note, NOTE_MAX);
    buffer_init(&signature, TEXT_MAX);
    checkpoint_write(c, &note);
    if (!note_key_of(m->settings->key, c->origin, false, &key, m->error))
        goto out;
    if (!note_sign(buffer_slice(&note), m->settings->key, &key, 0,
                   &signature)) {
        error_set(m->error, "the checkpoint cannot be signed");
        goto out;
    }
    if (!db_begin(m->db) ||
        !insert_row(m, c, buffer_slice(&note), buffer_slice(&signature)) ||
        !db_commit(m->db)) {
        failed(m);
        db_rollback(m->db);
        goto out;
    }
    buffer_add_u8(&note, '\n');
    buffer_add_slice(&note, buffer_slice(&signature));
    if (checkpoint_file_write(m->settings->folder, c->number,
                              buffer_slice(&note), m->error))
        status = LOG_CHECKPOINT_MADE;
out:
    buffer_clear(&note);
    buffer_clear(&signature);
    return status;
}

enum log_checkpoint_status
log_checkpoint_make(struct db *db, const struct log_settings *settings,
                    struct wall_time now, struct checkpoint *made,
                    struct error_text *error)
{
    struct maker m = {.db = db, .settings = settings, .error = error};
    struct checkpoint newest;
    struct note_key log;
    uint64_t highest;
    bool found;
    *made = (struct checkpoint){.has_time = true, .made = now};
    snprintf(made->origin, sizeof(made->origin), "%s", settings->origin);
    if (!newest_file(settings->folder, settings->origin, &newest, &highest,
                     error))
        return LOG_CHECKPOINT_FAILED;
    if (!log_checkpoint_last(db, &m.last, &found))
        return failed(&m);
    if (!found)
        m.last = (struct checkpoint){0};
    if (is_older(&newest, settings->folder, m.last.number, error))
        return LOG_CHECKPOINT_ROLLBACK;
    if (!note_key_of(settings->key, settings->origin, false, &log, error) ||
        !log_checkpoint_key_fits(db, &log, error))
        return LOG_CHECKPOINT_FAILED;
    if (!write_files(&m, highest))
        return LOG_CHECKPOINT_FAILED;
    if (!log_tree_size(db, &made->size) || !extend_tree(&m, made->size) ||
        !log_tree_root(db, made->size, &made->root))
        return tree_failed(&m);
    enum log_checkpoint_status status = compare_with_last(&m, made->size);
    if (status != LOG_CHECKPOINT_MADE)
        return status;
    if (!take_events(&m, made))
        return LOG_CHECKPOINT_FAILED;
    made->number = (m.last.number > highest ? m.last.number : highest) + 1;
    return sign_and_store(&m, made);
}
