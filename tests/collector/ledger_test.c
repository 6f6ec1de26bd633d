/* The whole way of a batch into usage.db and the archive, without a network. */
#include "collector/ledger/ledger.h"

#include "collector/ledger/rebuild.h"
#include "collector/peer_session.h"
#include "collector/tlog/ledger_check.h"
#include "tests/collector/ledger/store_sample.h"

static const int64_t T = SAMPLE_NOW_S * 1000;

struct bench {
    struct sample_folder folder;
    struct sample_files files;
    struct ledger_paths paths;
    bool accept_sample;
    struct db *registry;
    struct store *store;
    struct sample_probe p1, p2;
};

static void open_collector(struct bench *b)
{
    struct error_text error;
    b->store = store_open(&b->paths, b->accept_sample, &error);
    if (b->store == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static void set_up(struct bench *b)
{
    char path[PATH_MAX];
    sample_folder_make(&b->folder);
    b->files = sample_files(&b->folder);
    b->paths = sample_paths(&b->files);
    b->registry =
        sample_registry_make(sample_path(&b->folder, "portal.db", path));
    sample_probe_make(&b->p1, "P-1");
    sample_probe_make(&b->p2, "P-2");
    sample_register(b->registry, &b->p1, false);
    sample_register(b->registry, &b->p2, true);
    open_collector(b);
}

static void tear_down(struct bench *b)
{
    store_close(b->store);
    db_close(b->registry);
    sign_key_free(b->p1.key);
    sign_key_free(b->p2.key);
    sample_folder_remove(&b->folder);
}

/* One batch in an open group; `status` is the receipt's, or -1. */
static int take_in_group(struct bench *b, const struct sample_batch *batch,
                         const char *peer, int64_t now_s,
                         struct receipt *receipt)
{
    struct peer_session *s = peer_session_new();
    struct batch_origin origin = {peer ? TRANSPORT_YZ1 : TRANSPORT_FILE, peer,
                                  "test"};
    size_t done = 0, room;
    enum peer_session_status status = PEER_SESSION_MORE;
    while (status == PEER_SESSION_MORE && done < batch->bytes.length) {
        uint8_t *space = peer_session_space(s, &room);
        if (room > batch->bytes.length - done)
            room = batch->bytes.length - done;
        memcpy(space, batch->bytes.data + done, room);
        peer_session_filled(s, room);
        done += room;
        status = peer_session_next(s);
    }
    int result = -1;
    if (status == PEER_SESSION_BATCH &&
        store_take(b->store, &origin, peer_session_reader(s),
                   peer_session_content(s), wall_from_s(now_s),
                   receipt) == TAKE_DONE)
        result = (int)receipt->status;
    peer_session_free(s);
    return result;
}

static int take_at(struct bench *b, const struct sample_batch *batch,
                   const char *peer, int64_t now_s, struct receipt *receipt)
{
    if (!store_begin(b->store))
        return -2;
    int status = take_in_group(b, batch, peer, now_s, receipt);
    return store_commit(b->store) ? status : -3;
}

static int take(struct bench *b, const struct sample_batch *batch)
{
    struct receipt receipt;
    return take_at(b, batch, batch->info.probe_id, SAMPLE_NOW_S, &receipt);
}

static int64_t number(struct bench *b, const char *sql)
{
    return sample_number(store_db(b->store), sql);
}

static int64_t events(struct bench *b, const char *kind)
{
    char sql[120];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM event WHERE kind = '%s'",
             kind);
    return number(b, sql);
}

static void test_counting(struct bench *b)
{
    struct receipt receipt;
    struct sample_batch batch = sample_next_flow(&b->p1, T);
    test_case("VER-18: the same batch three times is counted once");
    CHECK_I64(take_at(b, &batch, "P-1", SAMPLE_NOW_S, &receipt),
              RECEIPT_COUNTED);
    CHECK_I64((int64_t)receipt.ledger_index, 1);
    CHECK_I64(take_at(b, &batch, "P-1", SAMPLE_NOW_S + 9, &receipt),
              RECEIPT_REPEATED);
    CHECK_I64((int64_t)receipt.ledger_index, 1);
    CHECK_I64(receipt.received_ms, T);
    CHECK_I64(take(b, &batch), RECEIPT_REPEATED);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), 1);
    CHECK_I64(number(b, "SELECT count(*) FROM merkle_leaf"), 1);
    CHECK_I64(number(b, "SELECT sum(record_count) FROM flow_block"), 1);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), 1);
    CHECK_I64(number(b, "SELECT sum(octets + roctets) FROM usage"), 6000);
    CHECK_I64(number(b, "SELECT count(*) FROM event"), 1);
    CHECK_I64(events(b, "repeated"), 1);

    test_case("VER-18: another batch under a known sequence is a conflict");
    struct sample_probe twin = b->p1;
    twin.sequence = 0;
    twin.last_hash = (struct digest){{0}};
    struct sample_batch other = sample_next(&twin, T, NULL, 0);
    CHECK_I64(take(b, &other), RECEIPT_REFUSED);
    CHECK_I64(take(b, &other), RECEIPT_REFUSED);
    CHECK_I64(events(b, "conflict"), 1);
    CHECK_I64(number(b, "SELECT times FROM event WHERE kind = 'conflict'"), 2);
    CHECK_I64(number(b, "SELECT known_hash = (SELECT batch_hash FROM ledger) "
                        "AND other_hash <> known_hash FROM event "
                        "WHERE kind = 'conflict'"),
              1);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), 1);
    sample_batch_clear(&other);
    sample_batch_clear(&batch);
}

static void test_refusing(struct bench *b)
{
    struct receipt receipt;
    test_case("VER-18: wrong signature, wrong name, unknown, denied");
    struct sample_batch batch = sample_next_flow(&b->p1, T);
    batch.bytes.data[batch.bytes.length - 1] ^= 1;
    CHECK_I64(take(b, &batch), RECEIPT_REFUSED);
    CHECK_I64(events(b, "signature"), 1);
    CHECK_I64(number(b, "SELECT count(*) FROM event WHERE kind = 'signature' "
                        "AND sequence IS NULL AND other_hash IS NULL"),
              1);
    batch.bytes.data[batch.bytes.length - 1] ^= 1;
    CHECK_I64(take_at(b, &batch, "P-2", SAMPLE_NOW_S, &receipt),
              RECEIPT_REFUSED);
    CHECK_I64(events(b, "identity"), 1);
    struct sample_probe stranger;
    sample_probe_make(&stranger, "P-9");
    struct sample_batch strange = sample_next_flow(&stranger, T);
    CHECK_I64(take(b, &strange), RECEIPT_REFUSED);
    CHECK_I64(events(b, "unknown"), 1);
    CHECK(db_run(b->registry, "UPDATE probe SET denied_at = 1"));
    CHECK_I64(take(b, &batch), RECEIPT_REFUSED);
    CHECK_I64(events(b, "denied"), 1);
    CHECK(db_run(b->registry, "UPDATE probe SET denied_at = NULL"));

    test_case("changed records are refused as content");
    batch.bytes.data[batch.bytes.length / 4] ^= 1;
    CHECK(take(b, &batch) != RECEIPT_COUNTED);
    batch.bytes.data[batch.bytes.length / 4] ^= 1;
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), 1);

    test_case("VER-19: records from the future are refused");
    struct sample_batch early = batch;
    CHECK_I64(take_at(b, &early, "P-1", SAMPLE_NOW_S - 301, &receipt),
              RECEIPT_REFUSED);
    CHECK_I64((int64_t)receipt.ledger_index, 0);
    CHECK_I64(events(b, "future"), 1);
    CHECK_I64(take(b, &batch), RECEIPT_COUNTED);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), 2);

    test_case("demo data needs accept_sample");
    struct sample_batch demo = sample_next_flow(&b->p2, T);
    CHECK_I64(take(b, &demo), RECEIPT_REFUSED);
    CHECK_I64(events(b, "sample"), 1);
    b->p2.sequence = 0;
    b->p2.last_hash = (struct digest){{0}};
    sample_batch_clear(&demo);
    sample_batch_clear(&strange);
    sample_batch_clear(&batch);
    sign_key_free(stranger.key);
}

static void test_late(struct bench *b)
{
    struct receipt receipt;
    test_case("late is counted and marked, 72 hours later only kept");
    struct sample_batch late = sample_next_flow(&b->p1, T);
    struct sample_batch kept = sample_next_flow(&b->p1, T);
    CHECK_I64(take_at(b, &late, "P-1", SAMPLE_NOW_S + 601, &receipt),
              RECEIPT_LATE);
    CHECK_I64(take_at(b, &kept, "P-1", SAMPLE_NOW_S + 72 * 3600 + 1, &receipt),
              RECEIPT_KEPT);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger WHERE is_late = 1"), 2);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger WHERE is_counted = 0"), 1);
    CHECK_I64(number(b, "SELECT sum(record_count) FROM flow_block"), 3);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), 3);

    test_case("VER-18: a gap is noted, filled later, both sides count");
    struct sample_batch fifth = sample_next_flow(&b->p1, T);
    struct sample_batch sixth = sample_next_flow(&b->p1, T);
    CHECK_I64(take(b, &sixth), RECEIPT_COUNTED);
    CHECK_I64(events(b, "gap"), 1);
    CHECK_I64(take(b, &fifth), RECEIPT_COUNTED);
    CHECK_I64(events(b, "gap"), 1);
    CHECK_I64(events(b, "fork"), 0);

    test_case("a batch that names another as previous is a fork, and counts");
    b->p1.last_hash.bytes[0] ^= 1;
    struct sample_batch forked = sample_next_flow(&b->p1, T);
    CHECK_I64(take(b, &forked), RECEIPT_COUNTED);
    CHECK_I64(events(b, "fork"), 1);
    sample_batch_clear(&late);
    sample_batch_clear(&kept);
    sample_batch_clear(&fifth);
    sample_batch_clear(&sixth);
    sample_batch_clear(&forked);
}

static void test_groups(struct bench *b)
{
    struct receipt receipt;
    int64_t before = number(b, "SELECT count(*) FROM ledger");
    int64_t flows = number(b, "SELECT sum(flows) FROM usage");
    struct flow_record records[3];
    for (int i = 0; i < 3; i++) {
        records[i] = sample_flow(T - 100000 + i, 100 + (uint64_t)i);
        snprintf(records[i].endpoint_id, ENDPOINT_ID_LEN, "EP-new-%d", i);
    }
    struct sample_batch one = sample_next(&b->p1, T, records, 3);
    struct sample_batch two = sample_next(&b->p1, T, records, 2);

    test_case("a group that is rolled back never was");
    CHECK(store_begin(b->store));
    CHECK_I64(take_in_group(b, &one, NULL, SAMPLE_NOW_S, &receipt),
              RECEIPT_COUNTED);
    store_rollback(b->store);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), before);

    test_case("two batches in one group, after the rollback");
    CHECK(store_begin(b->store));
    CHECK_I64(take_in_group(b, &one, NULL, SAMPLE_NOW_S, &receipt),
              RECEIPT_COUNTED);
    CHECK_I64(take_in_group(b, &one, NULL, SAMPLE_NOW_S, &receipt),
              RECEIPT_REPEATED);
    CHECK_I64(take_in_group(b, &two, NULL, SAMPLE_NOW_S, &receipt),
              RECEIPT_COUNTED);
    CHECK(store_commit(b->store));
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), before + 2);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), flows + 5);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage AS u JOIN endpoint_key "
                        "AS e ON e.key = u.endpoint WHERE endpoint_id LIKE "
                        "'EP-new-%'"),
              5);

    test_case("a batch that the store refuses is undone alone");
    CHECK(db_run(store_db(b->store),
                 "UPDATE usage SET octets = 9223372036854775000"));
    struct sample_batch three = sample_next(&b->p1, T, records, 1);
    struct sample_batch empty = sample_next(&b->p1, T, NULL, 0);
    CHECK(store_begin(b->store));
    CHECK_I64(take_in_group(b, &three, NULL, SAMPLE_NOW_S, &receipt), -1);
    CHECK_I64(take_in_group(b, &empty, NULL, SAMPLE_NOW_S, &receipt),
              RECEIPT_COUNTED);
    CHECK(store_commit(b->store));
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), before + 3);
    sample_batch_clear(&one);
    sample_batch_clear(&two);
    sample_batch_clear(&three);
    sample_batch_clear(&empty);
}

static void test_agreement(struct bench *b)
{
    struct check_result result;
    struct rebuild_result rebuilt;
    struct error_text error = {""};
    test_case("check names usage that is not the sum of the batches");
    CHECK(!ledger_check_all(&b->paths, &result, &error));
    CHECK(strstr(error.text, "usage of ENT-1 at EP-") != NULL);

    test_case("rebuild adds usage up again from the archive");
    CHECK(rebuild_all(&b->paths, &rebuilt, &error));
    CHECK_I64((int64_t)rebuilt.batches, 9);
    CHECK_I64((int64_t)rebuilt.records, 11);
    if (!CHECK(ledger_check_all(&b->paths, &result, &error)))
        printf("# %s\n", error.text);
    CHECK_I64((int64_t)result.batches, 10);
    CHECK_I64((int64_t)result.kept, 1);
    CHECK_I64((int64_t)result.missing, 1);

    test_case("a new key verifies new batches, the ledger knows the old one");
    sign_key_free(b->p1.key);
    b->p1.key = sign_key_generate(SIGN_SM2_SM3);
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t length = sign_key_public(b->p1.key, key);
    struct db_statement *s =
        db_prepare(b->registry, "UPDATE probe SET algorithm = 'sm2', "
                                "signing_key = :key WHERE id = 'P-1'");
    db_bind_blob(s, ":key", key, length);
    CHECK(db_do(s));
    struct sample_batch batch = sample_next_flow(&b->p1, T);
    CHECK_I64(take(b, &batch), RECEIPT_COUNTED);
    CHECK(ledger_check_all(&b->paths, &result, &error));
    CHECK_I64(number(b, "SELECT count(*) FROM signer"), 2);
    sample_batch_clear(&batch);
}

static void test_sample(struct bench *b)
{
    struct receipt receipt;
    test_case("demo data counts at its own time and stays marked");
    store_close(b->store);
    b->accept_sample = true;
    open_collector(b);
    int64_t old_ms = T - INT64_C(200) * 86400000;
    struct sample_batch batch = sample_next_flow(&b->p2, old_ms);
    CHECK_I64(take_at(b, &batch, NULL, SAMPLE_NOW_S, &receipt),
              RECEIPT_COUNTED);
    CHECK_I64(receipt.received_ms, old_ms);
    CHECK_I64(number(b, "SELECT is_sample AND transport = 'file' AND "
                        "is_late = 0 FROM ledger WHERE probe_id = 'P-2'"),
              1);
    CHECK_I64(number(b, "SELECT count(*) FROM usage WHERE is_sample = 1"), 1);
    sample_batch_clear(&batch);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_counting(&b);
    test_refusing(&b);
    test_late(&b);
    test_groups(&b);
    test_agreement(&b);
    test_sample(&b);
    tear_down(&b);
    return test_end();
}
