/*
 * A session: the bytes of one connection (after TLS) or of one file, cut into
 * IPFIX messages and gathered into batches.
 *
 *   peer_session_space / peer_session_filled   put bytes in
 *   peer_session_next                     until PEER_SESSION_MORE or PEER_SESSION_BAD
 *     PEER_SESSION_BATCH: peer_session_reader, then peer_session_release
 *     PEER_SESSION_MESSAGE: peer_session_message; one of the return channel's, between
 *     batches
 *
 * Bytes after a complete batch wait inside until it is released.
 */
#ifndef COLLECTOR_PEER_SESSION_H
#define COLLECTOR_PEER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/batch.h"

struct peer_session;

enum peer_session_status {
    PEER_SESSION_MORE,  /* needs more bytes */
    PEER_SESSION_BATCH, /* a whole batch waits to be taken */
    PEER_SESSION_MESSAGE, /* return_channel_is_ours(); go on with peer_session_next */
    PEER_SESSION_BAD, /* not our format: nothing can follow; see peer_session_fault */
};

struct peer_session *peer_session_new(void); /* NULL without memory */
void peer_session_free(struct peer_session *session);

/* Room for up to *length more bytes, at least 16 KiB; NULL without memory or
 * while a batch waits. */
uint8_t *peer_session_space(struct peer_session *session, size_t *length);
/* So many of them were filled. */
void peer_session_filled(struct peer_session *session, size_t length);
enum peer_session_status peer_session_next(struct peer_session *session);
/* Borrowed until the next call of peer_session_space or peer_session_free. */
struct slice peer_session_message(const struct peer_session *session);
const struct batch_reader *
peer_session_reader(const struct peer_session *session);
/* BATCH_OK, or BATCH_BAD_CONTENT for a batch whose signed sums do not fit. */
enum batch_status peer_session_content(const struct peer_session *session);
void peer_session_release(struct peer_session *session);

/* Bytes held for a batch that is not released yet. */
size_t peer_session_pending(const struct peer_session *session);
/* Nothing was begun that is not complete. */
bool peer_session_is_between(const struct peer_session *session);
const char *peer_session_fault(const struct peer_session *session);

#endif
