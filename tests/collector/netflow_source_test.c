/* Exporters by the registry, their flows into the store: who may speak, for
 * whom, and what a denial does. */
#include "collector/netflow_source.h"

#include "tests/collector/ledger/store_sample.h"

static const char EXPORTER_SQL[] =
#include "portal/store/003-exporter.sql.inc"
    ;
static const char ENDPOINTS[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "erp,S,V,198.18.0.0/24,,tcp,443,2020-01-01,,no\n";

struct bench {
    struct sample_folder folder;
    struct sample_files files;
    struct ledger_paths paths;
    char endpoints[PATH_MAX];
    struct sign_key *key;
    struct store *store;
    struct batch_reader *reader;
    struct db *registry;
    struct netflow_source *source;
    struct wall_time now;
    uint64_t batches;
};

static bool take(void *context, const struct registry_probe *own,
                 struct slice batch)
{
    struct bench *b = context;
    struct receipt receipt;
    b->batches++;
    return source_take(b->store, b->reader, own, batch, b->now, &receipt) ==
               TAKE_DONE &&
           receipt.status != RECEIPT_REFUSED;
}

static void set_up(struct bench *b)
{
    struct error_text error = {""};
    static const struct secret pseudonym = {{3}};
    *b = (struct bench){.key = sign_key_generate(SIGN_ED25519),
                        .reader = batch_reader_new(),
                        .now = SAMPLE_NOW};
    sample_folder_make(&b->folder);
    b->files = sample_files(&b->folder);
    b->paths = sample_paths(&b->files);
    sample_path(&b->folder, "endpoints.csv", b->endpoints);
    sample_write_file(b->endpoints, ENDPOINTS, strlen(ENDPOINTS));
    b->registry = sample_registry_make(b->files.registry);
    CHECK(db_run(b->registry, EXPORTER_SQL) &&
          db_run(b->registry,
                 "INSERT INTO exporter (id, address, enterprise_id, site_id, "
                 "sampling, agreed_at, is_sample) VALUES "
                 "('plain', '192.0.2.1', 'ENT-1', 'SITE-1', NULL, 0, 0),"
                 "('scaled', '192.0.2.2', 'ENT-1', 'SITE-1', 100, 0, 0),"
                 "('demo', '192.0.2.3', 'ENT-1', 'SITE-1', NULL, 0, 1)"));
    b->store = store_open(&b->paths, false, &error);
    const struct netflow_source_options options = {
        .registry = b->files.registry,
        .endpoints = b->endpoints,
        .key = b->key,
        .pseudonym = &pseudonym,
        .template_lifetime_ms = 1800000,
        .finished = take,
        .context = b,
    };
    b->source = netflow_source_new(&options, b->now, &error);
    if (b->store == NULL || b->source == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static void tear_down(struct bench *b)
{
    netflow_source_free(b->source);
    store_close(b->store);
    db_close(b->registry);
    batch_reader_free(b->reader);
    sign_key_free(b->key);
    sample_folder_remove(&b->folder);
}

static int find(struct bench *b, const char *text)
{
    struct address address;
    CHECK(address_from_text(slice_of_text(text), &address));
    return netflow_source_find(b->source, &address);
}

/* NetFlow v5: one flow of 1000 octets in 3 packets, just now. */
static void send_flow(struct bench *b, const char *from, uint16_t port)
{
    struct buffer m;
    buffer_init(&m, 4096);
    buffer_add_u16(&m, 5);
    buffer_add_u16(&m, 1);
    buffer_add_u32(&m, 100000);
    buffer_add_u32(&m, (uint32_t)wall_to_s(b->now));
    buffer_add_u64(&m, port); /* sequence numbers that differ */
    buffer_add_u32(&m, 0);
    buffer_add_u32(&m, 0x0a000001);
    buffer_add_u32(&m, 0xc6120005);
    buffer_add_u32(&m, 0);
    buffer_add_u32(&m, 0);
    buffer_add_u32(&m, 3);
    buffer_add_u32(&m, 1000);
    buffer_add_u32(&m, 99000);
    buffer_add_u32(&m, 99500);
    buffer_add_u16(&m, port);
    buffer_add_u16(&m, 443);
    buffer_add_u32(&m, 0x001b0600);
    buffer_add_u64(&m, 0);
    CHECK_I64(m.length, 72);
    netflow_source_datagram(b->source, find(b, from), port,
                            (const uint8_t *)m.data, m.length, b->now);
    buffer_clear(&m);
}

static void close_period(struct bench *b)
{
    int64_t now_ms = wall_to_ms(b->now);
    const struct source_period period = {now_ms - 300000, now_ms};
    CHECK(store_begin(b->store));
    netflow_source_close(b->source, period, b->now, true);
    CHECK(store_commit(b->store));
}

static int64_t octets(struct bench *b, const char *where)
{
    char sql[200];
    snprintf(sql, sizeof(sql),
             "SELECT ifnull(sum(octets), 0) FROM usage WHERE source = 'router' "
             "AND %s",
             where);
    return sample_number(store_db(b->store), sql);
}

static void test_registered(struct bench *b)
{
    test_case("an address that is not registered is nobody");
    CHECK_I64(find(b, "192.0.2.9"), NETFLOW_NOBODY);
    struct address stranger;
    struct netflow_totals totals;
    address_from_text(SLICE("192.0.2.9"), &stranger);
    netflow_source_refuse(b->source, &stranger, b->now);
    netflow_source_refuse(b->source, &stranger, b->now);
    netflow_source_totals(b->source, &totals);
    CHECK_I64(totals.refused, 2);

    test_case("demo data's exporter is nobody where it is not accepted");
    CHECK_I64(find(b, "192.0.2.3"), NETFLOW_NOBODY);

    test_case("a registered router's flows count for its enterprise and site");
    send_flow(b, "192.0.2.1", 50000);
    close_period(b);
    CHECK_I64(octets(b, "enterprise_id = 'ENT-1' AND site_id = 'SITE-1'"),
              1000);
    CHECK_I64(octets(b, "is_scaled = 1"), 0);

    test_case("what was seen stands signed in the ledger");
    CHECK_I64(sample_number(store_db(b->store),
                            "SELECT sum(packets_seen) FROM ledger"),
              1);

    test_case("a silent period makes no batch");
    b->batches = 0;
    close_period(b);
    CHECK_I64(b->batches, 0);
}

static void test_sampled(struct bench *b)
{
    test_case("the registry's sampling scales and marks");
    send_flow(b, "192.0.2.2", 50001);
    close_period(b);
    CHECK_I64(octets(b, "is_scaled = 1"), 101000); /* the bucket is marked */
}

static void test_denied(struct bench *b)
{
    char sql[120];
    int64_t before = octets(b, "1");
    test_case("a denied exporter's pending flows are not batched");
    send_flow(b, "192.0.2.1", 50002);
    snprintf(sql, sizeof(sql),
             "UPDATE exporter SET denied_at = %lld WHERE id = 'plain'",
             (long long)b->now.us);
    CHECK(db_run(b->registry, sql));
    netflow_source_reload(b->source, b->now);
    close_period(b);
    CHECK_I64(octets(b, "1"), before);
    CHECK_I64(find(b, "192.0.2.1"), NETFLOW_NOBODY);

    test_case("allowed again, it is the same exporter");
    CHECK(db_run(b->registry, "UPDATE exporter SET denied_at = NULL"));
    netflow_source_reload(b->source, b->now);
    send_flow(b, "192.0.2.1", 50003);
    close_period(b);
    CHECK_I64(octets(b, "1"), before + 1000);
}

static void test_endpoints(struct bench *b)
{
    static const char NONE[] =
        "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
        "shared\n"
        "other,S,V,203.0.113.0/24,,tcp,443,2020-01-01,,no\n";
    int64_t before = octets(b, "1");
    test_case("another endpoint list holds from its reading on");
    send_flow(b, "192.0.2.1", 50004);
    sample_write_file(b->endpoints, NONE, strlen(NONE));
    CHECK(store_begin(b->store));
    netflow_source_reload(b->source, b->now); /* what came before counts */
    CHECK(store_commit(b->store));
    send_flow(b, "192.0.2.1", 50005);
    close_period(b);
    CHECK_I64(octets(b, "1"), before + 1000);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_registered(&b);
    test_sampled(&b);
    test_denied(&b);
    test_endpoints(&b);
    tear_down(&b);
    return test_end();
}
