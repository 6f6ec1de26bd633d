/*
 * The process that renews the certificate: the only one of a running probe that
 * speaks to the portal and writes the certificate's folder.
 *
 * It is forked before a packet socket is open and before the batch key is in
 * memory; it has the TLS key, and a sandbox that lets it write that one folder
 * and connect to that one port. Each minute it looks at the clock; when it is
 * time it asks the portal, and after a failure asks again with growing pauses.
 * What it did it says in the log and, as numbers, to the uplink process, which
 * finds the new certificate by looking at its file (any other way in which that
 * is exchanged works too). It ends when the uplink process does.
 */
#ifndef PROBE_STATE_RENEWER_H
#define PROBE_STATE_RENEWER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "probe/process/sandbox_report.h"
#include "probe/state/probe_config.h"

struct renewer;

/* As last told by the process. */
struct renewer_state {
    struct wall_time next; /* attempt; 0: not known */
    uint32_t failures;     /* in a row */
    uint32_t renewals;     /* since the start */
    char reason[200];      /* of the last failure; "" without one */
    bool is_gone;          /* nobody renews any more */
};

/* Forks, and waits until the sandbox is closed. NULL with a sentence. */
struct renewer *renewer_start(const struct probe_config *config,
                              struct error_text *error);
/* In another child: what belongs to this one is closed. */
void renewer_leave(struct renewer *renewer);
void renewer_free(struct renewer *renewer);

/* All take NULL, a probe that does not renew. */
struct pollfd renewer_poll(const struct renewer *renewer);
void renewer_step(struct renewer *renewer);
const struct renewer_state *renewer_state(const struct renewer *renewer);
const struct sandbox_report *renewer_report(const struct renewer *renewer);

#endif
