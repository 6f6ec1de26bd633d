/* Reading JSON: values, lines, the first failure, limits. */
#include "common/json.h"

#include <stdlib.h>

#include "tests/test.h"

static const char CATALOGUE[] =
    "{\n"
    "  \"version\": 3, \"open\": true, \"note\": null,\n"
    "  \"services\": [\n"
    "    {\"id\": \"a:\\\"1\\\"\", \"item\":\n"
    "       2},\n"
    "    {\"item\": 9,\n"
    "     \"id\": \"\xe4\xba\x91\"}\n"
    "  ]\n"
    "}\n";

static void test_values(void)
{
    struct error_text error = {""};
    struct json_document *doc = json_parse(SLICE(CATALOGUE), "c.json", &error);
    test_case("a document in the order of its text, with lines");
    if (!CHECK(doc != NULL))
        return;
    const struct json_node *root = json_root(doc);
    CHECK_I64(json_want_i64(root, "version", 1, 9), 3);
    CHECK(json_as_bool(json_want(root, "open")));
    CHECK_I64(json_kind_of(json_member(root, "note")), JSON_NULL_KIND);
    CHECK_I64((int64_t)json_count(root), 4);
    CHECK(json_member(root, "absent") == NULL);
    const struct json_node *list = json_as_array(json_want(root, "services"));
    const struct json_node *first = json_first(list),
                           *second = json_next(first);
    CHECK_I64((int64_t)json_count(list), 2);
    CHECK_TEXT(json_want_text(first, "id"), "a:\"1\"");
    CHECK_TEXT(json_want_text(second, "id"), "\xe4\xba\x91");
    CHECK(json_next(second) == NULL);
    CHECK_TEXT(json_key(json_first(second)), "item");
    CHECK_I64(json_line(root), 1);
    CHECK_I64(json_line(list), 3);
    CHECK_I64(json_line(json_member(first, "item")), 5);
    CHECK_I64(json_line(json_member(second, "id")), 7);
    CHECK(json_error(doc) == NULL);

    test_case("the first failure is kept, with its place and line");
    CHECK_I64(json_want_i64(second, "item", 1, 8), 0);
    CHECK_TEXT(json_want_text(second, "item"), "");
    CHECK_TEXT(json_error(doc),
               "c.json:6: services[1].item: 9 is not from 1 to 8");
    json_free(doc);
}

static const char *failure_of(void (*read)(const struct json_node *root))
{
    static char text[300];
    struct error_text error = {""};
    struct json_document *doc = json_parse(SLICE(CATALOGUE), "c.json", &error);
    read(json_root(doc));
    snprintf(text, sizeof(text), "%s",
             json_error(doc) ? json_error(doc) : "(none)");
    json_free(doc);
    return text;
}

static void read_missing(const struct json_node *root)
{
    json_want_text(json_first(json_want(root, "services")), "name");
}

static void read_wrong_kind(const struct json_node *root)
{
    json_as_array(json_want(root, "version"));
}

static void read_member_of_text(const struct json_node *root)
{
    json_member(json_want(json_first(json_want(root, "services")), "id"), "x");
}

static void read_unknown_key(const struct json_node *root)
{
    static const char *const KEYS[] = {"version", "services", "open", NULL};
    json_only_keys(root, KEYS);
}

static void read_own_complaint(const struct json_node *root)
{
    json_fail(json_first(json_want(root, "services")), "is %s", "odd\n");
}

static void read_nothing(const struct json_node *root)
{
    (void)root;
    json_only_keys(NULL, NULL);
    json_fail(NULL, "no place");
    CHECK_TEXT(json_want_text(NULL, "x"), "");
    CHECK_I64(json_as_i64(NULL, 5, 6), 0);
    CHECK(!json_as_bool(NULL));
    CHECK(json_first(json_as_array(NULL)) == NULL);
    CHECK(json_next(NULL) == NULL && json_count(NULL) == 0);
    CHECK_TEXT(json_key(NULL), "");
}

static void test_failures(void)
{
    test_case("failures name file, line and place");
    CHECK_TEXT(failure_of(read_missing),
               "c.json:4: services[0]: name is missing");
    CHECK_TEXT(failure_of(read_wrong_kind),
               "c.json:2: version: an array is expected");
    CHECK_TEXT(failure_of(read_member_of_text),
               "c.json:4: services[0].id: an object is expected");
    CHECK_TEXT(failure_of(read_unknown_key), "c.json:2: note: unknown key");
    CHECK_TEXT(failure_of(read_own_complaint),
               "c.json:4: services[0]: is odd?");
    test_case("NULL nodes give empty values and no failure");
    CHECK_TEXT(failure_of(read_nothing), "(none)");
}

static void test_refusals(void)
{
    static const struct {
        struct slice text;
        const char *start; /* of the reason */
    } CASES[] = {
        {SLICE(""), "x:1: '[' or '{' expected"},
        {SLICE("\n\n{\"a\":1,}"), "x:3: string or '}' expected"},
        {SLICE("7"), "x:1: '[' or '{' expected"},
        {SLICE("{} {}"), "x:1: end of file expected"},
        {SLICE("{\"a\":1,\n\"a\":2}"), "x:2: duplicate object key"},
        {SLICE("[1,\n1.5]"), "x:2: fractions are not read here"},
        {SLICE("[1e3]"), "x:1: fractions are not read here"},
        {SLICE("[9223372036854775808]"), "x:1: too big integer"},
        {SLICE("[NaN]"), "x:1: invalid token"},
        {SLICE("[01]"), "x:1: "},
        {SLICE("[\"\\u0000\"]"), "x:1: \\u0000 is not allowed"},
        {SLICE("[\"\\ud800\"]"), "x:1: invalid Unicode"},
        {SLICE("[\"\xff\"]"), "x:1: unable to decode byte 0xff"},
        {SLICE("[\"a\nb\"]"), "x:1: unexpected newline"},
        {SLICE("[\"a\0b\"]"), "x:1: "},
        {SLICE("{\"a"), "x:1: premature end of input"},
    };
    test_case("texts that are refused");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct error_text error = {""};
        struct json_document *doc = json_parse(CASES[i].text, "x", &error);
        CHECK(doc == NULL);
        if (!CHECK(strncmp(error.text, CASES[i].start,
                           strlen(CASES[i].start)) == 0))
            printf("# case %zu: %s\n", i, error.text);
        json_free(doc);
    }
}

static void test_depth(void)
{
    char text[2 * 5000 + 1];
    struct error_text error = {""};
    test_case("nesting is bounded");
    for (size_t depth = 1; depth <= 5000; depth = depth * 2 + depth / 9) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct json_document *doc =
            json_parse((struct slice){text, 2 * depth}, "x", &error);
        CHECK((doc != NULL) == (depth <= JSON_READ_DEPTH));
        json_free(doc);
    }
    memset(text, '[', JSON_READ_DEPTH + 1);
    memset(text + JSON_READ_DEPTH + 1, ']', JSON_READ_DEPTH + 1);
    CHECK(json_parse((struct slice){text, 2 * JSON_READ_DEPTH + 2}, "x",
                     &error) == NULL);
    CHECK_TEXT(error.text, "x:1: nested deeper than 32");
}

int main(void)
{
    test_values();
    test_failures();
    test_refusals();
    test_depth();
    return test_end();
}
