/* The loader: a whole registry, the same again, every kind of refusal with its
 * place, awards in the order of the applications. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "portal/form/credit_code.h"
#include "portal/load/load.h"
#include "portal/record/endpoints_csv.h"
#include "portal/show/file.h"
#include "portal/store/audit.h"
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

#define ENTERPRISE_HEAD "id,name_zh,name_en,credit_code,city_code,county\n"
#define SITE_HEAD       "id,enterprise_id,name_zh,name_en,city_code\n"
#define LINE_HEAD       "voucher_number,line_no,service_id,fee,networked_sets\n"

/* Files and rows as a whole; what each cell and each rule refuses:
 * tests/portal/load. */
static const struct refusal_case REFUSALS[] = {
    {"the same id with another name in one file", "enterprise",
     ENTERPRISE_HEAD "E,e,e,91350100M000100Y43,441500,\n"
                     "E,e,f,91350100M000100Y43,441500,\n",
     "enterprise.csv:3: name_en: E is there with 'e', not 'f', and this column "
     "is not corrected; "},
    {"the same credit code of two enterprises in one file", "enterprise",
     ENTERPRISE_HEAD "E,e,e,91350100M000100Y43,441500,\n"
                     "F,e,e,91350100M000100Y43,441500,\n",
     "enterprise.csv:3: credit_code: E_DUPLICATE: the credit code "
     "'91350100M000100Y43' belongs to enterprise E already; "},
    {"all columns of a key are named", "voucher_line",
     LINE_HEAD "V-1,1,erp-test,80000,\nV-1,1,erp-test,80000.50,\n",
     "voucher_line.csv:3: fee: voucher_number=V-1, line_no=1 is there with "
     "'80000.00', not '80000.50'"},
    {"an unknown column", "enterprise", "id,colour\nE,red\n",
     "enterprise.csv:1: colour: enterprise has no column 'colour'; it has id,"},
    {"a column without a name", "enterprise", "id,\nE,red\n",
     "enterprise.csv:1: enterprise has no column ''; it has id,"},
    {"a column twice", "enterprise", "id,id\nE,E\n",
     "enterprise.csv:1: id: the column 'id' stands there twice; "},
    {"a missing column", "enterprise", "id,name_zh\nE,e\n",
     "enterprise.csv:1: name_en: the column 'name_en' is missing; enterprise "
     "has id,"},
    {"too few fields", "site", SITE_HEAD "S,ENT-1\n",
     "site.csv:2: the row has 2 fields where the header has 5; "},
    {"a row begins where its first line is", "site",
     SITE_HEAD "S-1,ENT-1,\"a\r\nb\",\"c\r\nd\",441500\r\n"
               "S-2,ENT-1,\"a\r\nb\",,441500\r\n",
     "site.csv:5: name_en: E_FIELD_REQUIRED"},
    {"a quote that is not closed is found where its row begins", "site",
     SITE_HEAD "S-1,ENT-1,\"a\n,b,441500\nS-2,ENT-1,a,b,441500\n",
     "site.csv:2: this is no CSV here: a quote is not closed"},
    {"an empty file", "site", "",
     "site.csv:1: the file has no header; its first line is id,enterprise_id,"},
    {"a file of empty lines", "site", "\r\n,,,\r\n",
     "site.csv:1: the file has no header; "},
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

struct shared_case {
    const char *name, *lines;
    int64_t first, second; /* awards, fen */
};

/* The paper's own examples; erp2 is another product of item 9, iot and iot2 are
 * products of item 2. */
static const struct shared_case SHARED[] = {
    {"AWARD-01: two lines of one item share its cap",
     "N,1,erp-test,80000,\nN,2,erp2,60000,\n", 5000000, 0},
    {"AWARD-01: in the contract's order",
     "N,2,erp2,60000,\nN,1,erp-test,30000,\n", 3000000, 2000000},
    {"AWARD-03: the sets of all lines make the cap",
     "N,1,iot,10000,2\nN,2,iot2,10000,8\n", 1000000, 1000000},
    {"AWARD-03: which bounds them together",
     "N,1,iot,20000,4\nN,2,iot2,20000,4\n", 1600000, 0},
    {"AWARD-05: lines of two items are each alone",
     "N,1,erp-test,80000,\nN,2,iot,20000,4\n", 5000000, 800000},
};

static void run_shared(struct scratch *scratch, const struct shared_case *c)
{
    struct load_counts counts;
    struct error_text error = {""};
    char folder[512], text[512];
    test_case(c->name);
    must_load(scratch->db, RULES);
    must_load(scratch->db, REGISTRY);
    snprintf(folder, sizeof(folder), "%s/shared", scratch->folder);
    mkdir(folder, 0700);
    scratch_write(
        scratch, "shared/service.csv",
        "id,supplier_id,item_no,class,name_zh,name_en\n"
        "erp2,SUP-1,9,A,a,a\niot,SUP-1,2,B,b,b\niot2,SUP-1,2,B,c,c\n");
    scratch_write(scratch, "shared/voucher_application.csv",
                  "id,cycle_id,enterprise_id,supplier_id,contract_no,"
                  "contract_day,submitted_at,supplier_confirmed_at,"
                  "city_approved_at\nC-1,test,ENT-3,SUP-1,K9,2026-07-10,"
                  "2026-08-02,2026-08-03,2026-08-04\n");
    scratch_write(scratch, "shared/voucher.csv",
                  "number,application_id,issued_at,state\n"
                  "N,C-1,2026-08-05,ACTIVE\n");
    snprintf(text, sizeof(text),
             "voucher_number,line_no,service_id,fee,networked_sets\n%s",
             c->lines);
    scratch_write(scratch, "shared/voucher_line.csv", text);
    if (!CHECK(load(scratch->db, folder, true, &counts, &error)))
        printf("# %s\n", error.text);
    CHECK_I64(ask(scratch->db, "SELECT award_fen FROM voucher_line WHERE"
                               " voucher_number = 'N' AND line_no = 1"),
              c->first);
    CHECK_I64(ask(scratch->db, "SELECT award_fen FROM voucher_line WHERE"
                               " voucher_number = 'N' AND line_no = 2"),
              c->second);
    CHECK_I64(
        ask(scratch->db, "SELECT amount_fen FROM voucher WHERE number = 'N'"),
        c->first + c->second);
}

static void test_shared(void)
{
    for (size_t i = 0; i < sizeof(SHARED) / sizeof(SHARED[0]); i++) {
        struct scratch scratch;
        scratch_open(&scratch);
        run_shared(&scratch, &SHARED[i]);
        scratch_close(&scratch);
    }
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

/* ---- what Excel writes ---- */

/* 汕尾云 in GB18030, and a character of four bytes, U+20000. */
#define GB_NAME  "\xc9\xc7\xce\xb2\xd4\xc6"
#define GB_WIDE  "\x95\x32\x82\x36"
#define SUPPLIER "id,name_zh,name_en,credit_code\r\n"
#define CODE     "91350100M000100Y43"

struct encoding_case {
    const char *name, *text, *name_zh, *wanted;
};

static const struct encoding_case ENCODINGS[] = {
    {"UTF-8 with a byte order mark and CR LF",
     "\xef\xbb\xbf" SUPPLIER "S,汕尾云,e," CODE "\r\n", "汕尾云", NULL},
    {"GB18030, as a Chinese Excel writes it",
     SUPPLIER "S," GB_NAME ",e," CODE "\r\n", "汕尾云", NULL},
    {"a character of four bytes", SUPPLIER "S," GB_WIDE ",e," CODE "\r\n",
     "\xf0\xa0\x80\x80", NULL},
    {"a line end within quotes",
     SUPPLIER "S,\"" GB_NAME "\r\n" GB_NAME "\",e," CODE "\r\n",
     "汕尾云\n汕尾云", NULL},
    {"empty rows at the end", SUPPLIER "S,汕尾云,e," CODE "\r\n,,,\r\n\r\n",
     "汕尾云", NULL},
    {"neither UTF-8 nor GB18030", SUPPLIER "S,\xff\xff,e," CODE "\r\n", NULL,
     "supplier.csv:2: the file is neither UTF-8 nor GB18030; save it in Excel "
     "as 'CSV UTF-8"},
    {"GB18030 that is cut off", SUPPLIER "S,e,e," CODE "\r\n" GB_NAME "\xc9",
     NULL, "supplier.csv:3: the file is neither UTF-8 nor GB18030; "},
    {"a mark of UTF-8 before something else",
     "\xef\xbb\xbf" SUPPLIER "S," GB_NAME ",e," CODE "\r\n", NULL,
     "supplier.csv:2: the file is neither UTF-8 nor GB18030; "},
    {"UTF-16", "\xff\xfei,d", NULL,
     "supplier.csv:1: the file is UTF-16 (Excel's 'Unicode Text'); save it"},
    {"what is UTF-8 and may be GBK as well is not guessed",
     SUPPLIER "S,\xc4\xb0,e," CODE "\r\n", NULL,
     "supplier.csv:1: the file can be UTF-8 or GB18030 and nobody can tell "
     "which; save it"},
    {"the same with a mark is what the mark says",
     "\xef\xbb\xbf" SUPPLIER "S,\xc4\xb0,e," CODE "\r\n", "\xc4\xb0", NULL},
};

static void run_encoding(const struct encoding_case *c)
{
    struct scratch scratch;
    struct load_counts counts;
    struct error_text error = {""};
    char folder[512];
    scratch_open(&scratch);
    test_case(c->name);
    snprintf(folder, sizeof(folder), "%s/in", scratch.folder);
    mkdir(folder, 0700);
    scratch_write(&scratch, "in/supplier.csv", c->text);
    bool good = load(scratch.db, folder, true, &counts, &error);
    CHECK(good == (c->wanted == NULL));
    if (c->wanted != NULL && !CHECK(strstr(error.text, c->wanted) != NULL))
        printf("# %s\n", error.text);
    struct db_statement *s =
        db_prepare(scratch.db, "SELECT name_zh FROM supplier WHERE id = 'S'");
    bool found = db_step(s) == DB_ROW;
    if (c->name_zh != NULL && CHECK(found))
        CHECK_TEXT(db_text(s, 0), c->name_zh);
    db_reset(s);
    scratch_close(&scratch);
}

static void test_excel_times(void)
{
    struct scratch scratch;
    struct load_counts counts;
    struct error_text error = {""};
    char folder[512];
    scratch_open(&scratch);
    must_load(scratch.db, RULES);
    test_case("times as Excel writes them");
    copy_registry(&scratch, "site",
                  "id,enterprise_id,name_zh,name_en,city_code,valid_to\r\n"
                  "SITE-1,ENT-1,a,a,441500,2027/7/1\r\n"
                  "SITE-2,ENT-2,b,b,440600,2027/7/1 8:05\r\n"
                  "SITE-3,ENT-3,c,c,440600,2027/7/1 08:05:09\r\n",
                  folder);
    if (!CHECK(load(scratch.db, folder, true, &counts, &error)))
        printf("# %s\n", error.text);
    struct wall_time time = {0};
    wall_from_text(SLICE("2027-07-01"), &time);
    CHECK_I64(ask(scratch.db, "SELECT min(valid_to) FROM site"), time.us);
    wall_from_text(SLICE("2027-07-01T08:05:09+08:00"), &time);
    CHECK_I64(ask(scratch.db, "SELECT max(valid_to) FROM site"), time.us);
    scratch_close(&scratch);
}

/* A workbook as the portal itself writes one, in FOLDER/in. */
static void write_workbook(const struct scratch *scratch, const char *name,
                           const char *const rows[][4], size_t count)
{
    char path[512], bytes[4096];
    struct file_writer *file = FILE_XLSX.open("rows");
    for (size_t r = 0; r < count; r++) {
        for (int i = 0; i < 4; i++)
            FILE_XLSX.text(file, slice_of_text(rows[r][i]));
        FILE_XLSX.row_end(file);
    }
    int fd = FILE_XLSX.close(file);
    snprintf(path, sizeof(path), "%s/in/%s", scratch->folder, name);
    FILE *out = fopen(path, "w");
    ssize_t length = 0;
    while (CHECK(fd >= 0 && out != NULL) &&
           (length = read(fd, bytes, sizeof(bytes))) > 0)
        fwrite(bytes, 1, (size_t)length, out);
    close(fd);
    fclose(out);
}

static void test_workbook(void)
{
    static const char *const ROWS[][4] = {
        {"id", "name_zh", "name_en", "credit_code"},
        {"S-1", "汕尾\"云\"", "One, two", "91350100M000100Y43"},
        {"S-2", "汕尾", "Two", "91350100M000100Y44"},
    };
    struct scratch scratch;
    struct load_counts counts;
    struct error_text error = {""};
    char folder[512];
    scratch_open(&scratch);
    snprintf(folder, sizeof(folder), "%s/in", scratch.folder);
    mkdir(folder, 0700);
    test_case("a workbook is read as a CSV is, refusals name its rows");
    write_workbook(&scratch, "supplier.xlsx", ROWS, 3);
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    CHECK(strstr(error.text, "supplier.xlsx:3: credit_code: E_USCC: "
                             "'91350100M000100Y44'") != NULL);
    write_workbook(&scratch, "supplier.xlsx", ROWS, 2);
    if (!CHECK(load(scratch.db, folder, true, &counts, &error)))
        printf("# %s\n", error.text);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM supplier WHERE"
                              " name_zh = '汕尾\"云\"'"
                              " AND name_en = 'One, two'"),
              1);
    test_case("one table in two files is refused, and so is no workbook");
    scratch_write(&scratch, "in/supplier.csv", SUPPLIER);
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    CHECK(strstr(error.text, "has supplier as .csv and as .xlsx; ") != NULL);
    scratch_write(&scratch, "in/site.xlsx", "id,name\n");
    char extra[600];
    snprintf(extra, sizeof(extra), "%s/supplier.csv", folder);
    remove(extra);
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    CHECK(strstr(error.text, "site.xlsx:1: this is no Excel workbook that can "
                             "be read; ") != NULL);
    scratch_close(&scratch);
}

/* ---- upkeep: corrections and ends ---- */

struct heard {
    char lines[16][400];
    size_t count, refused;
};

static void hear(void *context, enum load_news news, const char *line)
{
    struct heard *heard = context;
    const char *slash = strrchr(line, '/');
    heard->refused += news == LOAD_REFUSED;
    if (heard->count < 16)
        snprintf(heard->lines[heard->count++], sizeof(heard->lines[0]), "%s",
                 slash != NULL ? slash + 1 : line);
}

static bool upkeep(struct scratch *scratch, bool is_preview, bool may_correct,
                   struct heard *heard, struct load_counts *counts)
{
    struct parameters parameters;
    struct error_text error = {""};
    char folder[512];
    *heard = (struct heard){.count = 0};
    parameters_set_defaults(&parameters);
    snprintf(folder, sizeof(folder), "%s/up", scratch->folder);
    struct load_options options = {.folder = folder,
                                   .is_preview = is_preview,
                                   .may_correct = may_correct,
                                   .parameters = &parameters,
                                   .now = wall_from_s(1795420800),
                                   .language = LANGUAGE_EN,
                                   .tell = hear,
                                   .context = heard};
    return load_folder(scratch->db, &options, counts, &error);
}

static void test_upkeep(void)
{
    struct scratch scratch;
    struct heard heard;
    struct load_counts counts;
    struct error_text error = {""};
    char path[512];
    scratch_open(&scratch);
    must_load(scratch.db, RULES);
    must_load(scratch.db, REGISTRY);
    snprintf(path, sizeof(path), "%s/up", scratch.folder);
    mkdir(path, 0700);
    scratch_write(&scratch, "up/supplier.csv",
                  "id,name_zh,name_en,credit_code,valid_to\n"
                  "SUP-1,样例云软件有限公司,Sample Cloud,91440100MATEXT0045,\n"
                  "SUP-2,样例物联科技有限公司,Sample IoT,91440100MATEXT0058,"
                  "2026-12-31\n"
                  "SUP-3,新,New,91350100M000100Y43,\n");
    scratch_write(&scratch, "up/site.csv",
                  "id,enterprise_id,name_zh,name_en,city_code\n"
                  "SITE-2,ENT-2,南海厂区,Nanhai works,440600\n");
    int64_t rows = ask(scratch.db, "SELECT count(*) FROM audit");

    test_case("a preview tells what would change, and keeps nothing");
    CHECK(upkeep(&scratch, true, false, &heard, &counts));
    CHECK_I64((int64_t)heard.count, 3);
    CHECK_TEXT(heard.lines[0], "supplier.csv:2: name_en: SUP-1: 'Sample Cloud "
                               "Software' becomes 'Sample Cloud'");
    CHECK_TEXT(heard.lines[1], "supplier.csv:3: valid_to: SUP-2 ends at "
                               "'2026-12-31T00:00:00+08:00'");
    CHECK_TEXT(heard.lines[2], "supplier.csv:4: SUP-3 is new");
    CHECK_I64((int64_t)counts.changed, 1);
    CHECK_I64((int64_t)counts.ended, 1);
    CHECK_I64((int64_t)counts.added, 1);
    CHECK_I64((int64_t)counts.same, 1);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM audit"), rows);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM supplier"), 2);

    test_case("rows that are there change only when that is asked for, and all "
              "refused rows of a file are told");
    CHECK(!upkeep(&scratch, false, false, &heard, &counts));
    CHECK_I64((int64_t)heard.refused, 2);
    CHECK_I64((int64_t)counts.refused, 2);
    CHECK(strstr(heard.lines[1], "supplier.csv:3: valid_to: SUP-2") != NULL);

    test_case("AUD-01: a correction and an end have audit rows with the record "
              "before and after");
    CHECK(upkeep(&scratch, false, true, &heard, &counts));
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM audit WHERE"
                              " action = 'registry.correct'"
                              " AND object = 'supplier/SUP-1'"
                              " AND before_hash <> after_hash"),
              1);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM audit WHERE"
                              " action = 'registry.end'"
                              " AND object = 'supplier/SUP-2'"),
              1);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM audit"), rows + 3);
    uint64_t good = 0;
    CHECK(audit_check(scratch.db, &good, &error));
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM supplier WHERE name_en ="
                              " 'Sample Cloud' AND valid_to IS NULL"),
              1);

    test_case("the same again changes nothing more");
    CHECK(upkeep(&scratch, false, true, &heard, &counts));
    CHECK_I64((int64_t)counts.same, 4);

    test_case(
        "SUP-14: what ended stays so when a file does not have the column");
    scratch_write(&scratch, "up/supplier.csv",
                  "id,name_zh,name_en,credit_code\n"
                  "SUP-2,样例物联科技有限公司,IoT,91440100MATEXT0058\n");
    CHECK(upkeep(&scratch, false, true, &heard, &counts));
    CHECK_I64((int64_t)counts.changed, 1);
    CHECK_I64(ask(scratch.db, "SELECT count(*) FROM supplier WHERE name_en ="
                              " 'IoT' AND valid_to IS NOT NULL"),
              1);
    scratch_close(&scratch);
}

/* An address that another supplier declared: told, and taken. */
static void test_flag(void)
{
    struct scratch scratch;
    struct heard heard;
    struct load_counts counts;
    char path[512];
    scratch_open(&scratch);
    must_load(scratch.db, RULES);
    must_load(scratch.db, REGISTRY);
    snprintf(path, sizeof(path), "%s/up", scratch.folder);
    mkdir(path, 0700);
    scratch_write(&scratch, "up/endpoint.csv",
                  "id,service_id,protocol,ports,is_shared,valid_from,valid_to\n"
                  "erp-2,erp-test,tcp,443,0,2026-12-01,\n");
    scratch_write(&scratch, "up/endpoint_address.csv",
                  "endpoint_id,address,host\nerp-2,8.8.8.8,\n");
    test_case("VER-05: an address of one's own raises no flag");
    CHECK(upkeep(&scratch, false, false, &heard, &counts));
    CHECK_I64((int64_t)heard.count, 0);
    test_case(
        "VER-05: an address that another supplier declared, too, is told");
    scratch_write(&scratch, "up/endpoint.csv",
                  "id,service_id,protocol,ports,is_shared,valid_from,valid_to\n"
                  "telemetry-2,telemetry-test,tcp,443,0,2026-12-01,\n");
    scratch_write(&scratch, "up/endpoint_address.csv",
                  "endpoint_id,address,host\ntelemetry-2,8.8.8.8,\n");
    CHECK(upkeep(&scratch, false, false, &heard, &counts));
    CHECK_I64((int64_t)heard.count, 1);
    CHECK(strstr(heard.lines[0],
                 "endpoint_address.csv:2: address: flag (VER-05): the address "
                 "'8.8.8.8' meets 8.8.8.8 of endpoint erp-2 of supplier SUP-1; "
                 "if they do share it") == heard.lines[0]);
    CHECK_I64((int64_t)counts.added, 2);
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
    CHECK(strstr(error.text, "the folder /nonexistent cannot be opened: ") !=
          NULL);
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/empty", scratch.folder);
    mkdir(folder, 0700);
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    scratch_write(&scratch, "empty/vouchers.csv", "number\n");
    CHECK(!load(scratch.db, folder, true, &counts, &error));
    CHECK(strstr(error.text, "vouchers.csv in ") != NULL);
    CHECK(strstr(error.text, "; there are cycle, enterprise, site") != NULL);
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
    test_shared();
    test_folder();
    test_excel_times();
    test_workbook();
    test_upkeep();
    test_flag();
    for (size_t i = 0; i < sizeof(ENCODINGS) / sizeof(ENCODINGS[0]); i++)
        run_encoding(&ENCODINGS[i]);
    test_credit_codes();
    for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++)
        run_refusal(&REFUSALS[i]);
    return test_end();
}
