/*
 * What the first payload of a flow tells: name, kind of application, client
 * fingerprint, flow token.
 *
 * TLS and QUIC hellos and HTTP requests are read by our own parsers, whatever
 * the port; a hello that is spread over segments or datagrams, out of order or
 * sent again, is gathered in a pool of fixed size. Anything else is shown to
 * nDPI for its first few packets. Once nothing more can be learnt the meter
 * stops asking.
 *
 * The flow token is the first 128 bits of SHA-256 over client random and
 * server random (TLS), or over the client's first Destination Connection ID
 * (QUIC): both ends of a NAT see the same.
 */
#ifndef METER_INSPECT_H
#define METER_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "meter/classify.h"
#include "meter/decode.h"
#include "meter/flow.h"
#include "meter/hello.h"

struct inspector; /* parsers, pools, nDPI: one a meter */

enum { INSPECT_CLIENT_UNKNOWN = -1 };

/* One direction of a flow's payload. */
struct inspect_stream {
    uint32_t base; /* sequence number of the first byte that matters */
    bool has_base;
    uint8_t status;
    uint8_t looked; /* packets without a finding */
    struct pool_ref handshake;
};

/* What is known of one flow; zero at the start. Directions are numbered as
 * the flow table does. */
struct inspection {
    char name[FLOW_NAME_LEN];
    char fingerprint_text[FINGERPRINT_TEXT_LEN];
    uint8_t fingerprint[FINGERPRINT_LEN];
    uint8_t token[FLOW_TOKEN_LEN];
    uint8_t client_random[HELLO_RANDOM_LEN], server_random[HELLO_RANDOM_LEN];
    const char *application; /* NULL: unknown */
    struct inspect_stream streams[2];
    struct classify_state classify;
    uint8_t name_source; /* enum name_evidence */
    bool has_client_random, has_server_random, has_token;
    bool is_done;
    bool has_client; /* the side that sent the hello or request is known */
    uint8_t client;
};

struct inspector *inspector_new(struct error_text *error);
void inspector_free(struct inspector *inspector);
/* A SYN from this side: its payload starts behind `sequence`. */
void inspection_note_syn(struct inspection *inspection, int side,
                         uint32_t sequence);
/* A packet with payload. */
void inspector_read(struct inspector *inspector, struct inspection *inspection,
                    const struct packet *packet, int side,
                    struct wall_time when);
/* Gives back what the flow holds of the pools. */
void inspector_release(struct inspector *inspector,
                       struct inspection *inspection);
/* The side that sent the hello or request, or INSPECT_CLIENT_UNKNOWN. */
int inspection_client(const struct inspection *inspection);

#endif
