/*
 * Retention (PRIV-05): what goes, what stays, and that what stays still proves
 * itself. Segments are 256 MiB; a store that is opened while another holds one
 * writes the next, so each age has a segment of its own here.
 */
#include "collector/ledger/retention.h"

#include <signal.h>
#include <sys/wait.h>

#include "collector/ledger/rebuild.h"
#include "collector/peer_session.h"
#include "collector/tlog/ledger_check.h"
#include "tests/collector/ledger/store_sample.h"

enum { DETAIL = 90, ARCHIVE = 730, MANY = 2500 };
static const int64_t DAY_MS = 86400000;

/* Midnight in Guangdong, 16:00 UTC: the 24th of November begins. */
static const int64_t MIDNIGHT_MS = (SAMPLE_NOW_S + 8 * 3600) * 1000;

struct bench {
    struct sample_folder folder;
    struct sample_files files;
    struct ledger_paths paths;
    struct db *registry;
    struct sample_probe probe;
};

static void set_up(struct bench *b)
{
    char path[PATH_MAX];
    *b = (struct bench){0};
    sample_folder_make(&b->folder);
    b->files = sample_files(&b->folder);
    b->paths = sample_paths(&b->files);
    b->registry =
        sample_registry_make(sample_path(&b->folder, "portal.db", path));
    sample_probe_make(&b->probe, "P-1");
    sample_register(b->registry, &b->probe, false);
}

static void tear_down(struct bench *b)
{
    db_close(b->registry);
    sign_key_free(b->probe.key);
    sample_folder_remove(&b->folder);
}

static struct store *open_store(struct bench *b)
{
    struct error_text error;
    struct store *store = store_open(&b->paths, false, &error);
    if (store == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return store;
}

static bool read_batch(struct batch_reader *r, const struct buffer *bytes)
{
    bool complete = false;
    for (size_t done = 0; done < bytes->length && !complete;) {
        size_t length =
            (size_t)bytes->data[done + 2] << 8 | bytes->data[done + 3];
        if (batch_reader_add(r, bytes->data + done, length, &complete) !=
            BATCH_OK)
            return false;
        done += length;
    }
    return complete;
}

/* One batch with one record, received when its period ends. */
static void take(struct bench *b, struct store *store, int64_t end_ms)
{
    struct batch_origin origin = {TRANSPORT_FILE, NULL, "test"};
    struct batch_reader *r = batch_reader_new();
    struct sample_batch batch = sample_next_flow(&b->probe, end_ms);
    struct receipt receipt;
    CHECK(read_batch(r, &batch.bytes) &&
          store_take(store, &origin, r, BATCH_OK, wall_from_ms(end_ms),
                     &receipt) == TAKE_DONE &&
          receipt.status == RECEIPT_COUNTED);
    batch_reader_free(r);
    sample_batch_clear(&batch);
}

static int64_t number(struct bench *b, const char *sql)
{
    struct error_text error;
    struct db *db = db_open(b->files.usage_db, DB_READ, ledger_migrations,
                            ledger_migration_count, &error);
    int64_t value = db != NULL ? sample_number(db, sql) : -2;
    db_close(db);
    return value;
}

static bool change(struct bench *b, const char *sql)
{
    struct error_text error;
    struct db *db = db_open(b->files.usage_db, DB_WRITE, ledger_migrations,
                            ledger_migration_count, &error);
    bool good = db != NULL && db_run(db, "PRAGMA foreign_keys = OFF") &&
                db_run(db, sql);
    db_close(db);
    return good;
}

static struct retention_result retain(struct bench *b, int64_t now_ms,
                                      bool only_count)
{
    struct wall_time now = wall_from_ms(now_ms);
    struct retention_plan plan = {day_of_wall(now), DETAIL, ARCHIVE,
                                  only_count};
    struct retention_result result = {0};
    struct error_text error = {""};
    if (!CHECK(retention_apply(&b->paths, &plan, now, &result, &error)))
        printf("# %s\n", error.text);
    return result;
}

static void check_says(struct bench *b, int64_t now_ms, const char *says,
                       uint64_t gone)
{
    struct check_options options = {.now = wall_from_ms(now_ms)};
    struct check_result result;
    struct error_text error = {""};
    bool good = ledger_check_run(&b->paths, &options, &result, &error);
    if (!CHECK(says == NULL ? good : !good && strstr(error.text, says) != NULL))
        printf("# check: %s\n", error.text);
    if (good)
        CHECK_I64((int64_t)result.gone, (int64_t)gone);
}

static void rebuild(struct bench *b)
{
    struct rebuild_result result;
    struct error_text error = {""};
    if (!CHECK(rebuild_all(&b->paths, &result, &error)))
        printf("# rebuild: %s\n", error.text);
}

static bool has_segment(struct bench *b, int segment)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/%06d.yza", b->files.archive, segment);
    return access(path, F_OK) == 0;
}

#define SUMS                                                                   \
    "SELECT sum(flows * 1000003 + octets + roctets + hosts + bucket) FROM "    \
    "usage"

static void test_midnight(struct bench *b)
{
    const int64_t before_ms = MIDNIGHT_MS - DETAIL * DAY_MS;
    struct store *store = open_store(b);
    CHECK(store_begin(store));
    take(b, store, before_ms - DAY_MS - 1);
    take(b, store, before_ms - DAY_MS);
    take(b, store, before_ms - 1);
    take(b, store, before_ms);
    take(b, store, MIDNIGHT_MS - 300000);
    CHECK(store_commit(store));
    store_close(store);
    int64_t sums = number(b, SUMS);

    test_case("PRIV-05: a dry run counts and deletes nothing");
    struct retention_result r = retain(b, MIDNIGHT_MS, true);
    CHECK_I64((int64_t)r.batches, 3);
    CHECK_I64((int64_t)r.records, 3);
    CHECK_I64(number(b, "SELECT count(*) FROM flow_block"), 5);
    CHECK_I64(number(b, "SELECT detail_before_ms FROM retention"), 0);

    test_case("PRIV-05: the last millisecond of a day in Guangdong");
    CHECK_I64((int64_t)retain(b, MIDNIGHT_MS - 1, false).batches, 1);
    CHECK_I64(number(b, "SELECT min(ledger_idx) FROM flow_block"), 2);
    check_says(b, MIDNIGHT_MS - 1, NULL, 0);

    test_case("PRIV-05: midnight in Guangdong");
    CHECK_I64((int64_t)retain(b, MIDNIGHT_MS, false).batches, 2);
    CHECK_I64(number(b, "SELECT min(ledger_idx) FROM flow_block"), 4);
    CHECK_I64(number(b, "SELECT detail_before_ms FROM retention"), before_ms);
    check_says(b, MIDNIGHT_MS, NULL, 0);

    test_case("PRIV-05: again deletes nothing, a clock set back brings nothing "
              "back");
    CHECK_I64((int64_t)retain(b, MIDNIGHT_MS, false).batches, 0);
    CHECK_I64((int64_t)retain(b, MIDNIGHT_MS - 10 * DAY_MS, false).batches, 0);
    CHECK_I64(number(b, "SELECT detail_before_ms FROM retention"), before_ms);
    rebuild(b);
    CHECK_I64(number(b, "SELECT count(*) FROM flow_block"), 2);
    CHECK_I64(number(b, SUMS), sums);
    check_says(b, MIDNIGHT_MS, NULL, 0);

    test_case("detail that goes without retention is named");
    CHECK(change(b, "DELETE FROM flow_block WHERE ledger_idx = 4"));
    check_says(b, MIDNIGHT_MS, "edit: ledger row 4", 0);
    rebuild(b);
    check_says(b, MIDNIGHT_MS, NULL, 0);
}

/* Segment 1: old; 2: its older batch too, its newer one not; 3: new. */
static void fill_segments(struct bench *b)
{
    const int64_t limit_ms = MIDNIGHT_MS - ARCHIVE * DAY_MS;
    struct store *stores[3];
    const int64_t ends_ms[3][2] = {
        {limit_ms - 9 * DAY_MS, limit_ms - 1},
        {limit_ms - 1, limit_ms},
        {MIDNIGHT_MS - 100 * DAY_MS, MIDNIGHT_MS - 300000},
    };
    for (int i = 0; i < 3; i++) {
        stores[i] = open_store(b);
        CHECK(store_begin(stores[i]));
        take(b, stores[i], ends_ms[i][0]);
        take(b, stores[i], ends_ms[i][1]);
        CHECK(store_commit(stores[i]));
    }
    for (int i = 0; i < 3; i++)
        store_close(stores[i]);
    CHECK_I64(number(b, "SELECT max(archive_segment) FROM ledger"), 3);
}

static void test_segments(struct bench *b)
{
    fill_segments(b);
    int64_t sums = number(b, SUMS);
    test_case("PRIV-05: a segment goes when its newest batch is old enough");
    check_says(b, MIDNIGHT_MS, NULL, 0);
    struct retention_result r = retain(b, MIDNIGHT_MS, false);
    CHECK_I64((int64_t)r.segments, 1);
    CHECK_I64((int64_t)r.segment_batches, 2);
    CHECK(!has_segment(b, 1) && has_segment(b, 2) && has_segment(b, 3));

    test_case("PRIV-05: rows, leaves and sums stay; check and rebuild agree");
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), 6);
    CHECK_I64(number(b, "SELECT count(*) FROM merkle_leaf"), 6);
    CHECK_I64(number(b, SUMS), sums);
    check_says(b, MIDNIGHT_MS, NULL, 2);
    rebuild(b);
    CHECK_I64(number(b, SUMS), sums);
    check_says(b, MIDNIGHT_MS, NULL, 2);

    test_case("a row of a deleted segment is still held by its leaf");
    CHECK(change(b, "UPDATE ledger SET octets = octets + 1 WHERE idx = 1"));
    check_says(b, MIDNIGHT_MS, "edit: ledger row 1", 0);
    CHECK(change(b, "UPDATE ledger SET octets = octets - 1 WHERE idx = 1"));

    test_case("a sum of what is still there is still held by its batches");
    CHECK(change(b, "UPDATE usage SET octets = octets + 1 WHERE bucket = "
                    "(SELECT max(bucket) FROM usage)"));
    check_says(b, MIDNIGHT_MS, "edit: usage", 0);
    rebuild(b);

    test_case(
        "a segment that goes without retention is named, with a mark too");
    char path[PATH_MAX + 16], away[PATH_MAX + 24];
    snprintf(path, sizeof(path), "%s/000003.yza", b->files.archive);
    snprintf(away, sizeof(away), "%s.away", path);
    CHECK(rename(path, away) == 0);
    check_says(b, MIDNIGHT_MS, "ledger row 5", 0);
    CHECK(change(b, "INSERT INTO archive_gone VALUES (3, 1, 1)"));
    check_says(b, MIDNIGHT_MS, "segment 3 is marked as deleted", 0);
    CHECK(change(b, "UPDATE retention SET archive_before_ms = "
                    "9000000000000"));
    check_says(b, MIDNIGHT_MS, "retention is marked as done for days", 0);
    CHECK(change(b, "DELETE FROM archive_gone WHERE segment = 3; UPDATE "
                    "retention SET archive_before_ms = (SELECT "
                    "max(period_end_ms) + 1 FROM ledger WHERE archive_segment "
                    "= 1)"));
    CHECK(rename(away, path) == 0);
}

static void test_crash(struct bench *b)
{
    test_case("a crash between the mark and the file: the next run deletes it");
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/000001.yza", b->files.archive);
    sample_write_file(path, "left", 4);
    retain(b, MIDNIGHT_MS, false);
    CHECK(!has_segment(b, 1));
    check_says(b, MIDNIGHT_MS, NULL, 2);

    test_case("a segment that is being written stays");
    struct store *store = open_store(b);
    retain(b, MIDNIGHT_MS + 800 * DAY_MS, false);
    store_close(store);
    CHECK_I64(has_segment(b, 2) + has_segment(b, 3), 1);
    check_says(b, MIDNIGHT_MS + 800 * DAY_MS, NULL, 4);
}

/* Killed at moments that its progress gives, so each run ends elsewhere. */
static void test_kill(struct bench *b)
{
    struct store *store = open_store(b);
    test_case("kill -9 in the middle, again and again: the next run goes on");
    for (int i = 0; i < MANY; i++) {
        if (i % 100 == 0)
            CHECK(store_begin(store));
        take(b, store, MIDNIGHT_MS - 100 * DAY_MS + i * 300000 % DAY_MS);
        if (i % 100 == 99)
            CHECK(store_commit(store));
    }
    int64_t sums = number(b, SUMS);
    for (int i = 0; i < 12; i++) {
        pid_t child = fork();
        if (child == 0) {
            retain(b, MIDNIGHT_MS, false);
            _exit(0);
        }
        usleep((useconds_t)i * 3000);
        kill(child, SIGKILL);
        CHECK(waitpid(child, NULL, 0) == child);
        if (i % 4 == 0)
            check_says(b, MIDNIGHT_MS, NULL, 0);
    }
    retain(b, MIDNIGHT_MS, false);
    CHECK_I64(number(b, "SELECT count(*) FROM flow_block"), 0);
    CHECK_I64(number(b, SUMS), sums);
    check_says(b, MIDNIGHT_MS, NULL, 0);
    store_close(store);
}

int main(void)
{
    static void (*const tests[])(struct bench *) = {
        test_midnight, NULL, test_segments, test_crash, NULL, test_kill};
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (tests[i] != NULL) {
            tests[i](&b);
            continue;
        }
        tear_down(&b);
        set_up(&b);
    }
    tear_down(&b);
    return test_end();
}
