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

struct session {
    struct buffer input;
    size_t used; /* bytes of the input that were handed on */
    struct batch_reader *reader;
    size_t batch_bytes; /* handed on since the last release */
    bool has_batch;
    struct slice message; /* in the input */
    enum batch_status content;
    char fault[96];
};

struct session *session_new(void)
{
    struct session *s = calloc(1, sizeof(*s));
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

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    buffer_clear(&session->input);
    batch_reader_free(session->reader);
    free(session);
}

/* After session_next() said SESSION_MORE less than one message is left, so a
 * read always fits. */
uint8_t *session_space(struct session *session, size_t *length)
{
    struct session *s = session;
    if (s->has_batch)
        return NULL;
    buffer_consume(&s->input, s->used);
    s->used = 0;
    uint8_t *space = buffer_extend(&s->input, READ_SIZE);
    if (space == NULL)
        return NULL;
    s->input.length -= READ_SIZE; /* session_filled() adds what came */
    *length = READ_SIZE;
    return space;
}

void session_filled(struct session *session, size_t length)
{
    session->input.length += length;
}

static enum session_status bad(struct session *s, const char *fault)
{
    snprintf(s->fault, sizeof(s->fault), "%s", fault);
    return SESSION_BAD;
}

static enum session_status add_message(struct session *s,
                                       const uint8_t *message, size_t length)
{
    bool complete = false;
    enum batch_status status =
        batch_reader_add(s->reader, message, length, &complete);
    s->used += length;
    s->batch_bytes += length;
    if (complete && (status == BATCH_OK || status == BATCH_BAD_CONTENT)) {
        s->content = status;
        s->has_batch = true;
        return SESSION_BATCH;
    }
    return status == BATCH_OK ? SESSION_MORE
                              : bad(s, batch_status_text(status));
}

enum session_status session_next(struct session *session)
{
    struct session *s = session;
    enum session_status status = s->has_batch ? SESSION_BATCH : SESSION_MORE;
    while (status == SESSION_MORE && s->fault[0] == '\0') {
        const uint8_t *data = s->input.data + s->used;
        size_t left = s->input.length - s->used;
        int length = left > 0 ? ipfix_message_length(data, left) : 0;
        if (length < 0)
            return bad(s, "not an IPFIX message");
        if (length == 0 || (size_t)length > left)
            return SESSION_MORE;
        if (s->batch_bytes == 0 && return_is_ours(data, (size_t)length)) {
            s->message = slice_of_bytes(data, (size_t)length);
            s->used += (size_t)length;
            return SESSION_MESSAGE;
        }
        status = add_message(s, data, (size_t)length);
    }
    return s->fault[0] == '\0' ? status : SESSION_BAD;
}

struct slice session_message(const struct session *session)
{
    return session->message;
}

const struct batch_reader *session_reader(const struct session *session)
{
    return session->reader;
}

enum batch_status session_content(const struct session *session)
{
    return session->content;
}

void session_release(struct session *session)
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

size_t session_pending(const struct session *session)
{
    return session->batch_bytes;
}

bool session_is_between(const struct session *session)
{
    return session->batch_bytes == 0 && session->input.length == session->used;
}

const char *session_fault(const struct session *session)
{
    return session->fault;
}
