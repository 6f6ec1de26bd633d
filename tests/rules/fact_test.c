/* Facts of a day: merging, decomposition, canonical bytes, likeness. */
#include "rules/fact.h"

#include "tests/rules/persona.h"
#include "tests/test.h"

static struct parameters parameters;
static const struct civil_day DAY = {20780};

static bool compute(struct persona *p, struct day_fact *fact)
{
    static const struct fact_coverage coverage = {.minutes = 1440,
                                                  .batches = 288};
    return fact_compute(DAY, p->flows, p->count, &coverage, &parameters, fact);
}

static void shuffle(struct persona *p)
{
    for (size_t i = p->count; i > 1; i--) {
        size_t j = persona_next(p) % i;
        struct fact_flow flow = p->flows[i - 1];
        p->flows[i - 1] = p->flows[j];
        p->flows[j] = flow;
    }
}

static bool encodes_same(const struct day_fact *a, const struct day_fact *b)
{
    struct buffer x, y;
    buffer_init(&x, 1 << 16);
    buffer_init(&y, 1 << 16);
    fact_encode(a, &x);
    fact_encode(b, &y);
    bool same = !x.failed && slice_equal(buffer_slice(&x), buffer_slice(&y));
    buffer_clear(&x);
    buffer_clear(&y);
    return same;
}

static void test_counts(struct persona *p)
{
    struct day_fact fact;
    test_case("VER-08: one-way records are no observation");
    persona_begin(p, 1, DAY);
    persona_add(p, 3600, 1, 500, 900);
    persona_add(p, 7200, 1, 500, 0);
    p->flows[1].rpackets = 0;
    CHECK(compute(p, &fact));
    CHECK_I64(fact.flows, 1);
    CHECK_I64(fact.one_way_flows, 1);
    CHECK_I64(fact.octets, 500);
    test_case("VER-05: on a shared address another name does not count");
    persona_begin(p, 1, DAY);
    persona_add(p, 3600, 1, 500, 900);
    p->flows[0].name_evidence = NAME_MISMATCH;
    CHECK(compute(p, &fact));
    CHECK_I64(fact.flows, 1);
    CHECK_I64(fact.names_mismatched, 1);
    p->flows[0].is_shared = true;
    CHECK(compute(p, &fact));
    CHECK_I64(fact.flows, 0);
    test_case("VER-08: an empty day");
    p->count = 0;
    CHECK(compute(p, &fact));
    CHECK_I64(fact.flows, 0);
    CHECK_I64(fact.beacon_permille, -1);
    CHECK_I64(fact.coverage.minutes, 1440);
}

/* One connection in 40 pieces, five minutes from one to the next. */
static void add_long_connection(struct persona *p, int64_t piece_ms)
{
    persona_begin(p, 1, DAY);
    for (int i = 0; i < 40; i++) {
        persona_add(p, 36000 + 300 * i, 7, 1000, 5000);
        struct fact_flow *f = &p->flows[i];
        memset(f->token, 9, sizeof(f->token));
        f->end_ms = f->start_ms + piece_ms;
        f->end_reason = i < 39 ? FLOW_END_ACTIVE : FLOW_END_IDLE;
    }
}

static void test_merging(struct persona *p)
{
    struct day_fact fact;
    test_case("S1: records of one long connection are one connection");
    add_long_connection(p, 300000);
    CHECK(compute(p, &fact));
    CHECK_I64(fact.flows, 1);
    CHECK_I64(fact.octets, 40000);
    CHECK_I64(fact.active_minutes, 201);
    CHECK_I64(fact.automated_flows, 0);
    test_case("S1: so are those with pauses longer than a minute");
    add_long_connection(p, 180000);
    CHECK(compute(p, &fact));
    CHECK_I64(fact.flows, 1);
}

static void test_decomposition(struct persona *p)
{
    struct day_fact fact;
    test_case("S1: a timer is taken out, people remain");
    persona_begin(p, 3, DAY);
    persona_office(p, 5);
    size_t people = p->count;
    persona_timer(p, 300, 0, 100);
    CHECK(compute(p, &fact));
    CHECK(fact.automated_flows >= 288);
    CHECK(fact.residual_flows >= people * 9 / 10);
    CHECK(fact.beacon_permille >= 0 && fact.beacon_permille < 600);
    CHECK_I64(fact.host_count, 5);
    test_case("S1: a timer with 20 % jitter is taken out too");
    persona_begin(p, 3, DAY);
    persona_timer(p, 300, 0.2, 100);
    CHECK(compute(p, &fact));
    CHECK_I64(fact.residual_flows, 0);
    test_case("S2: people come in bursts, a random generator does not");
    persona_begin(p, 4, DAY);
    persona_office(p, 8);
    CHECK(compute(p, &fact));
    CHECK(fact.fano_permille > 2500);
    persona_begin(p, 4, DAY);
    persona_random(p, 60, 4);
    CHECK(compute(p, &fact));
    CHECK(fact.fano_permille < 1500 && fact.fano_permille > 500);
}

static void test_order(struct persona *p)
{
    struct day_fact one, other;
    test_case("VER-17: the order of records does not show");
    persona_begin(p, 5, DAY);
    persona_office(p, 6);
    persona_timer(p, 120, 0.1, 101);
    CHECK(compute(p, &one));
    for (int i = 0; i < 5; i++) {
        persona_begin(p, 5, DAY);
        persona_office(p, 6);
        persona_timer(p, 120, 0.1, 101);
        shuffle(p);
        CHECK(compute(p, &other));
        CHECK(encodes_same(&one, &other));
    }
}

static void test_bytes(struct persona *p)
{
    struct day_fact fact, again;
    struct buffer data;
    persona_begin(p, 6, DAY);
    persona_office(p, 20);
    test_case("PRIV-05: a fact reads back from its bytes");
    CHECK(compute(p, &fact));
    fact.tokens_repeated = 3;
    buffer_init(&data, 1 << 16);
    fact_encode(&fact, &data);
    CHECK(fact_decode(buffer_slice(&data), &again));
    CHECK(encodes_same(&fact, &again));
    CHECK_I64(again.day.number, DAY.number);
    CHECK_I64(again.tokens_repeated, 3);
    test_case("PRIV-05: cut, longer or changed bytes are no fact");
    for (size_t n = 0; n < data.length; n += 7)
        CHECK(!fact_decode(slice_of_bytes(data.data, n), &again));
    buffer_add_u8(&data, 0);
    CHECK(!fact_decode(buffer_slice(&data), &again));
    data.length--;
    data.data[0] = FACT_VERSION + 1;
    CHECK(!fact_decode(buffer_slice(&data), &again));
    buffer_clear(&data);
}

static void test_likeness(struct persona *p)
{
    struct day_fact one, other;
    test_case("S3: a day is like itself and unlike another");
    persona_begin(p, 7, DAY);
    persona_office(p, 6);
    CHECK(compute(p, &one));
    CHECK_I64(fact_shape_likeness(&one, &one), 1000);
    persona_begin(p, 8, DAY);
    persona_office(p, 6);
    CHECK(compute(p, &other));
    CHECK(fact_shape_likeness(&one, &other) < 100);
    test_case("S3: a replay that starts up to a minute late is like it");
    persona_begin(p, 7, DAY);
    persona_office(p, 6);
    for (size_t i = 0; i < p->count; i++)
        p->flows[i].start_ms += 40000;
    CHECK(compute(p, &other));
    CHECK(fact_shape_likeness(&one, &other) > 900);
    test_case("S3: two quiet days are not compared");
    persona_begin(p, 7, DAY);
    persona_add(p, 40000, 1, 100, 100);
    CHECK(compute(p, &other));
    CHECK_I64(fact_shape_likeness(&other, &other), 0);
}

int main(void)
{
    struct persona p = {0};
    parameters_set_defaults(&parameters);
    test_counts(&p);
    test_merging(&p);
    test_decomposition(&p);
    test_order(&p);
    test_bytes(&p);
    test_likeness(&p);
    free(p.flows);
    return test_end();
}
