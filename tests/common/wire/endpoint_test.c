/* ENDPOINTS.csv: what is read, what is refused with file and line, and which
 * endpoint an address, port, time and name belong to. */
#include <string.h>

#include "common/prefix_map.h"
#include "common/wire/endpoint.h"
#include "tests/test.h"

#define HEADER                                                                 \
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"     \
    "shared\n"

static struct endpoint_list *parse(const char *text)
{
    struct error_text error = {{0}};
    struct endpoint_list *list =
        endpoint_list_parse(slice_of_text(text), "e.csv", &error);
    if (!CHECK(list != NULL))
        printf("# %s\n", error.text);
    return list;
}

static const char *found(const struct endpoint_list *list, const char *address,
                         uint8_t protocol, uint16_t port)
{
    struct address a;
    struct wall_time when;
    CHECK(address_from_text(slice_of_text(address), &a));
    CHECK(wall_from_text(SLICE("2026-11-23"), &when));
    int index = endpoint_find(list, &a, protocol, port, when);
    return index < 0 ? "none" : endpoint_id(list, index);
}

static void test_match(void)
{
    static const struct {
        const char *address;
        uint8_t protocol;
        uint16_t port;
        const char *id;
    } cases[] = {
        {"203.0.113.7", 6, 443, "net"},     {"203.0.113.7", 6, 80, "none"},
        {"203.0.113.7", 17, 443, "none"},   {"203.0.113.200", 6, 443, "half"},
        {"203.0.113.200", 6, 8005, "half"}, {"203.0.113.200", 17, 53, "all"},
        {"203.0.112.255", 6, 443, "none"},  {"203.0.114.0", 6, 443, "none"},
        {"198.51.100.9", 1, 0, "host"},     {"198.51.100.8", 1, 0, "none"},
        {"2001:db8::1", 6, 443, "six"},     {"2001:db8:0:1::1", 6, 443, "none"},
        {"0.0.0.0", 6, 443, "none"},        {"255.255.255.255", 17, 9, "last"},
    };
    test_case("VER-05: the longest prefix that fits, then wider ones");
    struct endpoint_list *list =
        parse(HEADER "net,S,V,203.0.113.0/24,,tcp,443,,,\n"
                     "half,S,V,203.0.113.128/25,,tcp,\"443,8000-8010\",,,\n"
                     "all,S,V,203.0.113.128/25,,udp,,,,no\n"
                     "host,S,V,198.51.100.9,,,,,,0\r\n"
                     "six,S,V,2001:db8::/64,,tcp,443,,,false\n"
                     "last,S,V,255.255.255.255,,,,,,\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(
            found(list, cases[i].address, cases[i].protocol, cases[i].port),
            cases[i].id);
    CHECK_I64(endpoint_rule_count(list), 7);
    endpoint_list_free(list);

    test_case("the more definite entry first, then the lower index");
    list = parse(HEADER "wide,S,V,192.0.2.1,,,,,,\n"
                        "half,S,V,192.0.2.1,,tcp,,,,\n"
                        "full,S,V,192.0.2.1,,tcp,443,,,\n"
                        "late,S,V,192.0.2.1,,tcp,443,,,\n");
    CHECK_TEXT(found(list, "192.0.2.1", 6, 443), "full");
    CHECK_TEXT(found(list, "192.0.2.1", 6, 80), "half");
    CHECK_TEXT(found(list, "192.0.2.1", 17, 443), "wide");
    endpoint_list_free(list);
}

static void test_validity(void)
{
    static const struct {
        const char *time;
        bool is_valid;
    } cases[] = {{"2026-10-31T15:59:59.999Z", false},
                 {"2026-10-31T16:00:00.000Z", true}, /* midnight in Shanghai */
                 {"2026-11-30T15:59:59.999Z", true},
                 {"2026-11-30T16:00:00.000Z", false}};
    struct address a;
    test_case("valid_from is in, valid_to is out, dates are Shanghai's");
    struct endpoint_list *list =
        parse(HEADER "e,S,V,192.0.2.1,,,,2026-11-01,2026-12-01,\n");
    CHECK(address_from_text(SLICE("192.0.2.1"), &a));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_time when;
        CHECK(wall_from_text(slice_of_text(cases[i].time), &when));
        CHECK((endpoint_find(list, &a, 6, 1, when) >= 0) == cases[i].is_valid);
    }
    endpoint_list_free(list);
}

static void test_hosts(void)
{
    static const struct {
        const char *name;
        bool matches;
    } cases[] = {{"erp.example.com", true},       {"ERP.Example.COM.", true},
                 {"example.com", false},          {"a.wild.example", true},
                 {"a.b.wild.example", true},      {"wild.example", false},
                 {"xwild.example", false},        {".wild.example", false},
                 {"erp.example.com.evil", false}, {"", false},
                 {"erp.example.com\n", false}};
    struct address a;
    test_case("hosts: exact, below a wildcard, case and final dot ignored");
    struct endpoint_list *list =
        parse(HEADER "one,S,V,192.0.2.1,erp.example.com,tcp,443,,,yes\n"
                     "one,S,V,,*.wild.example,,,,,1\n"
                     "two,S,V,192.0.2.1,mes.example.com,tcp,443,,,true\n"
                     "three,S,V,192.0.2.9,,tcp,443,,,\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(endpoint_host_matches(list, 0, slice_of_text(cases[i].name)) ==
              cases[i].matches);
    CHECK(!endpoint_host_matches(list, 1, SLICE("erp.example.com")));
    CHECK(endpoint_has_hosts(list, 0) && !endpoint_has_hosts(list, 2));
    CHECK(endpoint_is_shared(list, 0) && !endpoint_is_shared(list, 2));
    CHECK(address_from_text(SLICE("192.0.2.1"), &a));
    CHECK_I64(endpoint_find_by_name(list, &a, 6, 443, wall_from_s(1),
                                    SLICE("mes.example.com")),
              1);
    CHECK_I64(endpoint_find_by_name(list, &a, 6, 443, wall_from_s(1),
                                    SLICE("x.example.com")),
              ENDPOINT_NONE);
    endpoint_list_free(list);
}

static void test_refused(void)
{
    static const struct {
        const char *rows, *error;
    } cases[] = {
        {"e,S,V,192.0.2.1/24,,,,,,\n", "e.csv:2: address"},
        {"e,S,V,192.0.2.300,,,,,,\n", "e.csv:2: address"},
        {"e,S,V,,,,,,,\n", "e.csv:2: a row needs"},
        {"e,S,V,192.0.2.1,,sctp,,,,\n", "e.csv:2: protocol"},
        {"e,S,V,192.0.2.1,,t,,,,\n", "e.csv:2: protocol"},
        {"e,S,V,192.0.2.1,,,0,,,\n", "e.csv:2: ports"},
        {"e,S,V,192.0.2.1,,,65536,,,\n", "e.csv:2: ports"},
        {"e,S,V,192.0.2.1,,,90-80,,,\n", "e.csv:2: ports"},
        {"e,S,V,192.0.2.1,,,80-,,,\n", "e.csv:2: ports"},
        {"e,S,V,192.0.2.1,,,1-2-3,,,\n", "e.csv:2: ports"},
        {"e,S,V,192.0.2.1,,,\"80,\",,,\n", "e.csv:2: ports"},
        {"e,S,V,192.0.2.1,,,,monday,,\n", "e.csv:2: valid_from"},
        {"e,S,V,192.0.2.1,,,,,2026-13-01,\n", "e.csv:2: valid_to"},
        {"e,S,V,192.0.2.1,,,,2026-01-02,2026-01-02,\n", "e.csv:2: valid_to"},
        {"e,S,V,192.0.2.1,,,,,,maybe\n", "e.csv:2: shared"},
        {"e,S,V,192.0.2.1,a b,,,,,\n", "e.csv:2: host"},
        {"e,S,V,192.0.2.1,*.,,,,,\n", "e.csv:2: host"},
        {"e e,S,V,192.0.2.1,,,,,,\n", "e.csv:2: id"},
        {",S,V,192.0.2.1,,,,,,\n", "e.csv:2: id"},
        {"e,S,V,192.0.2.1,,,,,\n", "e.csv:2: not ten fields"},
        {"\ne,S,V,192.0.2.1,,,,,,yes\ne,S,V,192.0.2.2,,,,,,no\n",
         "e.csv:4: shared: differs"},
    };
    char text[1024];
    test_case("rows that are refused name file, line and column");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_text error = {{0}};
        snprintf(text, sizeof(text), "%s%s", HEADER, cases[i].rows);
        struct endpoint_list *list =
            endpoint_list_parse(slice_of_text(text), "e.csv", &error);
        CHECK(list == NULL);
        if (!CHECK(strncmp(error.text, cases[i].error,
                           strlen(cases[i].error)) == 0))
            printf("# %s: %s\n", cases[i].rows, error.text);
        endpoint_list_free(list);
    }
    struct error_text error = {{0}};
    CHECK(endpoint_list_parse(SLICE("id,address\n"), "e.csv", &error) == NULL);
    CHECK(strncmp(error.text, "e.csv:1: the header", 19) == 0);
    CHECK(endpoint_list_load("/nonexistent/e.csv", &error) == NULL);
    CHECK(strstr(error.text, "/nonexistent/e.csv: ") != NULL);
}

static void test_any(void)
{
    struct address a = {.version = 4};
    test_case("the any-list says yes to everything, an empty list no");
    struct endpoint_list *any = endpoint_list_any();
    CHECK(endpoint_list_is_any(any));
    CHECK_I64(endpoint_find(any, &a, 6, 443, wall_from_s(0)), 0);
    CHECK_TEXT(endpoint_id(any, 0), "any");
    CHECK(!endpoint_host_matches(any, 0, SLICE("a.example")));
    CHECK_I64(endpoint_rule_count(any), 0);
    endpoint_list_free(any);
    struct endpoint_list *none = parse(HEADER);
    CHECK_I64(endpoint_find(none, &a, 6, 443, wall_from_s(0)), ENDPOINT_NONE);
    CHECK(!endpoint_list_is_any(none));
    endpoint_list_free(none);
}

static void test_prefix_map(void)
{
    static const char *const texts[] = {
        "0.0.0.0/0",       "10.0.0.0/8",         "10.1.0.0/16", "10.1.2.3/32",
        "255.0.0.0/8",     "255.255.255.255/32", "::/0",        "2001:db8::/32",
        "2001:db8::1/128", "ffff::/16",          "8000::/1",    "10.1.2.0/24",
    };
    enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
    struct prefix prefixes[COUNT];
    test_case("prefix map: agrees with looking at every prefix");
    for (int i = 0; i < COUNT; i++)
        CHECK(prefix_from_text(slice_of_text(texts[i]), &prefixes[i]));
    struct prefix_map *map = prefix_map_new(prefixes, COUNT);
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        struct address a = prefixes[state >> 33 & 7].address;
        int bytes = a.version == 4 ? 4 : 16;
        a.bytes[(state >> 40) % (unsigned)bytes] ^= (uint8_t)(state >> 48);
        int best = -1;
        for (int k = 0; k < COUNT; k++)
            if (prefix_contains(&prefixes[k], &a) &&
                (best < 0 || prefixes[k].length > prefixes[best].length))
                best = k;
        int32_t node = prefix_map_find(map, &a);
        if (best < 0)
            CHECK_I64(node, PREFIX_NONE);
        else
            CHECK_I64(node, prefix_map_index(map, &prefixes[best]));
    }
    prefix_map_free(map);
}

static bool is_near(const struct endpoint_list *list, const char *source,
                    const char *destination)
{
    struct address a, b;
    CHECK(address_from_text(slice_of_text(source), &a) &&
          address_from_text(slice_of_text(destination), &b));
    return endpoint_is_near(endpoint_list_near(list), a.bytes) ||
           endpoint_is_near(endpoint_list_near(list), b.bytes);
}

static void test_quick(void)
{
    test_case("what shares no 16 bits with a prefix is told apart at once");
    struct endpoint_list *list =
        parse(HEADER "a,S,V,203.0.113.0/24,,tcp,443,,,\n"
                     "b,S,V,198.16.0.0/14,,tcp,443,,,\n"
                     "c,S,V,10.0.0.255,,,,,,\n"
                     "six,S,V,2001:db8::/64,,tcp,443,,,false\n");
    CHECK(is_near(list, "192.0.2.1", "203.0.113.7"));
    CHECK(is_near(list, "203.0.113.7", "192.0.2.1"));
    CHECK(is_near(list, "192.0.2.1", "203.0.0.1"));
    CHECK(!is_near(list, "192.0.2.1", "203.1.113.7"));
    CHECK(is_near(list, "198.16.0.0", "192.0.2.1"));
    CHECK(is_near(list, "198.19.255.255", "192.0.2.1"));
    CHECK(!is_near(list, "198.20.0.0", "198.15.255.255"));
    CHECK(is_near(list, "10.0.0.1", "0.0.0.0"));
    CHECK(!is_near(list, "255.255.255.255", "0.0.0.0"));
    test_case("an endpoint by its id");
    CHECK_I64(endpoint_find_id(list, "c"), 2);
    CHECK_I64(endpoint_find_id(list, "six"), 3);
    CHECK_I64(endpoint_find_id(list, "other"), ENDPOINT_NONE);
    endpoint_list_free(list);
    list = endpoint_list_any();
    CHECK_I64(endpoint_find_id(list, "any"), 0);
    CHECK_I64(endpoint_find_id(list, "a"), ENDPOINT_NONE);
    endpoint_list_free(list);
    list = parse(HEADER);
    CHECK_I64(endpoint_find_id(list, "a"), ENDPOINT_NONE);
    CHECK(!is_near(list, "10.0.0.1", "0.0.0.0"));
    endpoint_list_free(list);
}

int main(void)
{
    test_quick();
    test_match();
    test_validity();
    test_hosts();
    test_refused();
    test_any();
    test_prefix_map();
    return test_end();
}
