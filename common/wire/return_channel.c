/*
 * A table has the fields of each kind with their places in struct
 * return_message; the element's type says how a field is written and read.
 */
#include "common/wire/return_channel.h"

#include <string.h>

#include "common/wire/ipfix_decode.h"
#include "common/wire/ipfix_encode.h"

enum { RETURN_DOMAIN = 1, FIELDS_MAX = 7 };

struct field {
    enum ipfix_element_id element;
    size_t offset;
};

struct kind {
    enum return_kind kind;
    size_t count;
    struct field fields[FIELDS_MAX]; /* the first is the scope */
};

#define AT(member) offsetof(struct return_message, member)

static const struct kind kinds[] = {
    {RETURN_CHALLENGE,
     3,
     {{IE_COLLECTOR_CHALLENGE, AT(nonce)},
      {IE_CHALLENGE_ISSUED_MS, AT(issued_ms)},
      {IE_CHALLENGE_EXPIRES_MS, AT(expires_ms)}}},
    {RETURN_CLOCK,
     3,
     {{IE_CLOCK_REQUEST_MS, AT(request_ms)},
      {IE_CLOCK_RECEIVE_MS, AT(receive_ms)},
      {IE_CLOCK_TRANSMIT_MS, AT(transmit_ms)}}},
    {RETURN_REGISTRY_HEAD,
     7,
     {{IE_REGISTRY_SERIAL, AT(head.serial)},
      {IE_REGISTRY_VERSION, AT(head.hash)},
      {IE_REGISTRY_ISSUED_MS, AT(head.issued_ms)},
      {IE_SIGNATURE_ALGORITHM, AT(head.algorithm)},
      {IE_SIGNATURE, AT(head.signature)},
      {IE_REGISTRY_FROM, AT(from)},
      {IE_CHUNK_COUNT, AT(chunk_count)}}},
    {RETURN_REGISTRY_CHUNK,
     3,
     {{IE_CHUNK_INDEX, AT(chunk_index)},
      {IE_REGISTRY_VERSION, AT(head.hash)},
      {IE_CHUNK, AT(chunk)}}},
    {RETURN_REGISTRY_REQUEST,
     2,
     {{IE_REGISTRY_VERSION, AT(head.hash)},
      {IE_REGISTRY_SERIAL, AT(head.serial)}}},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static const struct kind *kind_of(unsigned id)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if ((unsigned)kinds[i].kind == id)
            return &kinds[i];
    return NULL;
}

/* --- writing --- */

static void add_field(struct ipfix_message *out, const struct field *f,
                      const struct return_message *m)
{
    const uint8_t *at = (const uint8_t *)m + f->offset;
    const struct ipfix_element *e = &ipfix_elements[f->element];
    uint64_t number;
    if (e->type == IPFIX_UNSIGNED || e->type == IPFIX_MILLISECONDS) {
        memcpy(&number, at, sizeof(number));
        ipfix_add_uint(out, f->element, number);
    } else if (e->length == IPFIX_VARIABLE) {
        struct slice bytes;
        memcpy(&bytes, at, sizeof(bytes));
        ipfix_add_string(out, bytes);
    } else {
        ipfix_add_octets(out, f->element, at);
    }
}

bool return_channel_encode(const struct return_message *m, int64_t now_ms,
                           struct buffer *out)
{
    const struct kind *k = kind_of((unsigned)m->kind);
    enum ipfix_element_id elements[FIELDS_MAX];
    struct ipfix_message message;
    if (k == NULL || m->chunk.length > RETURN_CHUNK_MAX)
        return false;
    for (size_t i = 0; i < k->count; i++)
        elements[i] = k->fields[i].element;
    struct ipfix_template template = {(uint16_t)k->kind, 1, (uint16_t)k->count,
                                      elements};
    ipfix_message_begin(&message, out, (uint32_t)(now_ms / 1000), 0,
                        RETURN_DOMAIN);
    ipfix_add_template(&message, &template);
    ipfix_set_begin(&message, (uint16_t)k->kind);
    for (size_t i = 0; i < k->count; i++)
        add_field(&message, &k->fields[i], m);
    ipfix_set_end(&message);
    return ipfix_message_end(&message);
}

/* --- reading --- */

struct reading {
    struct return_message *m;
    enum return_status status;
    size_t records;
};

static bool get_field(const struct ipfix_record *record, const struct field *f,
                      struct return_message *m)
{
    uint8_t *at = (uint8_t *)m + f->offset;
    const struct ipfix_element *e = &ipfix_elements[f->element];
    uint64_t number;
    struct slice bytes;
    if (e->type == IPFIX_UNSIGNED || e->type == IPFIX_MILLISECONDS) {
        if (!ipfix_get_u64(record, f->element, &number) ||
            number > INT64_MAX / 1000)
            return false;
        memcpy(at, &number, sizeof(number));
        return true;
    }
    if (!ipfix_get_bytes(record, f->element, &bytes))
        return false;
    if (e->length == IPFIX_VARIABLE)
        memcpy(at, &bytes, sizeof(bytes));
    else
        memcpy(at, bytes.data, bytes.length);
    return true;
}

static bool take_record(void *context, const struct ipfix_record *record)
{
    struct reading *in = context;
    const struct kind *k =
        record->is_options ? kind_of(record->template_id) : NULL;
    in->records++;
    if (in->records > 1 || !record->is_options ||
        record->template_id < RETURN_TEMPLATE_FIRST ||
        record->template_id > RETURN_TEMPLATE_LAST)
        return false;
    if (k == NULL) {
        in->status = RETURN_UNKNOWN;
        return true;
    }
    for (size_t i = 0; i < k->count; i++)
        if (!get_field(record, &k->fields[i], in->m))
            return false;
    in->m->kind = k->kind;
    in->status =
        in->m->chunk.length <= RETURN_CHUNK_MAX ? RETURN_OK : RETURN_BAD;
    return true;
}

enum return_status return_channel_decode(const uint8_t *message, size_t length,
                                         struct return_message *m)
{
    *m = (struct return_message){0};
    struct reading in = {.m = m, .status = RETURN_BAD};
    struct ipfix_session *session = ipfix_session_new();
    if (session == NULL)
        return RETURN_BAD;
    enum ipfix_status status =
        ipfix_decode_message(session, message, length, take_record, &in);
    ipfix_session_free(session);
    return status == IPFIX_OK ? in.status : RETURN_BAD;
}

bool return_channel_is_ours(const uint8_t *message, size_t length)
{
    enum { SET = IPFIX_HEADER_LEN, TEMPLATE = SET + IPFIX_SET_HEADER_LEN };
    if (length < TEMPLATE + 2)
        return false;
    unsigned set = (unsigned)message[SET] << 8 | message[SET + 1];
    unsigned id = (unsigned)message[TEMPLATE] << 8 | message[TEMPLATE + 1];
    return set == IPFIX_SET_OPTIONS_TEMPLATE && id >= RETURN_TEMPLATE_FIRST &&
           id <= RETURN_TEMPLATE_LAST;
}
