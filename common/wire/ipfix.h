/*
 * IPFIX (RFC 7011): the numbers, and the table of information elements.
 *
 * Message header, 16 bytes, big-endian:
 *
 *   offset size meaning
 *   0      2    version, 10
 *   2      2    length of the whole message, header included
 *   4      4    export time, seconds since 1970
 *   8      4    sequence number: data records sent before, modulo 2^32
 *   12     4    observation domain id
 *
 * then sets: id (2), length with these four bytes (2), records, padding.
 *
 * The table has a row for each element that we write or understand. Elements
 * of our own stand under YZ_ENTERPRISE, and nowhere else is that number
 * written. 32473 is the number RFC 5612 reserves for documentation: it is
 * replaced here, in one place, when IANA assigns one. A reverse element
 * (RFC 5103) is the forward one under enterprise 29305.
 */
#ifndef COMMON_WIRE_IPFIX_H
#define COMMON_WIRE_IPFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPFIX_VERSION = 10,
    IPFIX_HEADER_LEN = 16,
    IPFIX_SET_HEADER_LEN = 4,
    IPFIX_SET_TEMPLATE = 2,
    IPFIX_SET_OPTIONS_TEMPLATE = 3,
    IPFIX_SET_DATA_MIN = 256,
    IPFIX_VARIABLE = 65535, /* length of a variable-length field */
    IPFIX_MESSAGE_MAX = 65535,
    IPFIX_PORT_TLS = 4740,
};

#define IPFIX_ENTERPRISE_REVERSE 29305u
#define YZ_ENTERPRISE            32473u

enum ipfix_type {
    IPFIX_UNSIGNED,     /* 1, 2, 4 or 8 bytes, reduced size allowed */
    IPFIX_SIGNED,       /* 8 bytes, two's complement */
    IPFIX_IPV4,         /* 4 bytes */
    IPFIX_IPV6,         /* 16 bytes */
    IPFIX_MILLISECONDS, /* 8 bytes since 1970 */
    IPFIX_STRING,       /* UTF-8, variable length */
    IPFIX_OCTETS,       /* bytes, fixed or variable length */
};

/* Our names for the elements: indexes into the table. IE_REV_ are reverse. */
enum ipfix_element_id {
    IE_OCTET_DELTA_COUNT,
    IE_PACKET_DELTA_COUNT,
    IE_PROTOCOL_IDENTIFIER,
    IE_TCP_CONTROL_BITS,
    IE_DESTINATION_PORT,
    IE_DESTINATION_IPV4,
    IE_DESTINATION_IPV6,
    IE_APPLICATION_NAME,
    IE_FLOW_END_REASON,
    IE_FLOW_START_MS,
    IE_FLOW_END_MS,
    IE_INITIATOR_OCTETS, /* payload octets from the opener (RFC 7012) */
    IE_RESPONDER_OCTETS, /* payload octets to the opener */
    IE_BIFLOW_DIRECTION,
    IE_REV_OCTET_DELTA_COUNT,
    IE_REV_PACKET_DELTA_COUNT,
    IE_REV_TCP_CONTROL_BITS,
    /* of our own: the connection record (F27, PRIV-02) */
    IE_ENDPOINT_ID,        /* string, id of the registered endpoint */
    IE_NAME_EVIDENCE,      /* enum name_evidence */
    IE_CLIENT_FINGERPRINT, /* 8 octets of a hash, zero: none */
    IE_FLOW_TOKEN,         /* 16 octets, zero: none */
    IE_HOST_PSEUDONYM,     /* 64 bit keyed hash */
    IE_HANDSHAKE_RTT_US,   /* probe to server and back, 0: unknown */
    IE_BURST_COUNT,        /* client requests separated by >= 1 s */
    /* of our own: the batch record and its signature */
    IE_BATCH_VERSION,
    IE_PROBE_ID,            /* string, as in the certificate */
    IE_BOOT_ID,             /* 16 octets, born at each start */
    IE_BATCH_SEQUENCE,      /* from 1, by 1, within a boot id */
    IE_PREVIOUS_BATCH_HASH, /* 32 octets, zero for sequence 1 */
    IE_PERIOD_START_MS,
    IE_PERIOD_END_MS,
    IE_CLOCK_QUALITY,       /* enum clock_quality */
    IE_PACKETS_SEEN,        /* passed the kernel filter, in the period */
    IE_PACKETS_DROPPED,     /* by the kernel, in the period */
    IE_FLOWS_EVICTED,       /* table was full, in the period */
    IE_BATCHES_LOST,        /* since the last batch; also of a loss record */
    IE_SOFTWARE_HASH,       /* 32 octets, SHA-256 of the program file */
    IE_REGISTRY_VERSION,    /* 32 octets, SHA-256 of the endpoint list */
    IE_RECORD_COUNT,        /* flow records in the batch */
    IE_BATCH_OCTETS,        /* sum of octets, both directions */
    IE_BATCH_PACKETS,       /* sum of packets, both directions */
    IE_CONTENT_HASH,        /* 32 octets, SHA-256 of the messages before */
    IE_SIGNATURE_ALGORITHM, /* enum sign_algorithm */
    IE_SIGNATURE,           /* 64 octets */
    IE_COLLECTOR_CHALLENGE, /* 16 octets, zero: none yet */
    IE_CLOCK_OFFSET_MS, /* to add to the probe's clock; INT64_MIN: unknown */
    /* of our own: the loss record */
    IE_LOSS_FIRST_SEQUENCE,
    IE_LOSS_LAST_SEQUENCE,
    IE_LOSS_REASON, /* enum loss_reason */
    /* of our own: the receipt */
    IE_BATCH_HASH, /* 32 octets */
    IE_LEDGER_INDEX,
    IE_RECEIVED_MS,
    IE_RECEIPT_STATUS, /* enum receipt_status */
    /* of our own: the return channel */
    IE_CHALLENGE_ISSUED_MS,
    IE_CHALLENGE_EXPIRES_MS,
    IE_CLOCK_REQUEST_MS,  /* the probe's clock: request sent */
    IE_CLOCK_RECEIVE_MS,  /* the collector's: request received */
    IE_CLOCK_TRANSMIT_MS, /* the collector's: answer sent */
    IE_REGISTRY_SERIAL,
    IE_REGISTRY_ISSUED_MS,
    IE_REGISTRY_FROM, /* 32 octets, hash of the list that is changed */
    IE_CHUNK_INDEX,   /* from 0 */
    IE_CHUNK_COUNT,
    IE_CHUNK, /* octets, variable length */
    IE_COUNT,
};

struct ipfix_element {
    uint32_t enterprise; /* 0: IANA */
    uint16_t id;         /* without the enterprise bit */
    enum ipfix_type type;
    uint16_t length; /* as we write it; IPFIX_VARIABLE for strings */
    /* Registry name, lowerCamelCase; what it means is the text "ipfix." and
     * this name. */
    const char *name;
};

extern const struct ipfix_element ipfix_elements[IE_COUNT];

/* The row for an element on the wire, or -1. */
int ipfix_element_find(uint32_t enterprise, uint16_t id);

#endif
