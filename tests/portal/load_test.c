/* The loader: a whole registry, the same again, every kind of refusal with its
 * place, awards in the order of the applications. */
#include <errno.h>
#include <sys/stat.h>

#include "common/buffer.h"
#include "portal/form/credit_code.h"
#include "portal/load/load.h"
#include "portal/record/endpoints_csv.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const char RULES[] = "rules/guangdong-2018";
static const char REGISTRY[] = "tests/portal/registry";
static const char *const FILES[] = {"cycle",
                                    "enterprise",
                                    "site",
                                    "supplier",
                                    "service",
                                    "endpoint",
                                    "endpoint_address",
                                    "probe",
                                    "exporter",
                                    "voucher_application",
                                    "voucher",
                                    "voucher_line",
                                    "settlement",
                                    "user_side_identifier"};
enum { FILE_COUNT = sizeof(FILES) / sizeof(FILES[0]) };

static bool load(struct db *db, const char *folder, bool is_sample,
                 struct load_counts *counts, struct error_text *error)
{
    struct parameters parameters;
    parameters_set_defaults(&parameters);
    struct load_options options = {.folder = folder,
                                   .is_sample = is_sample,
                                   .parameters = &parameters,
                                   .now = wall_from_s(1795420800),
                                   .language = LANGUAGE_EN};
    return load_folder(db, &options, counts, error);
}

static void must_load(struct db *db, const char *folder)
{
    struct load_counts counts;
    struct error_text error = {""};
    if (!CHECK(load(db, folder, true, &counts, &error)))
        printf("# %s\n", error.text);
}

static int64_t ask(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t value = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return value;
}

/* A copy of the registry in FOLDER/in, where one file reads otherwise. */
static void copy_registry(const struct scratch *scratch, const char *changed,
                          const char *text, char folder[static 512])
{
    snprintf(folder, 512, "%s/in", scratch->folder);
    mkdir(folder, 0700);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[512], name[80];
        struct buffer content;
        snprintf(path, sizeof(path), "%s/%s.csv", REGISTRY, FILES[i]);
        snprintf(name, sizeof(name), "in/%s.csv", FILES[i]);
        if (!buffer_read_file(&content, path, 1 << 20))
            fatal(1, "%s: %s", path, strerror(errno));
        buffer_add_u8(&content, 0);
        scratch_write(
            scratch, name,
            strcmp(FILES[i], changed) == 0 ? text : (const char *)content.data);
        buffer_clear(&content);
    }
}

struct refusal_case {
    const char *name, *file, *text, *wanted;
};

#define CYCLE_HEAD                                                             \
    "id,programme_id,name_zh,name_en,application_opens,application_deadline,"  \
    "settlement_opens,settlement_deadline\n"
#define ADDRESS_HEAD    "endpoint_id,address,host\n"
#define ENTERPRISE_HEAD "id,name_zh,name_en,credit_code,city_code,county\n"
#define EXPORTER_HEAD                                                          \
    "id,address,enterprise_id,site_id,sampling,agreed_at,denied_at\n"
#define VOUCHER_HEAD "number,application_id,issued_at,is_pilot,state\n"
#define LINE_HEAD    "voucher_number,line_no,service_id,fee,networked_sets\n"
#define IDENTIFIER_HEAD                                                        \
    "voucher_number,line_no,kind,value,mask,site_id,valid_from,valid_to\n"

static const struct refusal_case REFUSALS[] = {
    {"CYC-01: times out of order", "cycle",
     CYCLE_HEAD "c,guangdong-2018,c,c,2026-07-01,2026-12-01,2026-08-01,"
                "2026-11-01\n",
     "cycle.csv:2: E_CYCLE_ORDER"},
    {"a programme that is not there", "cycle",
     CYCLE_HEAD "c,other,c,c,2026-07-01,2026-12-01,2026-08-01,2027-01-01\n",
     "cycle.csv:2: programme_id: other is no programme of the registry; load "
     "its rules folder first"},
    {"a city that is not there", "enterprise",
     ENTERPRISE_HEAD "E,e,e,91350100M000100Y43,449999,\n",
     "enterprise.csv:2: city_code: 449999 is no city of the registry; load "},
    {"the same id with another name", "enterprise",
     ENTERPRISE_HEAD "E,e,e,91350100M000100Y43,441500,\n"
                     "E,e,f,91350100M000100Y43,441500,\n",
     "enterprise.csv:3: name_en: E is there with e, not f"},
    {"the same credit code of two enterprises", "enterprise",
     ENTERPRISE_HEAD "E,e,e,91350100M000100Y43,441500,\n"
                     "F,e,e,91350100M000100Y43,441500,\n",
     "enterprise.csv:3: id: F is here, but"},
    {"the same site with another city", "site",
     "id,enterprise_id,name_zh,name_en,city_code\n"
     "S,ENT-1,x,x,441500\nS,ENT-1,x,x,440600\n",
     "site.csv:3: city_code: S is there with 441500, not 440600"},
    {"the same line with another fee", "voucher_line",
     LINE_HEAD "V-1,1,erp-test,80000,\nV-1,1,erp-test,80000.50,\n",
     "voucher_line.csv:3: fee: V-1 is there with 80000.00, not 80000.50"},
    {"a credit code with a wrong check character", "enterprise",
     ENTERPRISE_HEAD "E,e,e,91441500MATEXT0010,441500,\n",
     "enterprise.csv:2: credit_code"},
    {"an unknown column", "enterprise", "id,colour\nE,red\n",
     "enterprise.csv:1: column 'colour' is unknown"},
    {"a column twice", "enterprise", "id,id\nE,E\n", "is repeated"},
    {"a missing column", "enterprise", "id,name_zh\nE,e\n",
     "enterprise.csv:1: column 'name_en' is missing"},
    {"an empty required cell", "site",
     "id,enterprise_id,name_zh,name_en,city_code\nS,ENT-1,,x,441500\n",
     "site.csv:2: name_zh: empty"},
    {"too few fields", "site",
     "id,enterprise_id,name_zh,name_en,city_code\nS,ENT-1\n",
     "site.csv:2: 2 fields where the header has 5"},
    {"malformed CSV", "site", "id,\"enterprise\n", "malformed CSV"},
    {"an empty file", "site", "", "the header is missing"},
    {"an id with blanks", "site",
     "id,enterprise_id,name_zh,name_en,city_code\nS 1,ENT-1,x,x,441500\n",
     ": id: 1 to 64"},
    {"VER-05: a private address", "endpoint_address",
     ADDRESS_HEAD "erp-1,192.168.1.10,\n",
     "endpoint_address.csv:2: address: E_VER_IP_NOT_PUBLIC"},
    {"VER-05: a prefix that holds private ones", "endpoint_address",
     ADDRESS_HEAD "erp-1,0.0.0.0/0,\n", "E_VER_IP_NOT_PUBLIC"},
    {"VER-05: neither address nor host", "endpoint_address",
     ADDRESS_HEAD "erp-1,,\n", "endpoint_address.csv:2: an address or a host"},
    {"a host that is none", "endpoint_address", ADDRESS_HEAD "erp-1,,a..b\n",
     "E_VER_HOST"},
    {"ports that are none", "endpoint",
     "id,service_id,protocol,ports,is_shared,valid_from,valid_to\n"
     "erp-1,erp-test,tcp,0-70000,0,2026-01-01,\n",
     "endpoint.csv:2: ports"},
    {"a key of the wrong length", "probe",
     "id,enterprise_id,site_id,algorithm,signing_key,agreed_at,denied_at\n"
     "p,ENT-1,SITE-1,ed25519,1111,2026-07-10,\n",
     "probe.csv:2: signing_key: 32 bytes"},
    {"PRIV-07: a probe without agreement", "probe",
     "id,enterprise_id,site_id,algorithm,signing_key,agreed_at,denied_at\n"
     "p,ENT-1,SITE-1,ed25519,1111,,\n",
     "probe.csv:2: agreed_at: empty"},
    {"PRIV-07: an exporter without agreement", "exporter",
     EXPORTER_HEAD "r,192.168.0.1,ENT-1,SITE-1,,,\n",
     "exporter.csv:2: agreed_at: empty"},
    {"an exporter's address that is a prefix", "exporter",
     EXPORTER_HEAD "r,192.0.2.0/24,ENT-1,SITE-1,,2026-07-10,\n",
     "exporter.csv:2: address: \"192.0.2.0/24\" is no single"},
    {"an exporter's address in another form", "exporter",
     EXPORTER_HEAD "r,2001:DB8::0:1,ENT-1,SITE-1,,2026-07-10,\n",
     "exporter.csv:2: address: is written 2001:db8::1"},
    {"sampling of one in 0", "exporter",
     EXPORTER_HEAD "r,192.0.2.1,ENT-1,SITE-1,0,2026-07-10,\n",
     "exporter.csv:2: sampling"},
    {"an exporter's id that is too long for a batch", "exporter",
     EXPORTER_HEAD "r234567890123456789012345678901x,192.0.2.1,ENT-1,SITE-1,,"
                   "2026-07-10,\n",
     "exporter.csv:2: id: more than 31"},
    {"ORG-08: a voucher without its application", "voucher",
     VOUCHER_HEAD "V-9,A-9,2026-07-25,0,ACTIVE\n",
     "voucher.csv:2: application_id: E_STATE_ORIGIN"},
    {"a state that is none", "voucher",
     VOUCHER_HEAD "V-1,A-1,2026-07-25,0,HUH\n", "voucher.csv:2: state"},
    {"a voucher without lines", "voucher_line",
     LINE_HEAD "V-1,1,erp-test,80000,\nV-2,1,telemetry-test,30000,12\n",
     "voucher V-3: E_LINE_EMPTY"},
    {"AWARD-01: a fee of zero", "voucher_line", LINE_HEAD "V-1,1,erp-test,0,\n",
     "voucher_line.csv:2: fee: E_LINE"},
    {"a fee that is no amount", "voucher_line",
     LINE_HEAD "V-1,1,erp-test,1.234,\n", "E_MONEY_FORMAT"},
    {"AWARD-03: sets missing", "voucher_line",
     LINE_HEAD "V-2,1,telemetry-test,30000,\n",
     "voucher_line.csv:2: E_SETS_REQUIRED"},
    {"AWARD-03: sets where the item has none", "voucher_line",
     LINE_HEAD "V-1,1,erp-test,80000,3\n", "E_SETS_NOT_APPLICABLE"},
    {"VER-03: a wide prefix", "user_side_identifier",
     IDENTIFIER_HEAD "V-1,1,fixed_ip,198.51.0.0/16,*,SITE-1,2026-07-10,\n",
     "E_VER_PREFIX"},
    {"PRIV-04: a number that is not hashed", "user_side_identifier",
     IDENTIFIER_HEAD
     "V-1,1,mobile_number,13800000000,138****0000,SITE-1,2026-07-10,\n",
     "E_VER_NUMBER"},
    {"PRIV-04: a number that is not masked", "user_side_identifier",
     IDENTIFIER_HEAD "V-1,1,mobile_number,"
                     "abababababababababababababababababababababababababababab"
                     "abababab,13800000000,SITE-1,2026-07-10,\n",
     "PRIV-04"},
    {"VCH-04: one contract, one voucher", "voucher_application",
     "id,cycle_id,enterprise_id,supplier_id,contract_no,contract_day,"
     "submitted_at,supplier_confirmed_at,city_approved_at\n"
     "A-1,test,ENT-1,SUP-1,K,2026-07-10,2026-07-20,2026-07-21,2026-07-22\n"
     "A-2,test,ENT-1,SUP-1,K,2026-07-10,2026-07-20,2026-07-21,2026-07-22\n",
     "voucher_application.csv:3: id: A-2 is here, but the row that is there "
     "with the same key has A-1"},
    {"approval before submission", "voucher_application",
     "id,cycle_id,enterprise_id,supplier_id,contract_no,contract_day,"
     "submitted_at,supplier_confirmed_at,city_approved_at\n"
     "A-1,test,ENT-1,SUP-1,K,2026-07-10,2026-07-20,2026-07-21,2026-07-01\n",
     "out of order"},
};

static void run_refusal(const struct refusal_case *c)
{
    struct scratch scratch;
    struct load_counts counts;
    struct error_text error = {""};
    char folder[512];
    scratch_open(&scratch);
    test_case(c->name);
    must_load(scratch.db, RULES);
    int64_t rows = ask(scratch.db, "SELECT count(*) FROM audit");
    copy_registry(&scratch, c->file, c->text, folder);
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    if (!CHECK(strstr(error.text, c->wanted) != NULL))
        printf("# %s\n", error.text);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM enterprise"), 0);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM audit"), rows);
    scratch_close(&scratch);
}

static void test_whole(struct scratch *scratch)
{
    struct load_counts counts;
    struct error_text error = {""};
    test_case("programme data and a registry");
    must_load(scratch->db, RULES);
    CHECK_I64(ask(scratch->db, "SELECT count(*) FROM catalogue_item"), 11);
    CHECK(load(scratch->db, REGISTRY, true, &counts, &error));
    CHECK_I64(counts.rows, counts.added);
    CHECK_I64(ask(scratch->db, "SELECT count(*) FROM voucher"), 3);
    CHECK_I64(ask(scratch->db, "SELECT min(is_sample) FROM enterprise"), 1);
    test_case("the same again adds nothing");
    must_load(scratch->db, RULES);
    CHECK(load(scratch->db, REGISTRY, true, &counts, &error));
    CHECK_I64(counts.added, 0);
    CHECK(counts.rows > 0);
    test_case("AWARD-01, AWARD-03: fee, cap, sets");
    CHECK_I64(ask(scratch->db, "SELECT amount_fen FROM voucher"
                               " WHERE number = 'V-1'"),
              5000000); /* item 9: cap 50,000 */
    CHECK_I64(ask(scratch->db, "SELECT amount_fen FROM voucher"
                               " WHERE number = 'V-2'"),
              2400000); /* item 2: 12 sets, 2,000 each */
    CHECK_I64(ask(scratch->db, "SELECT amount_fen FROM voucher"
                               " WHERE number = 'V-3'"),
              2000050);
    test_case("VER-05: documentation addresses only for samples");
    CHECK(!load(scratch->db, REGISTRY, false, &counts, &error));
    CHECK(strstr(error.text, "E_VER_IP_NOT_PUBLIC") != NULL);
}

static void test_endpoints(struct scratch *scratch)
{
    struct buffer out;
    buffer_init(&out, 65536);
    test_case("ENDPOINTS.csv");
    CHECK(endpoints_csv_write(scratch->db, &out));
    buffer_add_u8(&out, 0);
    CHECK(strstr((const char *)out.data,
                 "erp-1,SUP-1,erp-test,203.0.113.10,,tcp,443,"
                 "2025-12-31T16:00:00.000Z,,0\r\n") != NULL);
    CHECK(strstr((const char *)out.data, "\"8883,1883\"") != NULL);
    buffer_clear(&out);
}

/* Three vouchers of one enterprise in a cycle whose cap is 500,000; the file
 * has them in another order than they were submitted in. */
static void test_cumulative(void)
{
    struct scratch scratch;
    struct load_counts counts;
    struct error_text error = {""};
    char folder[512];
    scratch_open(&scratch);
    must_load(scratch.db, RULES);
    must_load(scratch.db, REGISTRY);
    snprintf(folder, sizeof(folder), "%s/more", scratch.folder);
    mkdir(folder, 0700);
    scratch_write(&scratch, "more/service.csv",
                  "id,supplier_id,item_no,class,name_zh,name_en\n"
                  "mes,SUP-1,3,A,mes,mes\nqc,SUP-1,5,A,qc,qc\n");
    scratch_write(&scratch, "more/voucher_application.csv",
                  "id,cycle_id,enterprise_id,supplier_id,contract_no,"
                  "contract_day,submitted_at,supplier_confirmed_at,"
                  "city_approved_at\n"
                  "B-2,test,ENT-1,SUP-1,K2,2026-07-10,2026-08-02,2026-08-03,"
                  "2026-08-04\n"
                  "B-1,test,ENT-1,SUP-1,K1,2026-07-10,2026-08-01,2026-08-03,"
                  "2026-08-04\n");
    scratch_write(&scratch, "more/voucher.csv",
                  "number,application_id,issued_at,state\n"
                  "W-2,B-2,2026-08-05,ACTIVE\nW-1,B-1,2026-08-05,ACTIVE\n");
    scratch_write(&scratch, "more/voucher_line.csv",
                  "voucher_number,line_no,service_id,fee\n"
                  "W-2,1,qc,120000\nW-1,1,mes,400000\n");
    test_case("AWARD-06: the cumulative cap, in the order of submission");
    if (!CHECK(load(scratch.db, folder, true, &counts, &error)))
        printf("# %s\n", error.text);
    CHECK_I64(ask(scratch.db, "SELECT amount_fen FROM voucher"
                              " WHERE number = 'W-1'"),
              40000000); /* 50,000 before, 450,000 left */
    CHECK_I64(ask(scratch.db, "SELECT amount_fen FROM voucher"
                              " WHERE number = 'W-2'"),
              5000000); /* 120,000, but 50,000 left */
    CHECK_I64(ask(scratch.db, "SELECT award_fen FROM voucher_line"
                              " WHERE voucher_number = 'W-2'"),
              12000000);
    test_case("lines of an issued voucher do not change");
    scratch_write(&scratch, "more/voucher_line.csv",
                  "voucher_number,line_no,service_id,fee\nW-1,2,qc,5000\n");
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    CHECK(strstr(error.text, "is issued") != NULL);
    scratch_close(&scratch);
}

static void test_folder(void)
{
    struct scratch scratch;
    struct load_counts counts;
    struct error_text error = {""};
    scratch_open(&scratch);
    test_case("a folder that is not there, has nothing, or a misspelt file");
    CHECK(!load(scratch.db, "/nonexistent", true, &counts, &error));
    CHECK(strstr(error.text, "/nonexistent: ") != NULL);
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/empty", scratch.folder);
    mkdir(folder, 0700);
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    scratch_write(&scratch, "empty/vouchers.csv", "number\n");
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    CHECK(strstr(error.text, "no table of that name") != NULL);
    scratch_close(&scratch);
}

static void test_credit_codes(void)
{
    static const struct {
        const char *code;
        bool good;
    } CASES[] = {
        {"91350100M000100Y43", true}, /* the standard's own example */
        {"91350100M000100Y44", false}, {"91350100M000100Y4", false},
        {"91350100M000100Y4I", false}, {"", false},
    };
    test_case("credit codes (GB 32100-2015)");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        CHECK_I64(credit_code_is_good(slice_of_text(CASES[i].code)),
                  CASES[i].good);
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    test_whole(&scratch);
    test_endpoints(&scratch);
    scratch_close(&scratch);
    test_cumulative();
    test_folder();
    test_credit_codes();
    for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++)
        run_refusal(&REFUSALS[i]);
    return test_end();
}
