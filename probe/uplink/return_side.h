/*
 * The probe's side of the return channel: what the collector sends beside
 * receipts, taken as from a hostile peer.
 *
 * Kept are the latest challenge, which the next batch names; the clock's
 * offset; and the newest list of endpoints, if a key to check it with is given.
 * A list counts only with a right signature, a serial that is not lower than
 * one known before, no other content under that one's serial, pieces in order
 * and in time, and the hash of the head. Of STATE/registry-serial the lines are
 * the highest serial known, its list's hash, and the hash of the key that
 * signed it: serials of another key are counted anew.
 *
 * A list that is rightly sent and may not be taken (its signature, an older
 * serial, another list under the same one) is refused, which is logged once and
 * told in the status; the list before stays in force and batches go on, since a
 * portal that was set back, or somebody with an old list, shall not keep
 * evidence back. What is no message of the channel ends the connection.
 *
 * The offset is that of RFC 5905 section 8, ((T2 - T1) + (T3 - T4)) / 2, the
 * median of the last five answers; an answer after more than 10 s is none, and
 * when the probe's own clock is set all begins anew, with a question at once.
 */
#ifndef PROBE_UPLINK_RETURN_SIDE_H
#define PROBE_UPLINK_RETURN_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire/return_channel.h"

struct return_side;

struct return_side_options {
    const char *state; /* folder; NULL: serials are not remembered */
    enum sign_algorithm registry_algorithm;
    struct slice registry_key; /* raw public key, borrowed; empty: no lists */
    struct wall_time (*wall)(void); /* NULL: wall_now */
};

/* NULL without memory, or when the serial cannot be read. */
struct return_side *return_side_new(const struct return_side_options *options,
                                    struct error_text *error);
void return_side_free(struct return_side *side);

/* The list in force: asked about in the next connection, and at once. */
void return_side_set_version(struct return_side *side, struct digest version);

/* A connection stands; what was begun in the one before is forgotten. */
void return_side_open(struct return_side *side, struct mono_time now);
/* Appends the questions that are due. */
void return_side_ask(struct return_side *side, struct mono_time now,
                     struct buffer *out);
struct mono_time return_side_due(const struct return_side *side,
                                 struct mono_time now);
/* One whole message for which return_channel_is_ours(). NULL, or why the connection
 * must end; the text stays until the next call. */
const char *return_side_take(struct return_side *side, const uint8_t *message,
                             size_t length, struct mono_time now);

/* All pieces of a newer list are there; see return_side_build. */
bool return_side_has_list(const struct return_side *side);
/* Builds it from the old list's text and lets go of the pieces. *list is
 * initialised here and the caller's. False with a reason when the result is not
 * what was signed. */
bool return_side_build(struct return_side *side, struct slice old,
                       struct buffer *list, struct error_text *error);
/* The list that was built last is in force: its text and its serial are written
 * to the state folder, durably. */
bool return_side_keep(struct return_side *side, struct slice list,
                      struct error_text *error);
/* STATE/endpoints.csv, where return_side_keep() writes. */
bool return_side_list_path(const char *state, char *path, size_t size);

enum registry_refusal {
    REFUSED_NONE,
    REFUSED_SIGNATURE,
    REFUSED_OLDER,   /* than one known before: a roll-back */
    REFUSED_ANOTHER, /* with the serial of the one known: two histories */
    REFUSED_COUNT
};

/* Times are zero when the thing never was. */
struct return_status_view {
    uint8_t challenge[CHALLENGE_LEN]; /* zeros: none yet */
    struct wall_time challenge_taken;
    int64_t clock_offset_ms; /* or CLOCK_OFFSET_UNKNOWN */
    struct wall_time clock_taken;
    /* The newest list, as last told by the collector in this run. */
    uint64_t registry_serial; /* 0: none yet */
    struct wall_time registry_issued, registry_told;
    uint64_t known_serial; /* the highest ever; 0: none */
    /* The last head, when it was refused; and how many were, since the start. */
    enum registry_refusal refusal;
    uint64_t refused_serial, refusals;
    struct wall_time refused_issued, refused_taken;
    uint64_t challenges, lists, unknown_messages; /* taken, since the start */
};
/* Why, as a sentence of its own: "its signature is wrong". */
const char *return_side_refusal_text(enum registry_refusal refusal);
struct return_status_view return_side_status(const struct return_side *side,
                                             struct mono_time now);

#endif
