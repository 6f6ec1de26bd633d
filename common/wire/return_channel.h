/*
 * The return channel yz/1: what collector and probe say to each other beside
 * batches and receipts (common/wire/receipt.h), over the same TLS connection.
 *
 * Each thing said is one IPFIX message with an options template of its own and
 * one record:
 *
 *   310 challenge      collector to probe: a number for the next batch
 *   311 clock          the probe asks with its time; the answer adds two times
 *                      of the collector
 *   312 registry head  collector to probe: the newest list of endpoints, signed
 *                      (registry_bundle.h), and in how many pieces the changes
 *                      to the probe's list follow
 *   313 registry chunk collector to probe: one such piece
 *   314 registry       probe to collector: the list that it has
 *
 * Templates of numbers 310 to 399 are ours. One that we do not know is passed
 * over, and so are fields that we do not know: either end may be newer. From
 * the probe these messages stand between batches, never within one.
 */
#ifndef COMMON_WIRE_RETURN_CHANNEL_H
#define COMMON_WIRE_RETURN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/wire/registry_bundle.h"

enum return_kind {
    RETURN_CHALLENGE = 310,
    RETURN_CLOCK = 311,
    RETURN_REGISTRY_HEAD = 312,
    RETURN_REGISTRY_CHUNK = 313,
    RETURN_REGISTRY_REQUEST = 314,
};
enum { RETURN_TEMPLATE_FIRST = 310, RETURN_TEMPLATE_LAST = 399 };
enum { RETURN_CHUNK_MAX = 16 * 1024 }; /* octets in one piece */

/* Members that the kind has no use for are zero. */
struct return_message {
    enum return_kind kind;
    /* challenge */
    uint8_t nonce[CHALLENGE_LEN];
    int64_t issued_ms, expires_ms;
    /* clock: milliseconds since 1970; a question has only the first */
    int64_t request_ms, receive_ms, transmit_ms;
    /* registry */
    struct registry_head head; /* a request: serial and hash that it has */
    struct digest from;        /* what the changes begin with */
    uint64_t chunk_index, chunk_count;
    struct slice chunk; /* borrowed from the message */
};

enum return_status {
    RETURN_OK,
    RETURN_UNKNOWN, /* of ours, and newer than this program: pass over */
    RETURN_BAD,
};

/* False without room or memory. `now_ms` is the message's export time. */
bool return_channel_encode(const struct return_message *m, int64_t now_ms,
                           struct buffer *out);
/* One whole IPFIX message. */
enum return_status return_channel_decode(const uint8_t *message, size_t length,
                                         struct return_message *m);
/* Looks at the first set alone: is this for return_channel_decode()? No batch begins
 * like that. */
bool return_channel_is_ours(const uint8_t *message, size_t length);

#endif
