/* One flow as the probe knows it: with inside addresses and names, which stay
 * here. exporter.h makes of it what leaves; local.h prints it before that. */
#ifndef PROBE_METER_FLOW_H
#define PROBE_METER_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/wire/flow_record.h"

enum { FLOW_NAME_LEN = 256, FINGERPRINT_TEXT_LEN = 40 };

struct flow_key {
    struct address source, destination; /* source opened the flow */
    uint16_t source_port, destination_port;
    uint8_t protocol;
    uint16_t vlan; /* 0: none. Not part of equality: one flow may be seen with
                      and without its tag */
};

struct flow_side {
    uint64_t packets, octets; /* octets: IP total length */
    uint64_t payload;         /* above TCP or UDP */
    uint32_t retransmissions; /* TCP segments that had been seen before */
    uint16_t tcp_flags;
};

/* Counts and flags are since the last report of this flow; names, token,
 * fingerprint, RTT and whether it was answered are of its whole life. Texts are
 * there only when the meter keeps them, else empty. */
struct flow {
    struct flow_key key;
    struct flow_side forward, reverse;
    struct wall_time start, end;      /* of this report's packets */
    int endpoint;                     /* index in the endpoint list */
    bool endpoint_is_source;          /* the endpoint opened the flow */
    const char *name;                 /* SNI or Host as seen, "" when none */
    enum name_evidence name_source;   /* none, sni, quic-sni, http-host: where
                                       `name` was seen, before matching */
    enum name_evidence name_evidence; /* after matching */
    const char *application;          /* "TLS", "QUIC", "MQTT", "" unknown */
    const char *alpn;                 /* first one offered, "" none */
    uint16_t tls_version; /* agreed on, or the highest offered; 0x0304 is 1.3 */
    const char *fingerprint_text; /* JA4 form, "" none */
    uint8_t fingerprint[FINGERPRINT_LEN];
    uint8_t token[FLOW_TOKEN_LEN];
    uint32_t rtt_us;        /* handshake, here to the server; 0: unknown */
    uint32_t rtt_client_us; /* the same to the client */
    uint32_t burst_count;
    enum flow_end_reason end_reason;
    bool is_answered; /* both sides spoke: TCP handshake or payload both ways,
                         otherwise packets both ways */
    bool is_counted;  /* false: on a shared address without the right name, or
                         ICMP */
};

#endif
