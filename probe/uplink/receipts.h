/*
 * The receipts that the collector gave, kept: its signed word for each batch.
 *
 *   STATE/receipts/2026-11-25.ipfix    IPFIX messages (common/wire/receipt.h), one
 *                                      behind the other, of that UTC day
 *
 * The day is the one that the receipt names. A copy of a batch shows what left;
 * its receipt shows that the collector had it, at which place of its ledger,
 * also when the collector later says otherwise: `yz-collector check --receipt`
 * and `verify --receipts` read these files. A receipt is on disk before its
 * batch leaves the spool, so that what a loss of power takes comes once more;
 * a tail that was cut off in writing is taken away before anything is added.
 * Whole days go, the oldest first, when the folder passes its bound.
 */
#ifndef PROBE_UPLINK_RECEIPTS_H
#define PROBE_UPLINK_RECEIPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/slice.h"

struct receipts;

enum { RECEIPTS_DAY_LEN = sizeof("2026-11-25") };

/* Opens or makes the folder; with a limit of 0 octets what is there goes and
 * nothing is kept. NULL with a sentence. */
struct receipts *receipts_open(const char *state, uint64_t limit_bytes,
                               struct error_text *error);
void receipts_free(struct receipts *receipts);
/* One whole message. A failure is logged once until it works again; false
 * then, and nothing of it is in the file. */
bool receipts_add(struct receipts *receipts, struct slice message,
                  struct wall_time received);

struct receipts_view {
    uint64_t bytes, days;
    char oldest[RECEIPTS_DAY_LEN]; /* "" without any */
    bool has_failed;               /* the last could not be written */
};
struct receipts_view receipts_view(const struct receipts *receipts);

#endif
