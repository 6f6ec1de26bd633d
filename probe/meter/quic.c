/*
 * Initial packet (RFC 9000 section 17.2.2):
 *
 *   0        1   1 | 1 | type (2) | reserved (2) | packet number length (2)
 *   1        4   version
 *   5        1+n Destination Connection ID
 *            1+n Source Connection ID
 *            v+n token            (v: variable-length integer)
 *            v   length of what follows
 *            1-4 packet number, then the sealed payload
 *
 * The low bits of the first byte and the packet number are under a mask made
 * from a sample of the payload, four bytes behind the number's first byte.
 */
#include "probe/meter/quic.h"

#include <string.h>

#include "common/cursor.h"

enum {
    PACKETS_MAX = 8, /* in a datagram */
    SAMPLE_OFFSET = 4,
    LONG_HEADER = 0x80,
    LONG_TYPE_MASK = 0x30,
    FRAME_CRYPTO = 6,
    PACKET_NUMBER_MAX = 4,
    HEADER_MAX = 2048,
};

/* Version 2 numbers its packet types differently; the drafts differ in salt,
 * Google's last versions before them in the type of a frame as well. */
struct version {
    uint32_t version, mask;
    uint8_t initial_type; /* within LONG_TYPE_MASK */
    const char *label;
    uint8_t salt[QUIC_SALT_LEN];
    uint8_t crypto; /* type of its CRYPTO frames; 0: FRAME_CRYPTO */
};

/* clang-format off */
#define SALT_1 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, \
                0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}
#define SALT_2 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, \
                0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}
#define SALT_DRAFT_29 {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, \
    0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99}
#define SALT_DRAFT_23 {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, \
    0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02}
#define SALT_DRAFT_22 {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, \
    0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a}
#define SALT_T050 {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, \
                   0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10}
#define SALT_T051 {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, \
                   0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d}
static const struct version versions[] = {
    {0x00000001, 0xffffffff, 0x00, "quic", SALT_1},
    {0x6b3343cf, 0xffffffff, 0x10, "quicv2", SALT_2},
    {0xff00001d, 0xffffffff, 0x00, "quic", SALT_DRAFT_29},
    {0xff00001e, 0xfffffffe, 0x00, "quic", SALT_DRAFT_29}, /* 30, 31 */
    {0xff000020, 0xffffffff, 0x00, "quic", SALT_DRAFT_29},
    {0xff000017, 0xffffffff, 0x00, "quic", SALT_DRAFT_23},
    {0xff000018, 0xfffffffc, 0x00, "quic", SALT_DRAFT_23}, /* 24 to 27 */
    {0xff00001c, 0xffffffff, 0x00, "quic", SALT_DRAFT_23},
    {0xff000016, 0xffffffff, 0x00, "quic", SALT_DRAFT_22},
    {0xfaceb001, 0xffffffff, 0x00, "quic", SALT_DRAFT_22}, /* mvfst */
    {0xfaceb002, 0xffffffff, 0x00, "quic", SALT_DRAFT_23}, /* mvfst */
    {0x54303530, 0xffffffff, 0x00, "quic", SALT_T050, 8}, /* T050: TLS */
    {0x54303531, 0xffffffff, 0x00, "quic", SALT_T051, 8},
    /* Kept to force negotiation: ngtcp2 and tshark take draft 29's salt. */
    {0x0a0a0a0a, 0x0f0f0f0f, 0x00, "quic", SALT_DRAFT_29},
};
/* clang-format on */

static const struct version *find_version(uint32_t number)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if ((number & versions[i].mask) == versions[i].version)
            return &versions[i];
    return NULL;
}

bool quic_is_long_header(const uint8_t *data, size_t length)
{
    if (length < 7 || (data[0] & LONG_HEADER) == 0)
        return false;
    uint32_t number = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 |
                      (uint32_t)data[3] << 8 | data[4];
    return find_version(number) != NULL;
}

/* RFC 9000 section 16: the top two bits say 1, 2, 4 or 8 bytes. */
static uint64_t read_varint(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    uint64_t value = first & 0x3f;
    for (int left = (1 << (first >> 6)) - 1; left > 0; left--)
        value = value << 8 | cursor_u8(c);
    return value;
}

/* --- frames --- */

static void skip_ack(struct cursor *c, bool has_ecn)
{
    read_varint(c); /* largest */
    read_varint(c); /* delay */
    uint64_t ranges = read_varint(c);
    read_varint(c); /* first range */
    for (; ranges > 0 && !c->failed; ranges--) {
        read_varint(c);
        read_varint(c);
    }
    for (int i = 0; has_ecn && i < 3; i++)
        read_varint(c);
}

/* Initial packets hold these frames and CONNECTION_CLOSE, nothing else. */
static void read_frames(struct cursor c, uint8_t crypto, struct gather *gather)
{
    enum { PADDING = 0, PING = 1, ACK = 2, ACK_ECN = 3 };
    while (cursor_left(&c) > 0) {
        uint64_t type = read_varint(&c);
        if (type == PADDING || type == PING)
            continue;
        if (type == ACK || type == ACK_ECN) {
            skip_ack(&c, type == ACK_ECN);
            continue;
        }
        if (type != crypto)
            return;
        uint64_t offset = read_varint(&c);
        uint64_t length = read_varint(&c);
        if (c.failed || length > cursor_left(&c))
            return;
        gather_add(gather, offset, cursor_bytes(&c, (size_t)length),
                   (size_t)length);
    }
}

/* --- packets --- */

struct initial {
    const struct version *version;
    const uint8_t *id;
    size_t id_length;
    const uint8_t *start;
    size_t number_offset; /* from start */
    size_t length;        /* from start, of the whole packet */
};

enum header_status { HEADER_INITIAL, HEADER_OTHER, HEADER_END };

/* Reads the header of the packet at the cursor and moves behind the packet. */
static enum header_status read_header(struct cursor *c, struct initial *p)
{
    size_t begin = c->offset;
    p->start = c->data + begin;
    uint8_t first = cursor_u8(c);
    uint32_t number = cursor_u32(c);
    p->id_length = cursor_u8(c);
    p->id = cursor_bytes(c, p->id_length);
    cursor_skip(c, cursor_u8(c));
    p->version = find_version(number);
    if (c->failed || (first & LONG_HEADER) == 0 || p->version == NULL ||
        p->id_length > QUIC_ID_MAX)
        return HEADER_END;
    bool is_initial = (first & LONG_TYPE_MASK) == p->version->initial_type;
    if (is_initial) {
        uint64_t token_length = read_varint(c);
        if (token_length > cursor_left(c))
            return HEADER_END;
        cursor_skip(c, (size_t)token_length);
    }
    /* 0-RTT and Handshake have a length, too; a Retry ends the datagram by
     * not having one that fits. */
    uint64_t length = read_varint(c);
    if (c->failed || length > cursor_left(c))
        return HEADER_END;
    p->number_offset = c->offset - begin;
    p->length = p->number_offset + (size_t)length;
    cursor_skip(c, (size_t)length);
    return is_initial ? HEADER_INITIAL : HEADER_OTHER;
}

/* Takes the mask off a copy of the header; 0 when there is no room. */
static size_t unmask(const struct initial *p, const uint8_t mask[QUIC_MASK_LEN],
                     uint8_t header[static HEADER_MAX], uint64_t *number)
{
    size_t width = (size_t)((p->start[0] ^ mask[0]) & 3) + 1;
    size_t length = p->number_offset + width;
    if (length > HEADER_MAX || length > p->length)
        return 0;
    memcpy(header, p->start, length);
    header[0] ^= mask[0] & 0x0f;
    *number = 0;
    for (size_t i = 0; i < width; i++) {
        header[p->number_offset + i] ^= mask[1 + i];
        *number = *number << 8 | header[p->number_offset + i];
    }
    return length;
}

static bool open_with(struct quic_opener *opener, const struct quic_keys *keys,
                      const struct initial *p, uint8_t *scratch,
                      struct gather *gather)
{
    uint8_t mask[QUIC_MASK_LEN], header[HEADER_MAX];
    uint64_t number;
    size_t sample = p->number_offset + SAMPLE_OFFSET;
    if (sample + QUIC_SAMPLE_LEN > p->length || p->length > QUIC_SCRATCH_LEN ||
        !quic_opener_mask(opener, keys, p->start + sample, mask))
        return false;
    size_t header_length = unmask(p, mask, header, &number);
    if (header_length == 0 ||
        !quic_opener_open(opener, keys, number, header, header_length,
                          p->start + header_length, p->length - header_length,
                          scratch))
        return false;
    read_frames(cursor_of(scratch, p->length - header_length - QUIC_TAG_LEN),
                p->version->crypto != 0 ? p->version->crypto : FRAME_CRYPTO,
                gather);
    return true;
}

static bool open_initial(struct quic_opener *opener, const struct initial *p,
                         uint8_t *scratch, struct quic_client *client,
                         struct gather *gather)
{
    if (client->has_keys && p->version->version == client->version &&
        open_with(opener, &client->keys, p, scratch, gather))
        return true;
    struct quic_keys keys = quic_keys_of_client(
        p->version->salt, p->version->label, p->id, p->id_length);
    if (!open_with(opener, &keys, p, scratch, gather))
        return false;
    if (!client->has_keys) { /* after a Retry the first id stays known */
        client->id_length = (uint8_t)p->id_length;
        memcpy(client->id, p->id, p->id_length);
    }
    client->has_keys = true;
    client->version = p->version->version;
    client->keys = keys;
    return true;
}

static bool has_same_id(const struct initial *a, const struct initial *b)
{
    return a->id_length == b->id_length &&
           memcmp(a->id, b->id, a->id_length) == 0;
}

enum quic_status quic_read_datagram(struct quic_opener *opener,
                                    const uint8_t *data, size_t length,
                                    uint8_t scratch[static QUIC_SCRATCH_LEN],
                                    struct quic_client *client,
                                    struct gather *gather)
{
    struct cursor c = cursor_of(data, length);
    struct initial p = {0}, first = {0};
    enum quic_status status = QUIC_NOT;
    for (int i = 0; i < PACKETS_MAX && cursor_left(&c) > 0; i++) {
        enum header_status header = read_header(&c, &p);
        if (i == 0)
            first = p;
        /* What is put together has one connection id (RFC 9000 section 12.2);
         * and where one Initial does not open, the next will not. So a
         * datagram makes us derive keys once. */
        if (header == HEADER_END || !has_same_id(&p, &first))
            break;
        if (header == HEADER_OTHER)
            continue;
        if (!open_initial(opener, &p, scratch, client, gather))
            return status == QUIC_NOT ? QUIC_SEALED : status;
        status = QUIC_CLIENT;
    }
    return status;
}
