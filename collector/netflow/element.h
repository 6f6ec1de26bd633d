/*
 * The information elements that are read of foreign exporters' records: one row
 * each, with the place of its value in struct netflow_record.
 *
 * Several elements may tell the same (octetDeltaCount, octetTotalCount); of
 * those a template has, the one with the lowest rank is read. All others are
 * skipped: structured data (RFC 6313) too, whose outer length says all that a
 * reader needs who does not want to look inside.
 */
#ifndef COLLECTOR_NETFLOW_ELEMENT_H
#define COLLECTOR_NETFLOW_ELEMENT_H

#include <stddef.h>
#include <stdint.h>

/* The protocol whose rules hold for a message (RFC 7011, RFC 3954). */
enum netflow_dialect { NETFLOW_V5 = 5, NETFLOW_V9 = 9, NETFLOW_IPFIX = 10 };

enum netflow_slot {
    SLOT_OCTETS,
    SLOT_PACKETS,
    SLOT_ROCTETS,
    SLOT_RPACKETS,
    SLOT_START,
    SLOT_END,
    SLOT_SELECTOR,
    SLOT_INIT,
    SLOT_FLOW_ID,
    SLOT_INPUT,
    SLOT_OUTPUT,
    SLOT_ONE_IN,
    SLOT_INTERVAL,
    SLOT_SPACE,
    SLOT_SIZE,
    SLOT_SAMPLED_FROM,
    SLOT_PROBABILITY,
    SLOT_SOURCE_PORT,
    SLOT_DESTINATION_PORT,
    SLOT_POST_SOURCE_PORT,
    SLOT_POST_DESTINATION_PORT,
    SLOT_TCP_FLAGS,
    SLOT_RTCP_FLAGS,
    SLOT_PROTOCOL,
    SLOT_DIRECTION,
    SLOT_END_REASON,
    SLOT_SOURCE,
    SLOT_DESTINATION,
    SLOT_POST_SOURCE,
    SLOT_POST_DESTINATION,
    SLOT_SOURCE6, /* beside IPv4 in SLOT_SOURCE; no element has these two */
    SLOT_DESTINATION6,
    SLOT_USER_NAME,
    SLOT_IMSI,
    SLOT_MSISDN,
    SLOT_COUNT,
};

/* How the value of an element is to be understood. */
enum netflow_sense {
    SENSE_PLAIN,
    SENSE_TOTAL, /* a count since the flow's start */
    SENSE_IPV4,
    SENSE_IPV6,
    SENSE_UPTIME,       /* milliseconds since the device started, 32 bit */
    SENSE_SECONDS,      /* since 1970 */
    SENSE_MILLISECONDS, /* since 1970 */
    SENSE_NTP,          /* 64 bit NTP time, for micro- and nanoseconds */
    SENSE_DELTA_US,     /* microseconds before the export time */
    SENSE_TEXT,         /* of any length */
};

struct netflow_element {
    uint32_t enterprise;
    uint16_t id;
    uint8_t slot;   /* enum netflow_slot */
    uint8_t sense;  /* enum netflow_sense */
    uint8_t length; /* integers may be shorter (RFC 7011 6.2), never longer;
                       of a text 0 */
    uint8_t rank;
};

/* A member of struct netflow_record. */
struct netflow_place {
    uint16_t offset;
    uint8_t size; /* 0: a struct slice */
};
extern const struct netflow_place netflow_places[SLOT_COUNT];

/* NULL: not one that is read. */
const struct netflow_element *netflow_element_find(uint32_t enterprise,
                                                   uint16_t id);

#endif
