/*
 * Awards of the vouchers that are being loaded (AWARD-01 to AWARD-06); steps of
 * load.c, inside its transaction.
 *
 * A line's award needs only its fee and the catalogue and is known when the
 * line is read, but for lines of one item: they share its cap, in the contract's
 * order (AWARD-01), the sets of all of them counted. A voucher's amount needs all its lines and what the enterprise
 * got before in the cycle: it is settled at the end, in the order in which the
 * applications were submitted. Vouchers that were there before keep theirs
 * (AWARD-14).
 */
#ifndef PORTAL_LOAD_LOAD_AWARD_H
#define PORTAL_LOAD_LOAD_AWARD_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/db.h"
#include "portal/load/load_table.h"

bool load_award_begin(struct db *db);
/* A row of voucher.csv was inserted: its amount is to be computed. */
bool load_award_note(struct db *db, const struct load_row *row);
/* A row of voucher_line.csv: computes its award, or refuses it. */
bool load_award_line(struct db *db, struct load_row *row);
/* The table of vouchers, whose rows load_award_finish() refuses. */
const struct load_table *load_award_table(void);
/* Settles all new vouchers. False when one is refused: `row` then says which,
 * where and why. */
bool load_award_finish(struct db *db, struct load_row *row,
                       struct arena *arena);

#endif
