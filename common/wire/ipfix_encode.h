/*
 * IPFIX encoder: messages of at most IPFIX_MESSAGE_MAX bytes from templates
 * that are lists of our elements. A template is written before its first use
 * in each message stream (once per batch).
 *
 * Usage: ipfix_message_begin, then sets: ipfix_set_begin, fields with the
 * buffer's writers in the template's order (ipfix_add_*), ipfix_set_end; then
 * ipfix_message_end. Lengths are filled in at the ends. A message that grew
 * past its limit is found by ipfix_message_end giving false.
 */
#ifndef COMMON_WIRE_IPFIX_ENCODE_H
#define COMMON_WIRE_IPFIX_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/wire/ipfix.h"

struct ipfix_template {
    uint16_t id;          /* >= 256 */
    uint16_t scope_count; /* 0: not an options template */
    uint16_t field_count;
    const enum ipfix_element_id *fields; /* scope fields first */
};

struct ipfix_message {
    struct buffer *out;
    size_t start;     /* offset of the message in out */
    size_t set_start; /* offset of the open set, 0: none */
};

void ipfix_message_begin(struct ipfix_message *m, struct buffer *out,
                         uint32_t export_time_s, uint32_t sequence,
                         uint32_t domain);
void ipfix_add_template(struct ipfix_message *m,
                        const struct ipfix_template *template);
void ipfix_set_begin(struct ipfix_message *m, uint16_t set_id);
void ipfix_set_end(struct ipfix_message *m);
/* Fills in the length; false when the message is too long or memory failed. */
bool ipfix_message_end(struct ipfix_message *m);
size_t ipfix_message_size(const struct ipfix_message *m);

void ipfix_add_uint(struct ipfix_message *m, enum ipfix_element_id element,
                    uint64_t value);
/* Fixed-length octets and addresses: exactly the element's length. */
void ipfix_add_octets(struct ipfix_message *m, enum ipfix_element_id element,
                      const void *data);
/* Variable length (RFC 7011 section 7). */
void ipfix_add_string(struct ipfix_message *m, struct slice text);

#endif
