/*
 * Receipts.
 *
 *   message header
 *   set 3     options template 300
 *   set 300   one record: probe id (scope), batch sequence, batch hash, ledger
 *             index, received, status, algorithm, signature
 *
 * The signature covers the record up to itself, and what those bytes mean is
 * said by the template, which it does not cover. So the reader takes no other
 * template than the one above, field by field: another order or other lengths
 * are no receipt.
 */
#include "common/wire/receipt.h"

#include <string.h>

#include "common/wire/ipfix_decode.h"
#include "common/wire/ipfix_encode.h"

enum { RECEIPT_DOMAIN = 1, RECEIPT_MAX = 1024, RECEIPT_SIGNED_MAX = 512 };

static const enum ipfix_element_id fields[] = {
    IE_PROBE_ID,    IE_BATCH_SEQUENCE, IE_BATCH_HASH,          IE_LEDGER_INDEX,
    IE_RECEIVED_MS, IE_RECEIPT_STATUS, IE_SIGNATURE_ALGORITHM, IE_SIGNATURE,
};
enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };
static const struct ipfix_template template = {TEMPLATE_RECEIPT, 1, FIELD_COUNT,
                                               fields};

const char *receipt_status_text(enum receipt_status status)
{
    static const char *const texts[] = {
        [RECEIPT_COUNTED] = "counted", [RECEIPT_LATE] = "late",
        [RECEIPT_KEPT] = "kept",       [RECEIPT_REPEATED] = "repeated",
        [RECEIPT_REFUSED] = "refused",
    };
    if ((size_t)status >= sizeof(texts) / sizeof(texts[0]))
        return "unknown";
    return texts[status];
}

/* Prefix and record bytes side by side; gives their length. */
static size_t bytes_to_sign(const uint8_t *record, size_t length,
                            uint8_t bytes[static RECEIPT_SIGNED_MAX])
{
    size_t prefix = sizeof(RECEIPT_SIGN_PREFIX) - 1;
    if (length > RECEIPT_SIGNED_MAX - prefix)
        return 0;
    memcpy(bytes, RECEIPT_SIGN_PREFIX, prefix);
    memcpy(bytes + prefix, record, length);
    return prefix + length;
}

static bool sign_record(const struct sign_key *key, struct buffer *out,
                        size_t record_start, size_t signature_start)
{
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    size_t length = bytes_to_sign(out->data + record_start,
                                  signature_start - record_start, bytes);
    return length > 0 &&
           sign_make(key, bytes, length, out->data + signature_start);
}

bool receipt_encode(const struct receipt *receipt, const struct sign_key *key,
                    struct buffer *out)
{
    static const uint8_t nothing[SIGN_LEN];
    struct ipfix_message m;
    ipfix_message_begin(&m, out, (uint32_t)(receipt->received_ms / 1000), 0,
                        RECEIPT_DOMAIN);
    ipfix_add_template(&m, &template);
    ipfix_set_begin(&m, TEMPLATE_RECEIPT);
    size_t record_start = out->length;
    ipfix_add_string(&m, slice_of_text(receipt->probe_id));
    ipfix_add_uint(&m, IE_BATCH_SEQUENCE, receipt->sequence);
    ipfix_add_octets(&m, IE_BATCH_HASH, receipt->batch_hash.bytes);
    ipfix_add_uint(&m, IE_LEDGER_INDEX, receipt->ledger_index);
    ipfix_add_uint(&m, IE_RECEIVED_MS, (uint64_t)receipt->received_ms);
    ipfix_add_uint(&m, IE_RECEIPT_STATUS, receipt->status);
    ipfix_add_uint(&m, IE_SIGNATURE_ALGORITHM, sign_key_algorithm(key));
    size_t signature_start = out->length;
    ipfix_add_octets(&m, IE_SIGNATURE, nothing);
    ipfix_set_end(&m);
    return ipfix_message_end(&m) &&
           sign_record(key, out, record_start, signature_start);
}

/* What the callback needs, and what it found. */
struct reading {
    const uint8_t *message;
    size_t length;
    enum sign_algorithm algorithm;
    struct slice public_key;
    struct receipt *receipt;
    bool is_found;
};

static bool has_our_fields(const struct ipfix_record *record)
{
    if (record->template_id != TEMPLATE_RECEIPT || !record->is_options ||
        record->field_count != FIELD_COUNT)
        return false;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        uint16_t length = ipfix_elements[fields[i]].length;
        if (record->fields[i].element != (int)fields[i] ||
            record->fields[i].is_scope != (i == 0) ||
            (length != IPFIX_VARIABLE && record->fields[i].length != length))
            return false;
    }
    return true;
}

static bool is_signed(const struct reading *in,
                      const struct ipfix_record *record)
{
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    const uint8_t *start = in->message + record->offset;
    const uint8_t *signature = record->fields[FIELD_COUNT - 1].data;
    size_t length = bytes_to_sign(start, (size_t)(signature - start), bytes);
    return length > 0 &&
           sign_verify(in->algorithm, in->public_key, bytes, length, signature);
}

static bool get_fields(const struct ipfix_record *record, struct receipt *r,
                       uint64_t *algorithm)
{
    struct slice probe_id, hash;
    uint64_t received, status;
    if (!ipfix_get_bytes(record, IE_PROBE_ID, &probe_id) ||
        !slice_is_clean_utf8(probe_id) ||
        !slice_copy(probe_id, r->probe_id, sizeof(r->probe_id)) ||
        !ipfix_get_u64(record, IE_BATCH_SEQUENCE, &r->sequence) ||
        !ipfix_get_bytes(record, IE_BATCH_HASH, &hash) ||
        !ipfix_get_u64(record, IE_LEDGER_INDEX, &r->ledger_index) ||
        !ipfix_get_u64(record, IE_RECEIVED_MS, &received) ||
        !ipfix_get_u64(record, IE_RECEIPT_STATUS, &status) ||
        !ipfix_get_u64(record, IE_SIGNATURE_ALGORITHM, algorithm))
        return false;
    memcpy(r->batch_hash.bytes, hash.data, DIGEST_LEN);
    r->received_ms = (int64_t)received;
    r->status = (enum receipt_status)status;
    return received <= INT64_MAX / 1000 && status <= RECEIPT_REFUSED;
}

/* Exactly one record, which ends the message. */
static bool take_record(void *context, const struct ipfix_record *record)
{
    struct reading *in = context;
    uint64_t algorithm;
    if (in->is_found || record->offset + record->length != in->length ||
        !has_our_fields(record) || !is_signed(in, record) ||
        !get_fields(record, in->receipt, &algorithm) ||
        algorithm != in->algorithm)
        return false;
    in->is_found = true;
    return true;
}

bool receipt_decode(const uint8_t *message, size_t length,
                    enum sign_algorithm algorithm, struct slice public_key,
                    struct receipt *receipt)
{
    struct reading in = {.message = message,
                         .length = length,
                         .algorithm = algorithm,
                         .public_key = public_key,
                         .receipt = receipt};
    *receipt = (struct receipt){0};
    struct ipfix_session *session =
        length <= RECEIPT_MAX ? ipfix_session_new() : NULL;
    if (session == NULL)
        return false;
    enum ipfix_status status =
        ipfix_decode_message(session, message, length, take_record, &in);
    ipfix_session_free(session);
    return status == IPFIX_OK && in.is_found;
}

bool receipt_next(struct slice *rest, enum sign_algorithm algorithm,
                  struct slice public_key, struct receipt *receipt)
{
    while (rest->length > 0) {
        const uint8_t *data = (const uint8_t *)rest->data;
        int length = ipfix_message_length(data, rest->length);
        if (length <= 0 || (size_t)length > rest->length)
            return false;
        rest->data += length;
        rest->length -= (size_t)length;
        if (receipt_decode(data, (size_t)length, algorithm, public_key,
                           receipt))
            return true;
    }
    return false;
}
