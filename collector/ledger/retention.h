/*
 * Retention (PRIV-05): what is deleted when, and how far that went.
 *
 * Flow detail goes after priv.flow_detail_days, the signed batches of the
 * archive later, by whole segments: a segment goes when the newest batch in it
 * is old enough. With the archive goes who had which address until then
 * (number_interval), and a number that no interval names any more. Sums, ledger rows, Merkle leaves and events stay, so that what
 * is left still proves that nothing else was changed. Days are those of
 * Asia/Shanghai; a batch belongs to the day in which its period ends.
 *
 * The archive is kept at least ARCHIVE_DAYS_MIN days: network logs are kept six
 * months (Cybersecurity Law of the PRC, article 21 (3) of the 2017 text), and a
 * verdict may be asked about until its cycle is settled.
 */
#ifndef COLLECTOR_LEDGER_RETENTION_H
#define COLLECTOR_LEDGER_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ledger/ledger.h"
#include "collector/ledger/schema.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"

enum {
    DETAIL_DAYS_MIN = 1,
    DETAIL_DAYS_MAX = 3650,
    ARCHIVE_DAYS_MIN = 180,
    ARCHIVE_DAYS_MAX = 36500,
};

/* --- how far it went --- */

struct retention {
    int64_t detail_before_ms; /* detail of periods that ended before is gone */
    int64_t usage_from_s; /* usage from here on can be added up again; 0: all */
    uint32_t *gone;       /* deleted segments, ascending */
    size_t gone_count;
};

/* `schema` is "main" or "live". *r is the caller's to clear. */
bool retention_read(struct db *db, const char *schema, struct retention *r);
void retention_clear(struct retention *r);
bool retention_has_deleted(const struct retention *r, uint32_t segment);
bool retention_keeps_detail(const struct retention *r,
                            const struct ledger_row *row);

/* --- deleting --- */

struct retention_plan {
    struct civil_day today;
    uint64_t detail_days, archive_days;
    bool only_count; /* nothing is deleted */
};

struct retention_result {
    uint64_t batches, records;          /* whose detail went */
    uint64_t segments, segment_batches; /* of the archive */
    uint64_t intervals;                 /* of numbers */
    uint64_t bytes;                     /* of detail and archive */
};

/* Beside a running collector too. False with a reason; what was done until then
 * stays done, and the next time goes on. */
bool retention_apply(const struct ledger_paths *paths,
                     const struct retention_plan *plan, struct wall_time now,
                     struct retention_result *result, struct error_text *error);

#endif
