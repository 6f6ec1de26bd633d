/*
 * What happens because time passes (portal.md, "Clock job").
 *
 * Each job is a row of a table and idempotent: run twice, or after days in which
 * nothing ran, it does what is to be done now, once. The running portal runs them
 * every minute, `yz-portal tick` by hand, with a clock that a test moves.
 *
 * Nothing here can be taken back, so one clock alone is not believed: a time
 * that lies a day before the newest row of the audit log, or CLOCK_FORWARD_DAYS
 * behind the last run, does nothing until somebody who looked says that it is
 * right.
 */
#ifndef PORTAL_WORKFLOW_CLOCK_JOB_H
#define PORTAL_WORKFLOW_CLOCK_JOB_H

#include <stdbool.h>

#include "common/clock.h"
#include "portal/store/portal.h"
#include "portal/workflow/machine.h"

enum { CLOCK_BACK_HOURS = 24, CLOCK_FORWARD_DAYS = 9, CLOCK_BATCH = 500 };

struct clock_count {
    unsigned moved;    /* deadlines that another calendar moved */
    unsigned ended;    /* events that the clock did */
    unsigned reminded; /* messages about something that comes to its end */
    unsigned tasks;    /* tasks opened or closed */
};

enum clock_end { CLOCK_DONE, CLOCK_DOUBTED, CLOCK_FAILED };

/* Runs every job once. `is_confirmed`: somebody says that the time is right.
 * CLOCK_DOUBTED with a sentence: nothing was done. */
enum clock_end clock_job_tick(struct portal *portal, struct wall_time now,
                              const struct machines *machines,
                              bool is_confirmed, struct clock_count *count,
                              struct error_text *error);

#endif
