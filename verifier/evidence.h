/*
 * What the collector counted (usage.db), as far as a run may use it: rows that
 * had been received by the cut-off (VER-19).
 *
 * Nothing here depends on the order in which batches came (VER-17): a day is
 * identified by the hashes of its batches, sorted by time and hash.
 */
#ifndef VERIFIER_EVIDENCE_H
#define VERIFIER_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/db.h"
#include "common/log.h"
#include "rules/fact.h"
#include "verifier/register_view.h"

/* One batch, as far as days need it. */
struct evidence_batch {
    int64_t start_ms, end_ms; /* period */
    struct digest hash;
    uint64_t record_count, batches_lost, packets_dropped, flows_evicted;
    uint8_t tier;
    bool is_late, is_counted, is_sample, is_unsynchronised;
};

/* One day of an enterprise: what its probes reported about. */
struct evidence_day {
    struct civil_day day;
    struct fact_coverage coverage;
    struct digest source; /* over the batches that may hold its records */
    uint64_t records;     /* in those batches, for any service */
};

/* One record of a service on a day. */
struct evidence_flow {
    size_t service; /* index in the registry */
    int32_t day;
    struct fact_flow flow;
};

/* Repeats of connection tokens (S9) on one day of an enterprise's service. */
struct token_repeat {
    char enterprise_id[64];
    size_t service;
    int32_t day;
    uint64_t repeated, elsewhere;
};

struct evidence; /* an open usage.db with its repeats */

/* Reads token repeats. NULL with a reason. */
struct evidence *evidence_open(struct db *usage,
                               const struct register_view *registry,
                               struct wall_time cut_off,
                               struct error_text *error);
void evidence_close(struct evidence *e); /* the db stays the caller's */
const char *evidence_error(const struct evidence *e);

/* Days from <= d < to that any batch touches, ascending. *days is the
 * caller's to free. */
bool evidence_days(struct evidence *e, const char *enterprise_id,
                   struct civil_day from, struct civil_day to,
                   struct evidence_day **days, size_t *count);
/* Records of registered services that start on days from <= d < to. *flows is
 * the caller's to free. */
bool evidence_flows(struct evidence *e, const char *enterprise_id,
                    struct civil_day from, struct civil_day to,
                    struct evidence_flow **flows, size_t *count);
/* Whether any record of a batch of that day is still there. */
bool evidence_has_records(struct evidence *e, const char *enterprise_id,
                          struct civil_day day, bool *has_records);
/* NULL: none on that day. */
const struct token_repeat *evidence_repeat(const struct evidence *e,
                                           const char *enterprise_id,
                                           size_t service,
                                           struct civil_day day);
/* One batch number signed with two contents, by this enterprise's probes. */
bool evidence_conflicts(struct evidence *e, struct db *registry,
                        const char *enterprise_id, uint64_t *count);

#endif
