/*
 * What is compressed, part by part:
 *
 *   size       meaning
 *   13         bytes of a number in each column, 0 to 8
 *   ...        service: a dictionary (endpoint, application, address, port,
 *              protocol), then the column of its entries' numbers
 *   ...        client: the same for (host pseudonym, fingerprint)
 *   ...        shape: the same for (flags both ways, end reason, name evidence,
 *              direction, whether there is a token)
 *   ...        columns: end (as difference to the record before), duration,
 *              packets each way (as difference to what the payload comes to in
 *              full segments and answers to them), payload each way, octets each
 *              way (as difference to what headers of usual size come to), round
 *              trip, bursts
 *
 * A column is its numbers' lowest bytes, then the next ones and so on: each of
 * these runs has frequencies of its own, and is a part of its own. A dictionary
 * is the number of its entries and the entries, bytes of a form of their own.
 * Signed differences are folded (0, -1, 1, -2, ... to 0, 1, 2, 3, ...) and
 * taken modulo 2^64, so that they always fit and always come back.
 */
#include "common/wire/flow_block.h"

#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/pack.h"
#include "common/wire/batch.h"

enum {
    VERSION = 1,
    LEVEL = 3,
    ENTRY_MAX = 128, /* bytes of a dictionary's entry */
    FIRST_ENTRIES = 256,
    KEPT_BYTES = 1 << 20, /* working memory above it is given back */
    FEW_RECORDS = 48,
    VARINT_MAX = 10,
};

/* The numeric columns, in their order. */
enum {
    SERVICE,
    CLIENT,
    SHAPE,
    END,
    DURATION,
    PACKETS,
    RPACKETS,
    PAYLOAD,
    RPAYLOAD,
    OCTETS,
    ROCTETS,
    RTT,
    BURSTS,
    COLUMN_COUNT
};

enum { DICTIONARY_COUNT = 3 };

/* Most bytes that columns of so many records can come to. */
static size_t columns_max(size_t count)
{
    return DICTIONARY_COUNT * VARINT_MAX + COLUMN_COUNT +
           count *
               (DICTIONARY_COUNT * ENTRY_MAX + COLUMN_COUNT * sizeof(uint64_t));
}

/* --- integers --- */

static uint64_t read_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);
        uint64_t part = byte & 0x7f;
        if (shift == 63 && part > 1)
            break;
        value |= part << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    c->failed = true;
    return 0;
}

static uint64_t fold(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static uint64_t unfold(uint64_t folded)
{
    return folded >> 1 ^ (0 - (folded & 1));
}

/* What IP and transport headers of so many packets usually come to. */
static uint64_t usual_headers(const struct flow_record *r, uint64_t packets)
{
    enum { TCP = 6, IPV4 = 20, IPV6 = 40, TCP_HEADER = 32, UDP_HEADER = 8 };
    return packets * ((r->is_ipv6 ? IPV6 : IPV4) +
                      (r->protocol == TCP ? TCP_HEADER : UDP_HEADER));
}

/* Full segments with what was sent, and an answer to every second one of what
 * was received. */
static uint64_t usual_packets(uint64_t payload, uint64_t rpayload)
{
    enum { SEGMENT = 1400 };
    return payload / SEGMENT + rpayload / ((uint64_t)2 * SEGMENT);
}

/* --- dictionaries, writing --- */

struct dictionary {
    struct buffer bytes; /* the entries, one after the other */
    uint32_t *starts;    /* of each entry; one more than there are */
    uint32_t *index;     /* entry number + 1; 0: empty; 2 * capacity */
    size_t count, capacity;
};

static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
    uint64_t hash = length;
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, length - i < 8 ? length - i : 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

static uint32_t *slot_of(struct dictionary *d, const uint8_t *entry,
                         size_t length)
{
    size_t mask = 2 * d->capacity - 1;
    for (size_t i = hash_of(entry, length) & mask;; i = (i + 1) & mask) {
        uint32_t n = d->index[i];
        if (n == 0)
            return &d->index[i];
        size_t start = d->starts[n - 1];
        if (d->starts[n] - start == length &&
            memcmp(d->bytes.data + start, entry, length) == 0)
            return &d->index[i];
    }
}

static bool grow_dictionary(struct dictionary *d)
{
    size_t capacity = d->capacity ? 2 * d->capacity : FIRST_ENTRIES;
    uint32_t *starts = realloc(d->starts, (capacity + 1) * sizeof(*d->starts));
    if (starts == NULL)
        return false;
    d->starts = starts;
    uint32_t *index = calloc(2 * capacity, sizeof(*index));
    if (index == NULL)
        return false;
    free(d->index);
    d->index = index;
    d->capacity = capacity;
    d->starts[0] = 0;
    for (size_t i = 0; i < d->count; i++)
        *slot_of(d, d->bytes.data + d->starts[i],
                 d->starts[i + 1] - d->starts[i]) = (uint32_t)i + 1;
    return true;
}

/* The number of the entry, added when it is new. */
static bool number_of(struct dictionary *d, const uint8_t *entry, size_t length,
                      uint64_t *number)
{
    if (d->count == d->capacity && !grow_dictionary(d))
        return false;
    uint32_t *slot = slot_of(d, entry, length);
    if (*slot == 0) {
        buffer_add(&d->bytes, entry, length);
        if (d->bytes.failed)
            return false;
        d->starts[++d->count] = (uint32_t)d->bytes.length;
        *slot = (uint32_t)d->count;
    }
    *number = *slot - 1;
    return true;
}

static void clear_dictionary(struct dictionary *d)
{
    buffer_clear(&d->bytes);
    free(d->starts);
    free(d->index);
    *d = (struct dictionary){0};
    buffer_init(&d->bytes, (size_t)BATCH_RECORD_MAX * ENTRY_MAX);
}

static void reset_dictionary(struct dictionary *d)
{
    if (d->bytes.capacity > KEPT_BYTES || d->capacity > KEPT_BYTES / 16)
        clear_dictionary(d);
    buffer_reset(&d->bytes);
    d->count = 0;
    if (d->index != NULL)
        memset(d->index, 0, 2 * d->capacity * sizeof(*d->index));
}

/* --- entries --- */

static size_t put_text(uint8_t *at, const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    at[0] = (uint8_t)length;
    memcpy(at + 1, text, length);
    return length + 1;
}

static size_t put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return 2;
}

static size_t service_entry(const struct flow_record *r,
                            uint8_t entry[static ENTRY_MAX])
{
    size_t n = put_text(entry, r->endpoint_id, sizeof(r->endpoint_id));
    n += put_text(entry + n, r->application, sizeof(r->application));
    size_t length = r->is_ipv6 ? 16 : 4;
    entry[n++] = (uint8_t)length;
    memcpy(entry + n, r->address, length);
    n += length;
    n += put_u16(entry + n, r->port);
    entry[n++] = r->protocol;
    return n;
}

static bool take_text(struct cursor *c, char *text, size_t size)
{
    size_t length = cursor_u8(c);
    const uint8_t *bytes = cursor_bytes(c, length);
    return bytes != NULL &&
           slice_copy(slice_of_bytes(bytes, length), text, size);
}

static bool read_service(struct cursor *c, struct flow_record *r)
{
    if (!take_text(c, r->endpoint_id, sizeof(r->endpoint_id)) ||
        !take_text(c, r->application, sizeof(r->application)))
        return false;
    size_t length = cursor_u8(c);
    if (length != 4 && length != 16)
        return false;
    const uint8_t *address = cursor_bytes(c, length);
    if (address == NULL)
        return false;
    r->is_ipv6 = length == 16;
    memcpy(r->address, address, length);
    r->port = cursor_u16(c);
    r->protocol = cursor_u8(c);
    return !c->failed;
}

static size_t client_entry(const struct flow_record *r,
                           uint8_t entry[static ENTRY_MAX])
{
    for (int i = 0; i < 8; i++)
        entry[i] = (uint8_t)(r->host_pseudonym >> (56 - 8 * i));
    memcpy(entry + 8, r->fingerprint, FINGERPRINT_LEN);
    return 8 + FINGERPRINT_LEN;
}

static bool read_client(struct cursor *c, struct flow_record *r)
{
    r->host_pseudonym = cursor_u64(c);
    const uint8_t *fingerprint = cursor_bytes(c, FINGERPRINT_LEN);
    if (fingerprint == NULL)
        return false;
    memcpy(r->fingerprint, fingerprint, FINGERPRINT_LEN);
    return true;
}

static bool has_token(const struct flow_record *r)
{
    static const uint8_t none[FLOW_TOKEN_LEN];
    return memcmp(r->token, none, FLOW_TOKEN_LEN) != 0;
}

static size_t shape_entry(const struct flow_record *r,
                          uint8_t entry[static ENTRY_MAX])
{
    size_t n = put_u16(entry, r->tcp_flags);
    n += put_u16(entry + n, r->rtcp_flags);
    entry[n++] = r->end_reason;
    entry[n++] = r->name_evidence;
    entry[n++] = r->direction;
    entry[n++] = has_token(r);
    return n;
}

/* Whether a token follows stands in its first byte until it is filled in. */
static bool read_shape(struct cursor *c, struct flow_record *r)
{
    r->tcp_flags = cursor_u16(c);
    r->rtcp_flags = cursor_u16(c);
    r->end_reason = cursor_u8(c);
    r->name_evidence = cursor_u8(c);
    r->direction = cursor_u8(c);
    r->token[0] = cursor_u8(c);
    return !c->failed && r->token[0] <= 1;
}

typedef size_t entry_write_fn(const struct flow_record *r,
                              uint8_t entry[static ENTRY_MAX]);
typedef bool entry_read_fn(struct cursor *c, struct flow_record *r);

/* In the order of the columns SERVICE, CLIENT, SHAPE. */
static const struct {
    entry_write_fn *write;
    entry_read_fn *read;
} ENTRIES[DICTIONARY_COUNT] = {
    [SERVICE] = {service_entry, read_service},
    [CLIENT] = {client_entry, read_client},
    [SHAPE] = {shape_entry, read_shape},
};

/* --- encoding --- */

struct flow_packer {
    struct packer *packer;
    struct dictionary dictionaries[DICTIONARY_COUNT];
    uint64_t *values; /* column by column */
    size_t capacity;  /* records */
    uint8_t *plane;   /* one byte of each number of a column */
    uint8_t widths[COLUMN_COUNT];
    bool are_few; /* records: all parts share one block */
};

struct flow_packer *flow_packer_new(void)
{
    struct flow_packer *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->packer = packer_new(LEVEL);
    for (size_t i = 0; i < DICTIONARY_COUNT; i++)
        clear_dictionary(&p->dictionaries[i]);
    if (p->packer == NULL) {
        flow_packer_free(p);
        return NULL;
    }
    return p;
}

void flow_packer_free(struct flow_packer *p)
{
    if (p == NULL)
        return;
    packer_free(p->packer);
    for (size_t i = 0; i < DICTIONARY_COUNT; i++)
        clear_dictionary(&p->dictionaries[i]);
    free(p->values);
    free(p->plane);
    free(p);
}

/* Memory of an unusually large batch is not kept. */
static bool reset_packer(struct flow_packer *p, size_t count)
{
    for (size_t i = 0; i < DICTIONARY_COUNT; i++)
        reset_dictionary(&p->dictionaries[i]);
    if (count <= p->capacity && p->capacity <= KEPT_BYTES / 64)
        return true;
    free(p->values);
    free(p->plane);
    p->values = calloc(count, COLUMN_COUNT * sizeof(*p->values));
    p->plane = calloc(count, 1);
    p->capacity = p->values != NULL && p->plane != NULL ? count : 0;
    return p->capacity == count;
}

/* Record i of `count` into its place in every column. */
static bool add_record(struct flow_packer *p, const struct flow_record *r,
                       size_t i, size_t count, int64_t end_before_ms)
{
    uint64_t values[COLUMN_COUNT] = {
        [END] = fold((uint64_t)r->end_ms - (uint64_t)end_before_ms),
        [DURATION] = (uint64_t)r->end_ms - (uint64_t)r->start_ms,
        [PACKETS] = fold(r->packets - usual_packets(r->payload, r->rpayload)),
        [RPACKETS] = fold(r->rpackets - usual_packets(r->rpayload, r->payload)),
        [PAYLOAD] = r->payload,
        [RPAYLOAD] = r->rpayload,
        [OCTETS] = fold(r->octets - r->payload - usual_headers(r, r->packets)),
        [ROCTETS] =
            fold(r->roctets - r->rpayload - usual_headers(r, r->rpackets)),
        [RTT] = r->rtt_us,
        [BURSTS] = r->burst_count,
    };
    for (size_t d = 0; d < DICTIONARY_COUNT; d++) {
        uint8_t entry[ENTRY_MAX];
        size_t length = ENTRIES[d].write(r, entry);
        if (!number_of(&p->dictionaries[d], entry, length, &values[d]))
            return false;
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        p->values[c * count + i] = values[c];
    return true;
}

static void set_widths(struct flow_packer *p, size_t count)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        uint64_t all = 0;
        for (size_t i = 0; i < count; i++)
            all |= p->values[c * count + i];
        p->widths[c] = 0;
        for (; all != 0; all >>= 8)
            p->widths[c]++;
    }
}

static size_t put_varint(uint8_t *at, uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        at[n++] = (uint8_t)(value | 0x80);
    at[n++] = (uint8_t)value;
    return n;
}

static void add_varint(struct buffer *out, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    buffer_add(out, bytes, put_varint(bytes, value));
}

static void add_head(const struct flow_packer *p,
                     const struct flow_record *records, size_t count,
                     struct buffer *out)
{
    size_t tokens = 0, bytes = COLUMN_COUNT;
    uint8_t unused[VARINT_MAX];
    for (size_t i = 0; i < count; i++)
        tokens += has_token(&records[i]);
    for (size_t d = 0; d < DICTIONARY_COUNT; d++)
        bytes += p->dictionaries[d].bytes.length +
                 put_varint(unused, p->dictionaries[d].count);
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        bytes += p->widths[c] * count;
    buffer_add_u8(out, VERSION);
    add_varint(out, count);
    add_varint(out, tokens);
    add_varint(out, bytes);
    for (size_t i = 0; i < count; i++)
        if (has_token(&records[i]))
            buffer_add(out, records[i].token, FLOW_TOKEN_LEN);
}

/* A block costs some 20 bytes, which few records do not win back. */
static bool add_part(struct flow_packer *p, struct slice part,
                     struct buffer *out)
{
    return p->are_few ? packer_join(p->packer, part, out)
                      : packer_add(p->packer, part, out);
}

static bool add_dictionary(struct flow_packer *p, const struct dictionary *d,
                           struct buffer *out)
{
    uint8_t head[VARINT_MAX];
    size_t n = put_varint(head, d->count);
    return add_part(p, slice_of_bytes(head, n), out) &&
           add_part(p, buffer_slice(&d->bytes), out);
}

static bool add_column(struct flow_packer *p, const uint64_t *values,
                       size_t width, size_t count, struct buffer *out)
{
    for (size_t k = 0; k < width; k++) {
        for (size_t i = 0; i < count; i++)
            p->plane[i] = (uint8_t)(values[i] >> (8 * k));
        if (!add_part(p, slice_of_bytes(p->plane, count), out))
            return false;
    }
    return true;
}

bool flow_packer_encode(struct flow_packer *p,
                        const struct flow_record *records, size_t count,
                        struct buffer *out)
{
    if (!reset_packer(p, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_record(p, &records[i], i, count,
                        i > 0 ? records[i - 1].end_ms : 0))
            return false;
    p->are_few = count < FEW_RECORDS;
    set_widths(p, count);
    add_head(p, records, count, out);
    bool good = packer_begin(p->packer) &&
                add_part(p, slice_of_bytes(p->widths, COLUMN_COUNT), out);
    for (size_t c = 0; good && c < COLUMN_COUNT; c++)
        good = (c >= DICTIONARY_COUNT ||
                add_dictionary(p, &p->dictionaries[c], out)) &&
               add_column(p, p->values + c * count, p->widths[c], count, out);
    return good && packer_end(p->packer, out) && !out->failed;
}

/* --- decoding --- */

struct flow_block {
    struct unpacker *unpacker;
    struct buffer bytes; /* the columns */
    struct flow_record *records;
    uint32_t *starts;       /* of a dictionary's entries, in the columns */
    size_t count, capacity; /* capacity: of both */
};

struct flow_block *flow_block_new(void)
{
    struct flow_block *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return NULL;
    b->unpacker = unpacker_new();
    buffer_init(&b->bytes, columns_max(BATCH_RECORD_MAX));
    if (b->unpacker == NULL) {
        flow_block_free(b);
        return NULL;
    }
    return b;
}

void flow_block_free(struct flow_block *b)
{
    if (b == NULL)
        return;
    unpacker_free(b->unpacker);
    buffer_clear(&b->bytes);
    free(b->records);
    free(b->starts);
    free(b);
}

size_t flow_block_count(const struct flow_block *b)
{
    return b->count;
}

const struct flow_record *flow_block_records(const struct flow_block *b)
{
    return b->records;
}

struct head {
    size_t count, token_count, bytes;
    const uint8_t *tokens;
    struct slice packed;
};

static bool read_head(struct slice data, struct head *head)
{
    struct cursor c = cursor_of(data.data, data.length);
    uint8_t version = cursor_u8(&c);
    uint64_t count = read_varint(&c), tokens = read_varint(&c);
    uint64_t bytes = read_varint(&c);
    if (c.failed || version != VERSION || count > BATCH_RECORD_MAX ||
        tokens > count || bytes > columns_max(count))
        return false;
    *head = (struct head){count, tokens, bytes,
                          cursor_bytes(&c, tokens * FLOW_TOKEN_LEN), SLICE("")};
    size_t left = cursor_left(&c);
    head->packed = slice_of_bytes(cursor_bytes(&c, left), left);
    return !c.failed;
}

/* Room for so many records, and entries of a dictionary. */
static bool reserve(struct flow_block *b, size_t count)
{
    if (count <= b->capacity)
        return true;
    free(b->records);
    free(b->starts);
    b->records = calloc(count, sizeof(*b->records));
    b->starts = calloc(count, sizeof(*b->starts));
    b->capacity = b->records != NULL && b->starts != NULL ? count : 0;
    return b->capacity != 0;
}

/* The numbers of one column, read byte by byte as they stand. */
struct column {
    const uint8_t *data;
    size_t width, count;
};

static struct column take_column(struct cursor *c, size_t width, size_t count)
{
    const uint8_t *data =
        width <= sizeof(uint64_t) ? cursor_bytes(c, width * count) : NULL;
    if (data == NULL)
        c->failed = true;
    return (struct column){data, data != NULL ? width : 0, count};
}

static uint64_t number_in(const struct column *column, size_t i)
{
    uint64_t value = 0;
    for (size_t k = column->width; k-- > 0;)
        value = value << 8 | column->data[k * column->count + i];
    return value;
}

/* A dictionary, and the entry of each record put into its members. */
static bool read_dictionary(struct flow_block *b, struct cursor *c,
                            entry_read_fn *read, size_t width)
{
    struct flow_record unused;
    uint64_t entries = read_varint(c);
    if (c->failed || entries > b->count)
        return false;
    for (size_t i = 0; i < entries; i++) {
        b->starts[i] = (uint32_t)c->offset;
        if (!read(c, &unused))
            return false;
    }
    struct column column = take_column(c, width, b->count);
    for (size_t i = 0; !c->failed && i < b->count; i++) {
        uint64_t number = number_in(&column, i);
        if (number >= entries)
            return false;
        struct cursor entry = *c;
        entry.offset = b->starts[number];
        if (!read(&entry, &b->records[i]))
            return false;
    }
    return !c->failed;
}

static bool read_columns(struct flow_block *b, struct cursor *c,
                         const uint8_t *widths)
{
    struct column columns[COLUMN_COUNT];
    uint64_t end = 0;
    for (size_t k = DICTIONARY_COUNT; k < COLUMN_COUNT; k++)
        columns[k] = take_column(c, widths[k], b->count);
    for (size_t i = 0; !c->failed && i < b->count; i++) {
        struct flow_record *r = &b->records[i];
        end += unfold(number_in(&columns[END], i));
        r->end_ms = (int64_t)end;
        r->start_ms = (int64_t)(end - number_in(&columns[DURATION], i));
        r->payload = number_in(&columns[PAYLOAD], i);
        r->rpayload = number_in(&columns[RPAYLOAD], i);
        r->packets = usual_packets(r->payload, r->rpayload) +
                     unfold(number_in(&columns[PACKETS], i));
        r->rpackets = usual_packets(r->rpayload, r->payload) +
                      unfold(number_in(&columns[RPACKETS], i));
        r->octets = r->payload + usual_headers(r, r->packets) +
                    unfold(number_in(&columns[OCTETS], i));
        r->roctets = r->rpayload + usual_headers(r, r->rpackets) +
                     unfold(number_in(&columns[ROCTETS], i));
        r->rtt_us = (uint32_t)number_in(&columns[RTT], i);
        r->burst_count = (uint32_t)number_in(&columns[BURSTS], i);
    }
    return !c->failed;
}

/* Tokens go to the records whose shape says that they have one. */
static bool place_tokens(struct flow_block *b, const struct head *head)
{
    size_t used = 0;
    for (size_t i = 0; i < b->count; i++) {
        struct flow_record *r = &b->records[i];
        if (r->token[0] == 0)
            continue;
        if (used == head->token_count)
            return false;
        memcpy(r->token, head->tokens + used++ * FLOW_TOKEN_LEN,
               FLOW_TOKEN_LEN);
    }
    return used == head->token_count;
}

static bool are_valid(const struct flow_block *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!flow_record_is_valid(&b->records[i]))
            return false;
    return true;
}

bool flow_block_decode(struct flow_block *b, struct slice data)
{
    struct head head;
    b->count = 0;
    if (!read_head(data, &head) || !reserve(b, head.count) ||
        !unpacker_unpack(b->unpacker, head.packed, head.bytes, &b->bytes))
        return false;
    b->count = head.count;
    if (b->count > 0)
        memset(b->records, 0, b->count * sizeof(*b->records));
    struct cursor c = cursor_of(b->bytes.data, b->bytes.length);
    const uint8_t *widths = cursor_bytes(&c, COLUMN_COUNT);
    bool good = widths != NULL;
    for (size_t i = 0; good && i < DICTIONARY_COUNT; i++)
        good = read_dictionary(b, &c, ENTRIES[i].read, widths[i]);
    good = good && read_columns(b, &c, widths) && cursor_left(&c) == 0 &&
           place_tokens(b, &head) && are_valid(b);
    if (!good)
        b->count = 0;
    return good;
}

bool flow_block_tokens(struct slice data, const uint8_t **tokens, size_t *count)
{
    struct head head;
    if (!read_head(data, &head))
        return false;
    *tokens = head.tokens;
    *count = head.token_count;
    return true;
}
