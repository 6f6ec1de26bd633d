/* Chains of the collector's own: counted once, apart from probes, rebuilt. */
#include "collector/ledger/source_batch.h"

#include "collector/ledger/rebuild.h"
#include "collector/tlog/ledger_check.h"
#include "tests/collector/ledger/store_sample.h"

enum { DAY_MS = 86400000 };

struct bench {
    struct sample_folder folder;
    struct sample_files files;
    struct ledger_paths paths;
    struct sign_key *key;
    struct store *store;
    struct batch_reader *reader;
    struct receipt receipt;
    uint64_t taken;
    int statuses[8];
};

static void set_up(struct bench *b)
{
    struct error_text error = {""};
    *b = (struct bench){.key = sign_key_generate(SIGN_ED25519),
                        .reader = batch_reader_new()};
    sample_folder_make(&b->folder);
    b->files = sample_files(&b->folder);
    b->paths = sample_paths(&b->files);
    db_close(sample_registry_make(b->files.registry));
    b->store = store_open(&b->paths, false, &error);
    if (b->store == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static bool take(void *context, const struct registry_probe *own,
                 struct slice batch)
{
    struct bench *b = context;
    if (source_take(b->store, b->reader, own, batch, SAMPLE_NOW, &b->receipt) !=
        TAKE_DONE)
        return false;
    b->statuses[b->receipt.status]++;
    b->taken++;
    return true;
}

/* A month old, two days, two enterprises' sites, added in a mixed order. */
static bool add_file(struct bench *b, uint64_t octets)
{
    static const uint8_t boot[BOOT_ID_LEN] = "file-1";
    const struct source_options options = {
        .key = b->key, .boot_id = boot, .finished = take, .context = b};
    struct source_batches *batches = source_batches_new(&options);
    int64_t day = (SAMPLE_NOW_S - 30 * 86400) / 86400 * INT64_C(86400000);
    bool good = batches != NULL && store_begin(b->store);
    for (int i = 0; good && i < 40; i++) {
        struct source_chain chain = {.source = SOURCE_CARRIER,
                                     .name = i % 8 < 4 ? "CT" : "CT-1",
                                     .enterprise_id = "ENT-1",
                                     .site_id = i % 4 < 2 ? "SITE-1" : "S-2"};
        int64_t start = day + (i % 2) * (int64_t)DAY_MS;
        struct source_period period = {start, start + DAY_MS};
        struct flow_record record = sample_flow(start + i * 1000, 7);
        record.octets = octets;
        good = source_batches_add(batches, &chain, period, &record);
    }
    good = good && source_batches_close(batches) && store_commit(b->store);
    source_batches_free(batches);
    return good;
}

static int64_t number(struct bench *b, const char *sql)
{
    return sample_number(store_db(b->store), sql);
}

static void test_counting(struct bench *b)
{
    test_case("a file's records are one batch for each chain and day");
    CHECK(add_file(b, 1000));
    CHECK_I64(b->taken, 8); /* 2 names x 2 sites x 2 days */
    CHECK_I64(b->statuses[RECEIPT_COUNTED], 8);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage "
                        "WHERE source = 'carrier'"),
              40);

    test_case("names where one begins like the other are chains of their own");
    CHECK_I64(number(b, "SELECT count(DISTINCT probe_id) FROM ledger"), 4);
    CHECK_I64(number(b, "SELECT count(*) FROM event"), 0);

    test_case("the same file again counts nothing, another content is named");
    CHECK(add_file(b, 1000));
    CHECK_I64(b->statuses[RECEIPT_REPEATED], 8);
    CHECK(add_file(b, 1001));
    CHECK_I64(b->statuses[RECEIPT_REFUSED], 8);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), 40);
    CHECK_I64(number(b, "SELECT count(*) FROM event WHERE kind = 'conflict'"),
              8);

    test_case("records of a month ago are counted, and not called late");
    CHECK_I64(number(b, "SELECT count(*) FROM ledger WHERE is_late"), 0);
    CHECK_I64(number(b, "SELECT sum(tier) FROM ledger"), 3 * 8);
}

static void test_agreement(struct bench *b)
{
    struct check_result checked;
    struct rebuild_result rebuilt;
    struct error_text error = {""};

    test_case("check and rebuild hold for them");
    store_close(b->store);
    b->store = NULL;
    if (!CHECK(ledger_check_all(&b->paths, &checked, &error)))
        printf("# %s\n", error.text);
    CHECK(rebuild_all(&b->paths, &rebuilt, &error));
    CHECK_I64((int64_t)rebuilt.records, 40);
    CHECK(ledger_check_all(&b->paths, &checked, &error));
}

static void test_bad_names(struct bench *b)
{
    static const char *const NAMES[] = {"", "a b", "../x",
                                        "12345678901234567890123456789012"};
    const struct source_options options = {
        .key = b->key, .finished = take, .context = b};
    struct source_batches *batches = source_batches_new(&options);
    struct flow_record record = sample_flow(1000, 7);

    test_case("a name that is none is refused");
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct source_chain chain = {SOURCE_ROUTER, NAMES[i], "ENT-1",
                                     "SITE-1",      false,    false};
        CHECK(!source_batches_add(batches, &chain,
                                  (struct source_period){0, DAY_MS}, &record));
    }
    source_batches_free(batches);
}

int main(void)
{
    struct bench b;
    set_up(&b);
    test_counting(&b);
    test_agreement(&b);
    test_bad_names(&b);
    batch_reader_free(b.reader);
    sign_key_free(b.key);
    sample_folder_remove(&b.folder);
    return test_end();
}
