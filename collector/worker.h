/*
 * A worker: one thread, its epoll loop, and the peers that were given to it.
 *
 * A peer stays with its worker for life. The worker does all that is pure and
 * heavy for it: TLS, cutting messages, decoding, hashes, the signature,
 * compression, sums. A complete batch goes to the committer, and the peer is
 * not read from until it comes back with its receipt. Bounds:
 *  - handshake 10 s, silence idle_timeout_s, an unfinished batch 60 s without
 *    a byte and 10 minutes in all;
 *  - bytes of unfinished batches over all peers of all workers
 *    (SERVER_PENDING_MAX, an equal share each): past it only one peer of a
 *    worker is read on, until its batch is complete or ten seconds are over
 *    (then it is closed); the others wait unread;
 *  - bytes to a peer that it does not read: it is not read from either;
 *  - memory of a silent peer: its TLS state, and nothing of a batch.
 */
#ifndef COLLECTOR_WORKER_H
#define COLLECTOR_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/committer.h"
#include "collector/listener.h"
#include "collector/presence.h"
#include "common/clock.h"
#include "common/crypto/sign.h"
#include "common/crypto/tls.h"
#include "common/log.h"
#include "common/slice.h"

enum { SERVER_PENDING_MAX = 128 * 1024 * 1024 };

struct peer;
struct worker;

/* What speaks to peers besides receipts (the return channel). Called in the
 * peer's worker; each may be NULL. */
struct peer_hooks {
    void *context; /* shared by all workers */
    /* A peer with yz/1 has proved who it is. */
    void (*opened)(void *context, struct peer *peer, struct mono_time now);
    /* Once a second for each such peer, and when all that was to be sent to it
     * has left. */
    void (*tick)(void *context, struct peer *peer, struct mono_time now);
    /* A message of the return channel, borrowed for the call. False: it is none
     * that a probe sends, and the peer is closed. */
    bool (*message)(void *context, struct peer *peer, struct slice message,
                    struct mono_time now);
    void (*closed)(void *context, struct peer *peer);
};
/* Adds to what is sent. False when the peer does not read what it was sent
 * already; nothing of the message is sent then. */
bool peer_send(struct peer *peer, struct slice message);
/* Bytes that wait to be sent. */
size_t peer_waiting(const struct peer *peer);
const char *peer_name(const struct peer *peer);
/* A pointer of the hooks' own, NULL at first. */
void **peer_state(struct peer *peer);

/* What all workers share; borrowed. */
struct worker_shared {
    pthread_mutex_t tls_lock;
    struct tls_context *tls; /* for new connections; under the lock */
    const struct sign_key *receipt_key;
    struct committer *committer;
    struct presence_table *presences;
    const char *registry; /* path */
    int64_t idle_us;
    size_t pending_max;       /* for each worker */
    struct peer_hooks *hooks; /* may be NULL */
    /* Counters, over all workers. */
    atomic_uint_fast64_t handshakes, failed_handshakes, superseded, overdue,
        batches, received_bytes;
};

/* NULL with a reason. Its thread runs until worker_finish. */
struct worker *worker_start(struct worker_shared *shared,
                            struct error_text *error);
/* Hands a connection over, whose descriptor is the worker's now. With
 * `must_make_room` the oldest peer that has not proved who it is goes; without
 * such a peer the newcomer does. */
void worker_add(struct worker *w, int fd,
                const char label[static LISTENER_LABEL_LEN],
                bool must_make_room);
/* Peers it has or was given, and those that have not proved who they are. */
uint64_t worker_peers(const struct worker *w);
uint64_t worker_strangers(const struct worker *w);
/* Bytes of unfinished batches. */
uint64_t worker_pending(const struct worker *w);
/* Reads what peers without receipts had delivered already, and nothing more;
 * waits for the batches that are being stored, sends their receipts as far as
 * peers read them at once, and ends. */
void worker_finish(struct worker *w);
/* Waits for that end. */
void worker_join(struct worker *w);
/* Closes all. The committer must be gone: its thread may still be about to wake
 * a worker whose last batch it gave back. */
void worker_free(struct worker *w);

#endif
