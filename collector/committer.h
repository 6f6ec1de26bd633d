/*
 * The one thread that stores: batches of all workers (and of what else makes
 * batches in this program) in groups, one transaction a group, in the order in
 * which they came.
 *
 * A job is the memory of who submits it. It is given back by its `done`, called
 * in the committer's thread, exactly once, when its group is on disk or cannot
 * be stored any more. While the store fails, jobs wait and are tried again;
 * once committer_finish() was called, they are tried once more and given back.
 */
#ifndef COLLECTOR_COMMITTER_H
#define COLLECTOR_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ledger/prepare.h"
#include "collector/ledger/store.h"
#include "common/clock.h"
#include "common/log.h"

struct commit_job {
    struct commit_job *next; /* the committer's */
    struct batch_origin origin;
    const struct batch_reader *reader;
    enum batch_status content;
    struct prepared prepared;
    /* The answer. TAKE_GROUP_FAILED: not stored, and not tried again. */
    enum take_status status;
    struct receipt receipt;
    void (*done)(struct commit_job *job);
    void *owner;
};

struct committer;

/* The store is borrowed, and used by the committer's thread alone until
 * committer_free. NULL with a reason. */
struct committer *committer_start(struct store *store,
                                  struct error_text *error);
void committer_submit(struct committer *c, struct commit_job *job);
/* A refused thing that is no batch (store_note). Copied; past a bound of those
 * that wait it is counted and dropped. */
void committer_note(struct committer *c, const struct batch_origin *origin,
                    enum intake_reason reason, const char *detail);
/* From now on nothing is tried more than once. */
void committer_finish(struct committer *c);
/* All jobs must be back. */
void committer_free(struct committer *c);

/* Upper bounds, in ms, of the cells of commit_status.took; the last one has
 * none. */
enum { COMMIT_CELLS = 12 };
extern const uint32_t commit_cell_ms[COMMIT_CELLS - 1];

struct commit_status {
    struct store_totals totals; /* of groups that are on disk */
    uint64_t groups, failed_groups, waiting, notes_dropped;
    uint64_t took[COMMIT_CELLS]; /* groups, by the time they took */
    uint64_t took_us;            /* all of them together */
    struct wall_time last_group; /* 0: none yet */
    bool is_failing;
    struct wall_time failing_since;
};
void committer_read(struct committer *c, struct commit_status *status);

#endif
