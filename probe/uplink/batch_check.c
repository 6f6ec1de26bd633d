/* The parts of a batch, and what each is covered by: common/wire/batch.h. */
#include "probe/uplink/batch_check.h"

#include <stdbool.h>
#include <string.h>

#include "common/wire/batch.h"
#include "common/wire/ipfix_decode.h"

/* What stands in the last message; ends are offsets in it, 0: not seen. */
struct seal {
    struct slice content_hash;
    uint64_t sequence, signed_sequence;
    size_t record_end, signature_start, signature_end;
};

static bool take_record(void *context, const struct ipfix_record *record)
{
    struct seal *s = context;
    size_t end = record->offset + record->length;
    if (s->record_end == 0 && record->template_id == TEMPLATE_BATCH) {
        s->record_end = end;
        return ipfix_get_u64(record, IE_BATCH_SEQUENCE, &s->sequence) &&
               ipfix_get_bytes(record, IE_CONTENT_HASH, &s->content_hash);
    }
    if (s->signature_end != 0 ||
        record->template_id != TEMPLATE_BATCH_SIGNATURE)
        return false;
    s->signature_start = record->offset;
    s->signature_end = end;
    return ipfix_get_u64(record, IE_BATCH_SEQUENCE, &s->signed_sequence);
}

/* Where the last message starts; false unless all are whole. */
static bool find_last(const uint8_t *data, size_t size, size_t *start)
{
    size_t at = 0;
    while (at < size) {
        int length = ipfix_message_length(data + at, size - at);
        if (length <= 0 || (size_t)length > size - at)
            return false;
        *start = at;
        at += (size_t)length;
    }
    return size > 0;
}

static bool has_hash(struct slice bytes, struct digest hash)
{
    return digest_equal(digest_of(bytes.data, bytes.length), hash);
}

static bool is_sealed(struct slice content, struct slice last,
                      const struct seal *s, struct digest hash)
{
    struct digest content_hash;
    if (s->content_hash.length != DIGEST_LEN ||
        s->signature_start != s->record_end + IPFIX_SET_HEADER_LEN ||
        s->signature_end != last.length || s->sequence != s->signed_sequence)
        return false;
    memcpy(content_hash.bytes, s->content_hash.data, DIGEST_LEN);
    return has_hash(slice_of_bytes(last.data, s->record_end), hash) &&
           has_hash(content, content_hash);
}

enum batch_check batch_check(struct slice batch, struct digest hash)
{
    struct seal seal = {0};
    const uint8_t *data = (const uint8_t *)batch.data;
    size_t start = 0;
    if (!find_last(data, batch.length, &start))
        return BATCH_CHECK_DAMAGED;
    struct slice content = slice_of_bytes(batch.data, start);
    struct slice last =
        slice_of_bytes(batch.data + start, batch.length - start);
    struct ipfix_session *session = ipfix_session_new();
    if (session == NULL)
        return BATCH_CHECK_UNKNOWN;
    bool good =
        ipfix_decode_message(session, (const uint8_t *)last.data, last.length,
                             take_record, &seal) == IPFIX_OK &&
        is_sealed(content, last, &seal, hash);
    ipfix_session_free(session);
    return good ? BATCH_CHECK_INTACT : BATCH_CHECK_DAMAGED;
}
