/*
 * Work of one kind: a queue of jobs, done in the order in which they came by a few
 * threads of its own. What is in one lane does not wait behind another, and the
 * threads of slow ones yield the cores to those of pages (their niceness).
 */
#ifndef PORTAL_HTTP_LANE_H
#define PORTAL_HTTP_LANE_H

#include "common/clock.h"
#include "common/log.h"

struct lane;

/* Lives in what it is about; from lane_put until `run` has returned the lane's.
 */
struct lane_job {
    void (*run)(struct lane_job *job);
    struct lane_job *next;
    struct mono_time due; /* of one that was put in for later */
};

/* `nice` is that of the threads, 0 to 19. NULL with a reason. */
struct lane *lane_start(unsigned threads, int nice, struct error_text *error);
void lane_put(struct lane *lane, struct lane_job *job);
/* Runs it `wait_ms` from now, before what has waited since; no thread waits
 * with it. */
void lane_put_later(struct lane *lane, struct lane_job *job, unsigned wait_ms);
/* Runs what waits still, also what is not due, and ends the threads. */
void lane_stop(struct lane *lane);

#endif
