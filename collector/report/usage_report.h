/*
 * What was counted for one enterprise: a row for each endpoint, day and source,
 * with demo data in rows and totals of its own. Totals are of the enterprise's
 * probes alone: other sources saw the same connections again. Days are dates in
 * Asia/Shanghai; the period is half open.
 */
#ifndef COLLECTOR_REPORT_USAGE_REPORT_H
#define COLLECTOR_REPORT_USAGE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ledger/ledger.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "common/text.h"

struct usage_line {
    char endpoint_id[64];
    struct civil_day day;
    enum ledger_source source;
    bool is_sample;
    uint64_t flows, octets, packets, roctets, rpackets;
    uint64_t active_minutes; /* with a two-way connection */
    uint64_t hosts_peak;     /* most hosts within 5 minutes */
    uint64_t names_confirmed, names_mismatched;
};

struct usage_batches {
    uint64_t counted, late, kept; /* late ones are also counted */
    uint64_t records, dropped_records;
};

/* What a supplier itself says of one of its services and a day (tier 1); it
 * stands in portal.db. */
struct usage_claim {
    char service_id[64];
    struct civil_day day;
    uint64_t connections, octets_up, octets_down;
    bool is_late;
};

struct usage_report {
    char enterprise_id[64];
    struct civil_day from, to;
    struct usage_line *lines; /* by endpoint, day, source, demo */
    size_t count, capacity;
    struct usage_claim *claims; /* by service, day */
    size_t claim_count, claim_capacity;
    struct usage_line total, sample_total; /* without endpoint and day */
    struct usage_batches batches, sample_batches;
};

/* `registry` is portal.db's path; NULL leaves suppliers' counts out, as does a
 * portal.db that has none yet. */
bool usage_report_read(struct db *db, const char *registry,
                       const char *enterprise_id, struct civil_day from,
                       struct civil_day to, struct usage_report *report,
                       struct error_text *error);
void usage_report_clear(struct usage_report *report);
void usage_report_table(const struct usage_report *report,
                        enum language language, struct buffer *out);
void usage_report_json(const struct usage_report *report, struct buffer *out);

#endif
