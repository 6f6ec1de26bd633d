/* What the collector noted about probes and its log, as a list. */
#ifndef PORTAL_RECORD_EVENT_LIST_H
#define PORTAL_RECORD_EVENT_LIST_H

#include "portal/list/list.h"

extern const struct list EVENT_LIST;

#endif
