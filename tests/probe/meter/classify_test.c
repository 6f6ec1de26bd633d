/* nDPI behind its four calls: known after a packet or never, states bounded. */
#include "tests/test.h"

#include "probe/meter/classify.h"
#include "tests/probe/meter/packets.h"

static const uint32_t HOST = 0x0a4d0005, SERVER = 0xcb007107;
static const struct wall_time NOW = {1700000000000000};

static const char *feed(struct classifier *c, struct classify_state *state,
                        unsigned port, const void *data, size_t length)
{
    struct frame f;
    frame_of_tcp(&f, HOST, 40000, SERVER, port, 1, 1, TCP_ACK | TCP_PSH, data,
                 length);
    return classifier_feed(c, state, f.bytes + 14, f.length - 14, NOW);
}

static void test_known(struct classifier *c)
{
    static const char connect[] =
        "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04line";
    struct classify_state state = {0};
    test_case("MQTT is known");
    const char *name = feed(c, &state, 1883, connect, 18);
    for (int i = 0; i < 4 && name == NULL; i++)
        name = feed(c, &state, 1883, connect, 18);
    CHECK_TEXT(name, "MQTT");
    test_case("afterwards nothing is held and nothing is asked");
    CHECK(state.place.place == 0);
    CHECK(feed(c, &state, 1883, connect, 18) == NULL);
    classifier_release(c, &state);
}

static void test_unknown(struct classifier *c)
{
    struct classify_state state = {0};
    test_case("after eight packets without a name the state is given back");
    for (int i = 0; i < CLASSIFY_PACKETS_MAX; i++)
        CHECK(feed(c, &state, 40001, "\1\2\3\4unheard of\5\6\7", 17) == NULL);
    CHECK(state.place.place == 0 && state.packets == CLASSIFY_PACKETS_MAX);
    CHECK(feed(c, &state, 40001, "x", 1) == NULL);
}

static void test_pool(struct classifier *c)
{
    static struct classify_state states[40];
    test_case("more flows than states: the oldest stay unknown, none break");
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 40; i++)
            CHECK(feed(c, &states[i], 40001, "\1\2\3\4unheard of", 14) == NULL);
    for (int i = 0; i < 40; i++)
        classifier_release(c, &states[i]);
}

/* nDPI is given truncated packets as well. */
static void test_cut(struct classifier *c)
{
    struct frame f;
    test_case("a packet cut at every byte");
    frame_of_tcp(&f, HOST, 40000, SERVER, 1883, 1, 1, TCP_ACK,
                 "\x10\x10\x00\x04MQTT\x04\x02", 10);
    for (size_t n = 40; n < f.length - 14; n++) {
        struct classify_state state = {0};
        uint8_t *copy = malloc(n);
        memcpy(copy, f.bytes + 14, n);
        classifier_feed(c, &state, copy, n, NOW);
        classifier_release(c, &state);
        free(copy);
    }
}

int main(void)
{
    struct error_text error;
    struct classifier *c = classifier_init(16, false, &error);
    test_case("starts");
    if (CHECK(c != NULL)) {
        test_known(c);
        test_unknown(c);
        test_pool(c);
        test_cut(c);
    }
    classifier_free(c);
    return test_end();
}
