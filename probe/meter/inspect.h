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
 * A name is handed out once, at the packet that completes it: the meter holds
 * it against the registered hosts there and then, so that nothing has to be
 * kept of it. Texts are kept only when asked for.
 *
 * The flow token is the first 128 bits of SHA-256 over client random and
 * server random (TLS), or over the client's first Destination Connection ID
 * (QUIC): both ends of a NAT see the same.
 */
#ifndef PROBE_METER_INSPECT_H
#define PROBE_METER_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "probe/meter/classify.h"
#include "probe/meter/decode.h"
#include "probe/meter/fingerprint.h"
#include "probe/meter/flow.h"
#include "probe/meter/hello.h"

struct inspector; /* parsers, pools, nDPI: one a meter */

struct inspector_options {
    size_t hello_limit; /* bytes gathered of one handshake */
    size_t text_chunks; /* 0: no texts are kept */
    bool is_lazy;       /* nDPI is started for the first flow that needs it */
};

enum { INSPECT_CLIENT_UNKNOWN = -1 };

/* What is known of one flow; zero at the start. Directions are numbered as
 * the flow table does. */
struct inspection {
    /* The first random to come, then the token in its first bytes. */
    uint8_t secret[HELLO_RANDOM_LEN];
    const char *application; /* NULL: unknown */
    uint32_t bases[2]; /* sequence number of the first byte that matters */
    struct pool_ref handshakes[2];
    struct classify_state classify;
    uint32_t text; /* name, NUL, first ALPN value; of a text_pool */
    uint16_t tls_version;
    struct fingerprint fingerprint;
    uint8_t looked[2];     /* packets of a direction without a finding */
    uint8_t statuses[2];   /* of the directions, see inspect.c */
    uint8_t name_source;   /* enum name_evidence */
    unsigned has_base : 2; /* bit per direction */
    unsigned has_client_random : 1;
    unsigned has_server_random : 1;
    unsigned has_token : 1;
    unsigned has_server_version : 1; /* tls_version is the one agreed on */
    unsigned is_done : 1;
    unsigned has_client : 1; /* who sent the hello or request is known */
    unsigned client : 1;
};

/* Texts of an inspection, all empty where nothing is kept or known. */
struct inspect_texts {
    char name[FLOW_NAME_LEN];
    char alpn[FLOW_NAME_LEN];
    char fingerprint[FINGERPRINT_TEXT_LEN];
};

struct inspector *inspector_new(const struct inspector_options *options,
                                struct error_text *error);
void inspector_free(struct inspector *inspector);
/* A SYN from this side: its payload starts behind `sequence`. */
void inspection_note_syn(struct inspection *inspection, int side,
                         uint32_t sequence);
/* A packet with payload. *name is the name that it completed, where name_source
 * says; else empty. It is borrowed until the next call. */
void inspector_read(struct inspector *inspector, struct inspection *inspection,
                    const struct packet *packet, int side,
                    struct wall_time when, struct slice *name);
/* Gives back what the flow holds of the pools. */
void inspector_release(struct inspector *inspector,
                       struct inspection *inspection);
/* Zero where there is none. */
void inspector_token(const struct inspection *inspection,
                     uint8_t token[static FLOW_TOKEN_LEN]);
void inspector_fingerprint(struct inspector *inspector,
                           const struct inspection *inspection,
                           uint8_t hash[static FINGERPRINT_LEN]);
void inspector_texts(const struct inspector *inspector,
                     const struct inspection *inspection,
                     struct inspect_texts *texts);
/* Texts that found no room. */
uint64_t inspector_texts_missed(const struct inspector *inspector);
/* The side that sent the hello or request, or INSPECT_CLIENT_UNKNOWN. */
int inspection_client(const struct inspection *inspection);

#endif
