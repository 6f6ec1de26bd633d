/*
 * The lives of a probe's boots: two machines with one key, told by time.
 *
 * A machine starts again only when the boot before is over. So when a boot is
 * known to have made a batch after another had begun, and that one after this
 * had begun, two machines use one key, however politely they take turns and
 * in whatever order their batches arrive. What came late proves nothing: asked
 * is when a batch was made.
 *
 * Two clocks tell that, each for itself. The collector's: after the challenge
 * that the batch carries, before it was received. The probe's, when it is
 * synchronised and was measured to be within a minute of the collector's: within
 * a minute of the end of the batch's period.
 */
#ifndef COLLECTOR_LEDGER_BOOT_H
#define COLLECTOR_LEDGER_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/ledger.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/wire/batch.h"

/* Between which times a batch was made, by one clock. */
struct boot_moment {
    bool is_known;
    int64_t after_ms, before_ms; /* after_ms 0: unknown */
};
struct boot_moments {
    struct boot_moment collector, probe;
};
struct boot_moments boot_moments_of(const struct batch_info *info,
                                    int64_t challenge_ms,
                                    struct wall_time received);

/* *returns says that the batch comes of a boot that was over, as another had
 * begun and was alive since. False when that cannot be read. */
bool boot_find_return(struct db *db, const struct batch_info *info,
                      const struct boot_moments *made, bool *returns);
/* Notes the batch of this row, once it is in the ledger; demo data, and what
 * the collector signed itself, has no boots. */
bool boot_note(struct db *db, const struct ledger_row *row);

#endif
