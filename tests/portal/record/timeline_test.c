/* Days of evidence from counted usage: minutes joined over endpoints, periods
 * that overlap counted once, days in Asia/Shanghai. */
#include <errno.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "portal/record/supplier_counts.h"
#include "portal/record/timeline.h"
#include "rules/fact.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const struct civil_day FIRST = {20746}; /* 2026-10-20 */

static void run_file(struct db *db, const char *path)
{
    struct buffer text;
    if (!buffer_read_file(&text, path, 1 << 20))
        fatal(1, "%s: %s", path, strerror(errno));
    buffer_add_u8(&text, 0);
    if (text.failed || !db_run(db, (const char *)text.data))
        fatal(1, "%s: %s", path, db_error(db));
    buffer_clear(&text);
}

static void make_databases(const struct scratch *scratch)
{
    static const char *const SCHEMAS[][2] = {
        {"usage.db", "collector/ledger/001-ledger.sql"},
        {"verdict.db", "verifier/001-verdict.sql"}};
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        struct error_text error;
        snprintf(path, sizeof(path), "%s/%s", scratch->folder, SCHEMAS[i][0]);
        struct db *db = db_open(path, DB_WRITE, NULL, 0, &error);
        if (db == NULL)
            fatal(1, "%s", error.text);
        run_file(db, SCHEMAS[i][1]);
        db_close(db);
        CHECK(
            db_attach(scratch->db, path, i == 0 ? "usage" : "verdict", &error));
    }
}

/* The attached ones are read-only: rows go in through a connection of their
 * own. */
static void put(const struct scratch *scratch, const char *file,
                const char *sql)
{
    char path[512];
    struct error_text error;
    snprintf(path, sizeof(path), "%s/%s", scratch->folder, file);
    struct db *db = db_open(path, DB_WRITE, NULL, 0, &error);
    if (db == NULL || !db_run(db, sql))
        fatal(1, "%s: %s", path, db != NULL ? db_error(db) : error.text);
    db_close(db);
}

static void add_endpoints(const struct scratch *scratch)
{
    CHECK(db_run(
        scratch->db,
        "INSERT INTO supplier (id, name_zh, name_en, credit_code, is_sample)"
        " VALUES ('S', 's', 's', 'c', 0);"
        "INSERT INTO service (id, supplier_id, item_no, class, name_zh, "
        "name_en)"
        " VALUES ('svc', 'S', 1, 'A', 'n', 'n');"
        "INSERT INTO endpoint VALUES ('e1', 'svc', '', '', 0, 0, NULL),"
        " ('e2', 'svc', '', '', 0, 0, NULL)"));
    put(scratch, "usage.db",
        "INSERT INTO endpoint_key VALUES (1, 'e1'), (2, 'e2'), (3, 'e3')");
}

static void test_usage(const struct scratch *scratch)
{
    struct timeline timeline;
    /* Five minutes from 2026-10-20T00:00 and 2026-10-21T23:55 (+08:00); the
     * other enterprise and the other service do not count. */
    put(scratch, "usage.db",
        "INSERT INTO usage VALUES"
        " ('E', 'A', 1, 20746 * 86400 - 28800, 'probe', 0, 0, 2, 10, 1, 20, 1, "
        "7, 1, 0,"
        "  0),"
        " ('E', 'A', 2, 20746 * 86400 - 28800, 'probe', 0, 0, 3, 10, 1, 20, 1, "
        "12, 1,"
        "  0, 0),"
        " ('E', 'A', 1, 20748 * 86400 - 29100, 'probe', 1, 0, 1, 5, 1, 5, 1, "
        "16, 1, 0,"
        "  0),"
        " ('E', 'A', 3, 20746 * 86400 - 28800, 'probe', 0, 0, 9, 9, 9, 9, 9, "
        "31, 1, 0,"
        "  0),"
        " ('F', 'A', 1, 20746 * 86400 - 28800, 'probe', 0, 0, 9, 9, 9, 9, 9, "
        "31, 1, 0,"
        "  0),"
        " ('E', 'A', 1, 20747 * 86400 - 28800, 'probe', 0, 0, 4, 9, 9, 0, 0, "
        "0, 1, 0,"
        "  0)");
    test_case("VER-08: minutes of two endpoints are joined, not added");
    CHECK(timeline_read_usage(scratch->db, "E", "svc", FIRST, &timeline));
    CHECK_I64(timeline.days[0].active_minutes, 4);
    CHECK_I64(timeline.days[0].flows, 5);
    CHECK_I64(timeline.days[0].octets, 60);
    CHECK(timeline.days[0].is_active && !timeline.is_judged);
    test_case("days are those of Asia/Shanghai");
    CHECK_I64(timeline.days[1].active_minutes, 1);
    CHECK(timeline.days[1].is_sample);
    CHECK(!timeline.days[2].is_active);
}

static void test_coverage(const struct scratch *scratch)
{
    struct timeline timeline;
    put(scratch, "usage.db",
        "INSERT INTO signer VALUES (1, 'p', 'ed25519', zeroblob(32));"
        "WITH period (i, start, stop, counted) AS (VALUES"
        " (1, 0, 600, 1), (2, 300, 900, 1), (3, 86100, 86700, 1),"
        " (4, 2000, 3000, 0), (5, 36050, 36070, 1),"
        " (6, -345900, -345300, 1), (7, -432000, -345900, 1))"
        "INSERT INTO ledger SELECT i, 'p', zeroblob(16), i, zeroblob(32),"
        " zeroblob(32), 'E', 'A', '', 'probe', 0, 'file', 1, 0,"
        " (20750 * 86400 - 28800 + start) * 1000,"
        " (20750 * 86400 - 28800 + stop) * 1000, 0, counted, 0, 0, 0, 0, 0, 0, "
        "0,"
        " 0, 0, 0, 0, zeroblob(32), zeroblob(32), 1, i, 1 FROM period");
    test_case(
        "VER-15: coverage counts overlapping periods once, over midnight");
    bool good = timeline_read_usage(scratch->db, "E", "svc", FIRST, &timeline);
    CHECK(good);
    CHECK_I64(timeline.days[4].covered_minutes, 15 + 5);
    CHECK_I64(timeline.days[5].covered_minutes, 5);
    CHECK_I64(timeline.days[3].covered_minutes, 0);
    test_case("VER-15: a batch that began before the first day covers it too, "
              "as the verdict counts it");
    CHECK_I64(timeline.days[0].covered_minutes, 5);
}

/* Beside the probes of test_usage and test_coverage. */
static void test_witnesses(const struct scratch *scratch)
{
    struct timeline timeline;
    struct timeline_testimony said[WITNESS_COUNT];
    put(scratch, "usage.db",
        "INSERT INTO usage VALUES"
        " ('E', 'A', 1, 20746 * 86400 - 28800, 'router', 0, 1, 70, 100, 1, 20, "
        "  1, 31, 1, 0, 0),"
        " ('E', 'A', 2, 20746 * 86400 - 27600, 'router', 0, 1, 1, 1, 1, 1, 1, "
        "  1, 1, 0, 0),"
        " ('E', 'A', 1, 20747 * 86400 - 28800, 'carrier', 0, 0, 5, 50, 1, 20, "
        "  1, 31, 1, 0, 0),"
        " ('E', 'A', 3, 20747 * 86400 - 28800, 'carrier', 0, 0, 9, 50, 1, 20, "
        "  1, 31, 1, 0, 0);"
        "INSERT INTO ledger SELECT idx + 100, 'r', boot_id, sequence,"
        " batch_hash, previous_hash, enterprise_id, site_id, '', 'router', 0,"
        " 'file', signer, 0, period_start_ms + 9000000,"
        " period_end_ms + 9000000, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,"
        " software_hash, registry_version, 2, idx, 1 FROM ledger");
    test_case("others' records and batches are not the enterprise's probes'");
    bool good = timeline_read_usage(scratch->db, "E", "svc", FIRST, &timeline);
    CHECK(good);
    CHECK_I64((int64_t)timeline.days[0].flows, 5);
    CHECK_I64(timeline.days[4].covered_minutes, 15 + 5);
    CHECK_I64(timeline.days[5].covered_minutes, 5);
    test_case("they stand beside them, by source and tier");
    CHECK(timeline_read_witnesses(scratch->db, "E", "svc", FIRST, said));
    CHECK_TEXT(said[WITNESS_ROUTER].name, "router");
    CHECK_I64(said[WITNESS_ROUTER].tier, 0);
    CHECK_I64(said[WITNESS_ROUTER].days, 1);
    CHECK_I64((int64_t)said[WITNESS_ROUTER].flows, 71);
    CHECK_I64((int64_t)said[WITNESS_ROUTER].octets, 122);
    CHECK_I64(said[WITNESS_CARRIER].tier, 3);
    CHECK_I64((int64_t)said[WITNESS_CARRIER].flows, 5);
    test_case("a usage.db without matches says none");
    CHECK_I64(said[WITNESS_SUPPLIER_PROBE].days, 0);
    test_case("what the supplier's probe saw of the enterprise's connections");
    put(scratch, "usage.db",
        "CREATE TABLE match_day (enterprise_id, endpoint_id, day, flows,"
        " octets, matched_by_token, matched_by_shape,"
        " supplier_probe_covered_minutes);"
        "INSERT INTO match_day VALUES ('E', 'e1', 20746, 10, 90, 7, 1, 1440),"
        " ('E', 'e2', 20746, 5, 10, 0, 1, 10),"
        " ('E', 'e1', 20747, 100, 90, 0, 0, 0),"
        " ('E', 'e3', 20746, 10, 90, 7, 1, 1440)");
    CHECK(timeline_read_witnesses(scratch->db, "E", "svc", FIRST, said));
    CHECK_I64(said[WITNESS_SUPPLIER_PROBE].days, 1);
    CHECK_I64((int64_t)said[WITNESS_SUPPLIER_PROBE].flows, 15);
    CHECK_I64((int64_t)said[WITNESS_SUPPLIER_PROBE].confirmed, 9);
}

/* A supplier may say the most there is on each day. */
static void test_largest_counts(const struct scratch *scratch)
{
    struct timeline_testimony said[WITNESS_COUNT];
    char sql[512];
    test_case("the largest counts of a supplier on every day add up");
    snprintf(sql, sizeof(sql),
             "PRAGMA foreign_keys = OFF;"
             "WITH RECURSIVE d (day) AS (SELECT %d UNION ALL"
             " SELECT day + 1 FROM d WHERE day + 1 < %d)"
             "INSERT INTO supplier_count SELECT 'E', 'svc', day, 1, 1, 0, 1,"
             " %lld, %lld, NULL FROM d;"
             "PRAGMA foreign_keys = ON",
             FIRST.number, FIRST.number + TIMELINE_DAYS,
             (long long)COUNTS_OCTETS_MAX, (long long)COUNTS_OCTETS_MAX);
    CHECK(db_run(scratch->db, sql));
    CHECK(timeline_read_witnesses(scratch->db, "E", "svc", FIRST, said));
    CHECK_I64(said[WITNESS_SUPPLIER_COUNTS].days, TIMELINE_DAYS);
    CHECK(said[WITNESS_SUPPLIER_COUNTS].octets ==
          (uint64_t)COUNTS_OCTETS_MAX * 2 * TIMELINE_DAYS);
}

static void put_fact(const struct scratch *scratch, const struct day_fact *fact)
{
    char path[512], sql[16384], hex[8192] = "";
    struct buffer bytes;
    buffer_init(&bytes, 4000);
    fact_encode(fact, &bytes);
    hex_of(bytes.data, bytes.length, hex);
    snprintf(path, sizeof(path), "verdict.db");
    snprintf(sql, sizeof(sql),
             "INSERT INTO fact VALUES ('E', 'svc', %d, zeroblob(32), x'%s')",
             fact->day.number, hex);
    put(scratch, path, sql);
    buffer_clear(&bytes);
}

static void test_facts(const struct scratch *scratch)
{
    struct timeline timeline;
    struct day_fact fact = {.day = {20750},
                            .flows = 7,
                            .octets = 100,
                            .roctets = 50,
                            .active_minutes = 33,
                            .beacon_permille = -1,
                            .fano_permille = -1,
                            .host_count = 3,
                            .hosts_kept = 3,
                            .hosts = {1, 2, 3}};
    fact.coverage.minutes = 1440;
    put_fact(scratch, &fact);
    test_case("after a run the days are the facts that were judged");
    CHECK(timeline_read_facts(scratch->db, "E", "svc", FIRST, &timeline));
    CHECK(timeline.is_judged);
    CHECK_I64(timeline.days[4].active_minutes, 33);
    CHECK_I64(timeline.days[4].octets, 150);
    CHECK_I64(timeline.days[4].hosts, 3);
    CHECK(timeline.days[4].has_hosts && timeline.days[4].is_active);
    CHECK_I64(timeline.days[3].covered_minutes, 0);
    test_case("days before and behind the timeline are left out");
    struct civil_day later = {20751};
    CHECK(timeline_read_facts(scratch->db, "E", "svc", later, &timeline));
    CHECK(!timeline.days[0].is_active);
    struct civil_day before = {20750 - TIMELINE_DAYS};
    CHECK(timeline_read_facts(scratch->db, "E", "svc", before, &timeline));
    CHECK(!timeline.days[TIMELINE_DAYS - 1].is_active);
}

static void test_last_day(void)
{
    struct timeline timeline = {.first = FIRST};
    /* The cut-off is 18:00 of the third day: 1080 minutes. */
    timeline.end.us =
        day_start((struct civil_day){FIRST.number + 2}).us + 1080LL * 60000000;
    timeline.days[1].covered_minutes = 1000;
    timeline.days[2].covered_minutes = 1000;
    timeline.days[3].covered_minutes = 1;
    test_case("VER-15: the day of the cut-off counts up to it, as judged");
    CHECK(!timeline_is_covered(&timeline, 0, 900));
    CHECK(!timeline_is_covered(&timeline, 1, 900));
    CHECK(timeline_is_covered(&timeline, 2, 900));
    CHECK_I64(timeline_covered_percent(&timeline, 0), 0);
    CHECK_I64(timeline_covered_percent(&timeline, 1), 69);
    CHECK_I64(timeline_covered_percent(&timeline, 2), 92);
    CHECK_I64(timeline_covered_percent(&timeline, 3), 0);
    test_case("VER-15: a cut-off at midnight asks nothing of its own day");
    timeline.end = day_start((struct civil_day){FIRST.number + 2});
    CHECK(!timeline_is_covered(&timeline, 2, 900));
    CHECK_I64(timeline_covered_percent(&timeline, 2), 0);
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    make_databases(&scratch);
    add_endpoints(&scratch);
    test_usage(&scratch);
    test_coverage(&scratch);
    test_witnesses(&scratch);
    test_largest_counts(&scratch);
    test_facts(&scratch);
    test_last_day();
    scratch_close(&scratch);
    return test_end();
}
