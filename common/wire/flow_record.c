/*
 * Connection records on the wire.
 *
 * The field list below is the closed list of PRIV-02 as this program sends it;
 * the two templates differ in the address only. Reading is strict: each field
 * exactly once, none that is not on the list, every value in its range. A
 * record that breaks this is not a connection record of ours, and its reader
 * drops and counts it (VER-06).
 *
 * One row per element says where the value goes, so a record is read in one
 * pass over its fields.
 */
#include "common/wire/flow_record.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/cursor.h"

#define FLOW_FIELDS(address)                                                   \
    IE_FLOW_START_MS, IE_FLOW_END_MS, IE_ENDPOINT_ID, address,                 \
        IE_DESTINATION_PORT, IE_PROTOCOL_IDENTIFIER, IE_OCTET_DELTA_COUNT,     \
        IE_PACKET_DELTA_COUNT, IE_INITIATOR_OCTETS, IE_REV_OCTET_DELTA_COUNT,  \
        IE_REV_PACKET_DELTA_COUNT, IE_RESPONDER_OCTETS, IE_TCP_CONTROL_BITS,   \
        IE_REV_TCP_CONTROL_BITS, IE_FLOW_END_REASON, IE_NAME_EVIDENCE,         \
        IE_BIFLOW_DIRECTION, IE_APPLICATION_NAME, IE_HANDSHAKE_RTT_US,         \
        IE_BURST_COUNT, IE_HOST_PSEUDONYM, IE_FLOW_TOKEN,                      \
        IE_CLIENT_FINGERPRINT

static const enum ipfix_element_id fields_ipv4[] = {
    FLOW_FIELDS(IE_DESTINATION_IPV4)};
static const enum ipfix_element_id fields_ipv6[] = {
    FLOW_FIELDS(IE_DESTINATION_IPV6)};

enum { FLOW_FIELD_COUNT = sizeof(fields_ipv4) / sizeof(fields_ipv4[0]) };

const struct ipfix_template flow_template_ipv4 = {
    TEMPLATE_FLOW_IPV4, 0, FLOW_FIELD_COUNT, fields_ipv4};
const struct ipfix_template flow_template_ipv6 = {
    TEMPLATE_FLOW_IPV6, 0, FLOW_FIELD_COUNT, fields_ipv6};

/* Where an element's value goes in struct flow_record, and its bounds. */
enum place_kind { PLACE_NONE, PLACE_UINT, PLACE_TEXT, PLACE_BYTES };
struct place {
    enum place_kind kind;
    uint16_t offset;
    uint16_t size; /* of the member */
    uint64_t min, max;
};

#define MEMBER(member)                                                         \
    offsetof(struct flow_record, member),                                      \
        sizeof(((struct flow_record *)NULL)->member)
/* Times up to the year 9999, so that microseconds fit; counters as large as
 * the store's signed integers. */
#define TIME_MAX_MS 253402300799999u
#define COUNTER_MAX ((uint64_t)INT64_MAX)

static const struct place places[IE_COUNT] = {
    [IE_FLOW_START_MS] = {PLACE_UINT, MEMBER(start_ms), 0, TIME_MAX_MS},
    [IE_FLOW_END_MS] = {PLACE_UINT, MEMBER(end_ms), 0, TIME_MAX_MS},
    [IE_ENDPOINT_ID] = {PLACE_TEXT, MEMBER(endpoint_id), 1, 0},
    [IE_DESTINATION_IPV4] = {PLACE_BYTES, MEMBER(address), 4, 4},
    [IE_DESTINATION_IPV6] = {PLACE_BYTES, MEMBER(address), 16, 16},
    [IE_DESTINATION_PORT] = {PLACE_UINT, MEMBER(port), 0, UINT16_MAX},
    [IE_PROTOCOL_IDENTIFIER] = {PLACE_UINT, MEMBER(protocol), 0, UINT8_MAX},
    [IE_OCTET_DELTA_COUNT] = {PLACE_UINT, MEMBER(octets), 0, COUNTER_MAX},
    [IE_PACKET_DELTA_COUNT] = {PLACE_UINT, MEMBER(packets), 0, COUNTER_MAX},
    [IE_INITIATOR_OCTETS] = {PLACE_UINT, MEMBER(payload), 0, COUNTER_MAX},
    [IE_REV_OCTET_DELTA_COUNT] = {PLACE_UINT, MEMBER(roctets), 0, COUNTER_MAX},
    [IE_REV_PACKET_DELTA_COUNT] = {PLACE_UINT, MEMBER(rpackets), 0,
                                   COUNTER_MAX},
    [IE_RESPONDER_OCTETS] = {PLACE_UINT, MEMBER(rpayload), 0, COUNTER_MAX},
    [IE_TCP_CONTROL_BITS] = {PLACE_UINT, MEMBER(tcp_flags), 0, UINT16_MAX},
    [IE_REV_TCP_CONTROL_BITS] = {PLACE_UINT, MEMBER(rtcp_flags), 0, UINT16_MAX},
    [IE_FLOW_END_REASON] = {PLACE_UINT, MEMBER(end_reason), FLOW_END_IDLE,
                            FLOW_END_RESOURCES},
    [IE_NAME_EVIDENCE] = {PLACE_UINT, MEMBER(name_evidence), 0,
                          NAME_EVIDENCE_COUNT - 1},
    [IE_BIFLOW_DIRECTION] = {PLACE_UINT, MEMBER(direction), 0, 2},
    [IE_APPLICATION_NAME] = {PLACE_TEXT, MEMBER(application), 0, 0},
    [IE_HANDSHAKE_RTT_US] = {PLACE_UINT, MEMBER(rtt_us), 0, UINT32_MAX},
    [IE_BURST_COUNT] = {PLACE_UINT, MEMBER(burst_count), 0, UINT32_MAX},
    [IE_HOST_PSEUDONYM] = {PLACE_UINT, MEMBER(host_pseudonym), 0, UINT64_MAX},
    [IE_FLOW_TOKEN] = {PLACE_BYTES, MEMBER(token), FLOW_TOKEN_LEN,
                       FLOW_TOKEN_LEN},
    [IE_CLIENT_FINGERPRINT] = {PLACE_BYTES, MEMBER(fingerprint),
                               FINGERPRINT_LEN, FINGERPRINT_LEN},
};

const char *name_evidence_text(enum name_evidence evidence)
{
    static const char *const texts[NAME_EVIDENCE_COUNT] = {
        [NAME_NONE] = "none",         [NAME_SNI] = "sni",
        [NAME_QUIC_SNI] = "quic-sni", [NAME_HTTP_HOST] = "http-host",
        [NAME_MISMATCH] = "mismatch",
    };
    return (unsigned)evidence < NAME_EVIDENCE_COUNT ? texts[evidence]
                                                    : "unknown";
}

static uint64_t load_uint(const void *member, size_t size)
{
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;
    switch (size) {
    case 8:
        memcpy(&u64, member, sizeof(u64));
        return u64;
    case 4:
        memcpy(&u32, member, sizeof(u32));
        return u32;
    case 2:
        memcpy(&u16, member, sizeof(u16));
        return u16;
    default:
        return *(const uint8_t *)member;
    }
}

static void store_uint(void *member, size_t size, uint64_t value)
{
    uint32_t u32 = (uint32_t)value;
    uint16_t u16 = (uint16_t)value;
    uint8_t u8 = (uint8_t)value;
    switch (size) {
    case 8:
        memcpy(member, &value, sizeof(value));
        break;
    case 4:
        memcpy(member, &u32, sizeof(u32));
        break;
    case 2:
        memcpy(member, &u16, sizeof(u16));
        break;
    default:
        memcpy(member, &u8, sizeof(u8));
    }
}

void flow_record_encode(struct ipfix_message *m, const struct flow_record *r)
{
    const enum ipfix_element_id *fields =
        r->is_ipv6 ? fields_ipv6 : fields_ipv4;
    for (size_t i = 0; i < FLOW_FIELD_COUNT; i++) {
        const struct place *place = &places[fields[i]];
        const void *member = (const char *)r + place->offset;
        if (place->kind == PLACE_UINT)
            ipfix_add_uint(m, fields[i], load_uint(member, place->size));
        else if (place->kind == PLACE_BYTES)
            ipfix_add_octets(m, fields[i], member);
        else
            ipfix_add_string(
                m, slice_of_bytes(member, strnlen(member, place->size)));
    }
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

static bool is_good_text(struct slice text, const struct place *place,
                         enum ipfix_element_id element)
{
    if (text.length < place->min || text.length >= place->size)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (element == IE_ENDPOINT_ID ? !slice_is_id_character(text.data[i])
                                      : !is_printable(text.data[i]))
            return false;
    }
    return true;
}

static bool take_text(const struct ipfix_value *v, const struct place *place,
                      enum ipfix_element_id element, char *member)
{
    struct slice text = slice_of_bytes(v->data, v->length);
    return is_good_text(text, place, element) &&
           slice_copy(text, member, place->size);
}

static bool take_value(const struct ipfix_value *v, struct flow_record *r)
{
    const struct place *place = &places[v->element];
    char *member = (char *)r + place->offset;
    if (place->kind == PLACE_TEXT)
        return take_text(v, place, v->element, member);
    if (place->kind == PLACE_BYTES) {
        if (v->length != place->min)
            return false;
        memcpy(member, v->data, v->length);
        return true;
    }
    if (v->length < 1 || v->length > 8)
        return false;
    struct cursor c = cursor_of(v->data, v->length);
    uint64_t value = cursor_uint(&c, v->length);
    if (value < place->min || value > place->max)
        return false;
    store_uint(member, place->size, value);
    return true;
}

bool flow_record_decode(const struct ipfix_record *in, struct flow_record *r)
{
    uint64_t seen = 0; /* a bit for each element; IE_COUNT is below 64 */
    if (in->is_options || in->field_count != FLOW_FIELD_COUNT)
        return false;
    *r = (struct flow_record){0};
    for (size_t i = 0; i < in->field_count; i++) {
        const struct ipfix_value *v = &in->fields[i];
        if (v->element < 0 || places[v->element].kind == PLACE_NONE ||
            (seen >> v->element & 1) != 0 || !take_value(v, r))
            return false;
        seen |= 1ull << v->element;
    }
    /* FLOW_FIELD_COUNT different ones of a list that has one more: what may
     * be missing is one of the two addresses, and nothing else. */
    bool has_ipv4 = seen >> IE_DESTINATION_IPV4 & 1;
    r->is_ipv6 = seen >> IE_DESTINATION_IPV6 & 1;
    return has_ipv4 != r->is_ipv6 && r->end_ms >= r->start_ms;
}

static bool is_good_member(const struct flow_record *r,
                           enum ipfix_element_id element)
{
    const struct place *place = &places[element];
    const char *member = (const char *)r + place->offset;
    if (place->kind == PLACE_TEXT)
        return is_good_text(
            slice_of_bytes(member, strnlen(member, place->size)), place,
            element);
    if (place->kind != PLACE_UINT)
        return true;
    uint64_t value = load_uint(member, place->size);
    return value >= place->min && value <= place->max;
}

bool flow_record_is_valid(const struct flow_record *r)
{
    uint8_t is_ipv6; /* any byte may stand where a bool should */
    memcpy(&is_ipv6, (const char *)r + offsetof(struct flow_record, is_ipv6),
           sizeof(is_ipv6));
    if (is_ipv6 > 1)
        return false;
    for (size_t i = 0; i < FLOW_FIELD_COUNT; i++)
        if (!is_good_member(r, is_ipv6 ? fields_ipv6[i] : fields_ipv4[i]))
            return false;
    return r->end_ms >= r->start_ms;
}

bool flow_record_equal(const struct flow_record *a, const struct flow_record *b)
{
    const enum ipfix_element_id *fields =
        a->is_ipv6 ? fields_ipv6 : fields_ipv4;
    if (a->is_ipv6 != b->is_ipv6)
        return false;
    for (size_t i = 0; i < FLOW_FIELD_COUNT; i++) {
        const struct place *place = &places[fields[i]];
        const char *x = (const char *)a + place->offset;
        const char *y = (const char *)b + place->offset;
        if (place->kind == PLACE_TEXT ? strncmp(x, y, place->size) != 0
                                      : memcmp(x, y, place->size) != 0)
            return false;
    }
    return true;
}

bool flow_is_refused(uint8_t protocol, uint16_t tcp_flags, uint16_t rtcp_flags,
                     uint64_t rpayload)
{
    enum { ICMP = 1, TCP = 6, ICMPV6 = 58, RST = 0x04, ACK = 0x10 };
    if (protocol == ICMP || protocol == ICMPV6)
        return true;
    bool is_reset = (rtcp_flags & RST) != 0 && rpayload == 0;
    /* Flags of 0: an exporter that does not tell them. */
    bool is_left = (tcp_flags != 0 && (tcp_flags & ACK) == 0) ||
                   (rtcp_flags != 0 && (rtcp_flags & ACK) == 0);
    return protocol == TCP && (is_reset || is_left);
}

bool flow_record_is_two_way(const struct flow_record *r)
{
    return r->packets > 0 && r->rpackets > 0 &&
           !flow_is_refused(r->protocol, r->tcp_flags, r->rtcp_flags,
                            r->rpayload);
}

static_assert(IE_COUNT <= 64, "flow_record_decode keeps a bit per element");
