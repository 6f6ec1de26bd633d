/*
 * Awards of the vouchers that are being loaded (AWARD-01 to AWARD-06); steps of
 * load.c, inside its transaction.
 *
 * A line's award needs only its fee and the catalogue and is known when the
 * line is read. A voucher's amount needs all its lines and what the enterprise
 * got before in the cycle: it is settled at the end, in the order in which the
 * applications were submitted. Vouchers that were there before keep theirs
 * (AWARD-14).
 */
#ifndef PORTAL_LOAD_LOAD_AWARD_H
#define PORTAL_LOAD_LOAD_AWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/db.h"
#include "common/money.h"
#include "rules/parameter.h"

struct load_line {
    const char *voucher, *service;
    struct money fee;
    uint64_t sets; /* 0: none named */
};

bool load_award_begin(struct db *db);
/* The voucher is new in this load; its amount is to be computed. */
bool load_award_note_voucher(struct db *db, const char *number);
/* False with an E_ code and a sentence. */
bool load_award_of_line(struct db *db, const struct parameters *parameters,
                        const struct load_line *line, struct money *award,
                        struct error_text *error);
bool load_award_finish(struct db *db, struct arena *arena,
                       struct error_text *error);

#endif
