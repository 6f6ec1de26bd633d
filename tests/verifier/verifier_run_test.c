/* Whole runs over real databases. */
#include "verifier/verifier_run.h"

#include "tests/verifier/world.h"
#include "verifier/verdict_store.h"

/* People on working days of the month; `days` of them at most. */
static void live_office(struct world *w, int n, int days)
{
    struct persona p = {0};
    CHECK(db_begin(w->usage));
    for (int32_t d = WORLD_FIRST_DAY; d < WORLD_FIRST_DAY + WORLD_DAYS; d++) {
        struct civil_day day = {d};
        persona_begin(&p, (uint64_t)n * 31, day);
        if (day_of_week(day) < DAY_SATURDAY && days-- > 0)
            persona_office(&p, 2);
        world_day(w, n, d, 1, &p);
    }
    CHECK(db_commit(w->usage));
    free(p.flows);
}

static void test_verdicts(struct world *w)
{
    struct run_summary s;
    test_case("VER-09: a run gives every voucher its verdict");
    world_enterprise(w, 1, "441500", "ERP", 0);
    world_enterprise(w, 2, "440600", "ERP", 0);
    world_enterprise(w, 3, "440600", "ERP", 0);
    live_office(w, 1, 30);
    live_office(w, 2, 6);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_I64(s.vouchers, 3);
    CHECK_ASK(w, "SELECT mark FROM verdict WHERE voucher_number = 'V-1'",
              "COMPLETE");
    CHECK_ASK(w, "SELECT mark FROM verdict WHERE voucher_number = 'V-2'",
              "NOT_COMPLETE");
    CHECK_ASK(w, "SELECT mark FROM verdict WHERE voucher_number = 'V-3'",
              "UNDETERMINED");
    CHECK_ASK(w, "SELECT count(*) FROM verdict_finding WHERE run_id = 1", "54");
    test_case("VER-08: what was measured is kept as numbers");
    CHECK_ASK(w,
              "SELECT name || value || unit FROM verdict_measure WHERE "
              "voucher_number = 'V-2' AND rule = 'VER-08' AND seq = 1",
              "active6days");
    CHECK_ASK(w, "SELECT count(*) FROM verdict_rule", "0");
    test_case("VER-10: a table for each city");
    CHECK_ASK(w,
              "SELECT group_concat(number || '/' || version) FROM "
              "completion_table ORDER BY number",
              "2026-440600/1,2026-441500/1");
    CHECK_ASK(w,
              "SELECT group_concat(voucher_number || mark) FROM "
              "completion_row WHERE number = '2026-440600'",
              "V-2NOT_COMPLETE,V-3UNDETERMINED");
    test_case("VER-17: the same again keeps its facts and its fingerprint");
    char first[65];
    snprintf(first, sizeof(first), "%s", s.fingerprint);
    CHECK(s.facts_computed > 0);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_TEXT(s.fingerprint, first);
    CHECK_I64(s.facts_computed, 0);
    CHECK_I64(s.records, 0);
    test_case("VER-13: the new version says that nothing changed");
    CHECK_ASK(w, "SELECT change_note FROM completion_table WHERE version = 2",
              "与第1版相比：结果没有变化。依据：证据未变，规则未变。");
}

/* A copy of the records of a batch; NULL when it has none. */
static struct flow_record *records_of(struct world *w, int64_t batch,
                                      size_t *count)
{
    struct flow_block *block = flow_block_new();
    struct flow_record *records = NULL;
    struct db_statement *s = db_prepare(
        w->usage, "SELECT data FROM flow_block WHERE ledger_idx = :batch");
    db_bind_i64(s, ":batch", batch);
    *count = 0;
    if (db_step(s) == DB_ROW &&
        CHECK(flow_block_decode(block, db_blob(s, 0)))) {
        *count = flow_block_count(block);
        records = calloc(*count, sizeof(*records));
        memcpy(records, flow_block_records(block), *count * sizeof(*records));
    }
    db_reset(s);
    flow_block_free(block);
    return records;
}

static void turn_block(struct world *w, int64_t batch)
{
    size_t count;
    struct flow_record *records = records_of(w, batch, &count);
    for (size_t i = 0; i < count / 2; i++) {
        struct flow_record r = records[i];
        records[i] = records[count - 1 - i];
        records[count - 1 - i] = r;
    }
    if (count > 0)
        world_block(w, batch, records, count);
    free(records);
}

static int64_t batch_of(struct world *w, const char *enterprise,
                        const char *order)
{
    char sql[300];
    snprintf(sql, sizeof(sql),
             "SELECT l.idx FROM ledger AS l JOIN flow_block AS f ON "
             "f.ledger_idx = l.idx WHERE enterprise_id = '%s' "
             "AND f.record_count >= 5 ORDER BY period_start_ms %s LIMIT 1",
             enterprise, order);
    struct db_statement *s = db_prepare(w->usage, sql);
    int64_t batch = CHECK(s != NULL && db_step(s) == DB_ROW) ? db_i64(s, 0) : 0;
    db_reset(s);
    return batch;
}

/* Five connections of one enterprise's first day turn up in the last of
 * another. */
static void replay_tokens(struct world *w, const char *from, const char *to)
{
    size_t count, count_to;
    int64_t batch = batch_of(w, to, "DESC");
    struct flow_record *records = records_of(w, batch_of(w, from, ""), &count);
    struct flow_record *records_to = records_of(w, batch, &count_to);
    for (size_t i = 0; i < 5 && count_to >= 5; i++)
        memcpy(records_to[count_to - 1 - i].token, records[0].token,
               FLOW_TOKEN_LEN);
    world_block(w, batch, records_to, count_to);
    free(records);
    free(records_to);
}

/* The same records once more, inserted in another order. */
static void test_shuffled(struct world *w)
{
    struct run_summary before, after;
    test_case("VER-17: records in another order give the same fingerprint");
    CHECK_I64(world_run(w, world_end(), &before), RUN_DONE);
    for (int64_t batch = 1; batch <= w->batches; batch++)
        turn_block(w, batch);
    world_sql(w->usage, "PRAGMA foreign_keys = OFF;"
                        "UPDATE flow_block SET ledger_idx = 100000 - "
                        "ledger_idx;"
                        "UPDATE ledger SET idx = 100000 - idx;"
                        "PRAGMA foreign_keys = ON");
    CHECK(unlink(w->config.verdict_db) == 0);
    CHECK_I64(world_run(w, world_end(), &after), RUN_DONE);
    CHECK(after.facts_computed > 0);
    CHECK_TEXT(after.fingerprint, before.fingerprint);
    w->batches += 200000;
}

static void test_late(struct world *w)
{
    struct run_summary s;
    struct persona p = {0};
    int32_t day = WORLD_FIRST_DAY + 29;
    test_case("VER-19: what arrives after the cut-off serves the next run");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    char first[65];
    snprintf(first, sizeof(first), "%s", s.fingerprint);
    int64_t start_ms = wall_to_ms(day_start((struct civil_day){day}));
    int64_t later_ms = wall_to_ms(world_end()) + 3600000;
    int64_t batch =
        world_batch(w, 3, start_ms, start_ms + 86400000, later_ms, true, 1);
    persona_begin(&p, 1, (struct civil_day){day});
    persona_add(&p, 40000, 5, 900, 900);
    struct flow_record record = world_record(1, &p.flows[0]);
    world_block(w, batch, &record, 1);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_TEXT(s.fingerprint, first);
    struct wall_time next = {world_end().us + INT64_C(7200000000)};
    CHECK_I64(world_run(w, next, &s), RUN_DONE);
    CHECK_ASK(w,
              "SELECT active_days FROM verdict_line WHERE voucher_number = "
              "'V-3' ORDER BY run_id DESC",
              "1");
    test_case("VER-19: a cut-off before it gives the old result again");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_TEXT(s.fingerprint, first);
    test_case("VER-18: a batch kept but not counted is no use");
    world_sql(w->usage, "UPDATE ledger SET is_counted = 0 WHERE idx = %lld",
              (long long)batch);
    CHECK_I64(world_run(w, next, &s), RUN_DONE);
    CHECK_ASK(w,
              "SELECT active_days FROM verdict_line WHERE voucher_number = "
              "'V-3' ORDER BY run_id DESC",
              "0");
    free(p.flows);
}

static void test_change(struct world *w)
{
    struct run_summary s;
    test_case("VER-13: a new version names what changed and why");
    live_office(w, 3, 30);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_ASK(w,
              "SELECT mark FROM verdict WHERE voucher_number = 'V-3' "
              "ORDER BY run_id DESC",
              "COMPLETE");
    char note[1024];
    world_ask(w,
              "SELECT change_note FROM completion_table WHERE number = "
              "'2026-440600' ORDER BY version DESC",
              note, sizeof(note));
    CHECK(strstr(note, "V-3：待核实→已完成") != NULL);
    CHECK(strstr(note, "证据有更新，规则未变") != NULL);
}

/* What VER-14 says about V-1 when V-1 and V-3 declare these values. */
static void check_shared(struct world *w, const char *kind, const char *one,
                         const char *other, const char *wanted)
{
    struct run_summary s;
    world_sql(w->portal,
              "INSERT INTO user_side_identifier VALUES"
              " (1, 'V-1', 1, '%s', '%s', 'm', 'T1', 0, NULL),"
              " (2, 'V-3', 1, '%s', '%s', 'm', 'T3', 5, 9)",
              kind, one, kind, other);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_ASK(
        w,
        "SELECT outcome FROM verdict_finding WHERE voucher_number = 'V-1' "
        "AND rule = 'VER-14' ORDER BY run_id DESC",
        wanted);
    world_sql(w->portal, "DELETE FROM user_side_identifier");
}

static void test_shared(struct world *w)
{
    test_case("VER-14: one address in three spellings is one address");
    check_shared(w, "fixed_ip", "192.0.2.11", "192.0.2.11/32", "suspicious");
    check_shared(w, "fixed_ip", "192.0.2.11", "192.0.2.0/24", "suspicious");
    check_shared(w, "fixed_ip", "192.0.2.0/25", "192.0.2.127", "suspicious");
    check_shared(w, "fixed_ip", "192.0.2.0/25", "192.0.2.128", "pass");
    check_shared(w, "fixed_ip", "2001:DB8::/48", "2001:db8:0:1::/64",
                 "suspicious");
    test_case("VER-14: a hash is the same in either case");
    check_shared(w, "iot_sim",
                 "abababababababababababababababab"
                 "abababababababababababababababab",
                 "ABABABABABABABABABABABABABABABAB"
                 "ABABABABABABABABABABABABABABABAB",
                 "suspicious");
    test_case("VER-14: a void or lapsed voucher accuses nobody");
    world_sql(w->portal, "UPDATE voucher SET state = 'VOID' "
                         "WHERE number = 'V-3'");
    check_shared(w, "fixed_ip", "192.0.2.11", "192.0.2.11", "pass");
    world_sql(w->portal, "UPDATE voucher SET state = 'IN_SETTLEMENT' "
                         "WHERE number = 'V-3'");
}

static void test_anomalies(struct world *w)
{
    struct run_summary s;
    test_case("VER-14: the same fixed address at two enterprises stops both");
    world_sql(w->portal,
              "INSERT INTO user_side_identifier VALUES"
              " (1, 'V-1', 1, 'fixed_ip', '192.0.2.1/32', 'm', 'T1', 0, NULL),"
              " (2, 'V-3', 1, 'fixed_ip', '192.0.2.1/32', 'm', 'T3', 5, 9)");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_I64(s.suspicious, 2);
    CHECK_ASK(w,
              "SELECT verdict || mark || is_flagged || is_genuine || "
              "is_effective FROM verdict WHERE voucher_number = 'V-1' "
              "ORDER BY run_id DESC",
              "suspiciousUNDETERMINED101");
    world_sql(w->portal, "DELETE FROM user_side_identifier");
    test_case("S10: a batch number with two contents");
    world_sql(w->usage, "INSERT INTO event (at_us, last_us, kind, probe_id,"
                        " detail) VALUES (0, 0, 'conflict', 'probe-1', '')");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_I64(s.suspicious, 1);
    world_sql(w->usage, "DELETE FROM event");
    test_case("S9: tokens of one enterprise seen in another, later");
    replay_tokens(w, "E1", "E3");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_ASK(w,
              "SELECT group_concat(voucher_number) FROM verdict WHERE "
              "verdict = 'suspicious' AND run_id = (SELECT max(id) FROM run)",
              "V-3");
}

static void test_sample(struct world *w)
{
    struct run_summary s;
    char text[64];
    test_case("VER-10: demo data marks verdict and table");
    CHECK_ASK(w, "SELECT max(is_sample) FROM completion_table", "0");
    w->is_sample = true;
    world_enterprise(w, 4, "441500", "IOT", 6);
    live_office(w, 4, 1);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_ASK(w, "SELECT is_sample FROM verdict WHERE voucher_number = 'V-4'",
              "1");
    world_ask(w,
              "SELECT instr(csv, CAST('演示数据 DEMO DATA' AS BLOB)) FROM "
              "completion_table WHERE is_sample = 1 AND number = "
              "'2026-441500'",
              text, sizeof(text));
    CHECK(strcmp(text, "") != 0 && strcmp(text, "0") != 0);
    CHECK_ASK(w,
              "SELECT max(is_sample) FROM completion_table WHERE number = "
              "'2026-440600'",
              "0");
}

static void test_signature(struct world *w)
{
    struct error_text error;
    uint8_t public_key[SIGN_PUBLIC_MAX], signature[SIGN_LEN];
    test_case("VER-10: fingerprint and signature of a table verify");
    struct sign_key *key = sign_key_load(w->config.signing_key, &error);
    size_t length = sign_key_public(key, public_key);
    struct db *db = verdict_store_open(w->config.verdict_db, DB_READ, &error);
    struct db_statement *s =
        db_prepare(db, "SELECT csv, fingerprint, signature FROM "
                       "completion_table LIMIT 1");
    if (CHECK(db_step(s) == DB_ROW)) {
        struct slice csv = db_blob(s, 0), fingerprint = db_blob(s, 1);
        struct digest digest = digest_of(csv.data, csv.length);
        struct buffer text;
        buffer_init(&text, 256);
        buffer_add_text(&text, "yunzheng table 1\n");
        buffer_add_u8(&text, SIGN_ED25519);
        buffer_add(&text, digest.bytes, DIGEST_LEN);
        memcpy(signature, db_blob(s, 2).data, SIGN_LEN);
        CHECK(
            slice_equal(fingerprint, slice_of_bytes(digest.bytes, DIGEST_LEN)));
        CHECK(sign_verify(SIGN_ED25519, slice_of_bytes(public_key, length),
                          text.data, text.length, signature));
        CHECK(memcmp(csv.data, "\xef\xbb\xbf", 3) == 0);
        buffer_clear(&text);
    }
    db_close(db);
    sign_key_free(key);
}

static void test_detail_gone(struct world *w)
{
    struct run_summary s;
    test_case("PRIV-05: facts outlive the connection records");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    char first[65];
    snprintf(first, sizeof(first), "%s", s.fingerprint);
    world_sql(w->usage, "DELETE FROM flow_block");
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_ASK(w,
              "SELECT mark FROM verdict WHERE voucher_number = 'V-1' "
              "ORDER BY run_id DESC",
              "COMPLETE");
    test_case("PRIV-05: without facts such days are not taken for idle ones");
    CHECK(unlink(w->config.verdict_db) == 0);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
    CHECK_ASK(w, "SELECT mark FROM verdict WHERE voucher_number = 'V-1'",
              "UNDETERMINED");
}

static void test_refusals(struct world *w)
{
    struct run_summary s;
    struct error_text error = {""};
    struct verifier_config bad = w->config;
    test_case("CYC-01: an unknown cycle is refused by name");
    CHECK_I64(verifier_run(&w->config, "1999", world_end(), &s, &error),
              RUN_REFUSED);
    CHECK(strstr(error.text, "1999") != NULL);
    test_case("VER-01: missing databases, rules, key: one sentence each");
    snprintf(bad.usage_db, sizeof(bad.usage_db), "%.*s/none.db", 200,
             w->folder);
    CHECK_I64(verifier_run(&bad, "2026", world_end(), &s, &error), RUN_FAILED);
    CHECK(strstr(error.text, "none.db") != NULL);
    bad = w->config;
    snprintf(bad.rules, sizeof(bad.rules), "tests/rules");
    CHECK_I64(verifier_run(&bad, "2026", world_end(), &s, &error), RUN_REFUSED);
    CHECK(strstr(error.text, "programme.json") != NULL);
    bad = w->config;
    snprintf(bad.signing_key, sizeof(bad.signing_key), "none.pem");
    CHECK_I64(verifier_run(&bad, "2026", world_end(), &s, &error), RUN_REFUSED);
    CHECK(strstr(error.text, "none.pem") != NULL);
    test_case("VER-01: a run before any contract judges nothing as lacking");
    CHECK_I64(world_run(w, wall_from_s(86400), &s), RUN_DONE);
    CHECK_I64(s.genuine, 0);
}

int main(void)
{
    struct world w;
    test_case("VER-01: a small world");
    world_open(&w, "run");
    test_verdicts(&w);
    test_shuffled(&w);
    test_late(&w);
    test_change(&w);
    test_shared(&w);
    test_anomalies(&w);
    test_sample(&w);
    test_signature(&w);
    test_detail_gone(&w);
    test_refusals(&w);
    world_close(&w);
    return test_end();
}
