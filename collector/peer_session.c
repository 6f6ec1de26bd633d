/*
 * The input buffer holds at most one message and one read; messages are handed
 * to the batch reader where they stand, and what was used is moved out before
 * the next read.
 */
#include "collector/peer_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/wire/ipfix_decode.h"
#include "common/wire/return_channel.h"

enum { READ_SIZE = 16 * 1024 };

struct peer_session {
    struct buffer input;
    size_t used; /* bytes of the input that were handed on */
    struct batch_reader *reader;
    size_t batch_bytes; /* handed on since the last release */
    bool has_batch;
    struct slice message; /* in the input */
    enum batch_status content;
    char fault[96];
};

struct peer_session *peer_session_new(void)
{
    struct peer_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    buffer_init(&s->input, IPFIX_MESSAGE_MAX + READ_SIZE);
    s->reader = batch_reader_new();
    if (s->reader == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void peer_session_free(struct peer_session *session)
{
    if (session == NULL)
        return;
    buffer_clear(&session->input);
    batch_reader_free(session->reader);
    free(session);
}

/* After peer_session_next() said PEER_SESSION_MORE less than one message is left, so a
 * read always fits. */
uint8_t *peer_session_space(struct peer_session *session, size_t *length)
{
    struct peer_session *s = session;
    if (s->has_batch)
        return NULL;
    buffer_consume(&s->input, s->used);
    s->used = 0;
    uint8_t *space = buffer_extend(&s->input, READ_SIZE);
    if (space == NULL)
        return NULL;
    s->input.length -= READ_SIZE; /* peer_session_filled() adds what came */
    *length = READ_SIZE;
    return space;
}

void peer_session_filled(struct peer_session *session, size_t length)
{
    session->input.length += length;
}

static enum peer_session_status bad(struct peer_session *s, const char *fault)
{
    snprintf(s->fault, sizeof(s->fault), "%s", fault);
    return PEER_SESSION_BAD;
}

static enum peer_session_status
add_message(struct peer_session *s, const uint8_t *message, size_t length)
{
    bool complete = false;
    enum batch_status status =
        batch_reader_add(s->reader, message, length, &complete);
    s->used += length;
    s->batch_bytes += length;
    if (complete && (status == BATCH_OK || status == BATCH_BAD_CONTENT)) {
        s->content = status;
        s->has_batch = true;
        return PEER_SESSION_BATCH;
    }
    return status == BATCH_OK ? PEER_SESSION_MORE
                              : bad(s, batch_status_text(status));
}

enum peer_session_status peer_session_next(struct peer_session *session)
{
    struct peer_session *s = session;
    enum peer_session_status status =
        s->has_batch ? PEER_SESSION_BATCH : PEER_SESSION_MORE;
    while (status == PEER_SESSION_MORE && s->fault[0] == '\0') {
        const uint8_t *data = s->input.data + s->used;
        size_t left = s->input.length - s->used;
        int length = left > 0 ? ipfix_message_length(data, left) : 0;
        if (length < 0)
            return bad(s, "not an IPFIX message");
        if (length == 0 || (size_t)length > left)
            return PEER_SESSION_MORE;
        if (s->batch_bytes == 0 &&
            return_channel_is_ours(data, (size_t)length)) {
            s->message = slice_of_bytes(data, (size_t)length);
            s->used += (size_t)length;
            return PEER_SESSION_MESSAGE;
        }
        status = add_message(s, data, (size_t)length);
    }
    return s->fault[0] == '\0' ? status : PEER_SESSION_BAD;
}

struct slice peer_session_message(const struct peer_session *session)
{
    return session->message;
}

const struct batch_reader *
peer_session_reader(const struct peer_session *session)
{
    return session->reader;
}

enum batch_status peer_session_content(const struct peer_session *session)
{
    return session->content;
}

void peer_session_release(struct peer_session *session)
{
    batch_reader_next(session->reader);
    session->has_batch = false;
    session->batch_bytes = 0;
    /* Between batches, which is nearly always, a peer needs no memory. */
    if (session->used == session->input.length) {
        buffer_clear(&session->input);
        session->used = 0;
    }
}

size_t peer_session_pending(const struct peer_session *session)
{
    return session->batch_bytes;
}

bool peer_session_is_between(const struct peer_session *session)
{
    return session->batch_bytes == 0 && session->input.length == session->used;
}

const char *peer_session_fault(const struct peer_session *session)
{
    return session->fault;
}
