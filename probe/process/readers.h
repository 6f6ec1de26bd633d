/*
 * The readers as the uplink process has them: started, asked, told, watched.
 *
 *   readers_start      forks them; each closes its sandbox
 *   readers_begin      hands out the pseudonym key: packets are read from now on
 *   readers_step       takes what they sent: records to `flow`, answers
 *   readers_mark       asks all for their counters; `marked` when the last has
 *                      answered, behind all flows before it
 *   readers_give_list  a new endpoint list; `taken` when all have it in force
 *   readers_stop       they empty the rings and end all flows, then `marked`
 *
 * What a reader sends is checked like a stranger's message.
 */
#ifndef PROBE_PROCESS_READERS_H
#define PROBE_PROCESS_READERS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/wire/flow_record.h"
#include "probe/process/reader.h"

enum { READERS_MAX = 16 };

struct readers;

struct readers_options {
    /* workers * interfaces, those of a worker together; stay the caller's */
    struct capture *const *captures;
    size_t workers, interfaces;
    struct endpoint_list *endpoints;
    struct meter_options meter; /* the flow limit of all together */
    const char *user;
    /* In each child: gives up what is not for readers; its context is then a
     * copy. */
    void (*forked)(void *context);
    void *forked_context;
    void (*flow)(void *context, const struct flow_record *record);
    void (*marked)(void *context, uint64_t mark);
    void (*taken)(void *context);
    void *context;
};

/* Forks and waits until every sandbox is closed. */
struct readers *readers_start(const struct readers_options *options,
                              struct error_text *error);
/* Ends what is left, by force after a moment. */
void readers_free(struct readers *readers);

bool readers_begin(struct readers *readers,
                   const uint8_t key[static PSEUDONYM_KEY_LEN]);
/* Fills in READERS_MAX descriptors at most; gives their number. */
size_t readers_poll(const struct readers *readers, struct pollfd *fds);
/* False with a sentence when a reader failed or sent what it may not. It is not
 * heard any more; the others can still be stopped. */
bool readers_step(struct readers *readers, struct error_text *error);
bool readers_mark(struct readers *readers, uint64_t mark);
/* False when there is none left that could answer. */
bool readers_stop(struct readers *readers, uint64_t mark);
/* The descriptor's whole content is the list's text, of this version. */
bool readers_give_list(struct readers *readers, int fd, struct digest version);

size_t readers_count(const struct readers *readers);
const struct sandbox_report *readers_report(const struct readers *readers,
                                            size_t index);
/* As last told, all readers together; mark is 0. */
struct reader_counters readers_counters(const struct readers *readers);

#endif
