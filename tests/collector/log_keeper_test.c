/* The keeper beside a collector: a checkpoint when it is due, a last one at the
 * stop, and a log that was set back is named and not signed. */
#include "collector/log_keeper.h"

#include <time.h>

#include "collector/peer_session.h"
#include "collector/tlog/log_checkpoint.h"
#include "tests/collector/collector_sample.h"

struct bench {
    struct sample_folder folder;
    struct collector_config config;
    struct sign_key *key;
    struct sample_probe probe;
    struct error_text error;
};

static void take(struct bench *b)
{
    struct store *store = sample_store(&b->config, &b->error);
    struct sample_batch batch =
        sample_next_flow(&b->probe, wall_to_ms(wall_now()));
    struct peer_session *session = peer_session_new();
    struct batch_origin origin = {TRANSPORT_FILE, NULL, "test", NULL};
    struct receipt receipt;
    size_t room;
    uint8_t *space = peer_session_space(session, &room);
    CHECK(store != NULL && room >= batch.bytes.length);
    memcpy(space, batch.bytes.data, batch.bytes.length);
    peer_session_filled(session, batch.bytes.length);
    CHECK(peer_session_next(session) == PEER_SESSION_BATCH &&
          store_begin(store));
    CHECK(store_take(store, &origin, peer_session_reader(session),
                     peer_session_content(session), wall_now(),
                     &receipt) == TAKE_DONE &&
          store_commit(store));
    peer_session_free(session);
    sample_batch_clear(&batch);
    store_close(store);
}

static void set_up(struct bench *b)
{
    *b = (struct bench){0};
    sample_folder_make(&b->folder);
    b->config = sample_config(&b->folder);
    b->key = sign_key_generate(SIGN_ED25519);
    sample_probe_make(&b->probe, "P-1");
    struct db *registry = sample_registry_make(b->config.registry);
    sample_register(registry, &b->probe, false);
    db_close(registry);
    store_close(sample_store(&b->config, &b->error));
}

static struct db *open_usage(struct bench *b)
{
    struct db *db = db_open(b->config.usage_db, DB_WRITE, ledger_migrations,
                            ledger_migration_count, &b->error);
    if (!CHECK(db != NULL && db_run(db, "PRAGMA foreign_keys = OFF")))
        exit(1);
    return db;
}

static int64_t ask(struct bench *b, const char *sql)
{
    struct db *db = open_usage(b);
    int64_t number = sample_number(db, sql);
    db_close(db);
    return number;
}

/* Until the query gives this; gives up after ten seconds. */
static bool becomes(struct bench *b, const char *sql, int64_t number)
{
    const struct timespec pause = {0, 20 * 1000 * 1000};
    for (int i = 0; i < 500 && ask(b, sql) != number; i++)
        nanosleep(&pause, NULL);
    return ask(b, sql) == number;
}

static struct log_keeper *start(struct bench *b)
{
    struct log_keeper *k = log_keeper_start(&b->config, b->key, &b->error);
    if (!CHECK(k != NULL)) {
        printf("# %s\n", b->error.text);
        exit(1);
    }
    return k;
}

static void test_keeping(struct bench *b)
{
    struct error_text why;
    test_case("a log without batches has no checkpoint");
    log_keeper_stop(start(b));
    CHECK_I64(ask(b, "SELECT count(*) FROM checkpoint"), 0);

    test_case("its first batches are signed soon, not after an hour");
    struct log_keeper *k = start(b);
    take(b);
    CHECK(becomes(b, "SELECT count(*) FROM checkpoint WHERE size = 1", 1));
    CHECK(log_keeper_is_well(k, &why));

    test_case("what came since the last checkpoint is signed at the stop");
    take(b);
    log_keeper_stop(k);
    CHECK_I64(ask(b, "SELECT count(*) FROM checkpoint WHERE size = 2"), 1);

    test_case("nothing new, nothing signed");
    log_keeper_stop(start(b));
    CHECK_I64(ask(b, "SELECT count(*) FROM checkpoint"), 2);

    test_case("a checkpoint that is overdue is made at once");
    struct checkpoint made;
    char folder[PATH_MAX];
    log_folder_of(&b->config, folder);
    const struct log_settings settings = {folder, b->config.log_origin, b->key};
    struct db *db = open_usage(b);
    struct wall_time past = {wall_now().us - INT64_C(7200) * 1000000};
    CHECK_I64(log_checkpoint_make(db, &settings, past, &made, &b->error),
              LOG_CHECKPOINT_MADE);
    db_close(db);
    k = start(b);
    CHECK(becomes(b, "SELECT count(*) FROM checkpoint", 4));
    log_keeper_stop(k);
    CHECK_I64(ask(b, "SELECT count(*) FROM checkpoint"), 4);
}

static void test_rollback(struct bench *b)
{
    test_case("a changed log is noted as an event and signed no more");
    struct db *db = open_usage(b);
    CHECK(db_run(db, "UPDATE merkle_leaf SET hash = zeroblob(32)"));
    db_close(db);
    take(b); /* receiving goes on */
    log_set_level(LOG_LEVEL_ERROR);
    log_keeper_stop(start(b));
    CHECK_I64(ask(b, "SELECT count(*) FROM checkpoint"), 4);
    CHECK_I64(ask(b, "SELECT count(*) FROM event WHERE kind = 'rollback' "
                     "AND detail LIKE '%are not those that checkpoint 4%'"),
              1);

    test_case("a usage.db without the newest checkpoint does not start");
    CHECK(log_guard(&b->config, &b->error));
    db = open_usage(b);
    CHECK(db_run(db, "DELETE FROM checkpoint WHERE number = 4"));
    db_close(db);
    CHECK(!log_guard(&b->config, &b->error));
    CHECK(strstr(b->error.text, "it is an older copy") != NULL);

    test_case("nor does an empty one in its place");
    CHECK(unlink(b->config.usage_db) == 0);
    CHECK(!log_guard(&b->config, &b->error));

    test_case("a usage.db that is just being born starts without files only");
    sample_write_file(b->config.usage_db, "", 0);
    CHECK(!log_guard(&b->config, &b->error));
    CHECK(strstr(b->error.text, "it is an older copy") != NULL);
    snprintf(b->config.checkpoints, sizeof(b->config.checkpoints), "%s/none",
             b->folder.path);
    CHECK(log_guard(&b->config, &b->error));
    b->config.checkpoints[0] = '\0';

    test_case("a log with a new name may begin");
    snprintf(b->config.log_origin, sizeof(b->config.log_origin), "new/log");
    CHECK(log_guard(&b->config, &b->error));
    snprintf(b->config.log_origin, sizeof(b->config.log_origin), "a b");
    CHECK(log_key_load(&b->config, &b->error) == NULL);
    CHECK(strstr(b->error.text, "log_origin") != NULL);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_keeping(&b);
    test_rollback(&b);
    sign_key_free(b.key);
    sign_key_free(b.probe.key);
    sample_folder_remove(&b.folder);
    return test_end();
}
