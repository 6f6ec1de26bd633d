/*
 * The page of events: the state of the collector's log, what happened in the
 * last 24 hours, and the list.
 */
#ifndef PORTAL_RECORD_EVENT_PAGES_H
#define PORTAL_RECORD_EVENT_PAGES_H

#include "portal/http/visit.h"

void event_list_show(struct visit *visit);
/* GET /api/v1/log: size, newest checkpoint, cosignatures. */
void event_log_show(struct visit *visit);

#endif
