/*
 * QUIC Initial packets from a client: the ClientHello inside.
 *
 * Reads version 1 (RFC 9000), version 2 (RFC 9369) and the drafts that are
 * still seen. A datagram may hold several packets, an Initial may hold CRYPTO
 * frames in any order between PADDING, PING and ACK, and a ClientHello may be
 * spread over several datagrams: all CRYPTO bytes go to a gather by their
 * offset. Keys come from the first Destination Connection ID of the client;
 * after a Retry from the new one.
 */
#ifndef PROBE_METER_QUIC_H
#define PROBE_METER_QUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/quic_keys.h"
#include "probe/meter/gather.h"

/* What is known of one client's connection; zero at the start. */
struct quic_client {
    uint32_t version;
    bool has_keys;
    uint8_t id_length;
    uint8_t id[QUIC_ID_MAX]; /* first Destination Connection ID */
    struct quic_keys keys;
};

enum quic_status {
    QUIC_NOT,    /* no Initial of a version that we read */
    QUIC_SEALED, /* an Initial that the client's keys do not open */
    QUIC_CLIENT, /* opened; its CRYPTO bytes are in the gather */
};

/* Room for the plaintext of a packet. */
enum { QUIC_SCRATCH_LEN = 65536 };

/* Cheap: does a datagram begin with a long header of a version that we read? */
bool quic_is_long_header(const uint8_t *data, size_t length);
enum quic_status quic_read_datagram(struct quic_opener *opener,
                                    const uint8_t *data, size_t length,
                                    uint8_t scratch[static QUIC_SCRATCH_LEN],
                                    struct quic_client *client,
                                    struct gather *gather);

#endif
