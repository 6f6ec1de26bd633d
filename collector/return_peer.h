/*
 * The collector's side of the return channel (common/wire/return_channel.h): what a
 * probe is told beside receipts, and what it asks. Bytes in, bytes out; no
 * socket, no server.
 *
 *   channel = return_peer_channel_new(...)      one a server or worker
 *   peer = return_peer_open(channel, id)   a probe with ALPN yz/1 is there
 *   return_peer_take(...)                  for each of its messages
 *   return_peer_channel_tick(channel, now)      each second or so
 *   return_peer_fill(peer, now, out)       when `out` was written, and each tick
 *   return_peer_close(peer)
 *
 * Challenges go out when the probe comes and every five minutes. The newest
 * list of endpoints goes to probes that asked for it, as changes from the
 * version they have; probes with the same version share them in memory.
 */
#ifndef COLLECTOR_RETURN_PEER_H
#define COLLECTOR_RETURN_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/sign.h"
#include "common/log.h"

enum {
    RETURN_CHALLENGE_S = 300, /* between two challenges to one probe */
    /* return_peer_fill() leaves `out` alone when so much waits there, and adds
     * at most twice that. */
    RETURN_OUT_FULL = 16 * 1024,
};

struct return_peer_channel;
struct return_peer;

/* Borrows nothing. `registry_path` is portal.db. NULL with a reason. */
struct return_peer_channel *
return_peer_channel_new(const struct sign_key *receipt_key,
                        const char *registry_path, struct error_text *error);
void return_peer_channel_free(struct return_peer_channel *channel);
/* Looks for a newer version of the list of endpoints, now and then. */
void return_peer_channel_tick(struct return_peer_channel *channel,
                              struct mono_time now);

/* NULL without memory. */
struct return_peer *return_peer_open(struct return_peer_channel *channel,
                                     const char *probe_id);
void return_peer_close(struct return_peer *peer);
/* One whole message for which return_channel_is_ours(). False when it is none that a
 * probe sends: the connection should end. */
bool return_peer_take(struct return_peer *peer, const uint8_t *message,
                      size_t length, struct wall_time wall);
/* Appends what is due. False when it could not be made (no memory). */
bool return_peer_fill(struct return_peer *peer, struct mono_time now,
                      struct wall_time wall, struct buffer *out);

#endif
