/* Programme data: catalogue, cities, programme, clients, version of rules. */
#include "rules/catalogue.h"

#include "common/buffer.h"
#include "rules/city.h"
#include "rules/client.h"
#include "rules/programme.h"
#include "tests/test.h"

static struct catalogue catalogue;
static struct city_list cities;
static struct client_list clients;

static bool read_rules_file(const char *name, struct buffer *text)
{
    char path[128];
    snprintf(path, sizeof(path), "rules/guangdong-2018/%s", name);
    return buffer_read_file(text, path, 1 << 20);
}

static void test_shipped(void)
{
    struct buffer text;
    struct error_text error = {""};
    struct programme programme;
    test_case("CAT-02: first edition, eleven items");
    CHECK(read_rules_file("catalogue-v1.json", &text));
    CHECK(catalogue_parse(buffer_slice(&text), &catalogue, &error));
    CHECK_I64(catalogue.item_count, 11);
    CHECK_I64(catalogue.cumulative_cap.fen, 50000000);
    CHECK_I64(catalogue_find(&catalogue, 7)->cap_kind, CAP_PER_SET);
    CHECK_TEXT(catalogue_find(&catalogue, 9)->name_zh, "进销存及仓储管理");
    CHECK(catalogue_find(&catalogue, 12) == NULL);
    buffer_clear(&text);
    test_case("ORG-14: the 21 cities of Guangdong");
    CHECK(read_rules_file("cities.csv", &text));
    CHECK(city_list_parse(buffer_slice(&text), &cities, &error));
    CHECK_I64(cities.count, 21);
    CHECK_TEXT(city_find(&cities, SLICE("441500"))->name_zh, "汕尾市");
    CHECK(city_find(&cities, SLICE("110000")) == NULL);
    buffer_clear(&text);
    test_case("CAT-02: programme.json");
    CHECK(read_rules_file("programme.json", &text));
    CHECK(programme_parse(buffer_slice(&text), &programme, &error));
    CHECK_TEXT(programme.id, "guangdong-2018");
    buffer_clear(&text);
    test_case("S8: clients.csv");
    CHECK(read_rules_file("clients.csv", &text));
    CHECK(client_list_parse(buffer_slice(&text), &clients, &error));
    buffer_clear(&text);
}

#define ITEM(no, code, cap)                                                    \
    "{\"no\":" no ",\"code\":\"" code "\",\"link_zh\":\"l\",\"name_zh\":"      \
    "\"n\",\"name_en\":\"e\"," cap "}"
#define FIXED "\"cap_kind\":\"FIXED\",\"cap_fen\":100"
#define CATALOGUE(items)                                                       \
    "{\"catalogue\":\"C\",\"version\":2,\"title_zh\":\"t\","                   \
    "\"cumulative_cap_fen\":500,\"cumulative_scope\":"                         \
    "\"PER_ENTERPRISE_PER_CYCLE\",\"items\":[" items "]}"

static const struct {
    const char *name, *text;
    bool is_good;
} TEXTS[] = {
    {"CAT-03: another version", CATALOGUE(ITEM("1", "A", FIXED)), true},
    {"CAT-02: the same number twice",
     CATALOGUE(ITEM("1", "A", FIXED) "," ITEM("1", "B", FIXED)), false},
    {"CAT-02: the same code twice",
     CATALOGUE(ITEM("1", "A", FIXED) "," ITEM("2", "A", FIXED)), false},
    {"CAT-02: a cap of zero",
     CATALOGUE(ITEM("1", "A", "\"cap_kind\":\"FIXED\",\"cap_fen\":0")), false},
    {"CAT-02: both kinds of cap",
     CATALOGUE(ITEM("1", "A", FIXED ",\"per_set_fen\":3")), false},
    {"CAT-02: unknown kind of cap",
     CATALOGUE(ITEM("1", "A", "\"cap_kind\":\"SOME\",\"cap_fen\":1")), false},
    {"CAT-02: a misspelt member",
     CATALOGUE(ITEM("1", "A", FIXED ",\"capfen\":3")), false},
    {"CAT-02: no items", CATALOGUE(""), false},
    {"CAT-02: a fraction as amount",
     CATALOGUE(ITEM("1", "A", "\"cap_kind\":\"FIXED\",\"cap_fen\":1.5")),
     false},
    {"CAT-02: items is no list",
     "{\"catalogue\":\"C\",\"version\":2,\"title_zh\":\"t\","
     "\"cumulative_cap_fen\":500,\"cumulative_scope\":"
     "\"PER_ENTERPRISE_PER_CYCLE\",\"items\":7}",
     false},
    {"CAT-02: not JSON", "no.,caps", false},
    {"CAT-02: another kind of JSON", "[]", false},
};

static void test_texts(void)
{
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct error_text error = {""};
        test_case(TEXTS[i].name);
        CHECK_I64(
            catalogue_parse(slice_of_text(TEXTS[i].text), &catalogue, &error),
            TEXTS[i].is_good);
        CHECK(TEXTS[i].is_good || error.text[0] != '\0');
    }
}

static void test_lists(void)
{
    struct error_text error = {""};
    struct programme programme;
    test_case("ORG-14: bad lists of cities");
    CHECK(!city_list_parse(SLICE("code,name\n"), &cities, &error));
    CHECK(!city_list_parse(SLICE("code,name_zh,name_en\n44,x,y\n"), &cities,
                           &error));
    CHECK(!city_list_parse(
        SLICE("code,name_zh,name_en\n441500,x,y\n441500,x,y\n"), &cities,
        &error));
    test_case("S8: clients by fingerprint");
    CHECK(client_list_parse(SLICE("fingerprint,kind,name\n"
                                  "00000000000000ff,tool,curl\n"
                                  "0000000000000001,browser,b\n"),
                            &clients, &error));
    CHECK_I64(client_kind_of(&clients, 255), CLIENT_TOOL);
    CHECK_I64(client_kind_of(&clients, 1), CLIENT_BROWSER);
    CHECK_I64(client_kind_of(&clients, 2), CLIENT_UNKNOWN);
    CHECK(!client_list_parse(SLICE("fingerprint,kind,name\n12,tool,x\n"),
                             &clients, &error));
    test_case("CAT-03: programme.json with a member too many");
    CHECK(!programme_parse(SLICE("{\"id\":\"x\",\"title_zh\":\"a\","
                                 "\"title_en\":\"b\",\"titel\":1}"),
                           &programme, &error));
}

static void test_version(void)
{
    struct rules_file files[] = {{"b.csv", SLICE("2")}, {"a.csv", SLICE("1")}};
    struct rules_file sorted[] = {{"a.csv", SLICE("1")}, {"b.csv", SLICE("2")}};
    struct rules_file moved[] = {{"a.csv", SLICE("12")}, {"b.csv", SLICE("")}};
    test_case("VER-17: the rules' version covers names and contents only");
    CHECK(digest_equal(rules_version(files, 2), rules_version(sorted, 2)));
    CHECK(!digest_equal(rules_version(files, 2), rules_version(moved, 2)));
    CHECK(!digest_equal(rules_version(files, 2), rules_version(files, 1)));
}

int main(void)
{
    test_shipped();
    test_texts();
    test_lists();
    test_version();
    return test_end();
}
