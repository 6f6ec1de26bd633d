/*
 * Sources of evidence: who observed what a batch reports, and how far they are
 * to be trusted.
 */
#ifndef COLLECTOR_LEDGER_SOURCE_H
#define COLLECTOR_LEDGER_SOURCE_H

#include <stdbool.h>

/* Who observed what a batch reports. Sources are never added up. */
enum ledger_source {
    SOURCE_PROBE,          /* the enterprise's probe */
    SOURCE_ROUTER,         /* NetFlow or IPFIX of a registered exporter */
    SOURCE_SUPPLIER_PROBE, /* a probe at the cloud end */
    SOURCE_CARRIER,        /* records of a telecommunications carrier */
    SOURCE_COUNT,
};
/* "probe", "router", "supplier_probe", "carrier" */
const char *ledger_source_text(enum ledger_source source);
bool ledger_source_from(const char *text, enum ledger_source *source);

/* How far a source is to be trusted, 0 to 3; supplier's counts (1) stand in
 * portal.db. */
int ledger_source_tier(enum ledger_source source);

/* Probe ids that start so name chains of the collector's own; no probe may be
 * registered under one. */
bool ledger_source_owns_id(const char *probe_id);

#endif
