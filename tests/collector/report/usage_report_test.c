/* Sums for 5 minutes, and the report made of them. */
#include "collector/ledger/usage.h"

#include "collector/report/usage_report.h"
#include "tests/collector/ledger/store_sample.h"

/* 16:00 in Shanghai, the start of 5 minutes. */
static const int64_t T = SAMPLE_NOW_S * 1000;
static const struct usage_scope SCOPE = {"ENT-1", "SITE-1", "probe",
                                         false,   false,    0};
static const struct usage_scope DEMO = {"ENT-1", "SITE-1", "probe", true,
                                        false};
static const struct usage_scope OTHER_SITE = {"ENT-1", "SITE-2", "probe", false,
                                              false};

static struct flow_record flow(int64_t start_ms, int64_t end_ms, uint64_t host)
{
    struct flow_record r = sample_flow(start_ms, host);
    r.end_ms = end_ms;
    return r;
}

static void add(struct usage_sums *u, struct flow_record r)
{
    CHECK(usage_sums_add(u, &r) == USAGE_ADDED);
}

static struct flow_record with_endpoint(struct flow_record r, int number)
{
    snprintf(r.endpoint_id, sizeof(r.endpoint_id), "EP-X%d", number);
    return r;
}

static int64_t cell(struct db *db, const char *column, int64_t bucket)
{
    char sql[200];
    snprintf(sql, sizeof(sql),
             "SELECT %s FROM usage WHERE bucket = %lld AND is_sample = 0 "
             "AND site_id = 'SITE-1'",
             column, (long long)bucket);
    return sample_number(db, sql);
}

static void test_counting(struct db *db, struct usage_table *t,
                          struct usage_sums *u)
{
    const int64_t b = SAMPLE_NOW_S;
    test_case("counts fall where the record starts, minutes where it reaches");
    add(u, flow(T + 240000, T + 301000, 7));
    CHECK(usage_store(t, u, &SCOPE));
    CHECK_I64(cell(db, "flows", b), 1);
    CHECK_I64(cell(db, "octets", b), 1000);
    CHECK_I64(cell(db, "roctets", b), 5000);
    CHECK_I64(cell(db, "packets", b), 10);
    CHECK_I64(cell(db, "rpackets", b), 12);
    CHECK_I64(cell(db, "minutes", b), 1 << 4);
    CHECK_I64(cell(db, "flows", b + 300), 0);
    CHECK_I64(cell(db, "minutes", b + 300), 1);
    CHECK_I64(cell(db, "names_confirmed", b), 1);

    test_case("VER-07: one-way traffic counts but touches no minute");
    struct flow_record one_way = flow(T + 600000, T + 600000, 7);
    one_way.rpackets = one_way.roctets = one_way.rpayload = 0;
    one_way.name_evidence = NAME_MISMATCH;
    add(u, one_way);
    CHECK(usage_store(t, u, &SCOPE));
    CHECK_I64(cell(db, "flows", b + 600), 1);
    CHECK_I64(cell(db, "minutes", b + 600), 0);
    CHECK_I64(cell(db, "names_confirmed", b + 600), 0);
    CHECK_I64(cell(db, "names_mismatched", b + 600), 1);

    test_case("hosts are distinct within and over batches");
    add(u, flow(T, T, 7));
    add(u, flow(T + 1000, T + 1000, 8));
    add(u, flow(T + 2000, T + 2000, 8));
    CHECK(usage_store(t, u, &SCOPE));
    CHECK_I64(cell(db, "hosts", b), 2);
    CHECK_I64(cell(db, "flows", b), 4);
    add(u, flow(T + 3000, T + 3000, UINT64_MAX));
    CHECK(usage_store(t, u, &SCOPE));
    CHECK_I64(cell(db, "hosts", b), 3);
    CHECK_I64(cell(db, "minutes", b), 1 << 4 | 1);
}

static void test_bounds(struct db *db, struct usage_table *t,
                        struct usage_sums *u)
{
    test_case("a long record touches every minute of a day");
    add(u, flow(T + 86400000, T + 2 * 86400000 - 1, 9));
    CHECK(usage_store(t, u, &SCOPE));
    CHECK_I64(sample_number(db, "SELECT count(*) FROM usage WHERE "
                                "minutes = 31"),
              288);
    CHECK_I64(sample_number(db, "SELECT sum(flows) FROM usage WHERE "
                                "minutes = 31"),
              1);

    test_case("many endpoints grow the table");
    struct flow_record r = flow(T + 900000, T + 900000, 7);
    for (int i = 0; i < 3000; i++)
        add(u, with_endpoint(r, i % 2));
    for (int64_t i = 0; i < 3000; i++) {
        r.start_ms = r.end_ms = T + 1200000 + i * 300000;
        add(u, with_endpoint(r, 2));
    }
    CHECK(usage_store(t, u, &DEMO));
    CHECK_I64(sample_number(db, "SELECT sum(flows) FROM usage WHERE "
                                "is_sample = 1"),
              6000);

    test_case("a batch with more cells than any real one is refused");
    enum usage_added added = USAGE_ADDED;
    for (int64_t i = 1; added == USAGE_ADDED && i <= USAGE_CELLS_MAX + 1; i++) {
        r.start_ms = r.end_ms = T + i * 300000;
        added = usage_sums_add(u, &r);
    }
    CHECK(added == USAGE_TOO_MANY_CELLS);
    usage_sums_reset(u);
    CHECK(usage_store(t, u, &SCOPE)); /* nothing in it */
}

static void test_forgetting(struct db *db, struct usage_table *t,
                            struct usage_sums *u)
{
    const int64_t b = SAMPLE_NOW_S + 400 * 86400;
    struct wall_time later = wall_from_s(b + USAGE_OPEN_S + 300);
    test_case("hosts are forgotten when nothing can reach their cell any more");
    add(u, flow(b * 1000, b * 1000, 7));
    add(u, flow((b + 600) * 1000, (b + 600) * 1000, 8));
    CHECK(usage_store(t, u, &SCOPE));
    CHECK(db_begin(db) && usage_forget_hosts(db, later, later) &&
          db_commit(db));
    usage_table_forget(t);
    CHECK_I64(sample_number(db, "SELECT count(*) FROM usage_host"), 1);
    CHECK_I64(sample_number(db, "SELECT pseudonym FROM host_key"), 8);
    CHECK_I64(cell(db, "hosts", b), 1);

    test_case("those of cells that are open stay distinct");
    add(u, flow((b + 601) * 1000, (b + 601) * 1000, 8));
    add(u, flow((b + 602) * 1000, (b + 602) * 1000, 7));
    CHECK(usage_store(t, u, &SCOPE));
    CHECK_I64(cell(db, "hosts", b + 600), 2);

    test_case("cells before the first that may be written stay");
    struct usage_scope from = SCOPE;
    from.from_bucket = b + 600;
    add(u, flow(b * 1000, b * 1000, 9));
    add(u, flow((b + 603) * 1000, (b + 603) * 1000, 9));
    CHECK(usage_store(t, u, &from));
    CHECK_I64(cell(db, "flows", b), 1);
    CHECK_I64(cell(db, "hosts", b + 600), 3);
}

static void test_report(struct db *db, struct usage_table *t,
                        struct usage_sums *u)
{
    struct usage_report report;
    struct error_text error;
    struct buffer out;
    struct civil_day day = day_of_wall(SAMPLE_NOW);
    struct civil_day end = {day.number + 1};
    test_case("the report joins the minutes of two sites");
    add(u, flow(T, T + 119000, 7));
    CHECK(usage_store(t, u, &OTHER_SITE));
    CHECK(usage_report_read(db, NULL, "ENT-1", day, end, &report, &error));
    const struct usage_line *l = &report.lines[0];
    CHECK_TEXT(l->endpoint_id, "EP-1");
    CHECK_I64(l->day.number, day.number);
    CHECK(!l->is_sample);
    CHECK_I64((int64_t)l->flows, 7);
    CHECK_I64((int64_t)l->active_minutes, 4); /* 0 and 1, 4, and 5 */
    CHECK_I64((int64_t)l->hosts_peak, 4);
    CHECK_I64((int64_t)report.total.flows, 7);

    test_case("demo data stands apart and is marked");
    CHECK(report.sample_total.flows > 0);
    buffer_init(&out, 1 << 20);
    usage_report_table(&report, LANGUAGE_EN, &out);
    buffer_add_u8(&out, '\0');
    CHECK(strstr((char *)out.data, "DEMO") != NULL);
    buffer_reset(&out);
    usage_report_json(&report, &out);
    buffer_add_u8(&out, '\0');
    CHECK(strstr((char *)out.data, "\"sample\":true") != NULL ||
          strstr((char *)out.data, "\"sample\": true") != NULL);
    CHECK(!out.failed);
    buffer_clear(&out);
    usage_report_clear(&report);

    test_case("another enterprise has nothing");
    CHECK(usage_report_read(db, NULL, "ENT-2", day, end, &report, &error));
    CHECK_I64((int64_t)report.count, 0);
    usage_report_clear(&report);

    test_case("a period without an end day after its start is empty");
    CHECK(usage_report_read(db, NULL, "ENT-1", day, day, &report, &error));
    CHECK_I64((int64_t)report.count, 0);
    usage_report_clear(&report);
}

int main(void)
{
    struct error_text error;
    struct db *db = db_open(":memory:", DB_WRITE, ledger_migrations,
                            ledger_migration_count, &error);
    struct usage_table *t = usage_table_new(db);
    struct usage_sums *u = usage_sums_new();
    if (db == NULL || t == NULL || u == NULL)
        return 1;
    test_counting(db, t, u);
    test_bounds(db, t, u);
    test_report(db, t, u);
    test_forgetting(db, t, u);
    usage_sums_free(u);
    usage_table_free(t);
    db_close(db);
    return test_end();
}
