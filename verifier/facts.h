/*
 * Facts of an enterprise's services, kept in verdict.db.
 *
 * A day is computed when it has no fact yet, or when its source changed: the
 * batches it is made of, the service's endpoints, the parameters that facts
 * depend on. Days whose records are gone by age (PRIV-05) and that have no
 * fact stay without: nobody watched them, as far as can be told.
 */
#ifndef VERIFIER_FACTS_H
#define VERIFIER_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/db.h"
#include "rules/fact.h"
#include "verifier/evidence.h"
#include "verifier/register_view.h"

struct facts_counters {
    uint64_t computed, kept; /* days of services */
    uint64_t records;        /* connection records read */
};

struct facts_scope {
    struct db *verdicts;
    struct evidence *evidence;
    const struct register_view *registry;
    const struct parameters *parameters;
    struct wall_time cut_off;
    struct facts_counters counters;
};

/* Brings the facts of these services (indexes, ascending) up to date for days
 * from <= d <= the cut-off's, and adds the days' sources to `root`. False with
 * a reason. */
bool facts_refresh(struct facts_scope *scope, const char *enterprise_id,
                   const size_t *services, size_t service_count,
                   struct civil_day from, struct digest_stream *root,
                   struct error_text *error);

/* Facts of days from <= d < to, ascending; *facts is the caller's to free. */
bool facts_load(struct facts_scope *scope, const char *enterprise_id,
                size_t service, struct civil_day from, struct civil_day to,
                struct day_fact **facts, size_t *count,
                struct error_text *error);

#endif
