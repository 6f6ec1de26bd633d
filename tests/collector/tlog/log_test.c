/* The log that proves itself: stored subtrees, notes, checkpoints, proofs,
 * witnesses, and what each of them refuses. */
#include "collector/tlog/log_checkpoint.h"

#include <fcntl.h>

#include "collector/ledger/schema.h"
#include "collector/tlog/checkpoint_file.h"
#include "collector/tlog/cosign.h"
#include "collector/tlog/event_log.h"
#include "collector/tlog/log_proof.h"
#include "collector/tlog/log_tree.h"
#include "common/base64.h"
#include "common/proof/proof.h"
#include "common/proof/witness.h"
#include "tests/collector/ledger/store_sample.h"

#define ORIGIN "test.example/log"

struct bench {
    struct sample_folder folder;
    char usage[PATH_MAX], files[PATH_MAX], state[PATH_MAX];
    struct db *db;
    struct sign_key *key, *witness_key;
    struct note_key log, witness;
    struct log_settings settings;
    struct error_text error;
};

static void set_up(struct bench *b)
{
    *b = (struct bench){0};
    sample_folder_make(&b->folder);
    sample_path(&b->folder, "usage.db", b->usage);
    sample_path(&b->folder, "checkpoints", b->files);
    sample_path(&b->folder, "state", b->state);
    b->db = db_open(b->usage, DB_WRITE, ledger_migrations,
                    ledger_migration_count, &b->error);
    if (b->db == NULL || !db_run(b->db, "PRAGMA foreign_keys = OFF")) {
        fprintf(stderr, "%s\n", b->error.text);
        exit(1);
    }
    b->key = sign_key_generate(SIGN_ED25519);
    b->witness_key = sign_key_generate(SIGN_ED25519);
    b->settings = (struct log_settings){b->files, ORIGIN, b->key};
    CHECK(note_key_of(b->key, ORIGIN, false, &b->log, &b->error));
    CHECK(note_key_of(b->witness_key, "w1", true, &b->witness, &b->error));
}

static void tear_down(struct bench *b)
{
    db_close(b->db);
    sign_key_free(b->key);
    sign_key_free(b->witness_key);
    sample_folder_remove(&b->folder);
}

static struct digest leaf_of(uint64_t i)
{
    return merkle_leaf_hash(&i, sizeof(i));
}

/* Leaves [from, to), from 0. */
static void add_leaves(struct bench *b, uint64_t from, uint64_t to)
{
    CHECK(db_begin(b->db));
    for (uint64_t i = from; i < to; i++) {
        struct db_statement *s =
            db_prepare(b->db, "INSERT INTO merkle_leaf VALUES (:idx, :hash)");
        struct digest leaf = leaf_of(i);
        db_bind_u64(s, ":idx", i + 1);
        db_bind_blob(s, ":hash", leaf.bytes, DIGEST_LEN);
        CHECK(db_do(s));
    }
    CHECK(db_commit(b->db));
}

static struct digest plain_root(uint64_t size)
{
    struct merkle_tree tree = {0};
    for (uint64_t i = 0; i < size; i++)
        merkle_add(&tree, leaf_of(i));
    return merkle_root(&tree);
}

enum { LEAVES = 70000 }; /* past 256 * 256: two stored levels */

static void test_tree(struct bench *b)
{
    static const uint64_t SIZES[] = {1,   2,   255,   256,   257,   511,  512,
                                     600, 999, 65535, 65536, 65537, 70000};
    enum { COUNT = sizeof(SIZES) / sizeof(SIZES[0]) };
    struct digest root, roots[COUNT];
    struct merkle_path path;
    bool is_done = false;

    test_case("stored subtrees give the roots that the leaves give");
    add_leaves(b, 0, LEAVES);
    int rounds = 0;
    for (; !is_done && rounds < 1000; rounds++)
        CHECK(log_tree_extend(b->db, LEAVES, 10, &is_done));
    CHECK(rounds > 20);
    CHECK_I64(sample_number(b->db, "SELECT count(*) FROM merkle_node"),
              LEAVES / 256 + 1);
    for (size_t i = 0; i < COUNT; i++) {
        roots[i] = plain_root(SIZES[i]);
        CHECK(log_tree_root(b->db, SIZES[i], &root) &&
              digest_equal(root, roots[i]));
    }

    test_case("inclusion and consistency across the stored levels");
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k <= i; k++) {
            uint64_t index = SIZES[k] - 1;
            CHECK(log_tree_prove_inclusion(b->db, index, SIZES[i], &path) &&
                  merkle_check_inclusion(leaf_of(index), index, SIZES[i], &path,
                                         roots[i]));
            CHECK(
                log_tree_prove_consistency(b->db, SIZES[k], SIZES[i], &path) &&
                merkle_check_consistency(SIZES[k], roots[k], SIZES[i], roots[i],
                                         &path));
        }

    test_case("a tree with a hole gives no root and no proof");
    CHECK(
        db_run(b->db, "UPDATE merkle_leaf SET idx = 80000 WHERE idx = 69990"));
    CHECK(!log_tree_root(b->db, LEAVES, &root));
    CHECK(!log_tree_prove_inclusion(b->db, 69991, LEAVES, &path));
    CHECK(
        db_run(b->db, "UPDATE merkle_leaf SET idx = 69990 WHERE idx = 80000"));
}

/* The example of Go's package note: made by others. */
static const char GO_KEY[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n";
static const char GO_NOTE[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xE2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuG"
    "UgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static enum note_result verify_text(const char *text,
                                    const struct note_key *key)
{
    struct note note;
    struct error_text error;
    return note_split(slice_of_text(text), &note, &error)
               ? note_verify(&note, key, NULL, NULL)
               : NOTE_ABSENT;
}

static void test_note(struct bench *b)
{
    char path[PATH_MAX], changed[sizeof(GO_NOTE)];
    struct note_key key;
    struct buffer out;

    test_case("a note that another program signed verifies");
    sample_path(&b->folder, "go.vkey", path);
    sample_write_file(path, GO_KEY, sizeof(GO_KEY) - 1);
    if (!CHECK(note_key_load(path, NULL, false, &key, &b->error)))
        printf("# %s\n", b->error.text);
    CHECK_I64(verify_text(GO_NOTE, &key), NOTE_GOOD);
    memcpy(changed, GO_NOTE, sizeof(changed));
    changed[0] = 'i';
    CHECK_I64(verify_text(changed, &key), NOTE_WRONG);
    CHECK_I64(verify_text(GO_NOTE, &b->log), NOTE_ABSENT);

    test_case("keys written as a line read back the same, SM2 as well");
    struct sign_key *sm2 = sign_key_generate(SIGN_SM2_SM3);
    const struct sign_key *keys[] = {b->key, sm2, b->witness_key};
    for (int i = 0; i < 3; i++) {
        struct note_key made, read;
        CHECK(note_key_of(keys[i], "a.example/b", i == 2, &made, &b->error));
        buffer_init(&out, 4096);
        note_key_text(&made, &out);
        sample_write_file(path, out.data, out.length);
        CHECK(note_key_load(path, NULL, i == 2, &read, &b->error));
        CHECK(memcmp(&made, &read, sizeof(made)) == 0);
        CHECK(!note_key_load(path, NULL, i != 2, &read, &b->error) || i == 1);
        buffer_clear(&out);
    }
    CHECK(!note_key_of(sm2, "w2", true, &key, &b->error));

    test_case("an SM2 signature line holds, beside an Ed25519 one");
    buffer_init(&out, 4096);
    buffer_add_text(&out, "text\n\n");
    CHECK(note_key_of(sm2, ORIGIN, false, &key, &b->error));
    CHECK(note_sign(SLICE("text\n"), sm2, &key, 0, &out));
    CHECK(note_sign(SLICE("text\n"), b->key, &b->log, 0, &out));
    CHECK(note_sign(SLICE("text\n"), b->witness_key, &b->witness, 77, &out));
    buffer_add_u8(&out, '\0');
    CHECK_I64(verify_text((char *)out.data, &key), NOTE_GOOD);
    CHECK_I64(verify_text((char *)out.data, &b->log), NOTE_GOOD);
    CHECK_I64(verify_text((char *)out.data, &b->witness), NOTE_GOOD);
    buffer_clear(&out);
    sign_key_free(sm2);

    test_case("C2SP: sixteen signatures of nearly 5 kB each are let through, "
              "and one behind them is found");
    enum { OTHERS = 15, ML_DSA_87 = 4627 };
    static const uint8_t unknown[4 + ML_DSA_87] = {1, 2, 3, 4};
    buffer_init(&out, NOTE_MAX);
    buffer_add_text(&out, "text\n\n");
    for (int i = 0; i < OTHERS; i++) {
        buffer_addf(&out, "\xE2\x80\x94 other%d.example ", i);
        base64_add_word(&out, slice_of_bytes(unknown, sizeof(unknown)));
        buffer_add_u8(&out, '\n');
    }
    CHECK(note_sign(SLICE("text\n"), b->key, &b->log, 0, &out));
    buffer_add_u8(&out, '\0');
    CHECK(!out.failed && out.length > OTHERS * ML_DSA_87);
    CHECK_I64(verify_text((char *)out.data, &b->log), NOTE_GOOD);
    CHECK_I64(verify_text((char *)out.data, &b->witness), NOTE_ABSENT);
    buffer_clear(&out);

    test_case("what is no note, and names that are none");
    static const char *const BAD[] = {"",
                                      "text\n",
                                      "text\n\n",
                                      "text\n\nsignature\n",
                                      "t\n\n\xE2\x80\x94 a b",
                                      "t\r\n\n\xE2\x80\x94 a b\n",
                                      "t\n\n\xE2\x80\x94 a b\nx\n"};
    struct note note;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        CHECK(!note_split(slice_of_text(BAD[i]), &note, &b->error));
    static const char *const NAMES[] = {"", "a b", "a+b", "\xC3\xA9", "a\n"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        CHECK(!note_name_is_valid(NAMES[i]));
}

static enum log_checkpoint_status make(struct bench *b, int64_t now_s,
                                       struct checkpoint *made)
{
    b->error.text[0] = '\0';
    return log_checkpoint_make(b->db, &b->settings, wall_from_s(now_s), made,
                               &b->error);
}

static bool add_event(struct bench *b, const char *detail)
{
    const struct ledger_event event = {
        .reason = REASON_CONFLICT, .probe_id = "P-1", .detail = detail};
    const struct ledger_event other = {.reason = REASON_GAP,
                                       .probe_id = "P-2",
                                       .sequence = 7,
                                       .detail = detail};
    bool is_new;
    return ledger_add_event(b->db, &event, SAMPLE_NOW, &is_new) &&
           ledger_add_event(b->db, &other, SAMPLE_NOW, &is_new);
}

/* The hash as it is after these many events, taken in one step. */
static struct digest events_hash(struct bench *b, uint64_t count)
{
    struct event_log log = {0};
    CHECK(event_log_extend(b->db, "main", &log, count) && log.count == count);
    return log.hash;
}

static void test_events(struct bench *b)
{
    struct checkpoint made, next;
    struct event_log log = {0};
    test_case("a checkpoint signs the events until then");
    CHECK(add_event(b, "one"));
    CHECK_I64(make(b, SAMPLE_NOW_S + 7200, &made), LOG_CHECKPOINT_MADE);
    CHECK(made.has_events && made.events.count == 2);
    CHECK(digest_equal(made.events.hash, events_hash(b, 2)));

    test_case("an event that comes again is the same event");
    CHECK(add_event(b, "one"));
    CHECK_I64(make(b, SAMPLE_NOW_S + 7201, &next), LOG_CHECKPOINT_MADE);
    CHECK(next.events.count == 2 &&
          digest_equal(made.events.hash, next.events.hash));

    test_case("each of its columns counts");
    static const char *const CHANGES[] = {"at_us = at_us + 1",
                                          "sequence = 8",
                                          "gap_first = 1",
                                          "known_hash = zeroblob(32)",
                                          "other_hash = zeroblob(32)",
                                          "boot_id = zeroblob(16)",
                                          "kind = 'fork'",
                                          "probe_id = 'P-3'",
                                          "detail = ''"};
    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
        char sql[100];
        snprintf(sql, sizeof(sql), "UPDATE event SET %s WHERE id = 2",
                 CHANGES[i]);
        CHECK(db_begin(b->db) && db_run(b->db, sql));
        CHECK(!digest_equal(made.events.hash, events_hash(b, 2)));
        db_rollback(b->db);
    }

    test_case("over a missing event nothing is signed");
    CHECK(db_begin(b->db) && db_run(b->db, "DELETE FROM event WHERE id = 1"));
    CHECK(event_log_extend(b->db, "main", &log, 2) && log.count == 0);
    db_rollback(b->db);
    CHECK(db_run(b->db, "DELETE FROM event WHERE id = 2"));
    CHECK_I64(make(b, SAMPLE_NOW_S + 7202, &next), LOG_CHECKPOINT_FAILED);
    CHECK(strstr(b->error.text, "event 2 is missing") != NULL);
    CHECK(add_event(b, "two") &&
          db_run(b->db, "UPDATE event SET id = 5 WHERE id = 2"));
    CHECK_I64(make(b, SAMPLE_NOW_S + 7203, &next), LOG_CHECKPOINT_FAILED);
    CHECK(strstr(b->error.text, "event 3 is missing") != NULL);
}

static void test_checkpoint(struct bench *b)
{
    struct checkpoint first, second, read;
    struct buffer file;
    struct note note;
    char copy[PATH_MAX];

    test_case("a checkpoint is a row and a file that verifies");
    CHECK_I64(make(b, SAMPLE_NOW_S, &first), LOG_CHECKPOINT_MADE);
    CHECK_I64((int64_t)first.number, 1);
    CHECK_I64((int64_t)first.size, LEAVES);
    CHECK(digest_equal(first.root, plain_root(LEAVES)));
    CHECK(checkpoint_file_read(b->files, 1, &file, &b->error));
    CHECK(note_split(buffer_slice(&file), &note, &b->error) &&
          checkpoint_read_signed(&note, &b->log, &read, &b->error));
    CHECK_I64((int64_t)read.size, LEAVES);
    CHECK(read.has_time && read.made.us == SAMPLE_NOW.us);
    buffer_clear(&file);

    test_case("files that a crash left unwritten come with the next");
    char path[PATH_MAX];
    CHECK(unlink(sample_path(&b->folder, "checkpoints/000001.checkpoint",
                             path)) == 0);
    add_leaves(b, LEAVES, LEAVES + 10);
    CHECK_I64(make(b, SAMPLE_NOW_S + 3600, &second), LOG_CHECKPOINT_MADE);
    CHECK(access(path, F_OK) == 0);
    CHECK(access(sample_path(&b->folder, "checkpoints/000002.checkpoint", path),
                 F_OK) == 0);

    test_case("a file is never written again");
    CHECK(checkpoint_file_write(b->files, 7, SLICE("a"), &b->error));
    CHECK(checkpoint_file_write(b->files, 7, SLICE("a"), &b->error));
    CHECK(!checkpoint_file_write(b->files, 7, SLICE("b"), &b->error));
    CHECK(unlink(sample_path(&b->folder, "checkpoints/000007.checkpoint",
                             path)) == 0);

    test_case("a shorter log, or another beginning, is not signed");
    CHECK(db_run(b->db, "CREATE TABLE away AS SELECT * FROM merkle_leaf "
                        "WHERE idx > 70005; "
                        "DELETE FROM merkle_leaf WHERE idx > 70005"));
    CHECK_I64(make(b, SAMPLE_NOW_S, &read), LOG_CHECKPOINT_ROLLBACK);
    CHECK(strstr(b->error.text, "rollback: the log has 70005 batches") != NULL);
    CHECK(db_run(b->db, "INSERT INTO merkle_leaf SELECT * FROM away; "
                        "DROP TABLE away; UPDATE merkle_leaf "
                        "SET hash = zeroblob(32) WHERE idx = 70003"));
    CHECK_I64(make(b, SAMPLE_NOW_S, &read), LOG_CHECKPOINT_ROLLBACK);
    CHECK(strstr(b->error.text, "are not those that checkpoint 2") != NULL);
    CHECK(db_run(b->db, "DELETE FROM merkle_leaf WHERE idx = 70003"));
    add_leaves(b, 70002, 70003);
    CHECK(log_checkpoint_guard(b->db, b->files, ORIGIN, &b->error));

    test_case("an older usage.db beside the newer files is not signed");
    CHECK(db_run(b->db, "CREATE TABLE away AS SELECT * FROM checkpoint "
                        "WHERE number = 2; "
                        "DELETE FROM checkpoint WHERE number = 2"));
    CHECK_I64(make(b, SAMPLE_NOW_S, &read), LOG_CHECKPOINT_ROLLBACK);
    CHECK(strstr(b->error.text, "it is an older copy") != NULL);
    CHECK(!log_checkpoint_guard(b->db, b->files, ORIGIN, &b->error));
    CHECK(!log_checkpoint_guard(NULL, b->files, ORIGIN, &b->error));

    test_case("under another name it is another log, with its own numbers");
    CHECK(log_checkpoint_guard(b->db, b->files, "new.example/log", &b->error));
    CHECK(db_run(b->db, "INSERT INTO checkpoint SELECT * FROM away"));
    sample_path(&b->folder, "nowhere", copy);
    CHECK(log_checkpoint_guard(NULL, copy, ORIGIN, &b->error));
}

static void test_text(struct bench *b)
{
    static const char *const BAD[] = {
        "",
        "o\n",
        "o\n1\n",
        "o\n1\nAAAA\n",
        "o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a b\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nx\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "o\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        "\n",
    };
    struct checkpoint c;
    test_case("texts that are no checkpoint, and one of another log that is");
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        CHECK(!checkpoint_read(slice_of_text(BAD[i]), &c, &b->error));
    CHECK(checkpoint_read(SLICE("o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                "AAA=\nany other line\n"),
                          &c, &b->error));
    CHECK(!c.has_time);
}

/* What a witness says: "" when it cosigned. */
static const char *ask(struct bench *b, struct slice request,
                       struct buffer *out)
{
    struct proof proof;
    struct witness w = {b->state, &b->log, b->witness_key, &b->witness};
    b->error.text[0] = '\0';
    if (proof_read(request, &proof, &b->error) &&
        witness_cosign(&w, &proof, wall_from_s(SAMPLE_NOW_S + 60), out,
                       &b->error))
        return "";
    return b->error.text;
}

static struct buffer proof_from(struct bench *b, uint64_t old_size,
                                uint64_t size)
{
    struct buffer out;
    buffer_init(&out, PROOF_MAX);
    if (!CHECK(
            log_proof_make_consistency(b->db, old_size, size, &out, &b->error)))
        printf("# %s\n", b->error.text);
    return out;
}

/* A checkpoint that the log's own key signed over anything. */
static struct buffer forge(struct bench *b, uint64_t size, uint8_t first_byte)
{
    struct checkpoint c = {.origin = ORIGIN, .size = size};
    struct buffer note, text;
    c.root.bytes[0] = first_byte;
    buffer_init(&note, NOTE_MAX);
    buffer_init(&text, NOTE_MAX);
    checkpoint_write(&c, &text);
    buffer_add_slice(&note, buffer_slice(&text));
    buffer_add_u8(&note, '\n');
    CHECK(note_sign(buffer_slice(&text), b->key, &b->log, 0, &note));
    buffer_clear(&text);
    return note;
}

static void test_witness(struct bench *b)
{
    struct buffer cosigned, ignored;
    struct note_keys known = {.count = 1};
    size_t taken;
    buffer_init(&cosigned, NOTE_MAX);
    buffer_init(&ignored, NOTE_MAX);
    known.keys[0] = b->witness;

    test_case("a witness cosigns the first checkpoint it sees, and the next");
    struct buffer first = proof_from(b, 0, LEAVES);
    struct buffer second = proof_from(b, LEAVES, LEAVES + 10);
    CHECK_TEXT(ask(b, buffer_slice(&first), &ignored), "");
    CHECK_TEXT(ask(b, buffer_slice(&first), &ignored), "");
    CHECK_TEXT(ask(b, buffer_slice(&second), &cosigned), "");

    test_case("it refuses what is shorter: rollback");
    CHECK(strstr(ask(b, buffer_slice(&first), &ignored), "rollback: ") != NULL);

    test_case("it refuses another history of the same size: split view");
    struct buffer other = forge(b, LEAVES + 10, 9);
    CHECK(strstr(ask(b, buffer_slice(&other), &ignored), "split view: ") !=
          NULL);
    buffer_clear(&other);

    test_case("it refuses a longer one that does not go on from it");
    other = forge(b, LEAVES + 20, 9);
    CHECK(strstr(ask(b, buffer_slice(&other), &ignored),
                 "a proof from 70010 batches is needed") != NULL);
    struct buffer request;
    buffer_init(&request, PROOF_MAX);
    buffer_addf(&request, "old %d\n\n", LEAVES + 10);
    buffer_add_slice(&request, buffer_slice(&other));
    CHECK(strstr(ask(b, buffer_slice(&request), &ignored), "split view: ") !=
          NULL);
    buffer_clear(&request);
    buffer_clear(&other);

    test_case("it refuses what another key signed");
    struct sign_key *right = b->key;
    b->key = sign_key_generate(SIGN_ED25519);
    other = forge(b, LEAVES + 20, 9);
    CHECK(strstr(ask(b, buffer_slice(&other), &ignored),
                 "does not fit the checkpoint") != NULL);
    buffer_clear(&other);

    test_case("the cosigned checkpoint is taken back once");
    sign_key_free(b->key);
    b->key = right;
    if (!CHECK(cosign_take(b->db, &b->log, &known, buffer_slice(&cosigned),
                           &taken, &b->error)))
        printf("# %s\n", b->error.text);
    CHECK_I64((int64_t)taken, 1);
    CHECK(cosign_take(b->db, &b->log, &known, buffer_slice(&cosigned), &taken,
                      &b->error));
    CHECK_I64((int64_t)taken, 0);
    CHECK_I64(sample_number(b->db, "SELECT count(*) FROM cosignature"), 1);

    test_case("a cosignature that was changed, or of nobody known, is not");
    cosigned.data[cosigned.length - 10] ^= 1;
    CHECK(!cosign_take(b->db, &b->log, &known, buffer_slice(&cosigned), &taken,
                       &b->error));
    cosigned.data[cosigned.length - 10] ^= 1;
    known.count = 0;
    CHECK(!cosign_take(b->db, &b->log, &known, buffer_slice(&cosigned), &taken,
                       &b->error));
    CHECK(strstr(b->error.text, "no signature of a known witness") != NULL);

    test_case("a signed checkpoint that usage.db does not know: split view");
    other = forge(b, 5, 1);
    CHECK(!cosign_take(b->db, &b->log, &known, buffer_slice(&other), &taken,
                       &b->error));
    CHECK(strstr(b->error.text, "split view: ") != NULL);
    buffer_clear(&other);
    buffer_clear(&first);
    buffer_clear(&second);
    buffer_clear(&cosigned);
    buffer_clear(&ignored);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_tree(&b);
    test_note(&b);
    test_checkpoint(&b);
    test_text(&b);
    test_witness(&b);
    test_events(&b);
    tear_down(&b);
    return test_end();
}
