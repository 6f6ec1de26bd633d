/*
 * What a person must look at: the collector's events, filtered by the address
 * (kind, enterprise or probe, since), with the state of the log above them. For
 * the province and auditors. All that is shown can be exported as CSV.
 */
#ifndef PORTAL_RECORD_EVENT_PAGES_H
#define PORTAL_RECORD_EVENT_PAGES_H

#include "portal/http/visit.h"

void event_list_show(struct visit *visit);
void event_list_export(struct visit *visit);

#endif
