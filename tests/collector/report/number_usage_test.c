/* Carriers' batches of two days, added up by number. */
#include "collector/report/number_usage.h"

#include "common/wire/number.h"
#include "tests/collector/ledger/store_sample.h"

enum { MINUTES_5 = 300000, MINUTE = 60000 };

struct bench {
    struct sample_folder folder;
    struct sample_files files;
    struct store *store;
    struct batch_reader *reader;
    struct sample_probe carrier, other;
    struct secret key;
    struct digest mobile, account;
    struct civil_day day; /* the second one */
    int64_t midnight_ms;  /* at its start, in Shanghai */
    struct buffer out;
};

/* As an import of numbers leaves it. */
static struct digest add_number(struct bench *b, enum number_kind kind,
                                const char *text)
{
    char mask[NUMBER_LEN];
    struct number number;
    struct db_statement *s =
        db_prepare(store_db(b->store), "INSERT INTO number (kind, hash, mask) "
                                       "VALUES (:kind, :hash, :mask)");
    CHECK(number_read(kind, slice_of_text(text), &number) == NULL);
    struct digest hash = number_hash(&b->key, &number);
    number_mask(&number, mask);
    db_bind_text(s, ":kind", number_kind_text(kind));
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":mask", mask);
    CHECK(db_do(s));
    return hash;
}

static void set_up(struct bench *b)
{
    struct error_text error = {""};
    *b = (struct bench){.reader = batch_reader_new(), .key = {{7}}};
    sample_folder_make(&b->folder);
    b->files = sample_files(&b->folder);
    sample_probe_make(&b->carrier, "carrier-CT");
    sample_probe_make(&b->other, "carrier-CM");
    const struct ledger_paths paths = sample_paths(&b->files);
    db_close(sample_registry_make(b->files.registry));
    b->store = store_open(&paths, true, &error);
    if (b->store == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    b->mobile = add_number(b, NUMBER_MOBILE, "13800138000");
    b->account = add_number(b, NUMBER_BROADBAND, "gz000001");
    b->day.number = day_of_wall(SAMPLE_NOW).number - 1;
    b->midnight_ms = wall_to_ms(day_start(b->day));
}

/* --- what was counted --- */

static struct registry_probe chain_of(const struct sample_probe *probe,
                                      enum ledger_source source,
                                      const char *enterprise)
{
    struct registry_probe own = {
        .source = source, .algorithm = SIGN_ED25519, .site_id = "SITE-1"};
    snprintf(own.enterprise_id, sizeof(own.enterprise_id), "%s", enterprise);
    own.key_length = sign_key_public(probe->key, own.key);
    return own;
}

static void take(struct bench *b, struct sample_probe *probe,
                 const struct registry_probe *own, int64_t end_ms,
                 const struct flow_record *flows, size_t count)
{
    sample_take(b->store, b->reader, own, probe, end_ms, flows, count);
}

static struct flow_record flow(int64_t start_ms, uint64_t host, uint64_t octets)
{
    struct flow_record r = sample_flow(start_ms, host);
    r.end_ms = start_ms;
    r.octets = octets;
    return r;
}

static uint64_t host_of(struct digest number)
{
    uint64_t host = 0;
    for (int i = 0; i < 8; i++)
        host = host << 8 | number.bytes[i];
    return host;
}

/* To the last millisecond before midnight, and from midnight on. */
static void take_all(struct bench *b)
{
    uint64_t mobile = host_of(b->mobile), account = host_of(b->account);
    int64_t t = b->midnight_ms;
    struct registry_probe ours = chain_of(&b->carrier, SOURCE_CARRIER, "ENT-1");
    struct registry_probe theirs = chain_of(&b->other, SOURCE_CARRIER, "ENT-2");
    struct sample_probe exporter;
    const struct flow_record before[] = {
        flow(t - MINUTE, mobile, 100),
        flow(t - MINUTE, account, 200),
        flow(t - 1, mobile, 1000),
    };
    struct flow_record after[] = {
        flow(t, mobile, 10000),
        flow(t + MINUTE, 7, 300), /* by a fixed address */
        flow(t + MINUTE, mobile, 50),
    };
    snprintf(after[2].endpoint_id, sizeof(after[2].endpoint_id), "EP-2");
    take(b, &b->carrier, &ours, t, before, 3);
    take(b, &b->carrier, &ours, t + MINUTES_5, after, 3);
    take(b, &b->other, &theirs, t + MINUTES_5, after, 1);

    const struct flow_record shown = flow(t + MINUTE, mobile, 77);
    ours.is_sample = true;
    take(b, &b->carrier, &ours, t + MINUTES_5, &shown, 1);

    sample_probe_make(&exporter, "router-1");
    struct registry_probe router = chain_of(&exporter, SOURCE_ROUTER, "ENT-1");
    take(b, &exporter, &router, t + MINUTES_5, after, 3);
    sign_key_free(exporter.key);
}

/* --- what is said of it --- */

/* Days from the second one: [from, to). */
static const char *report(struct bench *b, int from, int to,
                          const struct digest *only, bool as_json)
{
    struct error_text error = {""};
    buffer_clear(&b->out);
    buffer_init(&b->out, 1 << 20);
    if (!CHECK(number_usage_report(store_db(b->store), "ENT-1",
                                   (struct civil_day){b->day.number + from},
                                   (struct civil_day){b->day.number + to}, only,
                                   as_json, LANGUAGE_EN, &b->out, &error)))
        printf("# %s\n", error.text);
    buffer_add_u8(&b->out, '\0');
    return (const char *)b->out.data;
}

#define ROW(number, kind, endpoint, day, demo, flows, octets, packets,         \
            roctets, rpackets)                                                 \
    "{\"number\":\"" number "\",\"kind\":\"" kind                              \
    "\",\"endpoint\":\"" endpoint "\",\"day\":\"2026-11-" day                  \
    "\",\"source\":\"carrier\",\"sample\":" demo ",\"flows\":" flows           \
    ",\"octets\":" octets ",\"packets\":" packets ",\"roctets\":" roctets      \
    ",\"rpackets\":" rpackets "}"
#define ONE_FLOW(number, kind, endpoint, day, demo, octets)                    \
    ROW(number, kind, endpoint, day, demo, "1", octets, "10", "5000", "12")
#define DEMO_22                                                                \
    ONE_FLOW("138****8000", "mobile_number", "EP-1", "22", "true", "77")
#define MOBILE_22                                                              \
    ONE_FLOW("138****8000", "mobile_number", "EP-1", "22", "false", "10000")   \
    "," DEMO_22                                                                \
    "," ONE_FLOW("138****8000", "mobile_number", "EP-2", "22", "false", "50")
#define MOBILE_21                                                              \
    ROW("138****8000", "mobile_number", "EP-1", "21", "false", "2", "1100",    \
        "20", "10000", "24")
#define ACCOUNT_21                                                             \
    ONE_FLOW("g******1", "broadband_account", "EP-1", "21", "false", "200")

static void test_days(struct bench *b)
{
    const char *text;
    test_case(
        "a day ends with the last millisecond before Shanghai's midnight");
    text = report(b, -1, 0, &b->mobile, true);
    CHECK_TEXT(text, "[" MOBILE_21 "]\n");
    text = report(b, 0, 1, &b->mobile, true);
    CHECK_TEXT(text, "[" MOBILE_22 "]\n");

    test_case("other numbers, enterprises and sources are not in it");
    text = report(b, -1, 1, &b->account, true);
    CHECK_TEXT(text, "[" ACCOUNT_21 "]\n");

    test_case("demo data stands apart, marked");
    CHECK(strstr(report(b, 0, 1, NULL, true), DEMO_22) != NULL);
    CHECK(strstr(report(b, 0, 1, NULL, false), " DEMO ") != NULL);

    test_case("days without records have no rows");
    CHECK_TEXT(report(b, 1, 9, NULL, true), "[]\n");
    CHECK_TEXT(report(b, 0, 0, NULL, true), "[]\n");
}

static void test_all(struct bench *b)
{
    test_case("every number has rows of its own, days and endpoints apart");
    const char *text = report(b, -1, 1, NULL, true);
    CHECK(strstr(text, MOBILE_21) != NULL);
    CHECK(strstr(text, ACCOUNT_21) != NULL);
    CHECK(strstr(text, "\"EP-2\"") != NULL);

    test_case("what an address led to has no number");
    CHECK(strstr(text, "{\"number\":null,\"kind\":\"\",\"endpoint\":\"EP-1\","
                       "\"day\":\"2026-11-22\",\"source\":\"carrier\","
                       "\"sample\":false,\"flows\":1,\"octets\":300,") != NULL);

    test_case("the table says the same, a line each");
    text = report(b, -1, 1, NULL, false);
    CHECK(strstr(text, "\n(address, or not in the map)  ") != NULL);
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    CHECK_I64(lines, 1 + 6);
    CHECK(strstr(text, "138****8000") != NULL);
    CHECK(strstr(text, " 1100 ") != NULL);

    test_case("PRIV-04: no number in clear");
    CHECK(strstr(text, "13800138000") == NULL);
    CHECK(strstr(text, "gz000001") == NULL);
}

static void test_gone(struct bench *b)
{
    test_case("PRIV-05: a number is told no longer than detail is kept");
    CHECK(db_run(store_db(b->store),
                 "UPDATE retention SET detail_before_ms = 9999999999999;"
                 "DELETE FROM flow_block"));
    CHECK_TEXT(report(b, -1, 1, NULL, true), "[]\n");
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    take_all(&b);
    test_days(&b);
    test_all(&b);
    test_gone(&b);
    buffer_clear(&b.out);
    store_close(b.store);
    batch_reader_free(b.reader);
    sign_key_free(b.carrier.key);
    sign_key_free(b.other.key);
    sample_folder_remove(&b.folder);
    return test_end();
}
