/* Addresses and prefixes. */
#include "common/address.h"

#include "tests/test.h"

static void test_texts(void)
{
    static const struct {
        const char *text, *printed; /* NULL: refused */
    } CASES[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::", "::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.02.1", NULL},
        {"192.0.2.1 ", NULL},
        {"0x7f.1", NULL},
        {"1:2:3", NULL},
        {":::", NULL},
        {"fe80::1%eth0", NULL},
        {"", NULL},
    };
    test_case("address_from_text and back");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct address address;
        char text[ADDRESS_TEXT_LEN];
        bool is_good =
            address_from_text(slice_of_text(CASES[i].text), &address);
        if (!CHECK(is_good == (CASES[i].printed != NULL)))
            printf("# '%s'\n", CASES[i].text);
        if (is_good) {
            address_to_text(&address, text);
            CHECK_TEXT(text, CASES[i].printed);
        }
    }
    struct address address, other;
    test_case("a NUL byte ends no address");
    CHECK(!address_from_text(slice_of_bytes("1.2.3.4\0", 8), &address));
    test_case("address_equal looks at version and used bytes");
    CHECK(address_from_text(SLICE("1.2.3.4"), &address));
    other = address;
    other.bytes[10] = 7;
    CHECK(address_equal(&address, &other));
    other.version = 6;
    CHECK(!address_equal(&address, &other));
}

static bool contains(const char *prefix_text, const char *address_text)
{
    struct prefix prefix;
    struct address address;
    CHECK(prefix_from_text(slice_of_text(prefix_text), &prefix));
    CHECK(address_from_text(slice_of_text(address_text), &address));
    return prefix_contains(&prefix, &address);
}

static void test_prefixes(void)
{
    static const char *const BAD[] = {
        "10.0.0.1/8",     "10.0.0.0/33", "10.0.0.0/",
        "10.0.0.0/8/8",   "10.0.0.0/+8", "/8",
        "2001:db8::1/64", "::/129",      ""};
    struct prefix prefix;
    test_case("prefixes that are refused");
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        if (!CHECK(!prefix_from_text(slice_of_text(BAD[i]), &prefix)))
            printf("# '%s'\n", BAD[i]);
    }
    test_case("a bare address is a prefix of full length");
    CHECK(prefix_from_text(SLICE("192.0.2.1"), &prefix));
    CHECK_I64(prefix.length, 32);
    CHECK(prefix_from_text(SLICE("2001:db8::1"), &prefix));
    CHECK_I64(prefix.length, 128);
    test_case("what a prefix contains");
    CHECK(contains("10.0.0.0/8", "10.255.255.255"));
    CHECK(!contains("10.0.0.0/8", "11.0.0.0"));
    CHECK(contains("192.0.2.128/25", "192.0.2.128"));
    CHECK(!contains("192.0.2.128/25", "192.0.2.127"));
    CHECK(contains("0.0.0.0/0", "255.255.255.255"));
    CHECK(!contains("0.0.0.0/0", "::1"));
    CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK(!contains("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(contains("2001:db8::1/128", "2001:db8::1"));
}

static const struct {
    const char *text;
    bool is_public;
} PUBLIC_OR_NOT[] = {
    {"8.8.8.8", true},
    {"223.5.5.5", true},
    {"0.0.0.0", false},
    {"10.1.2.3", false},
    {"100.63.255.255", true},
    {"100.64.0.0", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"127.0.0.1", false},
    {"169.254.1.1", false},
    {"172.15.255.255", true},
    {"172.16.0.0", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.0.2.1", false},
    {"192.168.0.1", false},
    {"198.17.255.255", true},
    {"198.18.0.0", false},
    {"198.19.255.255", false},
    {"198.20.0.0", true},
    {"198.51.100.7", false},
    {"203.0.113.7", false},
    {"224.0.0.1", false},
    {"255.255.255.255", false},
    {"2400:3200::1", true},
    {"2001:db8::1", false},
    {"3fff::1", false},
    {"::", false},
    {"::1", false},
    {"::ffff:8.8.8.8", false},
    {"fc00::1", false},
    {"fe80::1", false},
    {"ff02::1", false},
    {"2002:808:808::1", false},
    {"2001:0:1::1", false},
    {"2001:4860::1", true},
};

static void test_public(void)
{
    test_case("VER-03: addresses that are not public");
    for (size_t i = 0; i < sizeof(PUBLIC_OR_NOT) / sizeof(PUBLIC_OR_NOT[0]);
         i++) {
        struct address address;
        CHECK(
            address_from_text(slice_of_text(PUBLIC_OR_NOT[i].text), &address));
        if (!CHECK(address_is_public(&address) == PUBLIC_OR_NOT[i].is_public))
            printf("# '%s'\n", PUBLIC_OR_NOT[i].text);
    }
    struct address none = {0};
    CHECK(!address_is_public(&none));
}

int main(void)
{
    test_texts();
    test_prefixes();
    test_public();
    return test_end();
}
