/*
 * What time does with files that were handed in: bytes that no row names any
 * more are removed, and what the scanner has not looked at is shown to it again.
 * Both are for the clock's jobs (portal/workflow/clock_job.h).
 */
#ifndef PORTAL_STORE_ATTACHMENT_CLOCK_H
#define PORTAL_STORE_ATTACHMENT_CLOCK_H

#include "portal/store/portal.h"

enum { ATTACHMENT_RESCAN_HOURS = 1, ATTACHMENT_SWEEP_HOURS = 24 };

/* Inside an act: removes them, once in so many hours. */
bool attachment_sweep(const struct attachments *attachments, struct db *db,
                      struct wall_time now, size_t *count);

/* Some at a time, each at most once an hour, outside of any transaction: a scan
 * is slow. One that is found harmful now is not opened any more, and leaves an
 * audit row. False when the database failed. Without a scanner there is nothing
 * to do. */
bool attachment_rescan(struct portal *portal, struct wall_time now,
                       size_t *count);

#endif
