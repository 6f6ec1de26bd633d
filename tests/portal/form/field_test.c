/* Each kind of field, as people type it: what is read, what is refused and with
 * which code; and what was refused is kept as it was typed. */
#include "portal/form/field.h"

#include "tests/test.h"

static const char *const SIZES[] = {"LARGE", "SMALL", NULL};
static const struct choices SIZE = {.codes = SIZES, .words = "size."};

static const struct field ROW[] = {
    {"who", FIELD_TEXT, "yes"},
    {"share", FIELD_COUNT, "yes", .max = 100},
};

static bool asks_more(const struct answers *answers)
{
    return answers_is_yes(answers, "yesno");
}

static const struct field FIELDS[] = {
    {"text", FIELD_TEXT, "yes", .max = 10},
    {"lines", FIELD_LONG_TEXT, "yes", .min = 3, .max = 20},
    {"code", FIELD_CREDIT_CODE, "yes"},
    {"size", FIELD_CHOICE, "yes", .choices = &SIZE},
    {"declared", FIELD_YES, "yes"},
    {"yesno", FIELD_YES_NO, "yes"},
    {"money", FIELD_MONEY, "yes", .min = 100, .max = 1000000000},
    {"count", FIELD_COUNT, "yes", .min = 1, .max = 500},
    {"year", FIELD_YEAR, "yes", .is_not_future = true},
    {"day", FIELD_DAY, "yes", .is_not_future = true},
    {"phone", FIELD_PHONE, "yes"},
    {"mobile", FIELD_MOBILE, "yes", .privacy = FIELD_PERSON},
    {"mail", FIELD_MAIL, "yes", .privacy = FIELD_PERSON},
    {"account", FIELD_DIGITS, "yes", .min = 8, .max = 30,
     .privacy = FIELD_BANK},
    {"net", FIELD_NET, "yes"},
    {"host", FIELD_HOST, "yes"},
    {"ports", FIELD_PORTS, "yes"},
    {"licence", FIELD_FILE, "yes"},
    {"owners", FIELD_ROWS, "yes", .max = 3, .rows = ROW, .row_fields = 2},
    {"more", FIELD_TEXT, "yes", .is_asked = asks_more},
};
enum { FIELDS_COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]) };

struct kind_case {
    const char *field, *typed;
    const char *code; /* NULL: it is read */
    const char *text; /* its clean form */
    int64_t number;
};

static const struct kind_case CASES[] = {
    {"text", " \u3000云 平台\t一\n号 \u3000", NULL, "云 平台 一 号", 0},
    {"text", "一二三四五六七八九十", NULL, "一二三四五六七八九十", 0},
    {"text", "一二三四五六七八九十一", "E_FIELD_VALUE", "", 0},
    {"lines", "a\r\nb\rc", NULL, "a\nb\nc", 0},
    {"lines", "ab", "E_FIELD_VALUE", "", 0},
    {"code", "91441500MATEXT001W", NULL, "91441500MATEXT001W", 0},
    {"code", "９１４４１５００ＭＡＴＥＸＴ００１Ｗ", NULL, "91441500MATEXT001W",
     0},
    {"code", " 9144 1500 matext 001w ", NULL, "91441500MATEXT001W", 0},
    {"code", "91441500MATEXT001X", "E_USCC", "", 0},
    {"code", "91441500MATEXTO01W", "E_USCC", "", 0},
    {"code", "91441500MATEXT001", "E_USCC", "", 0},
    {"size", "LARGE", NULL, "LARGE", 0},
    {"size", "large", "E_FIELD_VALUE", "", 0},
    {"declared", "yes", NULL, "yes", 1},
    {"declared", "no", "E_DECLARATION", "no", 0},
    {"yesno", "no", NULL, "no", 0},
    {"yesno", "perhaps", "E_FIELD_VALUE", "", 0},
    {"money", "12,000.5", NULL, "1200050", 1200050},
    {"money", "￥１２，０００．５０ 元", NULL, "1200050", 1200050},
    {"money", "¥12000元", NULL, "1200000", 1200000},
    {"money", "-1", "E_MONEY_NEGATIVE", "", 0},
    {"money", "1.234", "E_MONEY_FORMAT", "", 0},
    {"money", "1万", "E_MONEY_FORMAT", "", 0},
    {"money", "12,00", "E_MONEY_FORMAT", "", 0},
    {"money", "0.99", "E_RANGE", "", 0},
    {"money", "10000000.01", "E_RANGE", "", 0},
    {"money", "99999999999999999999", "E_RANGE", "", 0},
    {"count", "５００", NULL, "500", 500},
    {"count", "0", "E_FIELD_VALUE", "", 0},
    {"count", "501", "E_FIELD_VALUE", "", 0},
    {"count", "1.5", "E_FIELD_VALUE", "", 0},
    {"year", "2017年", NULL, "2017", 2017},
    {"year", "17", "E_FIELD_VALUE", "", 0},
    {"year", "2027", "E_FIELD_VALUE", "2027", 2027},
    {"day", "2018-1-5", NULL, "2018-01-05", 17536},
    {"day", "2018年1月5日", NULL, "2018-01-05", 17536},
    {"day", "２０１８／０１／０５", NULL, "2018-01-05", 17536},
    {"day", "20180105", NULL, "2018-01-05", 17536},
    {"day", "2018.1.5", NULL, "2018-01-05", 17536},
    {"day", "5.1.2018", "E_FIELD_VALUE", "", 0},
    {"day", "2018-02-29", "E_FIELD_VALUE", "", 0},
    {"day", "2018-1-5-7", "E_FIELD_VALUE", "", 0},
    {"day", "2026-12-02", "E_FIELD_VALUE", "2026-12-02", 20789},
    {"phone", "（020）1234-5678", NULL, "(020)1234-5678", 0},
    {"phone", "call me", "E_FIELD_VALUE", "", 0},
    {"mobile", "+86 138-0013-8000", NULL, "13800138000", 0},
    {"mobile", "12800138000", "E_FIELD_VALUE", "", 0},
    {"mobile", "1380013800", "E_FIELD_VALUE", "", 0},
    {"mail", "a.b@example.com", NULL, "a.b@example.com", 0},
    {"mail", "a@b", "E_FIELD_VALUE", "", 0},
    {"mail", "a@example.com,b@example.com", "E_FIELD_VALUE", "", 0},
    {"mail", "a@example.com\nBcc: x@y.com", "E_FIELD_VALUE", "", 0},
    {"mail", "<a@example.com>", "E_FIELD_VALUE", "", 0},
    {"mail", "@example.com", "E_FIELD_VALUE", "", 0},
    {"account", "6222 0000 1111 2222", NULL, "6222000011112222", 0},
    {"account", "6222-0000", "E_FIELD_VALUE", "", 0},
    {"account", "1234567", "E_FIELD_VALUE", "", 0},
    {"net", "8.8.8.0/24", NULL, "8.8.8.0/24", 0},
    {"net", "8.8.8.8/32", NULL, "8.8.8.8", 0},
    {"net", "8.8.8.1/24", "E_VER_PREFIX", "", 0},
    {"net", "8.8.8", "E_VER_PREFIX", "", 0},
    {"host", "ERP.Example.COM", NULL, "erp.example.com", 0},
    {"host", "*.example.com", NULL, "*.example.com", 0},
    {"host", "-a.example.com", "E_VER_HOST", "", 0},
    {"host", "localhost", "E_VER_HOST", "", 0},
    {"ports", "443， 8000-8010", NULL, "443,8000-8010", 0},
    {"ports", "0", "E_FIELD_VALUE", "", 0},
    {"ports", "9-8", "E_FIELD_VALUE", "", 0},
    {"ports", "443,", "E_FIELD_VALUE", "", 0},
};

static struct form_context here(void)
{
    struct form_context context = {.db = NULL};
    CHECK(wall_from_text(SLICE("2026-12-01T04:00:00Z"), &context.now));
    return context;
}

static void test_kinds(struct arena *arena)
{
    struct form_context context = here();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const struct kind_case *c = &CASES[i];
        struct answers answers = answers_new(FIELDS, FIELDS_COUNT, arena);
        struct answer *answer = answers_find(&answers, c->field);
        char name[200];
        snprintf(name, sizeof(name), "%s: %s", c->field,
                 arena_copy_text(arena, slice_trim(slice_of_text(c->typed))));
        for (char *at = name; *at != '\0'; at++)
            *at = *at == '\n' || *at == '\r' ? ' ' : *at;
        test_case(name);
        answer_read(answer, c->typed, &answers);
        answers_check(&answers, false, &context);
        CHECK_TEXT(answer->refusal.code != NULL ? answer->refusal.code : "",
                   c->code != NULL ? c->code : "");
        CHECK(answer->is_given);
        CHECK(answer->is_good == (c->code == NULL));
        CHECK_TEXT(answer->text, c->text);
        CHECK_I64(answer->number, c->number);
        CHECK_TEXT(answers_text(&answers, c->field),
                   c->code == NULL ? c->text : "");
        CHECK_I64(answers_number(&answers, c->field),
                  c->code == NULL ? c->number : 0);
        if (c->code != NULL)
            CHECK(refusal_words(&answer->refusal, LANGUAGE_EN, arena)[0] !=
                  '\0');
    }
}

static void test_nothing(struct arena *arena)
{
    struct form_context context = here();
    static const struct {
        const char *field, *code;
    } MISSING[] = {
        {"text", "E_FIELD_REQUIRED"},   {"size", "E_FIELD_REQUIRED"},
        {"declared", "E_DECLARATION"},  {"licence", "E_FILE_REQUIRED"},
        {"owners", "E_FIELD_REQUIRED"},
    };
    struct answers answers = answers_new(FIELDS, FIELDS_COUNT, arena);
    test_case("a draft may be empty");
    answer_read(answers_find(&answers, "text"), " \u3000 ", &answers);
    CHECK_I64(answers_check(&answers, false, &context), 0);
    CHECK(answers_refusal(&answers) == NULL);
    test_case("ENT-01 a submission may not, but for what is not asked");
    CHECK_I64(answers_check(&answers, true, &context), FIELDS_COUNT - 1);
    for (size_t i = 0; i < sizeof(MISSING) / sizeof(MISSING[0]); i++)
        CHECK_TEXT(answers_find(&answers, MISSING[i].field)->refusal.code,
                   MISSING[i].code);
    CHECK_TEXT(answers_refusal(&answers)->field, "text");
}

/* "name", "value" pairs, NULL at the end. */
static const char *pair(const void *source, const char *name)
{
    for (const char *const *at = source; *at != NULL; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

static const char *json_of(const struct answers *answers, bool is_draft,
                           struct arena *arena)
{
    struct buffer json;
    buffer_init(&json, 65536);
    answers_write_json(answers, is_draft, &json);
    const char *copy = arena_copy_text(arena, buffer_slice(&json));
    buffer_clear(&json);
    return copy;
}

#define AAAA   "aaaaaaaaaaaaaaaa"
#define SHA256 AAAA AAAA AAAA AAAA

static void test_json(struct arena *arena)
{
    static const char *const TYPED[] = {"text",
                                        " 云 ",
                                        "money",
                                        "12,000.5",
                                        "day",
                                        "2018-1-5",
                                        "count",
                                        "many",
                                        "yesno",
                                        "no",
                                        "more",
                                        "kept",
                                        "owners.0.who",
                                        "",
                                        "owners.1.who",
                                        "张三",
                                        "owners.1.share",
                                        "60",
                                        NULL};
    struct refusal refusal = {0};
    struct answers answers = answers_new(FIELDS, FIELDS_COUNT, arena);
    struct field_file file = {SHA256, "a.pdf", "application/pdf", 5};
    answers_read(&answers, pair, TYPED);
    answer_files(answers_find(&answers, "licence"), &file, 1);
    test_case("canonical: sorted, integers of fen, wrong ones as typed");
    const char *draft = json_of(&answers, true, arena);
    CHECK_TEXT(draft,
               "{\"count\":\"many\",\"day\":\"2018-01-05\",\"licence\":[{"
               "\"media_type\":\"application/pdf\",\"name\":\"a.pdf\","
               "\"sha256\":\"" SHA256 "\",\"size\":5}],\"money\":1200050,"
               "\"more\":\"kept\",\"owners\":[{\"share\":60,\"who\":\"张三\"}],"
               "\"text\":\"云\",\"yesno\":false}");
    test_case("what is wrong or not asked is no part of an edition");
    CHECK(strstr(json_of(&answers, false, arena), "many") == NULL);
    CHECK(strstr(json_of(&answers, false, arena), "kept") == NULL);
    test_case("read back: the same");
    struct answers again = answers_new(FIELDS, FIELDS_COUNT, arena);
    CHECK(answers_read_json(&again, slice_of_text(draft), &refusal));
    CHECK_TEXT(json_of(&again, true, arena), draft);
    CHECK_TEXT(answers_find(&again, "count")->refusal.code, "E_FIELD_VALUE");
    CHECK_I64(answers_find(&again, "owners.0.share")->number, 60);
    CHECK(answers_find(&again, "owners.1.share") == NULL);
    CHECK(answers_find(&again, "owners.x.share") == NULL);
}

static void test_bad_json(struct arena *arena)
{
    static const char *const BAD[] = {
        "",
        "[]",
        "{",
        "{\"nothing\":1}",
        "{\"text\":1}",
        "{\"text\":{}}",
        "{\"text\":[]}",
        "{\"count\":true}",
        "{\"declared\":1}",
        "{\"owners\":{}}",
        "{\"owners\":[1]}",
        "{\"owners\":[{\"x\":1}]}",
        "{\"owners\":[{},{},{},{}]}",
        "{\"licence\":[{\"name\":\"a\"}]}",
        "{\"licence\":\"a\"}",
        "{\"money\":1.5}",
        "{\"text\":\"a\",\"text\":\"b\"}",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct answers answers = answers_new(FIELDS, FIELDS_COUNT, arena);
        struct refusal refusal = {0};
        test_case(BAD[i]);
        CHECK(!answers_read_json(&answers, slice_of_text(BAD[i]), &refusal));
        CHECK_TEXT(refusal.code, "E_FIELD_VALUE");
        CHECK(refusal_words(&refusal, LANGUAGE_ZH, arena)[0] != '\0');
    }
}

static void test_shown(struct arena *arena)
{
    static const struct {
        const char *field, *typed, *shown, *masked;
    } SHOWN[] = {
        {"money", "1234567", "1,234,567.00 yuan", "1,234,567.00 yuan"},
        {"yesno", "yes", "yes", "yes"},
        {"count", "many", "many", "many"},
        {"mobile", "13800138000", "13800138000", "138****8000"},
        {"mail", "anna@example.com", "anna@example.com", "a***@example.com"},
        {"account", "6222000011112222", "6222000011112222", "************2222"},
    };
    struct form_context context = here();
    for (size_t i = 0; i < sizeof(SHOWN) / sizeof(SHOWN[0]); i++) {
        struct answers answers = answers_new(FIELDS, FIELDS_COUNT, arena);
        struct answer *answer = answers_find(&answers, SHOWN[i].field);
        test_case(SHOWN[i].typed);
        answer_read(answer, SHOWN[i].typed, &answers);
        CHECK_TEXT(answer_shown(answer, LANGUAGE_EN, arena, &context),
                   SHOWN[i].shown);
        CHECK_TEXT(answer_masked(answer, LANGUAGE_EN, arena, &context),
                   SHOWN[i].masked);
    }
}

int main(void)
{
    struct arena *arena = arena_new(16 * 1024 * 1024);
    test_kinds(arena);
    test_nothing(arena);
    test_json(arena);
    test_bad_json(arena);
    test_shown(arena);
    arena_free(arena);
    return test_end();
}
