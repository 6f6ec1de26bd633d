/*
 * Everything that says something about the log is gathered first: signed heads
 * (size and root) and receipts (row and hash), each in order of its place. The
 * walk over the rows then meets each of them where it stands.
 */
#include "collector/tlog/log_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/tlog/checkpoint_file.h"
#include "collector/tlog/event_log.h"
#include "collector/tlog/log_checkpoint.h"
#include "collector/tlog/log_tree.h"
#include "common/proof/proof.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/receipt.h"

enum { LABEL_LEN = 120, RECEIPTS_MAX = 64 * 1024 * 1024 };

struct head {
    uint64_t size;
    struct digest root;
    bool is_kept; /* by others; else the row of this number */
    uint64_t number;
    char label[LABEL_LEN]; /* file name of a kept one */
};

struct kept_receipt {
    uint64_t index;
    struct digest hash;
    char label[LABEL_LEN];
};

struct log_check {
    struct db *db;
    const struct log_check_options *options;
    struct log_check_result *result;
    struct error_text *error; /* of the call at work */
    uint64_t size;
    struct head *heads;
    size_t head_count, head_next;
    const struct head *mismatch;
    struct kept_receipt *receipts;
    size_t receipt_count, receipt_next;
    uint64_t *files; /* numbers, ascending */
    size_t file_count;
    char origin[NOTE_NAME_LEN]; /* of the checkpoint before */
    struct event_log events;    /* as far as the checkpoints went */
    struct merkle_tree levels[LOG_TREE_LEVELS]; /* of the open subtrees */
    uint64_t nodes[LOG_TREE_LEVELS];            /* closed, by level - 1 */
};

static bool database_failed(struct log_check *c)
{
    return error_set(c->error, "%s", db_error(c->db));
}

/* --- heads --- */

static struct head *add_head(struct log_check *c, const struct checkpoint *from)
{
    size_t n = c->head_count;
    if ((n & (n - 1)) == 0) {
        struct head *more =
            realloc(c->heads, (n > 0 ? 2 * n : 1) * sizeof(*more));
        if (more == NULL) {
            error_set(c->error, "out of memory");
            return NULL;
        }
        c->heads = more;
    }
    c->heads[n] = (struct head){
        .size = from->size, .root = from->root, .number = from->number};
    c->head_count++;
    return &c->heads[n];
}

static int compare_heads(const void *a, const void *b)
{
    const struct head *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Names what a head longer than the log means. */
static bool head_is_within(struct log_check *c, const struct head *head)
{
    if (head->size <= c->size)
        return true;
    if (head->is_kept)
        return error_set(c->error,
                         "cut: %s was signed over %" PRIu64 " batches, the log "
                         "has %" PRIu64 ": its tail was cut off, or an older "
                         "copy stands in its place",
                         head->label, head->size, c->size);
    return error_set(c->error,
                     "cut: checkpoint %" PRIu64 " signed %" PRIu64
                     " batches, the log has %" PRIu64,
                     head->number, head->size, c->size);
}

/* --- signatures of the log --- */

/* By the key of today or a former one of that name. NOTE_ABSENT: there is no
 * key of that name, so nothing was looked at. */
static enum note_result verify_own(const struct log_check *c,
                                   const struct note *note, const char *origin)
{
    const struct log_check_options *o = c->options;
    const struct note_key *former =
        o->former != NULL ? note_keys_find(o->former, origin) : NULL;
    bool is_own = o->log != NULL && strcmp(origin, o->log->name) == 0;
    if ((is_own && note_verify(note, o->log, NULL, NULL) == NOTE_GOOD) ||
        (former != NULL && note_verify(note, former, NULL, NULL) == NOTE_GOOD))
        return NOTE_GOOD;
    return is_own || former != NULL ? NOTE_WRONG : NOTE_ABSENT;
}

/* Once the log has taken another name, whoever still has the former key can
 * add nothing: a name does not come back. */
static bool is_name_in_order(struct log_check *c, const struct checkpoint *made)
{
    if (strcmp(c->origin, made->origin) == 0)
        return true;
    snprintf(c->origin, sizeof(c->origin), "%s", made->origin);
    struct db_statement *s = db_prepare(
        c->db,
        "SELECT max(number) FROM live.checkpoint WHERE number < :number AND "
        "substr(text, 1, length(:line)) <> :line AND number > (SELECT "
        "min(number) FROM live.checkpoint WHERE "
        "substr(text, 1, length(:line)) = :line)");
    char line[NOTE_NAME_LEN + 1];
    if (s == NULL)
        return database_failed(c);
    snprintf(line, sizeof(line), "%s\n", made->origin);
    db_bind_u64(s, ":number", made->number);
    db_bind_text(s, ":line", line);
    bool good = db_step(s) == DB_ROW;
    if (!good)
        database_failed(c);
    else if (!db_is_null(s, 0))
        good = error_set(c->error,
                         "insert: checkpoint %" PRIu64 " is signed under the "
                         "name %s, which the log had given up by checkpoint "
                         "%" PRIu64,
                         made->number, made->origin, db_u64(s, 0));
    db_reset(s);
    return good;
}

/* --- checkpoints in usage.db --- */

/* One whole line, as it is stored when it comes. */
static bool is_line(struct slice text)
{
    return text.length > 0 &&
           memchr(text.data, '\n', text.length) == text.data + text.length - 1;
}

static bool cosignature_fits(const struct note *note,
                             const struct note_key *key, int64_t wanted_s)
{
    int64_t signed_s;
    return is_line(note->signatures) &&
           note_verify(note, key, NULL, &signed_s) == NOTE_GOOD &&
           signed_s == wanted_s;
}

static bool check_cosignatures(struct log_check *c,
                               const struct checkpoint *checkpoint,
                               struct slice text)
{
    const struct note_keys *w = c->options->witnesses;
    struct db_statement *s = db_prepare(
        c->db, "SELECT witness, line, signed_s FROM live.cosignature "
               "WHERE checkpoint = :number ORDER BY witness");
    enum db_step step = DB_FAILED;
    uint64_t known = 0;
    bool good = true;
    if (s == NULL)
        return database_failed(c);
    db_bind_u64(s, ":number", checkpoint->number);
    while (good && (step = db_step(s)) == DB_ROW) {
        const struct note_key *key =
            w != NULL ? note_keys_find(w, db_text(s, 0)) : NULL;
        struct note note = {text, slice_of_text(db_text(s, 1))};
        if (key == NULL)
            c->result->unknown_cosignatures++;
        else if (cosignature_fits(&note, key, db_i64(s, 2)))
            known++;
        else
            good = error_set(c->error,
                             "edit: checkpoint %" PRIu64
                             ": the cosignature of %s does not fit",
                             checkpoint->number, key->name);
    }
    db_reset(s);
    c->result->cosignatures += known;
    if (checkpoint->made.us >= c->options->recent_since.us) {
        c->result->recent++;
        c->result->recent_with_quorum += known >= c->options->quorum;
    }
    return good && (step == DB_DONE || database_failed(c));
}

/* The file of the same number must hold the same; NULL text: there is no row. */
static bool check_file(struct log_check *c, uint64_t number, struct slice text)
{
    const struct log_check_options *o = c->options;
    struct buffer file;
    struct note note;
    struct checkpoint checkpoint;
    struct error_text why;
    bool good = checkpoint_file_read(o->folder, number, &file, &why);
    if (!good) {
        c->result->missing_files++;
        buffer_clear(&file);
        return true;
    }
    c->result->files++;
    if (!note_split(buffer_slice(&file), &note, &why) ||
        !checkpoint_read(note.text, &checkpoint, &why) ||
        verify_own(c, &note, checkpoint.origin) == NOTE_WRONG)
        good = error_set(c->error,
                         "edit: the file of checkpoint %" PRIu64
                         " is not what was signed",
                         number);
    else if (text.data == NULL)
        good = (o->log != NULL && strcmp(checkpoint.origin, o->log->name)) ||
               error_set(c->error,
                         "rollback: %s holds checkpoint %" PRIu64
                         " over %" PRIu64 " batches, which usage.db does not "
                         "know: it is an older copy",
                         o->folder, number, checkpoint.size);
    else if (!slice_equal(note.text, text))
        good = error_set(c->error,
                         "split view: usage.db and the file of checkpoint "
                         "%" PRIu64 " show two histories, both signed",
                         number);
    buffer_clear(&file);
    return good;
}

/* The events of usage.db against what this checkpoint signed of them. */
static bool check_events(struct log_check *c, const struct checkpoint *made)
{
    uint64_t before = c->events.count;
    if (!made->has_events)
        return true;
    if (!event_log_extend(c->db, "live", &c->events, made->events.count))
        return database_failed(c);
    if (c->events.count < made->events.count)
        return error_set(c->error,
                         "delete: event %" PRIu64 " is missing, checkpoint "
                         "%" PRIu64 " signed it",
                         c->events.count + 1, made->number);
    return digest_equal(c->events.hash, made->events.hash) ||
           error_set(c->error,
                     "edit: the events %" PRIu64 " to %" PRIu64
                     " are not those that checkpoint %" PRIu64 " signed",
                     before + (before < c->events.count), c->events.count,
                     made->number);
}

static bool check_row(struct log_check *c, struct db_statement *s)
{
    enum note_result verified = NOTE_ABSENT;
    struct checkpoint checkpoint;
    struct error_text why;
    uint64_t number = db_u64(s, 0);
    struct note note = {slice_of_text(db_text(s, 2)),
                        slice_of_text(db_text(s, 3))};
    if (!checkpoint_read(note.text, &checkpoint, &why) ||
        checkpoint.size != db_u64(s, 1) ||
        (checkpoint.has_time &&
         wall_to_ms(checkpoint.made) != db_i64(s, 4) / 1000) ||
        !is_line(note.signatures) ||
        (verified = verify_own(c, &note, checkpoint.origin)) == NOTE_WRONG)
        return error_set(c->error,
                         "edit: checkpoint %" PRIu64 " is not what was signed",
                         number);
    checkpoint.number = number;
    c->result->checkpoints++;
    c->result->without_key += verified == NOTE_ABSENT;
    c->result->signed_size = checkpoint.size;
    struct head *head = add_head(c, &checkpoint);
    return head != NULL && head_is_within(c, head) &&
           is_name_in_order(c, &checkpoint) &&
           (c->options->folder == NULL || check_file(c, number, note.text)) &&
           check_cosignatures(c, &checkpoint, note.text) &&
           check_events(c, &checkpoint);
}

static bool read_rows(struct log_check *c)
{
    struct db_statement *s =
        db_prepare(c->db, "SELECT number, size, text, signature, made_us FROM "
                          "live.checkpoint "
                          "ORDER BY number");
    enum db_step step = DB_FAILED;
    bool good = true;
    if (s == NULL)
        return database_failed(c);
    while (good && (step = db_step(s)) == DB_ROW)
        good = check_row(c, s);
    db_reset(s);
    return good && (step == DB_DONE || database_failed(c));
}

/* Files without a row. */
static bool check_loose_files(struct log_check *c)
{
    size_t k = 0;
    for (size_t i = 0; i < c->file_count; i++) {
        while (k < c->head_count && c->heads[k].number < c->files[i])
            k++;
        if ((k == c->head_count || c->heads[k].number != c->files[i]) &&
            !check_file(c, c->files[i], (struct slice){0}))
            return false;
    }
    return true;
}

/* --- what others kept --- */

static void set_label(char label[static LABEL_LEN], const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(label, LABEL_LEN, "%s", slash != NULL ? slash + 1 : path);
}

/* By the key that belongs to its name. */
static bool is_signed(const struct log_check *c, const struct proof *proof,
                      struct error_text *why)
{
    struct checkpoint unused;
    const struct log_check_options *o = c->options;
    const struct note_key *former =
        o->former != NULL ? note_keys_find(o->former, proof->checkpoint.origin)
                          : NULL;
    bool is_own = former == NULL ||
                  note_verify(&proof->note, former, NULL, NULL) != NOTE_GOOD;
    return o->log == NULL ||
           checkpoint_read_signed(&proof->note, is_own ? o->log : former,
                                  &unused, why);
}

/* A checkpoint, or a proof that ends in one. */
static bool read_kept(struct log_check *c, const char *path)
{
    struct buffer file;
    struct proof proof;
    struct error_text why;
    bool good = buffer_read_file(&file, path, PROOF_MAX);
    if (!good)
        error_set(c->error, "%s: %m", path);
    else if (!proof_read(buffer_slice(&file), &proof, &why) ||
             !is_signed(c, &proof, &why))
        good = error_set(c->error, "%s: %s", path, why.text);
    struct head *head = good ? add_head(c, &proof.checkpoint) : NULL;
    buffer_clear(&file);
    if (head == NULL)
        return false;
    head->is_kept = true;
    set_label(head->label, path);
    c->result->kept_checkpoints++;
    return head_is_within(c, head);
}

static bool add_receipt(struct log_check *c, const struct receipt *receipt,
                        const char *path)
{
    size_t n = c->receipt_count;
    if (receipt->status == RECEIPT_REFUSED)
        return true;
    if ((n & (n - 1)) == 0) {
        struct kept_receipt *more =
            realloc(c->receipts, (n > 0 ? 2 * n : 1) * sizeof(*more));
        if (more == NULL)
            return error_set(c->error, "out of memory");
        c->receipts = more;
    }
    struct kept_receipt *r = &c->receipts[c->receipt_count++];
    *r = (struct kept_receipt){.index = receipt->ledger_index,
                               .hash = receipt->batch_hash};
    set_label(r->label, path);
    c->result->kept_receipts++;
    return r->index <= c->size ||
           error_set(c->error,
                     "cut: a receipt in %s promises ledger row %" PRIu64
                     ", the log has %" PRIu64 ": its tail was cut off, or an "
                     "older copy stands in its place",
                     r->label, r->index, c->size);
}

/* One receipt after another; other messages of the return channel between them
 * are passed over. */
static bool read_receipts(struct log_check *c, const char *path)
{
    const struct note_key *key = c->options->receipt;
    struct buffer file;
    struct receipt receipt;
    bool good = buffer_read_file(&file, path, RECEIPTS_MAX);
    size_t found = 0;
    if (!good)
        error_set(c->error, "%s: %m", path);
    struct slice rest = buffer_slice(&file);
    while (good &&
           receipt_next(&rest, key->algorithm,
                        slice_of_bytes(key->key, key->key_length), &receipt)) {
        good = add_receipt(c, &receipt, path);
        found++;
    }
    if (good && found == 0)
        good = error_set(c->error, "%s: no receipt of this collector", path);
    buffer_clear(&file);
    return good;
}

static int compare_receipts(const void *a, const void *b)
{
    const struct kept_receipt *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* --- the walk --- */

static bool gather(struct log_check *c)
{
    const struct log_check_options *o = c->options;
    if (!read_rows(c) || !check_loose_files(c))
        return false;
    for (size_t i = 0; i < o->checkpoint_count; i++)
        if (!read_kept(c, o->checkpoints[i]))
            return false;
    for (size_t i = 0; i < o->receipt_count; i++)
        if (!read_receipts(c, o->receipts[i]))
            return false;
    if (c->head_count > 0)
        qsort(c->heads, c->head_count, sizeof(*c->heads), compare_heads);
    if (c->receipt_count > 0)
        qsort(c->receipts, c->receipt_count, sizeof(*c->receipts),
              compare_receipts);
    return true;
}

struct log_check *log_check_new(const struct log_check_options *options,
                                struct log_check_result *result,
                                struct error_text *error)
{
    struct log_check *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    c->options = options;
    c->result = result;
    *result = (struct log_check_result){0};
    if (options->folder == NULL ||
        checkpoint_file_list(options->folder, &c->files, &c->file_count, error))
        return c;
    log_check_free(c);
    return NULL;
}

bool log_check_start(struct log_check *check, struct db *db, uint64_t size,
                     struct error_text *error)
{
    check->db = db;
    check->size = size;
    check->error = error;
    return gather(check);
}

void log_check_free(struct log_check *check)
{
    if (check == NULL)
        return;
    free(check->heads);
    free(check->receipts);
    free(check->files);
    free(check);
}

static bool check_heads(struct log_check *c, const struct merkle_tree *tree)
{
    for (; c->head_next < c->head_count &&
           c->heads[c->head_next].size <= tree->count;
         c->head_next++) {
        const struct head *head = &c->heads[c->head_next];
        if (head->size < tree->count || /* over no batch at all */
            digest_equal(merkle_root(tree), head->root))
            continue;
        if (head->is_kept)
            return error_set(c->error,
                             "split view: %s was signed over %" PRIu64
                             " batches, and this log shows another history of "
                             "them",
                             head->label, head->size);
        c->mismatch = head;
        return error_set(c->error,
                         "edit: the first %" PRIu64
                         " batches are not those that checkpoint %" PRIu64
                         " signed: rows were changed, put in or moved, and "
                         "the hashes computed again",
                         head->size, head->number);
    }
    return true;
}

/* The stored subtree must be what its leaves give. */
static bool check_node(struct log_check *c, unsigned level, uint64_t index,
                       struct digest root)
{
    struct db_statement *s =
        db_prepare(c->db, "SELECT hash FROM live.merkle_node "
                          "WHERE level = :level AND idx = :idx");
    if (s == NULL)
        return database_failed(c);
    db_bind_i64(s, ":level", level);
    db_bind_u64(s, ":idx", index);
    enum db_step step = db_step(s);
    struct digest kept;
    bool is_equal = step == DB_ROW && digest_read(db_blob(s, 0), &kept) &&
                    digest_equal(kept, root);
    db_reset(s);
    if (step == DB_FAILED)
        return database_failed(c);
    uint64_t end = (index + 1) << (level * LOG_TREE_BITS);
    if (step == DB_DONE && end > c->result->signed_size)
        return true; /* the next checkpoint makes it */
    if (step == DB_DONE)
        return error_set(c->error,
                         "delete: subtree %" PRIu64 " of level %u of the "
                         "Merkle tree is missing",
                         index, level);
    return is_equal || error_set(c->error,
                                 "edit: subtree %" PRIu64
                                 " of level %u of the Merkle tree is not what "
                                 "its leaves give",
                                 index, level);
}

static bool check_nodes(struct log_check *c, struct digest leaf)
{
    struct digest root = leaf;
    for (unsigned level = 1; level <= LOG_TREE_LEVELS; level++) {
        struct merkle_tree *open = &c->levels[level - 1];
        merkle_add(open, root);
        if (open->count < UINT64_C(1) << LOG_TREE_BITS)
            return true;
        root = merkle_root(open);
        open->count = 0;
        if (!check_node(c, level, c->nodes[level - 1]++, root))
            return false;
    }
    return true;
}

static bool check_receipts(struct log_check *c, const struct ledger_row *row)
{
    for (; c->receipt_next < c->receipt_count &&
           c->receipts[c->receipt_next].index <= row->index;
         c->receipt_next++) {
        const struct kept_receipt *r = &c->receipts[c->receipt_next];
        if (!digest_equal(r->hash, row->hash))
            return error_set(c->error,
                             "rollback: a receipt in %s promises another "
                             "batch at ledger row %" PRIu64
                             ": the log was set back and went on otherwise",
                             r->label, r->index);
    }
    return true;
}

bool log_check_row(struct log_check *check, const struct ledger_row *row,
                   const struct merkle_tree *tree, struct digest leaf,
                   struct error_text *error)
{
    check->error = error;
    return check_receipts(check, row) && check_nodes(check, leaf) &&
           check_heads(check, tree);
}

bool log_check_end(struct log_check *check, struct error_text *error)
{
    struct log_check *c = check;
    c->error = error;
    for (unsigned level = 1; level <= LOG_TREE_LEVELS; level++) {
        struct db_statement *s =
            db_prepare(c->db, "SELECT count(*) FROM live.merkle_node "
                              "WHERE level = :level AND idx >= :count");
        if (s == NULL)
            return database_failed(c);
        db_bind_i64(s, ":level", level);
        db_bind_u64(s, ":count", c->nodes[level - 1]);
        uint64_t more = db_step(s) == DB_ROW ? db_u64(s, 0) : 1;
        db_reset(s);
        if (more > 0)
            return error_set(error,
                             "cut: the Merkle tree has subtrees of level %u "
                             "over batches that the log does not have",
                             level);
    }
    return true;
}

bool log_check_mismatch(const struct log_check *check, uint64_t *number,
                        uint64_t *size, struct digest *root)
{
    const struct head *head = check->mismatch;
    if (head == NULL)
        return false;
    *number = head->number;
    *size = head->size;
    *root = head->root;
    return true;
}
