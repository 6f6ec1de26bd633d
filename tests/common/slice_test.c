/* Slices and the number readers. */
#include "common/slice.h"

#include "tests/test.h"

static void test_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t min, max;
        bool is_good;
        uint64_t value;
    } CASES[] = {
        {"0", 0, 9, true, 0},
        {"9", 0, 9, true, 9},
        {"10", 0, 9, false, 0},
        {"4", 5, 9, false, 0},
        {"007", 0, 9, true, 7},
        {"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", 0, UINT64_MAX, false, 0},
        {"99999999999999999999999", 0, UINT64_MAX, false, 0},
        {"", 0, 9, false, 0},
        {"+1", 0, 9, false, 0},
        {"-1", 0, 9, false, 0},
        {" 1", 0, 9, false, 0},
        {"1 ", 0, 9, false, 0},
        {"1x", 0, 99, false, 0},
        {"0x1", 0, 99, false, 0},
        {"1e1", 0, 99, false, 0},
        {"\xef\xbc\x91", 0, 99, false, 0}, /* full-width digit one */
    };
    test_case("parse_u64: bounds, overflow, nothing but digits");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        uint64_t value = 42;
        bool is_good = parse_u64(slice_of_text(CASES[i].text), CASES[i].min,
                                 CASES[i].max, &value);
        if (!CHECK(is_good == CASES[i].is_good))
            printf("# text '%s'\n", CASES[i].text);
        CHECK_I64((int64_t)value,
                  (int64_t)(CASES[i].is_good ? CASES[i].value : 42));
    }
    uint64_t value = 0;
    test_case("parse_u64: a NUL byte is no digit");
    CHECK(!parse_u64(slice_of_bytes("1\0", 2), 0, 99, &value));
}

static void test_signed_numbers(void)
{
    int64_t value = 0;
    test_case("parse_i64: both ends of the range");
    CHECK(
        parse_i64(SLICE("9223372036854775807"), INT64_MIN, INT64_MAX, &value));
    CHECK(value == INT64_MAX);
    CHECK(
        parse_i64(SLICE("-9223372036854775808"), INT64_MIN, INT64_MAX, &value));
    CHECK(value == INT64_MIN);
    CHECK(parse_i64(SLICE("-0"), 0, 9, &value));
    CHECK_I64(value, 0);

    static const char *const BAD[] = {"9223372036854775808",
                                      "-9223372036854775809",
                                      "-",
                                      "--1",
                                      "+1",
                                      "- 1",
                                      ""};
    test_case("parse_i64: refusals leave the value");
    value = 42;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        CHECK(!parse_i64(slice_of_text(BAD[i]), INT64_MIN, INT64_MAX, &value));
    CHECK(!parse_i64(SLICE("-6"), -5, 5, &value));
    CHECK(!parse_i64(SLICE("6"), -5, 5, &value));
    CHECK_I64(value, 42);
}

static void test_hex(void)
{
    uint8_t bytes[3] = {1, 1, 1};
    test_case("parse_hex: both cases, exact length");
    CHECK(parse_hex(SLICE("00aBfF"), bytes, 3));
    CHECK(bytes[0] == 0 && bytes[1] == 0xab && bytes[2] == 0xff);
    CHECK(!parse_hex(SLICE("00aB"), bytes, 3));
    CHECK(!parse_hex(SLICE("00aBfFf"), bytes, 3));
    CHECK(!parse_hex(SLICE("00aBfg"), bytes, 3));
    CHECK(!parse_hex(SLICE("0x00aB"), bytes, 3));
    CHECK(bytes[1] == 0xab);
    CHECK(parse_hex(SLICE(""), bytes, 0));
}

static void test_comparing(void)
{
    test_case("comparing with and without case");
    CHECK(slice_equal(SLICE("a"), SLICE("a")));
    CHECK(!slice_equal(SLICE("a"), SLICE("A")));
    CHECK(!slice_equal(SLICE("a"), SLICE("ab")));
    CHECK(slice_equal((struct slice){NULL, 0}, SLICE("")));
    CHECK(slice_equal_text(SLICE("host"), "host"));
    CHECK(slice_equal_nocase(SLICE("Erp.Example"), SLICE("eRP.eXAMPLE")));
    CHECK(!slice_equal_nocase(SLICE("["), SLICE("{")));
    test_case("ends with, without case");
    CHECK(slice_ends_with_nocase(SLICE("a.EXAMPLE"), SLICE(".example")));
    CHECK(!slice_ends_with_nocase(SLICE("example"), SLICE(".example")));
    CHECK(slice_ends_with_nocase(SLICE(""), SLICE("")));
}

static void test_cutting(void)
{
    struct slice rest = SLICE("a,,b,"), part;
    test_case("slice_next gives empty parts, also the last one");
    CHECK(slice_next(&rest, ',', &part) && slice_equal_text(part, "a"));
    CHECK(slice_next(&rest, ',', &part) && slice_equal_text(part, ""));
    CHECK(slice_next(&rest, ',', &part) && slice_equal_text(part, "b"));
    CHECK(slice_next(&rest, ',', &part) && slice_equal_text(part, ""));
    CHECK(!slice_next(&rest, ',', &part));
    CHECK(rest.data == NULL);
    rest = SLICE("");
    CHECK(slice_next(&rest, ',', &part) && part.length == 0);
    CHECK(!slice_next(&rest, ',', &part));

    test_case("slice_trim");
    CHECK(slice_equal_text(slice_trim(SLICE(" \t a b\r\n")), "a b"));
    CHECK(slice_trim(SLICE("  ")).length == 0);

    char buffer[4];
    test_case("slice_copy fits or gives nothing");
    CHECK(slice_copy(SLICE("abc"), buffer, sizeof(buffer)));
    CHECK_TEXT(buffer, "abc");
    CHECK(!slice_copy(SLICE("abcd"), buffer, sizeof(buffer)));
    CHECK_TEXT(buffer, "");
}

static void test_utf8(void)
{
    static const struct {
        const char *text;
        bool is_clean;
    } CASES[] = {
        {"", true},
        {"plain\ttext\n", true},
        {"\xe4\xba\x91\xe8\xaf\x81", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xc0\xaf", false},         /* overlong '/' */
        {"\xe0\x80\xaf", false},     /* the same in three bytes */
        {"\xf0\x80\x80\xaf", false}, /* and in four */
        {"\x80", false},             /* continuation alone */
        {"\xe4\xba", false},         /* cut short */
        {"\xe4\xba\x41", false},
        {"\xff", false},
        {"a\x1b[2J", false}, /* terminal escape */
        {"a\r", false},
        {"\x7f", false},
        {"\xc2\x85", false}, /* C1 next line */
        {"\xc2\xa0", true},
    };
    test_case("slice_is_clean_utf8");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        if (!CHECK(slice_is_clean_utf8(slice_of_text(CASES[i].text)) ==
                   CASES[i].is_clean))
            printf("# case %zu\n", i);
    }
    CHECK(!slice_is_clean_utf8(slice_of_bytes("a\0b", 3)));
}

static void test_split_port(void)
{
    static const struct {
        const char *text, *host, *port;
    } rows[] = {{"collector.example:4740", "collector.example", "4740"},
                {"[2001:db8::1]:4740", "2001:db8::1", "4740"},
                {"2001:db8::1", "2001:db8:", "1"}, /* not looked at further */
                {":", "", ""},
                {"[]:1", "[]", "1"}};
    struct slice host, port;
    test_case("host and port");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(slice_split_port(slice_of_text(rows[i].text), &host, &port));
        CHECK(slice_equal_text(host, rows[i].host));
        CHECK(slice_equal_text(port, rows[i].port));
    }
    CHECK(!slice_split_port(SLICE("collector.example"), &host, &port));
    CHECK(!slice_split_port(SLICE(""), &host, &port));
}

static void test_ids(void)
{
    static const char *const GOOD[] = {"a", "ENT-1", "p_2.x", "-", "0"};
    static const char *const BAD[] = {"", "a b", "a/b", "a\n", "\xc3\xa9", "@"};
    test_case("ids: letters, digits, dot, underscore, hyphen, and not empty");
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        CHECK(slice_is_id(slice_of_text(GOOD[i])));
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        CHECK(!slice_is_id(slice_of_text(BAD[i])));
    CHECK(!slice_is_id(slice_of_bytes("a\0b", 3)));
}

int main(void)
{
    test_ids();
    test_numbers();
    test_signed_numbers();
    test_hex();
    test_comparing();
    test_cutting();
    test_split_port();
    test_utf8();
    return test_end();
}
