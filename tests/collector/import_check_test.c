/* Tampering with the ledger, the archive and the sums: check names each. */
#include "collector/tlog/ledger_check.h"

#include <fcntl.h>

#include "collector/import.h"
#include "collector/ledger/schema.h"
#include "collector/tlog/log_checkpoint.h"
#include "tests/collector/collector_sample.h"

enum { BATCHES = 12 };

struct bench {
    struct sample_folder folder;
    struct collector_config config;
    struct ledger_paths paths;
    struct sample_probe p1, p2;
};

static void take_history(struct bench *b)
{
    struct import_result result;
    struct error_text error = {""};
    struct buffer file;
    char path[PATH_MAX];
    char *paths[] = {path};
    buffer_init(&file, 1 << 22);
    int64_t end_ms = wall_to_ms(wall_now());
    for (int i = 0; i < BATCHES; i++) {
        struct sample_probe *p = i % 3 == 2 ? &b->p2 : &b->p1;
        struct sample_batch batch = sample_next_flow(p, end_ms - 1000 + i);
        buffer_add(&file, batch.bytes.data, batch.bytes.length);
        sample_batch_clear(&batch);
    }
    sample_write_file(sample_path(&b->folder, "in", path), file.data,
                      file.length);
    buffer_clear(&file);
    struct store *c = sample_store(&b->config, &error);
    if (c == NULL || !import_files(c, paths, 1, &result, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    store_close(c);
}

static void set_up(struct bench *b)
{
    sample_folder_make(&b->folder);
    b->config = sample_config(&b->folder);
    b->paths = sample_config_paths(&b->config);
    sample_probe_make(&b->p1, "P-1");
    sample_probe_make(&b->p2, "P-2");
    struct db *registry = sample_registry_make(b->config.registry);
    sample_register(registry, &b->p1, false);
    sample_register(registry, &b->p2, false);
    db_close(registry);
    take_history(b);
}

static void tear_down(struct bench *b)
{
    sign_key_free(b->p1.key);
    sign_key_free(b->p2.key);
    sample_folder_remove(&b->folder);
}

/* What check says: "" when all agree. */
static const char *check_says(struct bench *b)
{
    static struct error_text error;
    struct check_result result;
    error.text[0] = '\0';
    if (ledger_check_all(&b->paths, &result, &error))
        error.text[0] = '\0';
    return error.text;
}

static void change(struct bench *b, const char *sql)
{
    struct error_text error;
    struct db *db = db_open(b->config.usage_db, DB_WRITE, ledger_migrations,
                            ledger_migration_count, &error);
    if (!CHECK(db != NULL && db_run(db, "PRAGMA foreign_keys = OFF") &&
               db_run(db, sql)))
        printf("# %s\n", db != NULL ? db_error(db) : error.text);
    db_close(db);
}

/* A copy of usage.db to come back to; nobody has it open. */
static void copy_file(const char *from, const char *to)
{
    struct buffer data;
    if (!CHECK(buffer_read_file(&data, from, 1 << 26)))
        return;
    sample_write_file(to, data.data, data.length);
    buffer_clear(&data);
}

static const struct {
    const char *name;
    const char *sql;
    const char *says;
} TAMPERED[] = {
    {"a ledger row edited", "UPDATE ledger SET is_late = 1 WHERE idx = 5",
     "ledger row 5 (P-1"},
    {"a ledger row given to another enterprise",
     "UPDATE ledger SET enterprise_id = 'ENT-2' WHERE idx = 3",
     "ledger row 3 (P-2, batch 1): the row is not what its Merkle leaf"},
    {"a ledger row deleted", "DELETE FROM ledger WHERE idx = 7",
     "ledger row 7 is missing"},
    {"the last ledger row deleted", "DELETE FROM ledger WHERE idx = 12",
     "Merkle leaf 12 has no ledger row"},
    {"the last ledger row and its leaf deleted",
     "DELETE FROM ledger WHERE idx = 12; "
     "DELETE FROM merkle_leaf WHERE idx = 12",
     "names ledger row 12, which does not exist"},
    {"the last row deleted with everything but usage",
     "DELETE FROM ledger WHERE idx = 12; DELETE FROM flow_block "
     "WHERE ledger_idx = 12; DELETE FROM merkle_leaf WHERE idx = 12",
     "usage of ENT-1 at EP-1"},
    {"a leaf edited",
     "UPDATE merkle_leaf SET hash = randomblob(32) WHERE idx = 2",
     "ledger row 2 (P-1, batch 2)"},
    {"a leaf deleted", "DELETE FROM merkle_leaf WHERE idx = 2",
     "ledger row 2 (P-1, batch 2): its Merkle leaf is missing"},
    {"a row pointed at another batch",
     "UPDATE ledger SET archive_length = (SELECT archive_length FROM ledger "
     "WHERE idx = 2), archive_offset = archive_offset + 1 WHERE idx = 1",
     "ledger row 1 (P-1, batch 1): archive segment 000001 at 1"},
    {"a signing key exchanged",
     "UPDATE signer SET public_key = randomblob(32) WHERE probe_id = 'P-2'",
     "ledger row 3 (P-2"},
    {"flow detail exchanged",
     "UPDATE flow_block SET data = (SELECT data FROM flow_block WHERE "
     "ledger_idx = 1) WHERE ledger_idx = 4",
     "ledger row 4 (P-1, batch 3): its flow block"},
    {"flow detail that is none",
     "UPDATE flow_block SET data = randomblob(200) WHERE ledger_idx = 4",
     "ledger row 4 (P-1, batch 3): its flow block"},
    {"flow detail deleted", "DELETE FROM flow_block WHERE ledger_idx = 4",
     "ledger row 4"},
    {"flow detail of nothing",
     "INSERT INTO flow_block SELECT 99, 1, data FROM flow_block LIMIT 1",
     "a flow block names ledger row 99, which does not exist"},
    {"a usage sum raised", "UPDATE usage SET roctets = roctets + 1",
     "usage of ENT-1 at EP-1"},
    {"a usage row deleted", "DELETE FROM usage", "usage of ENT-1 at EP-1"},
    {"usage invented",
     "INSERT INTO usage VALUES ('ENT-9', 'S', 1, 300, 'probe', 0, 0, 1, 1, 1, "
     "1, 1, "
     "31, 1, 1, 0)",
     "usage of ENT-9 at EP-1 in the 5 minutes from 1970-01-01T00:05"},
    {"a higher tier", "UPDATE ledger SET tier = 3 WHERE idx = 5",
     "ledger row 5 holds values"},
    {"counted by some readers only",
     "PRAGMA ignore_check_constraints = ON; "
     "UPDATE ledger SET is_counted = 2 WHERE idx = 5",
     "ledger row 5 holds values"},
    {"a signing key given to another probe",
     "UPDATE signer SET probe_id = 'P-9' WHERE probe_id = 'P-2'",
     "ledger row 3 holds values"},
    {"a usage sum raised under cover of retention",
     "UPDATE usage SET octets = octets + 1; "
     "UPDATE retention SET archive_before_ms = 9000000000000",
     "usage of ENT-1 at EP-1"},
    {"a segment marked as deleted by retention",
     "INSERT INTO archive_gone VALUES (1, 1, 1)",
     "archive segment 1 is marked as deleted by retention"},
    {"the mark of retention deleted", "DELETE FROM retention",
     "the mark of retention is missing"},
    {"a boot that lived longer", "UPDATE boot_life SET alive_ms = alive_ms + 1",
     "boot_life of P-"},
    {"a loss that no batch tells",
     "INSERT INTO loss SELECT 5, 0, probe_id, boot_id, 1, 2, 2, 0, 0, 0, 0, 1 "
     "FROM ledger WHERE idx = 5",
     "ledger row 5 (P-1, batch 4): the losses noted of it"},
    {"a host forgotten", "DELETE FROM usage_host", "usage_host of ENT-1"},
};

static void test_database(struct bench *b)
{
    char copy[PATH_MAX];
    sample_path(&b->folder, "copy.db", copy);
    copy_file(b->config.usage_db, copy);
    for (size_t i = 0; i < sizeof(TAMPERED) / sizeof(TAMPERED[0]); i++) {
        test_case(TAMPERED[i].name);
        change(b, TAMPERED[i].sql);
        const char *says = check_says(b);
        if (!CHECK(strstr(says, TAMPERED[i].says) != NULL))
            printf("# check says: %s\n", says);
        copy_file(copy, b->config.usage_db);
    }
    test_case("put back, all agree");
    CHECK_TEXT(check_says(b), "");
}

static void flip_bit(const char *path, off_t offset)
{
    uint8_t byte = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(pread(fd, &byte, 1, offset) == 1);
    byte ^= 0x04;
    CHECK(pwrite(fd, &byte, 1, offset) == 1);
    close(fd);
}

static void test_archive(struct bench *b)
{
    char path[PATH_MAX], away[PATH_MAX];
    struct stat st;
    sample_path(&b->folder, "archive/000001.yza", path);
    CHECK(stat(path, &st) == 0);

    test_case("a bit flipped in the archive");
    flip_bit(path, st.st_size / 2);
    CHECK(strstr(check_says(b), "the frame's bytes were changed") != NULL);
    flip_bit(path, st.st_size / 2);
    CHECK_TEXT(check_says(b), "");

    test_case("bytes behind the last batch are no disagreement");
    struct check_result result;
    struct error_text error;
    CHECK(truncate(path, st.st_size + 100) == 0);
    CHECK(ledger_check_all(&b->paths, &result, &error));
    CHECK_I64((int64_t)result.loose_bytes, 100);

    test_case("the archive's tail cut off");
    CHECK(truncate(path, st.st_size - 1) == 0);
    CHECK(strstr(check_says(b), "ledger row 12 (P-2, batch 4): archive "
                                "segment 000001") != NULL);

    test_case("a segment gone");
    rename(path, sample_path(&b->folder, "away", away));
    CHECK(strstr(check_says(b), "ledger row 1 (P-1, batch 1): archive segment "
                                "000001 at 0: the segment is missing") != NULL);

    test_case("no usage.db at all");
    unlink(b->config.usage_db);
    CHECK(strstr(check_says(b), "usage.db") != NULL);
    CHECK(stat(b->config.usage_db, &st) != 0); /* and none was made */
}

/* --- keys of the log --- */

static enum log_checkpoint_status sign(struct bench *b, const char *origin,
                                       const struct sign_key *key,
                                       struct error_text *error)
{
    char folder[PATH_MAX];
    struct checkpoint made;
    const struct log_settings settings = {
        sample_path(&b->folder, "checkpoints", folder), origin, key};
    struct db *db = db_open(b->config.usage_db, DB_WRITE, ledger_migrations,
                            ledger_migration_count, error);
    enum log_checkpoint_status status =
        log_checkpoint_make(db, &settings, wall_now(), &made, error);
    db_close(db);
    return status;
}

/* What check says of a log of that key with these former ones: "" when all
 * agree. */
static const char *check_keys(struct bench *b, const struct note_key *log,
                              const struct note_keys *former,
                              struct check_result *result)
{
    static struct error_text error;
    char folder[PATH_MAX];
    const struct log_check_options keys = {
        .log = log,
        .former = former,
        .folder = sample_path(&b->folder, "checkpoints", folder)};
    const struct check_options options = {.log = &keys};
    error.text[0] = '\0';
    if (ledger_check_run(&b->paths, &options, result, &error))
        error.text[0] = '\0';
    return error.text;
}

static void test_keys(struct bench *b)
{
    struct error_text error;
    struct check_result result;
    struct note_key second;
    struct note_keys none = {0}, former = {.count = 1}, wrong = {.count = 1};
    struct sign_key *a = sign_key_generate(SIGN_ED25519);
    struct sign_key *other = sign_key_generate(SIGN_ED25519);
    CHECK(note_key_of(a, "one", false, &former.keys[0], &error) &&
          note_key_of(other, "one", false, &wrong.keys[0], &error) &&
          note_key_of(other, "two", false, &second, &error));

    test_case("a log's name belongs to one key: under another nothing is "
              "signed, and it says what to do");
    CHECK_I64(sign(b, "one", a, &error), LOG_CHECKPOINT_MADE);
    CHECK_I64(sign(b, "one", other, &error), LOG_CHECKPOINT_FAILED);
    CHECK(strstr(error.text, "signed with another key than log_key") != NULL);
    CHECK(strstr(error.text, "log_former_keys") != NULL);

    test_case("VER-18: under another name the log goes on, and check verifies "
              "what the former key signed");
    CHECK_I64(sign(b, "two", other, &error), LOG_CHECKPOINT_MADE);
    CHECK_TEXT(check_keys(b, &second, &former, &result), "");
    CHECK_I64((int64_t)result.log.checkpoints, 2);
    CHECK_I64((int64_t)result.log.without_key, 0);

    test_case("without the former key it counts what it could not look at");
    CHECK_TEXT(check_keys(b, &second, &none, &result), "");
    CHECK_I64((int64_t)result.log.without_key, 1);

    test_case("a former key that did not sign them");
    CHECK(strstr(check_keys(b, &second, &wrong, &result),
                 "edit: checkpoint 1 is not what was signed") != NULL);

    test_case("a name that was given up does not come back");
    CHECK_I64(sign(b, "one", a, &error), LOG_CHECKPOINT_MADE);
    CHECK(strstr(check_keys(b, &second, &former, &result),
                 "insert: checkpoint 3 is signed under the name one, which the "
                 "log had given up by checkpoint 2") != NULL);
    change(b, "DELETE FROM checkpoint");
    sign_key_free(a);
    sign_key_free(other);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_case("untouched, all agree");
    CHECK_TEXT(check_says(&b), "");
    test_keys(&b);
    test_database(&b);
    test_archive(&b);
    tear_down(&b);
    return test_end();
}
