/*
 * Acts that nobody waits for: small, worth little, done by a thread of their own.
 *
 * A page notes that its session was used and does not wait until that is on the
 * disk, nor behind others who write. What is noted and not done when the power
 * goes is lost; what is noted while LATER_MAX wait is not done at all. Only acts
 * that may be lost belong here, and only those that may be done twice.
 */
#ifndef PORTAL_STORE_LATER_H
#define PORTAL_STORE_LATER_H

#include <stddef.h>

#include "portal/store/act.h"

enum { LATER_MAX = 256, LATER_CONTEXT_MAX = 256 };

struct later;
struct portal;

/* NULL with a reason. The acts are done through portal_act(). */
struct later *later_start(struct portal *portal, struct error_text *error);
/* The context is copied. */
void later_add(struct later *later, struct wall_time now, act_fn *fn,
               const void *context, size_t size);
/* Does what waits still. */
void later_stop(struct later *later);

#endif
