/* Two probes, one of an enterprise and one of a supplier, through the store to
 * the matched share of a day. */
#include "collector/report/match_day.h"

#include "collector/ledger/rebuild.h"
#include "collector/report/match_report.h"
#include "collector/tlog/ledger_check.h"
#include "tests/collector/ledger/store_sample.h"

enum { FLOWS = 40, MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

struct bench {
    struct sample_folder folder;
    struct sample_files files;
    struct ledger_paths paths;
    struct store *store;
    struct batch_reader *reader;
    struct sample_probe enterprise, supplier;
    struct civil_day day;
    int64_t start_ms; /* of the day */
};

static void register_supplier(struct bench *b, struct db *registry)
{
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t length = sign_key_public(b->supplier.key, key);
    CHECK(db_run(
        registry,
        "PRAGMA foreign_keys = OFF;"
        "INSERT INTO supplier (id, name_zh, name_en, credit_code) VALUES "
        "('SUP-1', '一', 'One', '91440000MA00000001'), "
        "('SUP-2', '二', 'Two', '91440000MA00000002');"
        "INSERT INTO service VALUES ('SVC-1', 'SUP-1', 1, 'A', '一', 'One'), "
        "('SVC-2', 'SUP-2', 1, 'A', '二', 'Two');"
        "INSERT INTO endpoint (id, service_id, valid_from) VALUES "
        "('EP-1', 'SVC-1', 0), ('EP-2', 'SVC-2', 0), ('EP-3', 'SVC-1', 0), "
        "('EP-4', 'SVC-1', 0)"));
    struct db_statement *s = db_prepare(
        registry, "INSERT INTO probe (id, supplier_id, algorithm, signing_key, "
                  "agreed_at) VALUES ('P-S', 'SUP-1', 'ed25519', :key, 0)");
    db_bind_blob(s, ":key", key, length);
    CHECK(db_do(s));
    test_case("a probe is of an enterprise with a site, or of a supplier");
    CHECK(!db_run(registry, "UPDATE probe SET supplier_id = NULL "
                            "WHERE id = 'P-S'"));
    CHECK(!db_run(registry, "UPDATE probe SET supplier_id = 'SUP-1' "
                            "WHERE id = 'P-E'"));
}

static void set_up(struct bench *b)
{
    struct error_text error = {""};
    *b = (struct bench){.reader = batch_reader_new()};
    sample_folder_make(&b->folder);
    b->files = sample_files(&b->folder);
    b->paths = sample_paths(&b->files);
    sample_probe_make(&b->enterprise, "P-E");
    sample_probe_make(&b->supplier, "P-S");
    struct db *registry = sample_registry_make(b->files.registry);
    sample_register(registry, &b->enterprise, false);
    register_supplier(b, registry);
    db_close(registry);
    b->store = store_open(&b->paths, false, &error);
    b->day.number = day_of_wall(SAMPLE_NOW).number - 1;
    b->start_ms = wall_to_ms(day_start(b->day));
}

static void take(struct bench *b, struct sample_probe *probe, int64_t end_ms,
                 const struct flow_record *flows, size_t count)
{
    sample_take(b->store, b->reader, NULL, probe, end_ms, flows, count);
}

static struct match_day_result run_in_parts(struct bench *b, bool is_forced,
                                            uint64_t part_flows)
{
    struct match_day_result result;
    struct error_text error = {""};
    const struct match_days days = {.from = b->day,
                                    .to = {b->day.number + 1},
                                    .is_forced = is_forced,
                                    .part_flows = part_flows};
    if (!CHECK(match_days_run(store_db(b->store), b->files.registry, &days,
                              SAMPLE_NOW, &result, &error)))
        printf("# %s\n", error.text);
    return result;
}

static struct match_day_result run(struct bench *b, bool is_forced)
{
    return run_in_parts(b, is_forced, 0);
}

static int64_t column(struct bench *b, const char *name)
{
    char sql[120];
    snprintf(sql, sizeof(sql), "SELECT %s FROM match_day WHERE day = %d", name,
             b->day.number);
    return sample_number(store_db(b->store), sql);
}

/* Of the i-th connection; every fourth has no token, as UDP that is no QUIC. */
static struct flow_record flow(struct bench *b, int i)
{
    struct flow_record r = sample_flow(b->start_ms + 9 * HOUR_MS + i * 5000, 7);
    if (i % 4 == 3) {
        memset(r.token, 0, sizeof(r.token));
        r.protocol = 17;
        r.tcp_flags = r.rtcp_flags = 0;
        r.octets += (uint64_t)i;
    }
    return r;
}

/* The supplier's side: another clock, another host, half of the time only, and
 * one record about somebody else's endpoint. */
static void test_day(struct bench *b)
{
    struct flow_record ours[FLOWS], theirs[FLOWS + 1];
    int64_t end_ms = b->start_ms + 9 * HOUR_MS + 5 * MINUTE_MS;
    for (int i = 0; i < FLOWS; i++) {
        ours[i] = flow(b, i);
        theirs[FLOWS - 1 - i] = ours[i];
        theirs[FLOWS - 1 - i].start_ms += 1500;
        theirs[FLOWS - 1 - i].end_ms += 1500;
        theirs[FLOWS - 1 - i].host_pseudonym = 99;
    }
    theirs[FLOWS] = flow(b, 0);
    memcpy(theirs[FLOWS].endpoint_id, "EP-2", 5);

    test_case("without a batch of the supplier's probe nothing is matched");
    take(b, &b->enterprise, end_ms, ours, FLOWS);
    run(b, false);
    CHECK_I64(column(b, "flows"), FLOWS);
    CHECK_I64(column(b, "matched_by_token + matched_by_shape"), 0);
    CHECK_I64(column(b, "supplier_probe_covered_minutes"), 0);

    test_case("when it comes late the day is computed again");
    take(b, &b->supplier, end_ms, theirs, FLOWS + 1);
    struct match_day_result r = run(b, false);
    CHECK_I64((int64_t)r.days, 1);
    CHECK_I64(column(b, "flows"), FLOWS);
    CHECK_I64(column(b, "matched_by_token"), FLOWS / 4 * 3);
    CHECK_I64(column(b, "matched_by_shape"), FLOWS / 4);
    CHECK_I64(column(b, "matched_octets = octets"), 1);
    CHECK_I64(column(b, "supplier_probe_covered_minutes"), 5);

    test_case("its records about others' endpoints are an event, not evidence");
    CHECK_I64((int64_t)r.foreign, 1);
    CHECK_I64(sample_number(store_db(b->store),
                            "SELECT count(*) FROM event WHERE kind = "
                            "'foreign' AND probe_id = 'P-S'"),
              1);

    test_case("nothing new: nothing is computed; forced: the same again");
    CHECK_I64((int64_t)run(b, false).skipped, 1);
    CHECK_I64((int64_t)run(b, true).matched, FLOWS);
    CHECK_I64(column(b, "count(*)"), 1);

    test_case("what it saw is in no enterprise's usage");
    CHECK_I64(sample_number(store_db(b->store),
                            "SELECT count(*) FROM usage WHERE source <> "
                            "'probe' OR enterprise_id = ''"),
              0);
    CHECK_I64(sample_number(store_db(b->store),
                            "SELECT count(*) FROM ledger WHERE source = "
                            "'supplier_probe' AND supplier_id = 'SUP-1' "
                            "AND tier = 2 AND enterprise_id = ''"),
              1);
}

/* The last 3 s of the day before the day, and across midnight. */
static void test_midnight(struct bench *b)
{
    struct flow_record ours[2], theirs[2];
    int64_t midnight = b->start_ms;
    struct civil_day day = b->day;
    ours[0] = sample_flow(midnight - 1000, 1);
    ours[1] = sample_flow(midnight, 2);
    for (int i = 0; i < 2; i++) {
        memset(ours[i].token, 0, sizeof(ours[i].token));
        ours[i].protocol = 17;
        ours[i].tcp_flags = ours[i].rtcp_flags = 0;
        ours[i].port = 5000;
        theirs[i] = ours[i];
        theirs[i].start_ms += 100;
        theirs[i].end_ms += 100;
    }
    test_case("a connection counts in the day it starts, whose other side may "
              "start in the next");
    theirs[0].start_ms = midnight + 500;
    theirs[0].end_ms = ours[0].end_ms + 500;
    take(b, &b->enterprise, midnight + 2 * MINUTE_MS, ours, 2);
    take(b, &b->supplier, midnight + 2 * MINUTE_MS, theirs, 2);
    run(b, false);
    CHECK_I64(column(b, "flows"), FLOWS + 1);
    b->day.number--;
    b->start_ms = wall_to_ms(day_start(b->day));
    run(b, false);
    CHECK_I64(column(b, "flows"), 1);
    b->day = day;
    b->start_ms = midnight;
    CHECK_I64(sample_number(store_db(b->store),
                            "SELECT sum(matched_by_shape) FROM match_day"),
              FLOWS / 4 + 2);
}

/* Connections of a later day to three endpoints, some seen by one side only. */
static void test_parts(struct bench *b)
{
    static const char *const ENDPOINTS[] = {"EP-1", "EP-3", "EP-4"};
    const struct civil_day day = b->day;
    const int64_t midnight = b->start_ms;
    struct flow_record ours[FLOWS], theirs[FLOWS];
    size_t seen = 0;
    b->day.number += 2;
    b->start_ms = wall_to_ms(day_start(b->day));
    for (int i = 0; i < FLOWS; i++) {
        ours[i] = flow(b, i);
        slice_copy(slice_of_text(ENDPOINTS[i % 3]), ours[i].endpoint_id,
                   sizeof(ours[i].endpoint_id));
        if (i % 5 != 0)
            theirs[seen++] = ours[i];
    }
    take(b, &b->enterprise, b->start_ms + 10 * HOUR_MS, ours, FLOWS);
    take(b, &b->supplier, b->start_ms + 10 * HOUR_MS, theirs, seen);
    run(b, false);
    test_case("all endpoints at once");
    CHECK_I64(column(b, "count(*)"), 3);
    CHECK_I64(column(b, "sum(flows)"), FLOWS);
    CHECK_I64(column(b, "sum(matched_by_token + matched_by_shape)"),
              (int64_t)seen);
    int64_t octets = column(b, "sum(matched_octets)");
    int64_t minutes = column(b, "sum(supplier_probe_covered_minutes)");
    for (uint64_t most = 1; most <= 2 * FLOWS; most += 13) {
        char name[80];
        snprintf(name, sizeof(name), "in parts of %llu connections: the same",
                 (unsigned long long)most);
        test_case(name);
        run_in_parts(b, true, most);
        CHECK_I64(column(b, "count(*)"), 3);
        CHECK_I64(column(b, "sum(flows)"), FLOWS);
        CHECK_I64(column(b, "sum(matched_by_token + matched_by_shape)"),
                  (int64_t)seen);
        CHECK_I64(column(b, "sum(matched_octets)"), octets);
        CHECK_I64(column(b, "sum(supplier_probe_covered_minutes)"), minutes);
    }
    test_case("an endpoint with too many does not hold up the others");
    const struct match_days some = {.from = b->day,
                                    .to = {b->day.number + 1},
                                    .is_forced = true,
                                    .part_flows = 1,
                                    .endpoint_flows = 24};
    struct match_day_result result;
    struct error_text error = {""};
    CHECK(match_days_run(store_db(b->store), b->files.registry, &some,
                         SAMPLE_NOW, &result, &error));
    CHECK_I64((int64_t)result.left_out + column(b, "count(*)"), 3);
    CHECK(result.left_out > 0 && result.left_out < 3);
    b->day = day;
    b->start_ms = midnight;
}

static void test_report(struct bench *b)
{
    struct buffer out;
    struct error_text error = {""};
    buffer_init(&out, 1 << 20);
    test_case("the share is shown by day");
    CHECK(match_report(store_db(b->store), "ENT-1", b->day,
                       (struct civil_day){b->day.number + 1}, true, LANGUAGE_EN,
                       &out, &error));
    buffer_add_u8(&out, 0);
    CHECK(out.data != NULL &&
          strstr((char *)out.data, "\"matched_share\":1.000") != NULL);
    buffer_clear(&out);

    struct check_result checked;
    struct rebuild_result rebuilt;
    test_case("check and rebuild hold with a supplier's probe");
    store_close(b->store);
    if (!CHECK(ledger_check_all(&b->paths, &checked, &error)))
        printf("# %s\n", error.text);
    CHECK(rebuild_all(&b->paths, &rebuilt, &error));
    CHECK(ledger_check_all(&b->paths, &checked, &error));
}

static void test_gone(struct bench *b)
{
    struct error_text error = {""};
    b->store = store_open(&b->paths, false, &error);
    test_case("PRIV-05: a day whose detail was deleted stays as it was");
    CHECK(db_run(store_db(b->store),
                 "UPDATE retention SET detail_before_ms = 9999999999999;"
                 "DELETE FROM flow_block"));
    CHECK_I64((int64_t)run(b, true).gone, 1);
    CHECK_I64(column(b, "flows"), FLOWS + 1);
    store_close(b->store);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_day(&b);
    test_midnight(&b);
    test_parts(&b);
    test_report(&b);
    test_gone(&b);
    batch_reader_free(b.reader);
    sign_key_free(b.enterprise.key);
    sign_key_free(b.supplier.key);
    sample_folder_remove(&b.folder);
    return test_end();
}
