/* The clock's jobs (portal/workflow/clock_job.h): by hand, and by the running
 * portal. */
#ifndef PORTAL_TICK_COMMAND_H
#define PORTAL_TICK_COMMAND_H

#include "portal/store/portal.h"

/* Every job once and a round of the sender, at --now or now; says what was done. */
int command_tick(int argc, char **argv);

/* The jobs at this machine's time. What is wrong is logged once, not every
 * minute: *has_doubts is the caller's to keep. */
void tick_now(struct portal *portal, bool *has_doubts);

#endif
