/*
 * Writing IPFIX messages into a buffer.
 *
 * Lengths stand before what they measure, so the header and each set are
 * written with zero there and patched at their ends. Template sets (2, 3) hold
 * one template each: four bytes more, and no state to keep.
 *
 * A field specifier is id (2, top bit set when an enterprise number follows),
 * length (2), and that number (4).
 */
#include "common/wire/ipfix_encode.h"

#include <assert.h>

enum { ENTERPRISE_BIT = 0x8000, SHORT_LENGTH_MAX = 254 };

void ipfix_message_begin(struct ipfix_message *m, struct buffer *out,
                         uint32_t export_time_s, uint32_t sequence,
                         uint32_t domain)
{
    *m = (struct ipfix_message){.out = out, .start = out->length};
    buffer_add_u16(out, IPFIX_VERSION);
    buffer_add_u16(out, 0);
    buffer_add_u32(out, export_time_s);
    buffer_add_u32(out, sequence);
    buffer_add_u32(out, domain);
}

/* A length that does not fit leaves the field zero; ipfix_message_end finds
 * the message too long and nothing of it is used. */
static void patch_length(struct ipfix_message *m, size_t start)
{
    size_t length = m->out->length - start;
    if (!m->out->failed && length <= IPFIX_MESSAGE_MAX)
        buffer_put_u16(m->out, start + 2, (uint16_t)length);
}

void ipfix_set_begin(struct ipfix_message *m, uint16_t set_id)
{
    assert(m->set_start == 0);
    m->set_start = m->out->length;
    buffer_add_u16(m->out, set_id);
    buffer_add_u16(m->out, 0);
}

void ipfix_set_end(struct ipfix_message *m)
{
    assert(m->set_start != 0 || m->out->failed);
    patch_length(m, m->set_start);
    m->set_start = 0;
}

static void add_specifier(struct buffer *out, enum ipfix_element_id id)
{
    const struct ipfix_element *e = &ipfix_elements[id];
    buffer_add_u16(out, e->enterprise ? e->id | ENTERPRISE_BIT : e->id);
    buffer_add_u16(out, e->length);
    if (e->enterprise)
        buffer_add_u32(out, e->enterprise);
}

void ipfix_add_template(struct ipfix_message *m,
                        const struct ipfix_template *template)
{
    bool is_options = template->scope_count > 0;
    ipfix_set_begin(m, is_options ? IPFIX_SET_OPTIONS_TEMPLATE
                                  : IPFIX_SET_TEMPLATE);
    buffer_add_u16(m->out, template->id);
    buffer_add_u16(m->out, template->field_count);
    if (is_options)
        buffer_add_u16(m->out, template->scope_count);
    for (size_t i = 0; i < template->field_count; i++)
        add_specifier(m->out, template->fields[i]);
    ipfix_set_end(m);
}

bool ipfix_message_end(struct ipfix_message *m)
{
    assert(m->set_start == 0);
    patch_length(m, m->start);
    return !m->out->failed && ipfix_message_size(m) <= IPFIX_MESSAGE_MAX;
}

size_t ipfix_message_size(const struct ipfix_message *m)
{
    return m->out->length - m->start;
}

void ipfix_add_uint(struct ipfix_message *m, enum ipfix_element_id element,
                    uint64_t value)
{
    buffer_add_uint(m->out, value, ipfix_elements[element].length);
}

void ipfix_add_octets(struct ipfix_message *m, enum ipfix_element_id element,
                      const void *data)
{
    buffer_add(m->out, data, ipfix_elements[element].length);
}

void ipfix_add_string(struct ipfix_message *m, struct slice text)
{
    if (text.length <= SHORT_LENGTH_MAX) {
        buffer_add_u8(m->out, (uint8_t)text.length);
    } else {
        /* Past 65535 the message itself is too long, which its end reports. */
        buffer_add_u8(m->out, 255);
        buffer_add_u16(m->out, (uint16_t)text.length);
    }
    buffer_add_slice(m->out, text);
}
