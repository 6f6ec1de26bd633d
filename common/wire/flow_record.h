/*
 * The connection record: what leaves an enterprise about one flow, and nothing
 * else (PRIV-02, form F27).
 *
 * A biflow (RFC 5103) is oriented by who opened it: forward counts go from the
 * enterprise's host to the cloud endpoint. Counts are since the flow's previous
 * record (delta), so records of a long flow add up.
 */
#ifndef COMMON_WIRE_FLOW_RECORD_H
#define COMMON_WIRE_FLOW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/ipfix_decode.h"
#include "common/wire/ipfix_encode.h"

enum name_evidence {
    NAME_NONE,
    NAME_SNI,       /* TLS server name, as registered */
    NAME_QUIC_SNI,  /* the same in a QUIC Initial */
    NAME_HTTP_HOST, /* HTTP Host field */
    NAME_MISMATCH,  /* a name was seen, and it is not the registered one */
    NAME_EVIDENCE_COUNT,
};
const char *name_evidence_text(enum name_evidence evidence); /* "quic-sni" */

/* RFC 7012, flowEndReason (136). */
enum flow_end_reason {
    FLOW_END_IDLE = 1,
    FLOW_END_ACTIVE = 2,
    FLOW_END_DETECTED = 3, /* FIN both ways, or RST */
    FLOW_END_FORCED = 4,   /* end of capture, shutdown */
    FLOW_END_RESOURCES = 5 /* table full, oldest evicted */
};

/* The longest pause that a probe may be told to wait for before it takes a flow
 * for over. So a record that ended at the active timeout is continued by the
 * next one of its connection within this time, and within no less. */
enum { FLOW_PAUSE_MAX_S = 3600 };

enum {
    ENDPOINT_ID_LEN = 40, /* with its NUL */
    APPLICATION_LEN = 24, /* with its NUL */
    FLOW_TOKEN_LEN = 16,
    FINGERPRINT_LEN = 8,
};

struct flow_record {
    int64_t start_ms, end_ms; /* wall time, since 1970 */
    char endpoint_id[ENDPOINT_ID_LEN];
    bool is_ipv6;
    uint8_t address[16]; /* application side; IPv4 in the first 4 bytes */
    uint16_t port;       /* application side */
    uint8_t protocol;
    uint64_t octets, packets, payload;    /* forward: to the endpoint */
    uint64_t roctets, rpackets, rpayload; /* reverse: from the endpoint */
    uint16_t tcp_flags, rtcp_flags;
    uint8_t end_reason;    /* enum flow_end_reason */
    uint8_t name_evidence; /* enum name_evidence */
    uint8_t direction;     /* biflowDirection: 1 the host opened it, 2 the
                                endpoint did, 0 unknown */
    char application[APPLICATION_LEN]; /* kind of protocol, such as "TLS" */
    uint32_t rtt_us; /* handshake, probe to server; 0: unknown */
    uint32_t burst_count;
    uint64_t host_pseudonym;
    uint8_t token[FLOW_TOKEN_LEN];        /* zero: none */
    uint8_t fingerprint[FINGERPRINT_LEN]; /* zero: none */
};

enum { TEMPLATE_FLOW_IPV4 = 256, TEMPLATE_FLOW_IPV6 = 257 };
extern const struct ipfix_template flow_template_ipv4, flow_template_ipv6;

/* Upper bound of an encoded record. */
enum { FLOW_RECORD_MAX = 256 };
void flow_record_encode(struct ipfix_message *m, const struct flow_record *r);
/* False when a field is missing, out of range (end before start, unknown
 * evidence, an id with other characters than letters, digits, ".", "_", "-")
 * or when the record is not one of ours. */
bool flow_record_decode(const struct ipfix_record *in, struct flow_record *r);

/* What flow_record_decode would accept: ranges, characters, final NULs. For
 * records that come otherwise than from the wire. */
bool flow_record_is_valid(const struct flow_record *r);

/* Every member is the same. */
bool flow_record_equal(const struct flow_record *a,
                       const struct flow_record *b);

/* What is no use of a service although both sides sent packets: ICMP; a TCP
 * opening answered by a reset without a byte; TCP where one side never
 * acknowledged anything (a port scan in either direction, and the reset with
 * which a host answers a segment that it knows nothing of, such as the
 * SYN/ACK of an opening that somebody forged). Later records of a long
 * connection carry acknowledgements both ways and are not refused. */
bool flow_is_refused(uint8_t protocol, uint16_t tcp_flags, uint16_t rtcp_flags,
                     uint64_t rpayload);
/* Both sides sent packets, and neither a refused opening nor ICMP, which
 * tests and reports but uses nothing (VER-07, VER-08). */
bool flow_record_is_two_way(const struct flow_record *r);

#endif
