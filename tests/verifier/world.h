/*
 * A small world for the verifier's tests: portal.db and usage.db made from the
 * owners' schemas, filled with SQL, in a folder of their own under $B.
 */
#ifndef TESTS_VERIFIER_WORLD_H
#define TESTS_VERIFIER_WORLD_H

#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "common/db.h"
#include "common/wire/flow_block.h"
#include "tests/common/wire/sample_flow.h"
#include "tests/rules/persona.h"
#include "tests/test.h"
#include "verifier/verifier_run.h"

/* By the numbers that the tests use. */
static const char *const WORLD_ENDPOINTS[] = {"", "erp", "iot"};

enum { WORLD_FIRST_DAY = 20750, WORLD_DAYS = 30, WORLD_PATH = 512 };

struct world {
    char folder[WORLD_PATH];
    struct verifier_config config;
    struct db *portal, *usage;
    int64_t batches, serial;
    bool is_sample;
};

static inline void world_path(const struct world *w, const char *name,
                              char *path, size_t size)
{
    int length = snprintf(path, size, "%.*s/%s", WORLD_PATH, w->folder, name);
    CHECK(length > 0 && (size_t)length < size);
}

static inline struct db *world_create(const char *path, const char *schema)
{
    struct buffer sql;
    struct error_text error;
    struct db *db = NULL;
    unlink(path);
    if (CHECK(buffer_read_file(&sql, schema, 1 << 20))) {
        buffer_add_u8(&sql, 0);
        struct db_migration m = {schema, (const char *)sql.data};
        db = db_open(path, DB_WRITE, &m, 1, &error);
    }
    CHECK(db != NULL);
    buffer_clear(&sql);
    return db;
}

/* One more of the owner's files. */
static inline void world_apply(struct db *db, const char *schema)
{
    struct buffer sql;
    if (CHECK(buffer_read_file(&sql, schema, 1 << 20))) {
        buffer_add_u8(&sql, 0);
        CHECK(db_run(db, (const char *)sql.data));
    }
    buffer_clear(&sql);
}

/* Without its world no test means anything. */
static inline void world_must(struct db *db, bool good)
{
    if (CHECK(good))
        return;
    printf("# %s\n", db_error(db));
    exit(1);
}

__attribute__((format(printf, 2, 3))) static inline void
world_sql(struct db *db, const char *format, ...)
{
    char sql[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    world_must(db, db_run(db, sql));
}

static inline void world_base(struct world *w)
{
    world_sql(w->portal,
              "INSERT INTO programme VALUES ('p', 'v', 'zh', 'en', 0);"
              "INSERT INTO cycle VALUES ('2026', 'p', 'zh', 'en', 0, 1, 1, 2);"
              "INSERT INTO city VALUES ('441500', '汕尾市', 'Shanwei', 1),"
              " ('440600', '佛山市', 'Foshan', 1);"
              "INSERT INTO supplier VALUES ('S', '供应商', 'Supplier', 'S18',"
              " 0);"
              "INSERT INTO service VALUES"
              " ('ERP', 'S', 9, 'A', '进销存', 'ERP'),"
              " ('IOT', 'S', 2, 'B', '监控', 'Monitoring');"
              "INSERT INTO endpoint VALUES ('erp', 'ERP', 'tcp', '443', 0, 0,"
              " NULL), ('iot', 'IOT', '', '', 0, 0, NULL);");
    world_sql(w->usage, "INSERT INTO signer VALUES (1, 'probe', 'ed25519',"
                        " zeroblob(32))");
}

static inline void world_open(struct world *w, const char *name)
{
    struct error_text error;
    const char *build = getenv("B");
    *w = (struct world){0};
    snprintf(w->folder, sizeof(w->folder), "%s/test-world-%s-%d",
             build != NULL ? build : "build", name, (int)getpid());
    CHECK(mkdir(w->folder, 0700) == 0);
    world_path(w, "portal.db", w->config.registry, WORLD_PATH);
    world_path(w, "usage.db", w->config.usage_db, WORLD_PATH);
    world_path(w, "verdict.db", w->config.verdict_db, WORLD_PATH);
    world_path(w, "key.pem", w->config.signing_key, WORLD_PATH);
    snprintf(w->config.rules, sizeof(w->config.rules), "rules/guangdong-2018");
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    CHECK(sign_key_save(key, w->config.signing_key, &error));
    sign_key_free(key);
    w->portal =
        world_create(w->config.registry, "portal/store/001-registry.sql");
    w->usage =
        world_create(w->config.usage_db, "collector/ledger/001-ledger.sql");
    world_apply(w->usage, "collector/ledger/002-detail.sql");
    world_base(w);
}

static inline void world_close(struct world *w)
{
    static const char *const FILES[] = {"portal.db", "usage.db", "verdict.db"};
    static const char *const ENDS[] = {"", "-wal", "-shm"};
    char path[WORLD_PATH + 32];
    db_close(w->portal);
    db_close(w->usage);
    for (int f = 0; f < 3; f++) {
        for (int e = 0; e < 3; e++) {
            char name[32];
            snprintf(name, sizeof(name), "%s%s", FILES[f], ENDS[e]);
            world_path(w, name, path, sizeof(path));
            unlink(path);
        }
    }
    unlink(w->config.signing_key);
    CHECK(rmdir(w->folder) == 0);
}

/* Enterprise n with one voucher V-n of one line, in settlement. */
static inline void world_enterprise(struct world *w, int n, const char *city,
                                    const char *service, int sets)
{
    char sets_text[16] = "NULL";
    if (sets > 0)
        snprintf(sets_text, sizeof(sets_text), "%d", sets);
    world_sql(w->portal,
              "INSERT INTO enterprise VALUES ('E%d', '企业%d', 'Enterprise %d',"
              " 'C%d', '%s', '县', 0);"
              "INSERT INTO site VALUES ('T%d', 'E%d', 'a', 'b', '%s');"
              "INSERT INTO probe VALUES ('probe-%d', 'E%d', 'T%d', 'ed25519',"
              " zeroblob(32), 0, NULL, 0, NULL);"
              "INSERT INTO voucher_application VALUES ('A%d', '2026', 'E%d',"
              " 'S', 'K', %d, 0, 0, 0);"
              "INSERT INTO voucher VALUES ('V-%d', 'A%d', 8000000, 0, 0,"
              " 'IN_SETTLEMENT');"
              "INSERT INTO voucher_line VALUES ('V-%d', 1, '%s', 8000000, %s,"
              " 8000000);"
              "INSERT INTO settlement VALUES ('ST%d', 'V-%d', 1700000000000000,"
              " NULL, 'PENDING_VERIFICATION');",
              n, n, n, n, city, n, n, city, n, n, n, n, n, WORLD_FIRST_DAY, n,
              n, n, service, sets_text, n, n);
}

static inline int64_t world_batch(struct world *w, int n, int64_t start_ms,
                                  int64_t end_ms, int64_t received_ms,
                                  bool is_counted, uint64_t records)
{
    int64_t idx = ++w->batches;
    char seed[64];
    snprintf(seed, sizeof(seed), "%d %lld", n, (long long)start_ms);
    struct digest hash = digest_of(seed, strlen(seed));
    char hex[DIGEST_HEX_LEN];
    digest_to_hex(hash, hex);
    world_sql(
        w->usage,
        "INSERT INTO ledger (idx, probe_id, boot_id, sequence,"
        " batch_hash, previous_hash, enterprise_id, site_id, supplier_id, "
        "source, tier,"
        " transport, received_us, period_start_ms, period_end_ms,"
        " is_late, is_counted, is_sample, is_scaled, record_count, octets, "
        "packets,"
        " dropped_records, packets_seen, packets_dropped, flows_evicted,"
        " batches_lost, clock_quality, software_hash, registry_version, signer,"
        " archive_segment, archive_offset, archive_length)"
        " VALUES (%lld, 'probe-%d', zeroblob(16), %lld, x'%s',"
        " zeroblob(32), 'E%d', 'T%d', '', 'probe', 0, 'yz1', %lld, %lld, %lld, "
        "0, %d,"
        " %d, 0, %llu, 0, 0, 0, 0, 0, 0, 0, 2, zeroblob(32), zeroblob(32),"
        " 1, 0, %lld, 0)",
        (long long)idx, n, (long long)idx, hex, n, n,
        (long long)received_ms * 1000, (long long)start_ms, (long long)end_ms,
        is_counted, w->is_sample, (unsigned long long)records, (long long)idx);
    return idx;
}

static inline struct flow_record world_record(int endpoint,
                                              const struct fact_flow *f)
{
    struct flow_record r = sample_flow(f->start_ms, f->host);
    r.end_ms = f->end_ms;
    r.octets = f->octets, r.packets = f->packets;
    r.roctets = f->roctets, r.rpackets = f->rpackets;
    r.end_reason = f->end_reason;
    r.name_evidence = f->name_evidence;
    r.rtt_us = f->rtt_us;
    r.burst_count = 1;
    snprintf(r.endpoint_id, sizeof(r.endpoint_id), "%s",
             WORLD_ENDPOINTS[endpoint]);
    memcpy(r.token, f->token, sizeof(r.token));
    for (int i = 0; i < FINGERPRINT_LEN; i++)
        r.fingerprint[i] = (uint8_t)(f->fingerprint >> (56 - 8 * i));
    return r;
}

/* Puts the block in place of the one the batch has. */
static inline void world_block(struct world *w, int64_t batch,
                               const struct flow_record *records, size_t count)
{
    struct flow_packer *packer = flow_packer_new();
    struct buffer block;
    buffer_init(&block, FLOW_BLOCK_MAX);
    CHECK(flow_packer_encode(packer, records, count, &block));
    struct db_statement *s =
        db_prepare(w->usage, "INSERT OR REPLACE INTO flow_block (ledger_idx, "
                             "record_count, data) VALUES (:batch, :count, "
                             ":data)");
    db_bind_i64(s, ":batch", batch);
    db_bind_u64(s, ":count", count);
    db_bind_blob(s, ":data", block.data, block.length);
    world_must(w->usage, db_do(s));
    buffer_clear(&block);
    flow_packer_free(packer);
}

/* One day's records in one batch of 24 hours, received at its end. */
static inline void world_day(struct world *w, int n, int32_t day, int endpoint,
                             const struct persona *p)
{
    int64_t start_ms = wall_to_ms(day_start((struct civil_day){day}));
    int64_t end_ms = start_ms + 86400000;
    int64_t batch = world_batch(w, n, start_ms, end_ms, end_ms, true, p->count);
    struct flow_record *records = calloc(p->count + 1, sizeof(*records));
    for (size_t i = 0; i < p->count; i++)
        records[i] = world_record(endpoint, &p->flows[i]);
    if (p->count > 0)
        world_block(w, batch, records, p->count);
    free(records);
}

static inline struct wall_time world_end(void)
{
    return day_start((struct civil_day){WORLD_FIRST_DAY + WORLD_DAYS});
}

static inline enum run_status world_run(struct world *w, struct wall_time now,
                                        struct run_summary *summary)
{
    struct error_text error = {""};
    enum run_status status =
        verifier_run(&w->config, "2026", now, summary, &error);
    if (status != RUN_DONE)
        printf("# %s\n", error.text);
    return status;
}

/* The first column of the first row of a query on verdict.db. */
static inline void world_ask(struct world *w, const char *sql, char *text,
                             size_t size)
{
    struct error_text error;
    struct db *db = db_open(w->config.verdict_db, DB_READ, NULL, 0, &error);
    text[0] = '\0';
    if (!CHECK(db != NULL))
        return;
    struct db_statement *s = db_prepare(db, sql);
    if (CHECK(s != NULL) && db_step(s) == DB_ROW)
        snprintf(text, size, "%s", db_text(s, 0));
    db_close(db);
}

#define CHECK_ASK(w, sql, expected)                                            \
    do {                                                                       \
        char answer_[4096];                                                    \
        world_ask(w, sql, answer_, sizeof(answer_));                           \
        CHECK_TEXT(answer_, expected);                                         \
    } while (0)

#endif
