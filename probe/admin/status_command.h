/*
 * yz-probe status: how is the probe doing, and what to do where it is not well.
 *
 *   status [-c FILE] [--json]
 *
 * Reads STATE/status.json, which a running probe writes every ten seconds.
 * Exit status 1 when no probe is running, or one that writes nothing any more
 * (a full disk, a hang); 2 for a wrong configuration. What the file says is
 * data: nothing of it reaches a terminal unescaped.
 */
#ifndef PROBE_ADMIN_STATUS_COMMAND_H
#define PROBE_ADMIN_STATUS_COMMAND_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/text.h"

enum { STATUS_STALE_S = 30 };
#define STATUS_FREE_UNKNOWN UINT64_MAX

struct status_question {
    const char *name;   /* of the file, for sentences */
    const char *config; /* for commands to type */
    const char *state;  /* folder */
    struct wall_time now;
    /* Is a process of this id there? */
    bool (*is_alive)(uint64_t pid);
    uint64_t free_bytes; /* on the disk of state; STATUS_FREE_UNKNOWN */
    enum language language;
    bool is_json;
};

/* Adds the answer for the file's content. False with a sentence when that is
 * no status. *is_running: it is fresh, and its process is there. */
bool status_answer(struct slice content, const struct status_question *question,
                   struct buffer *out, bool *is_running,
                   struct error_text *error);
int status_command_main(int argc, char **argv);

#endif
