/*
 * My work: what lies on whose desk (SYS-01).
 *
 * Every open item lies on exactly one desk: that of its party, of the bureau of
 * its city, of the province, or of the platform, which waits for the clock, a
 * run, room or money. Whose it is follows from the item's state alone
 * (machine.h); an account has one desk, by its role and organisation. So each is
 * in one work list and in no second one, and the lists add up to all there is.
 */
#ifndef PORTAL_WORKFLOW_WORK_H
#define PORTAL_WORKFLOW_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "portal/workflow/item.h"

enum { WORK_ROWS_MAX = 100 };

/* A desk, or nobody's: HOLDER_NONE. */
struct desk {
    enum holder holder;
    const char *party_kind; /* of a party: "enterprise", "supplier" */
    const char *id; /* of a party or a city; "" where there is one only */
};

/* Who decides; whoever only prepares, advises or reads has none. */
struct desk desk_of(const struct account *account);

struct work {
    struct item *items; /* in the arena; the most urgent first */
    size_t count;       /* at most WORK_ROWS_MAX */
    int64_t total;      /* how many there are */
};

/* What waits for the desk: the earliest deadline first, then what has none by
 * the time since which it lies there. False when the database fails. */
bool work_of_desk(struct db *db, const struct desk *desk, struct arena *arena,
                  struct work *work);
/* What it has to do with and others hold: the party's own items, those of the
 * city's, for the province what is overdue at a bureau. */
bool work_elsewhere(struct db *db, const struct desk *desk,
                    struct wall_time now, struct arena *arena,
                    struct work *work);

#endif
