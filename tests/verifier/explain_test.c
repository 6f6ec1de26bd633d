/* Explaining a voucher, as text and as JSON. */
#include "verifier/explain.h"

#include "common/json.h"
#include "tests/verifier/world.h"

static void make_run(struct world *w)
{
    struct persona p = {0};
    struct run_summary s;
    world_enterprise(w, 1, "441500", "IOT", 12);
    CHECK(db_begin(w->usage));
    for (int32_t d = WORLD_FIRST_DAY; d < WORLD_FIRST_DAY + WORLD_DAYS; d++) {
        persona_begin(&p, 3, (struct civil_day){d});
        persona_machines(&p, 5, true);
        world_day(w, 1, d, 2, &p);
    }
    CHECK(db_commit(w->usage));
    free(p.flows);
    CHECK_I64(world_run(w, world_end(), &s), RUN_DONE);
}

static void test_json(struct db *db)
{
    struct buffer out;
    struct error_text error = {""};
    buffer_init(&out, 1 << 20);
    test_case("VER-16: explain --json gives 5/12 and the flag");
    CHECK_I64(explain_voucher(db, "V-1", true, LANGUAGE_EN, &out, &error),
              EXPLAIN_DONE);
    struct json_document *doc = json_parse(buffer_slice(&out), "out", &error);
    if (CHECK(doc != NULL)) {
        const struct json_node *root = json_root(doc);
        const struct json_node *line = json_first(json_member(root, "lines"));
        CHECK_TEXT(json_want_text(root, "mark"), "COMPLETE");
        CHECK_I64(json_want_i64(line, "devices_seen", 0, 99), 5);
        CHECK_I64(json_want_i64(line, "devices_contract", 0, 99), 12);
        CHECK_I64(json_want_i64(line, "active_days", 0, 99), 30);
        const struct json_node *rules = json_member(line, "rules");
        bool found = false;
        const struct json_node *devices = NULL;
        for (const struct json_node *n = json_first(rules); n != NULL;
             n = json_next(n)) {
            if (strcmp(json_want_text(n, "rule"), "VER-16") == 0)
                devices = n;
        }
        found = devices != NULL &&
                strcmp(json_want_text(devices, "outcome"), "flag") == 0;
        if (CHECK(found)) {
            test_case("VER-16: numbers are numbers, with their unit");
            const struct json_node *seen =
                json_first(json_member(devices, "measures"));
            CHECK_TEXT(json_want_text(seen, "name"), "seen");
            CHECK_TEXT(json_want_text(seen, "unit"), "count");
            CHECK_I64(json_want_i64(seen, "value", 0, 99), 5);
            CHECK_TEXT(json_want_text(devices, "case"), "fewer");
            CHECK_TEXT(json_want_text(devices, "value_en"), "5 devices");
        }
        CHECK_I64(json_count(rules), 18);
        CHECK(json_error(doc) == NULL);
    }
    json_free(doc);
    buffer_clear(&out);
}

static void test_text(struct db *db)
{
    struct buffer out;
    struct error_text error = {""};
    buffer_init(&out, 1 << 20);
    test_case("VER-09: explain in words, both languages");
    CHECK_I64(explain_voucher(db, "V-1", false, LANGUAGE_ZH, &out, &error),
              EXPLAIN_DONE);
    CHECK_I64(explain_voucher(db, "V-1", false, LANGUAGE_EN, &out, &error),
              EXPLAIN_DONE);
    buffer_add_u8(&out, 0);
    CHECK(strstr((char *)out.data, "服务券 V-1：已完成（真实使用）") != NULL);
    CHECK(strstr((char *)out.data, "真实且持续使用") != NULL);
    CHECK(strstr((char *)out.data, "Use is real and sustained") != NULL);
    CHECK(strstr((char *)out.data, "5 of 12 by contract") != NULL);
    test_case("VER-01: an unknown voucher has no verdict");
    CHECK_I64(explain_voucher(db, "V-9", false, LANGUAGE_EN, &out, &error),
              EXPLAIN_UNKNOWN);
    CHECK(strstr(error.text, "V-9") != NULL);
    buffer_clear(&out);
}

int main(void)
{
    struct world w;
    struct error_text error;
    test_case("VER-01: a run to explain");
    world_open(&w, "explain");
    make_run(&w);
    struct db *db = explain_open(w.config.verdict_db, &error);
    if (CHECK(db != NULL)) {
        test_json(db);
        test_text(db);
    }
    db_close(db);
    world_close(&w);
    return test_end();
}
