/* QUIC Initials: the packets of RFC 9001 appendix A.2 and RFC 9369 appendix
 * A.2, cut and damaged; CRYPTO bytes gathered in any order. */
#include "tests/test.h"

#include "common/buffer.h"
#include "probe/meter/hello.h"
#include "probe/meter/quic.h"

static uint8_t scratch[QUIC_SCRATCH_LEN];
enum { GATHER_SIZE = 8192 };
static uint8_t gather_bytes[GATHER_SIZE];
static struct gather gather;

static const struct {
    const char *name, *path;
    uint32_t version;
} vectors[] = {
    {"RFC 9001 A.2, version 1", "tests/data/quic/rfc9001-client-initial.bin",
     1},
    {"RFC 9369 A.2, version 2", "tests/data/quic/rfc9369-client-initial.bin",
     0x6b3343cf},
};
static const uint8_t first_id[8] = {0x83, 0x94, 0xc8, 0xf0,
                                    0x3e, 0x51, 0x57, 0x08};

static enum quic_status read_copy(struct quic_opener *o, const uint8_t *data,
                                  size_t length, struct quic_client *client)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, data, length);
    gather_reset(&gather);
    enum quic_status s =
        quic_read_datagram(o, copy, length, scratch, client, &gather);
    free(copy);
    return s;
}

static void check_hello(void)
{
    struct hello hello;
    struct buffer want;
    if (!CHECK(
            buffer_read_file(&want, "tests/data/quic/client-hello.bin", 4096)))
        return;
    size_t prefix = gather_prefix(&gather);
    CHECK_I64(prefix, want.length);
    CHECK(prefix == want.length &&
          memcmp(gather.bytes, want.data, want.length) == 0);
    CHECK_I64(hello_from_handshake(gather.bytes, prefix, &hello), HELLO_CLIENT);
    CHECK(slice_equal_text(hello.name, "example.com"));
    buffer_clear(&want);
}

static void test_vector(struct quic_opener *o, const char *name,
                        const struct buffer *packet, uint32_t version)
{
    struct quic_client client = {0};
    test_case(name);
    CHECK(quic_is_long_header(packet->data, packet->length));
    CHECK_I64(read_copy(o, packet->data, packet->length, &client), QUIC_CLIENT);
    CHECK_I64(client.version, version);
    CHECK(client.id_length == 8 && memcmp(client.id, first_id, 8) == 0);
    check_hello();
    test_case("the same again, with keys known");
    CHECK_I64(read_copy(o, packet->data, packet->length, &client), QUIC_CLIENT);
    check_hello();
}

static void test_cut(struct quic_opener *o, const struct buffer *packet)
{
    test_case("cut at every byte");
    for (size_t n = 0; n < packet->length; n++) {
        struct quic_client client = {0};
        CHECK(read_copy(o, packet->data, n, &client) == QUIC_NOT);
        CHECK(!client.has_keys && gather_prefix(&gather) == 0);
    }
    test_case("every bit counts: damage is not opened");
    for (size_t i = 0; i < packet->length; i += i < 40 ? 1 : 37) {
        struct quic_client client = {0};
        packet->data[i] ^= 0x10;
        CHECK(read_copy(o, packet->data, packet->length, &client) !=
              QUIC_CLIENT);
        packet->data[i] ^= 0x10;
    }
}

static void test_coalesced(struct quic_opener *o, const struct buffer *packet)
{
    struct quic_client client = {0};
    uint8_t *two = malloc(packet->length * 2);
    test_case("behind another packet in the datagram");
    /* A 0-RTT packet of 20 bytes in front: long header, its length says 2. */
    static const uint8_t zero_rtt[] = {0xd0, 0,    0,    0,    1,    8,
                                       0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51,
                                       0x57, 8,    0,    2,    0xaa, 0xbb};
    memcpy(two, zero_rtt, sizeof(zero_rtt));
    memcpy(two + sizeof(zero_rtt), packet->data, packet->length);
    CHECK_I64(read_copy(o, two, sizeof(zero_rtt) + packet->length, &client),
              QUIC_CLIENT);
    check_hello();
    free(two);
    test_case("other versions and short headers are left alone");
    packet->data[4] = 0x77;
    CHECK(!quic_is_long_header(packet->data, packet->length));
    packet->data[4] = 0x01;
    packet->data[0] &= 0x7f;
    CHECK(!quic_is_long_header(packet->data, packet->length));
    packet->data[0] |= 0x80;
    CHECK(!quic_is_long_header(packet->data, 6));
}

static void test_gather(void)
{
    static const uint8_t text[] = "abcdefghijklmnopqrstuvwxyz";
    test_case("gather: any order, overlapping, repeated");
    gather_reset(&gather);
    gather_add(&gather, 20, text + 20, 6);
    gather_add(&gather, 10, text + 10, 5);
    CHECK_I64(gather_prefix(&gather), 0);
    gather_add(&gather, 0, text, 12);
    CHECK_I64(gather_prefix(&gather), 15);
    gather_add(&gather, 3, text + 3, 2);
    gather_add(&gather, 13, text + 13, 10);
    CHECK_I64(gather_prefix(&gather), 26);
    CHECK(memcmp(gather.bytes, text, 26) == 0);
    test_case("gather: the first copy of a byte stays");
    gather_add(&gather, 0, (const uint8_t *)"XXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
               28);
    CHECK(memcmp(gather.bytes, text, 26) == 0 && gather.bytes[27] == 'X');
    CHECK_I64(gather_prefix(&gather), 28);
    test_case("gather: bounds of size and of spans");
    gather_reset(&gather);
    gather_add(&gather, GATHER_SIZE, text, 1);
    gather_add(&gather, UINT64_MAX, text, 26);
    CHECK_I64(gather.span_count, 0);
    gather_add(&gather, GATHER_SIZE - 3, text, 26);
    CHECK_I64(gather.spans[0].end, GATHER_SIZE);
    gather_reset(&gather);
    for (unsigned i = 0; i < 2 * GATHER_SPANS; i++)
        gather_add(&gather, 2 * i + 1, text, 1);
    CHECK_I64(gather.span_count, GATHER_SPANS);
    gather_add(&gather, 0, text, 26);
    CHECK_I64(gather_prefix(&gather), 26);
}

int main(void)
{
    struct quic_opener *o = quic_opener_new();
    gather_init(&gather, gather_bytes, GATHER_SIZE);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct buffer packet;
        if (!CHECK(buffer_read_file(&packet, vectors[i].path, 4096)))
            continue;
        CHECK_I64(packet.length, 1200);
        test_vector(o, vectors[i].name, &packet, vectors[i].version);
        test_cut(o, &packet);
        if (vectors[i].version == 1)
            test_coalesced(o, &packet);
        buffer_clear(&packet);
    }
    test_gather();
    quic_opener_free(o);
    return test_end();
}
