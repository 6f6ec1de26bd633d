/*
 * A session: the bytes of one connection (after TLS) or of one file, cut into
 * IPFIX messages and gathered into batches.
 *
 *   session_space / session_filled   put bytes in
 *   session_next                     until SESSION_MORE or SESSION_BAD
 *     SESSION_BATCH: session_reader, then session_release
 *     SESSION_MESSAGE: session_message; one of the return channel's, between
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

struct session;

enum session_status {
    SESSION_MORE,    /* needs more bytes */
    SESSION_BATCH,   /* a whole batch waits to be taken */
    SESSION_MESSAGE, /* return_is_ours(); go on with session_next */
    SESSION_BAD,     /* not our format: nothing can follow; see session_fault */
};

struct session *session_new(void); /* NULL without memory */
void session_free(struct session *session);

/* Room for up to *length more bytes, at least 16 KiB; NULL without memory or
 * while a batch waits. */
uint8_t *session_space(struct session *session, size_t *length);
/* So many of them were filled. */
void session_filled(struct session *session, size_t length);
enum session_status session_next(struct session *session);
/* Borrowed until the next call of session_space or session_free. */
struct slice session_message(const struct session *session);
const struct batch_reader *session_reader(const struct session *session);
/* BATCH_OK, or BATCH_BAD_CONTENT for a batch whose signed sums do not fit. */
enum batch_status session_content(const struct session *session);
void session_release(struct session *session);

/* Bytes held for a batch that is not released yet. */
size_t session_pending(const struct session *session);
/* Nothing was begun that is not complete. */
bool session_is_between(const struct session *session);
const char *session_fault(const struct session *session);

#endif
