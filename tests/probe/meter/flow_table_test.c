/* The flow table against a plain list, and its order of age; SipHash against
 * its published vector; the pool. */
#include "tests/test.h"

#include "probe/meter/flow_table.h"
#include "probe/meter/pool.h"
#include "tests/probe/meter/packets.h"

static const struct hash_key KEY = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static void test_hash(void)
{
    uint8_t data[64];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    test_case("SipHash-2-4: the vectors of its paper and reference");
    CHECK(keyed_hash(&KEY, data, 15) == 0xa129ca6149be45e5);
    CHECK(keyed_hash(&KEY, data, 0) == 0x726fdb47dd0e0e31);
    CHECK(keyed_hash(&KEY, data, 8) == 0x93f5f5799a932462);
    test_case("SipHash-1-3 of a pair: keyed, each bit counts");
    uint64_t pair = keyed_hash_pair(&KEY, 1, 2);
    CHECK(pair != keyed_hash_pair(&KEY, 2, 1));
    for (int bit = 0; bit < 64; bit++) {
        uint64_t flip = UINT64_C(1) << bit;
        struct hash_key key = {KEY.k0 ^ flip, KEY.k1};
        CHECK(keyed_hash_pair(&KEY, 1 ^ flip, 2) != pair);
        CHECK(keyed_hash_pair(&KEY, 1, 2 ^ flip) != pair);
        CHECK(keyed_hash_pair(&key, 1, 2) != pair);
    }
    test_case("another key, another hash");
    struct hash_key other = {KEY.k0 ^ 1, KEY.k1};
    CHECK(keyed_hash(&KEY, data, 15) != keyed_hash(&other, data, 15));
}

static struct flow_tuple tuple_of(uint32_t n)
{
    struct flow_tuple t = {.version = 4, .protocol = 6, .high_port = 443};
    memcpy(t.low, &n, sizeof(n));
    t.low_port = (uint16_t)(n * 31);
    return t;
}

static void test_tuples(void)
{
    struct frame f;
    struct packet there, back;
    struct flow_tuple a, b;
    test_case("both directions are one flow");
    frame_of_tcp(&f, 0x0a4d0005, 40000, 0xcb007107, 443, 1, 0, TCP_SYN, "", 0);
    decode_packet(LINK_ETHERNET, f.bytes, f.length, f.length, &there);
    int side = flow_packet_side(&there);
    flow_tuple_of(&there, side, &a);
    frame_of_tcp(&f, 0xcb007107, 443, 0x0a4d0005, 40000, 1, 2, TCP_SYN, "", 0);
    decode_packet(LINK_ETHERNET, f.bytes, f.length, f.length, &back);
    CHECK_I64(flow_packet_side(&back), !side);
    flow_tuple_of(&back, !side, &b);
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    test_case("the same address on both ends: the ports tell");
    frame_of_tcp(&f, 1, 40000, 1, 443, 1, 0, TCP_SYN, "", 0);
    decode_packet(LINK_ETHERNET, f.bytes, f.length, f.length, &there);
    CHECK_I64(flow_packet_side(&there), SIDE_HIGH);
}

/* 40,000 random additions, look-ups and removals among 6,000 tuples; the table
 * grows past its first slots, and is full at the end. */
static void test_against_list(void)
{
    enum { LIMIT = 5000, TUPLES = 6000, STEPS = 40000 };
    static struct flow_entry *held[TUPLES];
    struct flow_table *t = flow_table_new(LIMIT, KEY);
    size_t count = 0;
    uint32_t state = 1;
    test_case("agrees with a plain list");
    for (int i = 0; i < STEPS; i++) {
        state = state * 1664525 + 1013904223;
        uint32_t n = (state >> 8) % TUPLES;
        struct flow_tuple tuple = tuple_of(n);
        uint32_t hash = flow_table_hash(t, &tuple) % 512; /* many collisions */
        if (!CHECK(flow_table_find(t, &tuple, hash) == held[n]))
            break;
        if (held[n] != NULL) {
            flow_table_remove(t, held[n]);
            held[n] = NULL;
            count--;
        } else {
            held[n] = flow_table_add(t, &tuple, hash, i);
            if (!CHECK((held[n] == NULL) == (count == LIMIT)))
                break;
            count += held[n] != NULL;
        }
    }
    for (uint32_t n = 0; n < TUPLES; n++) {
        struct flow_tuple tuple = tuple_of(n);
        uint32_t hash = flow_table_hash(t, &tuple) % 512;
        if (held[n] == NULL)
            held[n] = flow_table_add(t, &tuple, hash, STEPS);
        CHECK(flow_table_find(t, &tuple, hash) == held[n]);
    }
    flow_table_free(t);
}

static struct flow_entry *add(struct flow_table *t, uint32_t n, int64_t now)
{
    struct flow_tuple tuple = tuple_of(n);
    return flow_table_add(t, &tuple, flow_table_hash(t, &tuple), now);
}

static void test_order(void)
{
    enum { S = 1000 * 1000 };
    struct flow_table *t = flow_table_new(3, KEY);
    struct flow_entry *a = add(t, 1, 0), *b = add(t, 2, S), *c = add(t, 3, S);
    test_case("full is full");
    CHECK(a != NULL && b != NULL && c != NULL && add(t, 4, S) == NULL);
    test_case("the oldest is the one longest without a packet");
    CHECK(flow_table_oldest(t, FLOW_OPEN) == a);
    flow_table_touch(t, a, 3 * S);
    CHECK(flow_table_oldest(t, FLOW_OPEN) == b);
    test_case("within a second the place is kept");
    flow_table_touch(t, b, S + S / 2);
    CHECK(flow_table_oldest(t, FLOW_OPEN) == b);
    test_case("closing flows stand apart, and stay in order");
    flow_table_move(t, a, FLOW_CLOSING, 4 * S);
    flow_table_move(t, b, FLOW_CLOSING, 5 * S);
    flow_table_touch(t, a, 9 * S);
    flow_table_move(t, a, FLOW_CLOSING, 9 * S);
    CHECK(flow_table_oldest(t, FLOW_CLOSING) == a);
    CHECK(flow_table_oldest(t, FLOW_OPEN) == c);
    test_case("a place given back is used again, and empty");
    flow_table_inspection(t, a)->application = "TLS";
    flow_table_remove(t, a);
    struct flow_entry *d = add(t, 5, 9 * S);
    CHECK(d != NULL && flow_table_inspection(t, d)->application == NULL);
    CHECK(flow_table_oldest(t, FLOW_CLOSING) == b && d->sides[0].packets == 0);
    flow_table_free(t);
}

static void test_pool(void)
{
    struct pool *pool = pool_new(20);
    struct pool_ref refs[20], extra;
    bool was_held = true;
    test_case("pool: places until it is full");
    for (int i = 0; i < 20; i++) {
        CHECK_I64(pool_take(pool, &refs[i], &was_held), i);
        CHECK(!was_held);
    }
    test_case("pool: then the place held longest changes hands");
    CHECK_I64(pool_take(pool, &extra, &was_held), 0);
    CHECK(was_held);
    CHECK_I64(pool_find(pool, refs[0]), POOL_NO_PLACE);
    CHECK_I64(pool_find(pool, extra), 0);
    CHECK_I64(pool_release(pool, &refs[0]), POOL_NO_PLACE);
    test_case("pool: a place given back is found again");
    CHECK_I64(pool_release(pool, &refs[3]), 3);
    CHECK_I64(pool_find(pool, refs[3]), POOL_NO_PLACE);
    CHECK_I64(pool_take(pool, &refs[3], &was_held), 3);
    CHECK(!was_held);
    pool_free(pool);
}

int main(void)
{
    test_hash();
    test_tuples();
    test_against_list();
    test_order();
    test_pool();
    return test_end();
}
