/* Who had which address when: searching, ports, overlaps. */
#include "collector/carrier/number_map.h"

#include "tests/test.h"

enum { ANY = NUMBER_PORT_MAX };

static struct number_interval interval(const char *prefix, int port_from,
                                       int port_to, int64_t from, int64_t to,
                                       uint32_t number, uint32_t line)
{
    struct number_interval n = {.from_ms = from,
                                .to_ms = to,
                                .number = number,
                                .line = line,
                                .port_from = (uint16_t)port_from,
                                .port_to = (uint16_t)port_to};
    struct prefix p;
    if (!prefix_from_text(slice_of_text(prefix), &p))
        printf("# %s is no prefix\n", prefix);
    number_interval_address(&n, &p);
    return n;
}

static void count(void *context, const struct number_interval *a,
                  const struct number_interval *b)
{
    (void)a, (void)b;
    ++*(int *)context;
}

static int find(struct number_map *m, const char *text, int port, int64_t when)
{
    struct address a;
    const struct number_interval *n;
    address_from_text(slice_of_text(text), &a);
    switch (number_map_find(m, &a, port, when, &n)) {
    case NUMBER_FOUND:
        return (int)n->number;
    case NUMBER_NOBODY:
        return 0;
    default:
        return -1;
    }
}

static void test_search(void)
{
    const struct number_interval ROWS[] = {
        interval("203.0.113.5", 0, ANY, 100, 200, 1, 2),
        interval("203.0.113.5", 0, ANY, 200, 300, 2, 3),
        interval("203.0.113.5", 0, ANY, 400, NUMBER_STILL, 1, 4),
        interval("203.0.113.9", 1024, 2047, 100, 300, 3, 5),
        interval("203.0.113.9", 2048, 3071, 100, 200, 4, 6),
        interval("203.0.113.9", 2048, 4095, 200, 300, 5, 7),
        interval("198.51.100.8/29", 0, ANY, 0, 1000, 6, 8),
        interval("2001:db8:1:100::/56", 0, ANY, 0, 1000, 7, 9),
    };
    static const struct {
        const char *address;
        int port;
        int64_t when;
        int number; /* 0: nobody, -1: port needed */
    } CASES[] = {
        {"203.0.113.5", 5, 99, 0},
        {"203.0.113.5", 5, 100, 1},
        {"203.0.113.5", 5, 199, 1},
        {"203.0.113.5", 5, 200, 2},
        {"203.0.113.5", NUMBER_PORT_UNKNOWN, 200, 2},
        {"203.0.113.5", 5, 300, 0},
        {"203.0.113.5", 5, 400, 1},
        {"203.0.113.5", 5, INT64_MAX - 1, 1},
        {"203.0.113.6", 5, 150, 0},
        {"203.0.113.9", 1023, 150, 0},
        {"203.0.113.9", 1024, 150, 3},
        {"203.0.113.9", 2048, 150, 4},
        {"203.0.113.9", 3071, 200, 5},
        {"203.0.113.9", 3071, 199, 4},
        {"203.0.113.9", 3072, 199, 0},
        {"203.0.113.9", NUMBER_PORT_UNKNOWN, 199, -1},
        {"203.0.113.9", NUMBER_PORT_UNKNOWN, 300, 0},
        {"198.51.100.8", 1, 5, 6},
        {"198.51.100.15", 1, 5, 6},
        {"198.51.100.16", 1, 5, 0},
        {"2001:db8:1:1ff::1", 1, 5, 7},
        {"2001:db8:1:200::1", 1, 5, 0},
    };
    struct number_map *m = number_map_new();
    int conflicts = 0;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        CHECK(number_map_add(m, &ROWS[i]));
    test_case("the number at an address, port and time");
    CHECK(number_map_seal(m, count, &conflicts));
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        if (!CHECK_I64(find(m, CASES[i].address, CASES[i].port, CASES[i].when),
                       CASES[i].number))
            printf("# %s port %d at %d\n", CASES[i].address, CASES[i].port,
                   (int)CASES[i].when);
    number_map_free(m);
}

static void test_pairs(void)
{
    static const struct {
        const char *name, *a_prefix, *b_prefix;
        int a_port, a_port_to, b_port, b_port_to;
        int64_t a_from, a_to, b_from, b_to;
        int a_number, b_number, a_line;
        bool is_good;
        int count; /* of intervals that stay */
    } CASES[] = {
        {"one after the other", "203.0.113.5", "203.0.113.5", 0, ANY, 0, ANY, 0,
         10, 10, 20, 1, 2, 1, true, 2},
        {"overlap of two numbers", "203.0.113.5", "203.0.113.5", 0, ANY, 0, ANY,
         0, 11, 10, 20, 1, 2, 1, false, 2},
        {"overlap of one number", "203.0.113.5", "203.0.113.5", 0, ANY, 0, ANY,
         0, 11, 10, 20, 1, 1, 1, false, 2},
        {"one within the other", "203.0.113.5", "203.0.113.5", 0, ANY, 0, ANY,
         0, 30, 10, 20, 1, 2, 1, false, 2},
        {"ports that do not meet", "203.0.113.5", "203.0.113.5", 0, 999, 1000,
         1999, 0, 20, 10, 20, 1, 2, 1, true, 2},
        {"ports that meet", "203.0.113.5", "203.0.113.5", 0, 1000, 1000, 1999,
         0, 20, 10, 20, 1, 2, 1, false, 2},
        {"ports of an address that somebody has whole", "203.0.113.5",
         "203.0.113.5", 0, ANY, 1000, 1999, 0, 20, 10, 20, 1, 2, 1, false, 2},
        {"address within another's prefix", "203.0.113.0/28", "203.0.113.5", 0,
         ANY, 0, ANY, 0, 20, 10, 30, 1, 2, 1, false, 2},
        {"the same at other times", "203.0.113.0/28", "203.0.113.5", 0, ANY, 0,
         ANY, 0, 10, 10, 30, 1, 2, 1, true, 2},
        {"the same row again", "203.0.113.5", "203.0.113.5", 0, ANY, 0, ANY, 0,
         10, 0, 10, 1, 1, 1, true, 1},
        {"a known open one is closed", "203.0.113.5", "203.0.113.5", 0, ANY, 0,
         ANY, 0, NUMBER_STILL, 0, 10, 1, 1, 0, true, 1},
        {"a known closed one is not changed", "203.0.113.5", "203.0.113.5", 0,
         ANY, 0, ANY, 0, 12, 0, 10, 1, 1, 0, false, 2},
        {"a known open one, and another number", "203.0.113.5", "203.0.113.5",
         0, ANY, 0, ANY, 0, NUMBER_STILL, 10, 20, 1, 2, 0, false, 2},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const struct number_interval a =
            interval(CASES[i].a_prefix, CASES[i].a_port, CASES[i].a_port_to,
                     CASES[i].a_from, CASES[i].a_to,
                     (uint32_t)CASES[i].a_number, (uint32_t)CASES[i].a_line);
        const struct number_interval b = interval(
            CASES[i].b_prefix, CASES[i].b_port, CASES[i].b_port_to,
            CASES[i].b_from, CASES[i].b_to, (uint32_t)CASES[i].b_number, 2);
        test_case(CASES[i].name);
        for (int turned = 0; turned < 2; turned++) {
            struct number_map *m = number_map_new();
            int conflicts = 0;
            number_map_add(m, turned ? &b : &a);
            number_map_add(m, turned ? &a : &b);
            CHECK(number_map_seal(m, count, &conflicts) == CASES[i].is_good);
            CHECK_I64(conflicts, CASES[i].is_good ? 0 : 1);
            CHECK_I64((int64_t)number_map_count(m), CASES[i].count);
            number_map_free(m);
        }
    }
}

static void test_known(void)
{
    const struct number_interval known[] = {
        interval("203.0.113.9", 2048, 3071, 100, NUMBER_STILL, 2, 0),
        interval("203.0.113.5", 0, ANY, 100, 200, 1, 0),
        interval("198.51.100.8/29", 0, ANY, 0, 1000, 3, 0),
    };
    struct number_interval ended = known[0], later = known[1];
    struct number_map *m = number_map_new();
    test_case("a row that is known is known again, whatever its line");
    CHECK(!number_map_has(m, &later));
    for (size_t i = 0; i < 3; i++)
        CHECK(number_map_add(m, &known[i]));
    number_map_sort(m);
    for (size_t i = 0; i < 3; i++) {
        struct number_interval again = known[i];
        again.line = 7;
        CHECK(number_map_has(m, &again));
    }

    test_case("not one that ends an open one, begins later, or is another's");
    ended.to_ms = 300;
    CHECK(!number_map_has(m, &ended));
    later.from_ms = 150;
    CHECK(!number_map_has(m, &later));
    later = known[1];
    later.number = 2;
    CHECK(!number_map_has(m, &later));

    test_case("nor one that was added since");
    later.from_ms = 200;
    later.to_ms = 300;
    CHECK(number_map_add(m, &later));
    CHECK(!number_map_has(m, &later));
    CHECK(number_map_has(m, &known[1]));
    number_map_free(m);
}

int main(void)
{
    test_search();
    test_known();
    test_pairs();
    return test_end();
}
