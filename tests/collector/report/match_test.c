/* Two sides' flows, matched one to one whatever their order. */
#include "collector/report/match.h"

#include <stdlib.h>

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

    test_case("two probes of a supplier see one connection: it counts once");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1);
    add(&b, 1100, 500, 1000, 1)->probe = 1;
    add(&b, 1100, 500, 1000, 1)->probe = 2;
    expect(&a, &b, 1, 0, 0);

    test_case("a connection of another day keeps what is its own");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 1)->is_context = true;
    struct match_flow *copy = add(&a, 9000, 500, 1000, 1);
    copy->owner = copy->probe = 1;
    add(&b, 1100, 500, 1000, 1);
    expect(&a, &b, 1, 0, 0);
    CHECK(match_flows(a.flows, a.count, b.flows, b.count));
    CHECK(a.flows[0].is_context == (a.flows[0].outcome == MATCH_TOKEN));

    test_case("the part of today of a connection that began before");
    a = b = (struct side){0};
    add(&a, 0, 300000, 1000, 1)->is_context = true;
    add(&a, 300000, 300000, 700, 1);
    add(&a, 600000, 300000, 300, 1);
    add(&b, 100, 900000, 2000, 1);
    a.count = match_join(a.flows, a.count);
    CHECK_I64((int64_t)a.count, 2);
    CHECK(match_flows(a.flows, a.count, b.flows, b.count));
    for (size_t i = 0; i < a.count; i++)
        CHECK_I64(a.flows[i].outcome,
                  a.flows[i].is_context ? MATCH_NONE : MATCH_TOKEN);

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

    test_case("crossing connections: octets tell what starts cannot");
    a = b = (struct side){0};
    add(&a, 1000, 500, 10000, 0);
    add(&a, 1400, 500, 10150, 0);
    add(&b, 1400, 500, 10000, 0);
    add(&b, 1000, 500, 10150, 0);
    expect(&a, &b, 0, 2, 0);
    CHECK(match_flows(a.flows, a.count, b.flows, b.count));
    for (size_t i = 0; i < a.count; i++)
        CHECK_I64((int64_t)a.flows[i].matched_octets,
                  (int64_t)(5 * a.flows[i].octets));

    test_case("a shape of another day keeps what is its own");
    a = b = (struct side){0};
    add(&a, 1000, 500, 1000, 0)->is_context = true;
    add(&a, 1900, 500, 1000, 0);
    add(&b, 1100, 500, 1000, 0);
    expect(&a, &b, 0, 1, 0);
    CHECK(match_flows(a.flows, a.count, b.flows, b.count));
    for (size_t i = 0; i < a.count; i++)
        CHECK_I64(a.flows[i].outcome,
                  a.flows[i].is_context ? MATCH_SHAPE : MATCH_NONE);

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

/* --- a made-up day --- */

enum { DAY_FLOWS = 4000, SECONDS = 7200, LOST = 50, TOKEN_OF = 3 };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

/* The enterprise's flow, and its number as owner. */
static struct match_flow made_flow(uint64_t *random, uint32_t number)
{
    uint64_t size = UINT64_C(400) << next_random(random) % 12;
    int64_t start = (int64_t)(next_random(random) % (SECONDS * 1000));
    struct match_flow f = {
        .start_ms = start,
        .end_ms = start + 100 + (int64_t)(next_random(random) % 30000),
        .octets = size + next_random(random) % size,
        .roctets = 3 * size + next_random(random) % (2 * size),
        .owner = number,
        .port = 443,
        .protocol = 17,
    };
    for (int i = 0; number % TOKEN_OF == 0 && i < 4; i++)
        f.token[4 + i] = (uint8_t)(number >> (8 * i));
    f.token[0] = number % TOKEN_OF == 0;
    return f;
}

/* As the supplier's probe has it: another clock, some delay, now and then a
 * packet that only one of the two saw. */
static struct match_flow seen_flow(uint64_t *random, struct match_flow f,
                                   int64_t gap_ms)
{
    f.start_ms += gap_ms + (int64_t)(next_random(random) % 60);
    f.end_ms += gap_ms + (int64_t)(next_random(random) % 60);
    if (next_random(random) % 20 == 0)
        f.octets -= f.octets / 200;
    return f;
}

struct day {
    struct match_flow *one, *other;
    size_t other_count;
    uint64_t *truth; /* octets both saw, by number; 0: only the one */
};

static struct day make_day(uint64_t seed, int64_t gap_ms)
{
    struct day d = {
        .one = calloc(DAY_FLOWS, sizeof(*d.one)),
        .other = calloc(DAY_FLOWS, sizeof(*d.other)),
        .truth = calloc(DAY_FLOWS, sizeof(*d.truth)),
    };
    for (uint32_t i = 0; i < DAY_FLOWS; i++) {
        d.one[i] = made_flow(&seed, i);
        if (next_random(&seed) % LOST == 0)
            continue;
        struct match_flow *f = &d.other[d.other_count++];
        *f = seen_flow(&seed, d.one[i], gap_ms);
        d.truth[i] = f->octets + f->roctets;
    }
    return d;
}

/* A connection is never counted twice, and what counts is nearly always the
 * right one, whose octets are known. */
static void test_day(uint64_t seed, int64_t gap_ms)
{
    struct day d = make_day(seed, gap_ms);
    size_t tokens = 0, want_tokens = 0, shapes = 0, want_shapes = 0, wrong = 0,
           used = 0;
    CHECK(match_flows(d.one, DAY_FLOWS, d.other, d.other_count));
    for (size_t i = 0; i < DAY_FLOWS; i++) {
        const struct match_flow *f = &d.one[i];
        uint64_t truth = d.truth[f->owner];
        bool is_matched =
            f->outcome == MATCH_TOKEN || f->outcome == MATCH_SHAPE;
        want_tokens += truth > 0 && f->owner % TOKEN_OF == 0;
        want_shapes += truth > 0 && f->owner % TOKEN_OF != 0;
        tokens += f->outcome == MATCH_TOKEN;
        shapes += f->outcome == MATCH_SHAPE;
        wrong += is_matched && f->matched_octets != truth;
    }
    for (size_t i = 0; i < d.other_count; i++)
        used += d.other[i].outcome == MATCH_TOKEN ||
                d.other[i].outcome == MATCH_SHAPE;
    CHECK_I64((int64_t)tokens, (int64_t)want_tokens);
    CHECK_I64((int64_t)used, (int64_t)(tokens + shapes));
    if (!CHECK(shapes * 100 >= want_shapes * 98 && wrong * 1000 <= shapes))
        printf("# %zu of %zu by shape, %zu of them wrong\n", shapes,
               want_shapes, wrong);
    free(d.one);
    free(d.other);
    free(d.truth);
}

static void test_days(void)
{
    static const int64_t GAPS[] = {0, 20000, -300000};
    for (size_t i = 0; i < sizeof(GAPS) / sizeof(GAPS[0]); i++) {
        char name[100];
        snprintf(name, sizeof(name),
                 "4000 connections in two hours, clocks %d s apart",
                 (int)(GAPS[i] / 1000));
        test_case(name);
        for (uint64_t seed = 1; seed <= 5; seed++)
            test_day(seed, GAPS[i]);
    }
}

int main(void)
{
    test_tokens();
    test_shapes();
    test_one_to_one();
    test_clocks();
    test_days();
    return test_end();
}
