/* Two sides' flows, matched one to one whatever their order. */
#include "ledger/match.h"

#include "tests/test.h"

enum { MANY = 200, SIDE_MAX = 256 };

struct side {
    struct match_flow flows[SIDE_MAX];
    size_t count;
};

/* `token` 0: none. */
static struct match_flow *add(struct side *s, int64_t start, int64_t length,
                              uint64_t octets, int token)
{
    struct match_flow *f = &s->flows[s->count++];
    *f = (struct match_flow){.start_ms = start,
                             .end_ms = start + length,
                             .octets = octets,
                             .roctets = 4 * octets,
                             .port = 443,
                             .protocol = 17};
    memcpy(f->token, &token, sizeof(token));
    return f;
}

static int outcomes(const struct side *s, enum match_outcome outcome)
{
    int count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += s->flows[i].outcome == outcome;
    return count;
}

static void turn(struct side *s)
{
    for (size_t i = 0; i < s->count / 2; i++) {
        struct match_flow f = s->flows[i];
        s->flows[i] = s->flows[s->count - 1 - i];
        s->flows[s->count - 1 - i] = f;
    }
}

/* Matched, joined first, in both orders of both sides. */
static void expect(const struct side *one, const struct side *other,
                   int by_token, int by_shape, int ambiguous)
{
    for (int order = 0; order < 4; order++) {
        struct side a = *one, b = *other;
        if (order & 1)
            turn(&a);
        if (order & 2)
            turn(&b);
        a.count = match_join(a.flows, a.count);
        b.count = match_join(b.flows, b.count);
        CHECK(match_flows(a.flows, a.count, b.flows, b.count));
        CHECK_I64(outcomes(&a, MATCH_TOKEN), by_token);
        CHECK_I64(outcomes(&b, MATCH_TOKEN), by_token);
        CHECK_I64(outcomes(&a, MATCH_SHAPE), by_shape);
        CHECK_I64(outcomes(&b, MATCH_SHAPE), by_shape);
        CHECK_I64(outcomes(&a, MATCH_AMBIGUOUS), ambiguous);
    }
}

static void test_tokens(void)
{
    struct side a = {0}, b = {0};
    test_case("the same token is the same connection, whatever clock and size");
    add(&a, 1000, 500, 1000, 1);
    add(&b, 5000000, 9, 1010, 1);
    add(&b, 1000, 500, 1000, 2);
    expect(&a, &b, 1, 0, 0);

    test_case("pieces of a long connection are joined on each side");
    a = b = (struct side){0};
    add(&a, 0, 300000, 1000, 1);
    add(&a, 300000, 300000, 1000, 1);
    add(&b, 100, 60000, 700, 1);
    add(&b, 60100, 540000, 1300, 1);
    expect(&a, &b, 1, 0, 0);

    test_case("a token that two enterprises bring matches the nearer one only");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1)->probe = 1;
    add(&a, 9000, 500, 1000, 1)->probe = 2;
    add(&b, 1010, 500, 1000, 1);
    expect(&a, &b, 1, 0, 0);

    test_case("... and neither when both are as near");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1)->probe = 1;
    add(&a, 1000, 500, 1000, 1)->probe = 2;
    add(&b, 1010, 500, 1000, 1);
    expect(&a, &b, 0, 0, 2);

    test_case("a token at another endpoint is another connection");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1);
    add(&b, 1000, 500, 1000, 1)->group = 1;
    expect(&a, &b, 0, 0, 0);

    test_case("the smaller side's octets count");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000000, 1);
    add(&b, 1000, 500, 10, 1);
    CHECK(match_flows(a.flows, 1, b.flows, 1));
    CHECK_I64((int64_t)a.flows[0].matched_octets, 50);
}

static void test_shapes(void)
{
    static const struct {
        const char *name;
        int64_t start, length;
        uint64_t octets;
        int matched;
    } CASES[] = {
        {"the same shape", 0, 500, 1000, 1},
        {"2 s later", 2000, 500, 1000, 1},
        {"more than 2 s later", 2001, 500, 1000, 0},
        {"2 s longer", 0, 2500, 1000, 1},
        {"more than 2 s longer", 0, 2501, 1000, 0},
        {"2 % more", 0, 500, 1020, 1},
        {"more than 2 % more", 0, 500, 1021, 0},
        {"2 % less", 0, 500, 980, 1},
        {"more than 2 % less", 0, 500, 979, 0},
    };
    struct side a, b;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        test_case(CASES[i].name);
        a = b = (struct side){0};
        add(&a, 100000, 500, 1000, 0);
        add(&b, 100000 + CASES[i].start, CASES[i].length, CASES[i].octets, 0);
        expect(&a, &b, 0, CASES[i].matched, 0);
    }

    test_case("another port, another protocol");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 0);
    add(&b, 1000, 500, 1000, 0)->port = 80;
    add(&b, 1000, 500, 1000, 0)->protocol = 6;
    expect(&a, &b, 0, 0, 0);

    test_case("two tokens that differ are never one shape");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1);
    add(&b, 1000, 500, 1000, 2);
    expect(&a, &b, 0, 0, 0);

    test_case("a token on one side only: by shape");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1);
    add(&b, 1000, 500, 1000, 0);
    expect(&a, &b, 0, 1, 0);
}

static void test_one_to_one(void)
{
    struct side a = {0}, b = {0};
    test_case("polls a second apart: each with its own");
    for (int i = 0; i < MANY; i++) {
        add(&a, i * 1000, 100, 1000, 0);
        add(&b, i * 1000 + 40, 100, 1000, 0);
    }
    expect(&a, &b, 0, MANY, 0);

    test_case("each flow is used once: the nearest");
    a = b = (struct side){0};
    add(&a, 1000, 100, 1000, 0);
    add(&a, 1500, 100, 1000, 0);
    add(&b, 1010, 100, 1000, 0);
    expect(&a, &b, 0, 1, 0);

    test_case("two that fit equally well: neither");
    a = b = (struct side){0};
    add(&a, 1000, 100, 1000, 0);
    add(&b, 900, 100, 1000, 0);
    add(&b, 1100, 100, 1000, 0);
    expect(&a, &b, 0, 0, 1);

    test_case("more that fit than can be told apart: none");
    a = b = (struct side){0};
    add(&a, 1000, 100, 1000, 0);
    for (int i = 0; i <= MATCH_FITTING_MAX; i++)
        add(&b, 1000 + i, 100, 1000, 0);
    expect(&a, &b, 0, 0, 1);
}

static void test_clocks(void)
{
    struct side a = {0}, b = {0};
    test_case("a clock that is a minute ahead is seen by the tokens");
    for (int i = 0; i < 5; i++) {
        add(&a, i * 10000, 100, 1000, i + 1);
        add(&b, i * 10000 + 60000 + i, 100, 1000, i + 1);
    }
    for (int i = 0; i < 50; i++) {
        add(&a, i * 10000 + 5000, 100, 2000, 0);
        add(&b, i * 10000 + 65003, 100, 2000, 0);
    }
    expect(&a, &b, 5, 50, 0);

    test_case("... and each two probes have a gap of their own");
    for (size_t i = 0; i < 5; i++) {
        struct match_flow *f =
            add(&a, a.flows[i].start_ms, 100, 1000, 90 + (int)i);
        f->probe = 7;
        add(&b, f->start_ms - 30000, 100, 1000, 90 + (int)i);
    }
    add(&a, 300, 100, 7000, 0)->probe = 7;
    add(&b, 300 - 30000, 100, 7000, 0);
    add(&a, 800300, 100, 7000, 0)->probe = 7;
    add(&b, 800300 + 60000, 100, 7000, 0);
    expect(&a, &b, 10, 51, 0);

    test_case("without tokens clocks are taken as they are");
    a = b = (struct side){0};
    add(&a, 1000, 100, 1000, 0);
    add(&b, 61000, 100, 1000, 0);
    expect(&a, &b, 0, 0, 0);
}

int main(void)
{
    test_tokens();
    test_shapes();
    test_one_to_one();
    test_clocks();
    return test_end();
}
