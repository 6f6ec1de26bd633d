/*
 * Checkpoints, as text: what a collector signed about its log.
 *
 * A checkpoint (C2SP tlog-checkpoint) is a signed note of these lines:
 *
 *   ORIGIN                     the log's name, also the name of its key
 *   SIZE                       leaves, decimal
 *   ROOT                       RFC 6962 root of them, base64
 *   time 2026-11-25T08:00:00.000Z    an extension line: when it was signed
 *   events COUNT HASH          another: the first so many events, and the hash
 *                              over them, base64
 */
#ifndef COMMON_PROOF_CHECKPOINT_H
#define COMMON_PROOF_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/proof/note.h"

/* The events that a checkpoint covers. */
struct event_log {
    uint64_t count;     /* events 1 to count */
    struct digest hash; /* over them */
};

struct checkpoint {
    uint64_t number; /* of the row and file; 0: not known */
    char origin[NOTE_NAME_LEN];
    uint64_t size;
    struct digest root;
    bool has_time; /* other logs' checkpoints may have none */
    struct wall_time made;
    bool has_events; /* so does every one of ours */
    struct event_log events;
};

/* The note's text. */
void checkpoint_write(const struct checkpoint *checkpoint, struct buffer *text);
bool checkpoint_read(struct slice text, struct checkpoint *checkpoint,
                     struct error_text *error);
/* A note's text. False with a reason, also when the signature of `key` is
 * missing or wrong. */
bool checkpoint_read_signed(const struct note *note, const struct note_key *key,
                            struct checkpoint *checkpoint,
                            struct error_text *error);

#endif
