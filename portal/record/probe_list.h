/* The probes that somebody may see, and whether each may report: a list. */
#ifndef PORTAL_RECORD_PROBE_LIST_H
#define PORTAL_RECORD_PROBE_LIST_H

#include "portal/list/list.h"

extern const struct list PROBE_LIST;

#endif
