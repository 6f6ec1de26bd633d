/*
 * The probes: where each stands, since when its enterprise agreed (PRIV-07),
 * until when its certificate is good, and whether it is denied and why. An
 * enterprise sees its own, a city those of its enterprises.
 */
#ifndef PORTAL_RECORD_PROBE_PAGES_H
#define PORTAL_RECORD_PROBE_PAGES_H

#include "portal/http/visit.h"

void probe_list_show(struct visit *visit);

#endif
