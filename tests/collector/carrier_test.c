/* Carriers' numbers and records: what is refused, and whose the rest is. */
#include "collector/carrier/carrier_form.h"

#include "collector/carrier/number_import.h"
#include "collector/ledger/rebuild.h"
#include "collector/ledger/retention.h"
#include "collector/tlog/ledger_check.h"
#include "tests/collector/collector_sample.h"

#define NUMBERS "number,kind,address,port_from,port_to,from,to\n"
#define RECORDS                                                                \
    "start,end,number,user_address,user_port,cloud_address,cloud_port,"        \
    "protocol,octets_up,octets_down,packets_up,packets_down,connections\n"
#define FROM   "2026-11-01T00:00:00+08:00"
#define COUNTS "1000,9000,10,12,"

struct bench {
    struct sample_folder folder;
    struct collector_config config;
    struct ledger_paths paths;
    struct store *store;
    struct sign_key *key;
    struct carrier_options options;
    struct carrier_result result;
    struct csv_faults faults;
    struct error_text error;
    char path[PATH_MAX], endpoints[PATH_MAX];
};

static void declare(struct bench *b, struct db *registry, const char *voucher,
                    enum number_kind kind, const char *text, const char *until)
{
    struct number number;
    char hex[DIGEST_HEX_LEN], sql[600];
    number_read(kind, slice_of_text(text), &number);
    digest_to_hex(number_hash(&b->options.number_key, &number), hex);
    snprintf(sql, sizeof(sql),
             "INSERT INTO user_side_identifier (voucher_number, line_no, kind, "
             "value, mask, site_id, valid_from, valid_to) VALUES ('%s', 1, "
             "'%s', '%s', '*', 'SITE-%s', 0, %s)",
             voucher, number_kind_text(kind), hex, voucher + 2, until);
    CHECK(db_run(registry, sql));
}

static void make_registry(struct bench *b)
{
    struct db *db = sample_registry_make(b->config.registry);
    CHECK(db_run(
        db,
        "PRAGMA foreign_keys = OFF;"
        "INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code) "
        "VALUES ('ENT-2', '二', 'Two', '91441500MA00000002', '441500');"
        "INSERT INTO site (id, enterprise_id, name_zh, name_en, city_code) "
        "VALUES ('SITE-2', 'ENT-2', '厂', 'Plant', '441500');"
        "INSERT INTO voucher_application VALUES ('A-1', 'C', 'ENT-1', 'SUP-1', "
        "'1', 1, 1, 1, 1), ('A-2', 'C', 'ENT-2', 'SUP-1', '2', 1, 1, 1, 1);"
        "INSERT INTO voucher VALUES ('V-1', 'A-1', 1, 1, 0, 'ACTIVE'), "
        "('V-2', 'A-2', 1, 1, 0, 'ACTIVE');"
        "INSERT INTO user_side_identifier (voucher_number, line_no, kind, "
        "value, mask, site_id, valid_from) VALUES "
        "('V-2', 1, 'fixed_ip', '198.51.100.0/28', '*', 'SITE-2', 0)"));
    declare(b, db, "V-1", NUMBER_BROADBAND, "gz0001", "NULL");
    declare(b, db, "V-1", NUMBER_MOBILE, "13800138000", "NULL");
    declare(b, db, "V-2", NUMBER_SIM, "1064812345678", "NULL");
    /* Until 2026-11-10T00:00:00+08:00. */
    declare(b, db, "V-2", NUMBER_MOBILE, "13900139000", "1794240000000000");
    declare(b, db, "V-1", NUMBER_BROADBAND, "shared1", "NULL");
    declare(b, db, "V-2", NUMBER_BROADBAND, "shared1", "NULL");
    db_close(db);
}

static void set_up(struct bench *b)
{
    static const char ENDPOINTS[] =
        "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
        "shared\n"
        "EP-1,SUP-1,SVC-1,203.0.113.0/28,,tcp,443,2026-01-01,,no\n"
        "EP-2,SUP-1,SVC-1,203.0.113.32,erp.example.cn,tcp,443,2026-01-01,,"
        "yes\n";
    *b = (struct bench){.options = {.carrier = "CT-GD",
                                    .form = &carrier_csv,
                                    .number_key = {{7}}}};
    sample_folder_make(&b->folder);
    b->config = sample_config(&b->folder);
    b->paths = sample_config_paths(&b->config);
    b->key = sign_key_generate(SIGN_ED25519);
    sample_write_file(sample_path(&b->folder, "endpoints.csv", b->endpoints),
                      ENDPOINTS, sizeof(ENDPOINTS) - 1);
    make_registry(b);
    b->store = sample_store(&b->config, &b->error);
    b->options.store = b->store;
    b->options.registry = b->config.registry;
    b->options.endpoints = b->endpoints;
    b->options.key = b->key;
    csv_faults_init(&b->faults);
}

static const char *write_file(struct bench *b, const char *name,
                              const char *header, const char *rows)
{
    char text[8192];
    int length = snprintf(text, sizeof(text), "%s%s", header, rows);
    sample_write_file(sample_path(&b->folder, name, b->path), text,
                      (size_t)length);
    csv_faults_clear(&b->faults);
    csv_faults_init(&b->faults);
    b->error.text[0] = '\0';
    return b->path;
}

static bool numbers(struct bench *b, const char *rows,
                    struct number_import_result *result)
{
    return number_import_file(store_db(b->store), &b->options.number_key,
                              b->options.carrier,
                              write_file(b, "numbers.csv", NUMBERS, rows),
                              SAMPLE_NOW, result, &b->faults, &b->error);
}

static bool records(struct bench *b, const char *name, const char *rows)
{
    return carrier_import_file(&b->options, write_file(b, name, RECORDS, rows),
                               SAMPLE_NOW, &b->result, &b->faults, &b->error);
}

static int64_t number(struct bench *b, const char *sql)
{
    return sample_number(store_db(b->store), sql);
}

static bool says(const struct bench *b, const char *what)
{
    struct slice text = buffer_slice(&b->faults.text);
    return (text.length > 0 &&
            memmem(text.data, text.length, what, strlen(what)) != NULL) ||
           strstr(b->error.text, what) != NULL;
}

static void test_number_refusals(struct bench *b)
{
    static const struct {
        const char *name, *rows, *says;
    } CASES[] = {
        {"kind", "gz0001,telephone,203.0.113.5,,," FROM ",\n", ":2: kind"},
        {"number", "1380013800,mobile_number,192.0.2.1,,," FROM ",\n",
         "11 digits"},
        {"check digit", "8986000000000000003,iot_sim,192.0.2.1,,," FROM ",\n",
         "check digit"},
        {"address", "gz0001,broadband_account,300.1.1.1,,," FROM ",\n",
         "address"},
        {"host bits", "gz0001,broadband_account,192.0.2.1/28,,," FROM ",\n",
         "address"},
        {"wide prefix", "gz0001,broadband_account,192.0.0.0/16,,," FROM ",\n",
         "wider than /24"},
        {"multicast", "gz0001,broadband_account,224.0.0.1,,," FROM ",\n",
         "none that an access"},
        {"one port", "gz0001,broadband_account,192.0.2.1,5,," FROM ",\n",
         "two ports"},
        {"ports turned", "gz0001,broadband_account,192.0.2.1,9,5," FROM ",\n",
         "before port_from"},
        {"ports of a prefix",
         "gz0001,broadband_account,192.0.2.0/28,1,5," FROM ",\n",
         "whole prefix"},
        {"no zone",
         "gz0001,broadband_account,192.0.2.1,,,2026-11-01T00:00:00,\n", "zone"},
        {"a bare date", "gz0001,broadband_account,192.0.2.1,,,2026-11-01,\n",
         "zone"},
        {"bad zone",
         "gz0001,broadband_account,192.0.2.1,,,2026-11-01T00:00:00+25:00,\n",
         "zone"},
        {"no length",
         "gz0001,broadband_account,192.0.2.1,,," FROM "," FROM "\n",
         "no length"},
        {"end before start",
         "gz0001,broadband_account,192.0.2.1,,," FROM ",2026-10-01T00:00:00Z\n",
         "before from"},
        {"future start",
         "gz0001,broadband_account,192.0.2.1,,,2026-11-24T00:00:00Z,\n",
         "future"},
        {"future end",
         "gz0001,broadband_account,192.0.2.1,,," FROM ",2026-11-24T00:00:00Z\n",
         "future"},
        {"fields", "gz0001,broadband_account\n", "number of fields"},
        {"overlap, both lines are named",
         "gz0001,broadband_account,192.0.2.1,,," FROM ",\n"
         "gz0002,broadband_account,192.0.2.1,,,2026-11-02T00:00:00Z,\n",
         ":3: address, ports and period overlap another's in line 2"},
    };
    struct number_import_result result;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        test_case(CASES[i].name);
        CHECK(!numbers(b, CASES[i].rows, &result));
        if (!CHECK(says(b, CASES[i].says)))
            printf("# %s %.*s\n", b->error.text, (int)b->faults.text.length,
                   (const char *)b->faults.text.data);
    }
    test_case("one wrong line: nothing of the file is kept, all are told");
    CHECK(!numbers(b,
                   "gz0001,broadband_account,192.0.2.1,,," FROM ",\n"
                   "x,broadband_account,192.0.2.2,,," FROM ",\n"
                   "gz0003,broadband_account,192.0.2.3,,,never,\n",
                   &result));
    CHECK_I64((int64_t)b->faults.count, 2);
    CHECK(says(b, ":3:") && says(b, ":4:"));
    CHECK_I64(number(b, "SELECT count(*) FROM number"), 0);
    test_case("a header with a column too many or too few");
    write_file(b, "n", "number,kind,address,from,to,x\n", "");
    CHECK(!number_import_file(store_db(b->store), &b->options.number_key, "CT",
                              b->path, SAMPLE_NOW, &result, &b->faults,
                              &b->error));
    CHECK(says(b, "\"x\" is no column"));
    write_file(b, "n", "number,kind,address,from\n", "");
    CHECK(!number_import_file(store_db(b->store), &b->options.number_key, "CT",
                              b->path, SAMPLE_NOW, &result, &b->faults,
                              &b->error));
    CHECK(says(b, "\"to\" is missing"));
}

static void test_numbers(struct bench *b)
{
    static const char ROWS[] =
        /* A dynamic address that changes hands at midnight in Guangdong. */
        "gz0001,broadband_account,192.0.2.1,,," FROM
        ",2026-11-20T00:00:00+08:00\n"
        "gz0009,broadband_account,192.0.2.1,,,2026-11-19T16:00:00Z,\n"
        /* The same number elsewhere afterwards. */
        "gz0001,broadband_account,192.0.2.2,,,2026-11-20T00:00:00+08:00,\n"
        /* Carrier-grade NAT. */
        "13800138000,mobile_number,192.0.2.9,1024,2047," FROM ",\n"
        "1064812345678,iot_sim,192.0.2.9,2048,3071," FROM ",\n"
        "shared1,broadband_account,192.0.2.10,,," FROM ",\n"
        "13900139000,mobile_number,192.0.2.11,,," FROM ",\n"
        "unknown1,broadband_account,192.0.2.12,,," FROM ",\n";
    struct number_import_result result;
    test_case("numbers over time are taken, also again, and hashed (PRIV-04)");
    if (!CHECK(numbers(b, ROWS, &result)))
        printf("# %s %.*s\n", b->error.text, (int)b->faults.text.length,
               (const char *)b->faults.text.data);
    CHECK_I64((int64_t)result.added, 8);
    CHECK(numbers(b, ROWS, &result));
    CHECK_I64((int64_t)result.added, 0);
    CHECK_I64(number(b, "SELECT count(*) FROM number"), 7);
    CHECK_I64(number(b, "SELECT count(*) FROM number WHERE mask = "
                        "'138****8000' AND length(hash) = 32"),
              1);
    test_case("an open period is closed by a row of a later file");
    CHECK(numbers(b,
                  "unknown1,broadband_account,192.0.2.12,,," FROM
                  ",2026-11-21T00:00:00Z\n",
                  &result));
    CHECK_I64((int64_t)result.added, 1);
    CHECK_I64(number(b, "SELECT count(*) FROM number_interval"), 8);
    test_case("what overlaps a known period is refused");
    CHECK(!numbers(b, "gz0007,broadband_account,192.0.2.2,,," FROM ",\n",
                   &result));
    CHECK(says(b, ":2: address, ports and period overlap another's from"));
    test_case("another carrier has addresses of its own");
    b->options.carrier = "CM";
    CHECK(numbers(b, "gz0007,broadband_account,192.0.2.2,,," FROM ",\n",
                  &result));
    b->options.carrier = "CT-GD";
}

static void test_record_refusals(struct bench *b)
{
    static const struct {
        const char *name, *row, *says;
    } CASES[] = {
        {"no zone",
         "2026-11-20T10:00:00,2026-11-20T10:01:00Z,gz0001,,,203.0.113.1,443,"
         "tcp," COUNTS "\n",
         "zone"},
        {"end before start",
         "2026-11-20T10:00:00Z,2026-11-20T09:00:00Z,gz0001,,,203.0.113.1,443,"
         "tcp," COUNTS "\n",
         "before start"},
        {"longer than a day",
         "2026-11-20T10:00:00Z,2026-11-21T10:00:01Z,gz0001,,,203.0.113.1,443,"
         "tcp," COUNTS "\n",
         "more than a day"},
        {"in the future",
         "2026-11-23T07:59:00Z,2026-11-23T08:00:01Z,gz0001,,,203.0.113.1,443,"
         "tcp," COUNTS "\n",
         "future"},
        {"nobody",
         "2026-11-20T10:00:00Z,2026-11-20T10:01:00Z,,,,203.0.113.1,443,"
         "tcp," COUNTS "\n",
         "one of the two"},
        {"octets",
         "2026-11-20T10:00:00Z,2026-11-20T10:01:00Z,gz0001,,,203.0.113.1,443,"
         "tcp,-1,9000,10,12,\n",
         "octets_up"},
        {"fewer octets than packets",
         "2026-11-20T10:00:00Z,2026-11-20T10:01:00Z,gz0001,,,203.0.113.1,443,"
         "tcp,9,9000,10,12,\n",
         "fewer than packets"},
        {"too many connections",
         "2026-11-20T10:00:00Z,2026-11-20T10:01:00Z,gz0001,,,203.0.113.1,443,"
         "tcp," COUNTS "1001\n",
         "connections"},
        {"protocol",
         "2026-11-20T10:00:00Z,2026-11-20T10:01:00Z,gz0001,,,203.0.113.1,443,"
         "sctp," COUNTS "\n",
         "protocol"},
        {"no rows", "", "no rows"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        test_case(CASES[i].name);
        CHECK(!records(b, "bad.csv", CASES[i].row));
        if (!CHECK(says(b, CASES[i].says)))
            printf("# %s %.*s\n", b->error.text, (int)b->faults.text.length,
                   (const char *)b->faults.text.data);
        CHECK_I64(number(b, "SELECT count(*) FROM ledger"), 0);
    }
}

#define TIMES(day)                                                             \
    "2026-11-" day "T10:00:00+08:00,2026-11-" day "T10:05:00+08:00,"
#define CLOUD ",203.0.113.1,443,tcp," COUNTS "\n"
static const struct {
    const char *name, *row;
    enum carrier_outcome outcome;
    const char *enterprise;
} RECORD_CASES[] = {
    {"by number", TIMES("20") "gz0001,," CLOUD, CARRIER_ATTRIBUTED, "ENT-1"},
    {"by number in other spelling", TIMES("20") "+8613800138000,," CLOUD,
     CARRIER_ATTRIBUTED, "ENT-1"},
    {"by the number that had the address", TIMES("19") ",192.0.2.1," CLOUD,
     CARRIER_ATTRIBUTED, "ENT-1"},
    {"the number that has it now is nobody's", TIMES("20") ",192.0.2.1," CLOUD,
     CARRIER_UNKNOWN_NUMBER, NULL},
    {"the number's next address", TIMES("20") ",192.0.2.2," CLOUD,
     CARRIER_ATTRIBUTED, "ENT-1"},
    {"before it had that address", TIMES("19") ",192.0.2.2," CLOUD,
     CARRIER_NO_INTERVAL, NULL},
    {"over the change at midnight",
     "2026-11-19T23:59:00+08:00,2026-11-20T00:01:00+08:00,,192.0.2.1," CLOUD,
     CARRIER_CHANGED_HANDS, NULL},
    {"until the change at midnight",
     "2026-11-19T23:59:00+08:00,2026-11-19T16:00:00Z,,192.0.2.1," CLOUD,
     CARRIER_ATTRIBUTED, "ENT-1"},
    {"behind NAT, by port", TIMES("20") ",192.0.2.9,2048" CLOUD,
     CARRIER_ATTRIBUTED, "ENT-2"},
    {"behind NAT, the other's port", TIMES("20") ",192.0.2.9,2047" CLOUD,
     CARRIER_ATTRIBUTED, "ENT-1"},
    {"behind NAT, a port of nobody", TIMES("20") ",192.0.2.9,9999" CLOUD,
     CARRIER_NO_INTERVAL, NULL},
    {"behind NAT, without port", TIMES("20") ",192.0.2.9," CLOUD,
     CARRIER_PORT_MISSING, NULL},
    {"a fixed address", TIMES("20") ",198.51.100.3," CLOUD, CARRIER_ATTRIBUTED,
     "ENT-2"},
    {"an address of nobody", TIMES("20") ",198.51.100.99," CLOUD,
     CARRIER_NO_INTERVAL, NULL},
    {"declared by two", TIMES("20") "shared1,," CLOUD, CARRIER_AMBIGUOUS, NULL},
    {"declared until the 10th", TIMES("20") "13900139000,," CLOUD,
     CARRIER_OUTSIDE, NULL},
    {"before the 10th", TIMES("09") "13900139000,," CLOUD, CARRIER_ATTRIBUTED,
     "ENT-2"},
    {"a number of nobody", TIMES("20") "nobody1,," CLOUD,
     CARRIER_UNKNOWN_NUMBER, NULL},
    {"number and address agree", TIMES("20") "gz0001,192.0.2.2," CLOUD,
     CARRIER_ATTRIBUTED, "ENT-1"},
    {"number and address of another", TIMES("20") "gz0001,198.51.100.3," CLOUD,
     CARRIER_CONTRADICTION, NULL},
    {"no endpoint", TIMES("20") "gz0001,,,203.0.113.20,443,tcp," COUNTS "\n",
     CARRIER_NOT_ENDPOINT, NULL},
    {"another port of the endpoint",
     TIMES("20") "gz0001,,,203.0.113.1,80,tcp," COUNTS "\n",
     CARRIER_NOT_ENDPOINT, NULL},
    {"a shared endpoint",
     TIMES("20") "gz0001,,,203.0.113.32,443,tcp," COUNTS "\n", CARRIER_SHARED,
     NULL},
};

/* The case's row with octets of its own: no row comes twice. */
static bool take_case(struct bench *b, size_t i)
{
    char name[40], row[400];
    const char *text = RECORD_CASES[i].row;
    const char *octets = strstr(text, ",1000,9000,");
    snprintf(name, sizeof(name), "case-%zu.csv", i);
    snprintf(row, sizeof(row), "%.*s,%zu,9000,%s", (int)(octets - text), text,
             1000 + i, octets + strlen(",1000,9000,"));
    return records(b, name, row);
}

static void test_attribution(struct bench *b)
{
    for (size_t i = 0; i < sizeof(RECORD_CASES) / sizeof(RECORD_CASES[0]);
         i++) {
        char sql[300];
        test_case(RECORD_CASES[i].name);
        b->options.carrier = "CT-GD";
        if (!CHECK(take_case(b, i)))
            printf("# %s %.*s\n", b->error.text, (int)b->faults.text.length,
                   (const char *)b->faults.text.data);
        if (!CHECK_I64((int64_t)b->result.outcomes[RECORD_CASES[i].outcome], 1))
            for (int o = 0; o < CARRIER_OUTCOME_COUNT; o++)
                if (b->result.outcomes[o] > 0)
                    printf("# %s\n", carrier_outcome_text(o));
        if (RECORD_CASES[i].enterprise == NULL)
            continue;
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM ledger WHERE idx = (SELECT max(idx) "
                 "FROM ledger) AND enterprise_id = '%s' AND source = "
                 "'carrier' AND tier = 3 AND record_count = 1",
                 RECORD_CASES[i].enterprise);
        CHECK_I64(number(b, sql), 1);
    }
    test_case("what was attributed to nobody is an event, and nothing more");
    CHECK(number(b, "SELECT count(*) FROM event WHERE kind = 'unattributed'") >
          8);
}

static void test_once(struct bench *b)
{
    static const char ROWS[] =
        "2026-11-21T00:00:00+08:00,2026-11-21T00:00:00.5+08:00,gz0001,,,"
        "203.0.113.1,443,tcp,1001,9001,11,12,10\n"
        "2026-11-20T23:59:59.999+08:00,2026-11-21T00:01:00+08:00,gz0001,,,"
        "203.0.113.1,443,tcp,500,500,5,5,\n";
    int64_t before = number(b, "SELECT sum(flows) FROM usage");
    test_case("sums of several connections stay sums; days begin at midnight "
              "in Guangdong");
    CHECK(records(b, "day.csv", ROWS));
    CHECK_I64((int64_t)b->result.records, 11);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), before + 11);
    CHECK_I64(number(b, "SELECT octets FROM usage WHERE bucket = 1795190400 "
                        "AND source = 'carrier'"),
              1001);
    CHECK_I64(number(b, "SELECT octets FROM usage WHERE bucket = 1795190100 "
                        "AND source = 'carrier'"),
              500);
    test_case("the same file again counts nothing, under whatever name");
    CHECK(records(b, "again.csv", ROWS));
    CHECK(b->result.is_repeated);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), before + 11);
    test_case("a file that brings a row of another again is refused");
    CHECK(!records(b, "more.csv",
                   "2026-11-20T15:59:59.999Z,2026-11-21T00:01:00+08:00,gz0001,"
                   ",,203.0.113.1,443,TCP,500,500,5,5,1\n"
                   "2026-11-21T10:00:00+08:00,2026-11-21T10:01:00+08:00,gz0001,"
                   ",,203.0.113.1,443,tcp,500,500,5,5,\n"));
    CHECK(says(b, "1 rows were counted before, with day.csv"));
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), before + 11);
}

static void test_rejects(struct bench *b)
{
    char path[PATH_MAX], text[2000] = "";
    struct number_import_result result;
    test_case("what was not attributed can be written, and taken later");
    b->options.rejects = fopen(sample_path(&b->folder, "rejects", path), "w+");
    CHECK(records(
        b, "late.csv",
        TIMES("22") ",192.0.2.200," CLOUD TIMES("23") "gz0001,," CLOUD));
    CHECK_I64((int64_t)b->result.outcomes[CARRIER_NO_INTERVAL], 1);
    rewind(b->options.rejects);
    size_t length = fread(text, 1, sizeof(text) - 1, b->options.rejects);
    text[length] = '\0';
    fclose(b->options.rejects);
    b->options.rejects = NULL;
    CHECK_TEXT(text, RECORDS TIMES("22") ",192.0.2.200," CLOUD);
    CHECK(numbers(b, "gz0001,broadband_account,192.0.2.200,,," FROM ",\n",
                  &result));
    CHECK(carrier_import_file(&b->options, path, SAMPLE_NOW, &b->result,
                              &b->faults, &b->error));
    CHECK_I64((int64_t)b->result.outcomes[CARRIER_ATTRIBUTED], 1);
}

static void test_agreement(struct bench *b)
{
    struct check_result checked;
    struct rebuild_result rebuilt;
    struct error_text error = {""};
    test_case("check and rebuild hold for carriers' records; probes have none");
    CHECK_I64(number(b, "SELECT count(*) FROM usage WHERE source = 'probe'"),
              0);
    store_close(b->store);
    if (!CHECK(ledger_check_all(&b->paths, &checked, &error)))
        printf("# %s\n", error.text);
    CHECK(rebuild_all(&b->paths, &rebuilt, &error));
    CHECK(ledger_check_all(&b->paths, &checked, &error));
}

/* The same store, looked at on later days. */
static void test_retention(struct bench *b)
{
    static const struct {
        const char *name, *day;
        int64_t intervals, left, numbers;
    } CASES[] = {
        {"what ended 730 days ago is kept", "2028-11-19", 0, 10, 8},
        {"what ended before goes, the number has another period", "2028-11-20",
         1, 9, 8},
        {"and a number without one goes, too", "2028-11-21", 1, 8, 7},
        {"open periods stay", "2035-01-01", 0, 8, 7},
    };
    b->store = sample_store(&b->config, &b->error);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct retention_plan plan = {.detail_days = 90, .archive_days = 730};
        struct retention_result result;
        test_case(CASES[i].name);
        CHECK(day_from_text(slice_of_text(CASES[i].day), &plan.today));
        struct wall_time now = day_start(plan.today);
        CHECK(retention_apply(&b->paths, &plan, now, &result, &b->error));
        CHECK_I64((int64_t)result.intervals, CASES[i].intervals);
        CHECK_I64(number(b, "SELECT count(*) FROM number_interval"),
                  CASES[i].left);
        CHECK_I64(number(b, "SELECT count(*) FROM number"), CASES[i].numbers);
    }
    store_close(b->store);
}

int main(void)
{
    struct bench b;
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    test_number_refusals(&b);
    test_numbers(&b);
    test_record_refusals(&b);
    test_attribution(&b);
    test_once(&b);
    test_rejects(&b);
    test_agreement(&b);
    test_retention(&b);
    csv_faults_clear(&b.faults);
    sign_key_free(b.key);
    sample_folder_remove(&b.folder);
    return test_end();
}
