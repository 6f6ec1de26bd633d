/*
 * IPFIX decoder: bytes of a transport session to checked records.
 *
 * A session keeps the templates of one peer (per observation domain), bounded
 * in number and size. Each data record is handed to a callback as a list of
 * field values that point into the message. Rules held here:
 *  - a template whose records could be shorter than one byte is refused when it
 *    arrives, so that every loop moves on;
 *  - variable lengths are checked against the set, not the message;
 *  - a fixed length an element cannot have is refused at the template;
 *  - withdrawals (field count 0) are honoured, as TLS and TCP allow (8.1);
 *  - sets without a known template are counted and skipped;
 *  - padding shorter than the smallest record ends a set.
 */
#ifndef COMMON_WIRE_IPFIX_DECODE_H
#define COMMON_WIRE_IPFIX_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/wire/ipfix.h"

enum {
    IPFIX_MAX_TEMPLATES = 64, /* per session, all domains together */
    IPFIX_MAX_FIELDS = 128,   /* per template */
};

struct ipfix_value {
    int16_t element; /* enum ipfix_element_id, or -1: unknown here */
    uint16_t length;
    const uint8_t *data;
    bool is_scope;
};

struct ipfix_record {
    uint32_t domain;
    uint32_t export_time_s;
    uint16_t template_id;
    bool is_options;
    uint16_t field_count;
    const struct ipfix_value *fields;
    size_t offset; /* of the record in its message */
    size_t length; /* bytes of the record */
};

enum ipfix_status {
    IPFIX_OK,
    IPFIX_TRUNCATED, /* message or set runs past its end */
    IPFIX_BAD_VERSION,
    IPFIX_BAD_LENGTH,   /* message or set length too small */
    IPFIX_BAD_SET,      /* reserved set id */
    IPFIX_BAD_TEMPLATE, /* id, field count, scope or length not allowed */
    IPFIX_TOO_MANY,     /* a cap of the session */
    IPFIX_BAD_RECORD,   /* variable length past its set */
    IPFIX_REFUSED,      /* the callback said no */
};

struct ipfix_session;

struct ipfix_counters {
    uint64_t messages, records, unknown_sets, lost_records, reordered;
};

struct ipfix_session *ipfix_session_new(void);
void ipfix_session_free(struct ipfix_session *session);

/* False from the callback stops the message with IPFIX_REFUSED. */
typedef bool ipfix_record_fn(void *context, const struct ipfix_record *record);

/* Length of the message that starts here, 0 when fewer than 16 bytes are there
 * yet, -1 when it is no IPFIX message (version, or length under 16). */
int ipfix_message_length(const uint8_t *data, size_t length);
/* One whole message. After a status other than IPFIX_OK the records before the
 * fault were delivered and the rest of the message was not. */
enum ipfix_status ipfix_decode_message(struct ipfix_session *session,
                                       const uint8_t *message, size_t length,
                                       ipfix_record_fn *fn, void *context);
const struct ipfix_counters *
ipfix_session_counters(const struct ipfix_session *session);
const char *ipfix_status_text(enum ipfix_status status);

/* Values of a record by element; false when absent or of a wrong size. */
bool ipfix_get_u64(const struct ipfix_record *record,
                   enum ipfix_element_id element, uint64_t *value);
bool ipfix_get_bytes(const struct ipfix_record *record,
                     enum ipfix_element_id element, struct slice *value);

#endif
