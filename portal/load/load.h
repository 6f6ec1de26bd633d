/*
 * Loading a folder into the registry: programme data (programme.json with its
 * catalogue and cities) and rows of tables (<table>.csv, named and headed like
 * the tables of portal.db).
 *
 * All or nothing, in one transaction, with an audit row. The same row again is
 * fine when it is identical and an error when it is not. Times are ISO text,
 * days are dates, amounts are yuan text (the column fee_fen is headed `fee`),
 * keys are hex. Amounts of awards are not in the files: they are computed from
 * fee and catalogue in the order of the applications (AWARD-01 to AWARD-06).
 *
 * What is not allowed outside a demonstration is refused: addresses that are
 * not public (VER-05), a voucher without its application (ORG-08), a code whose
 * check character is wrong, numbers that are not hashed (PRIV-04).
 */
#ifndef PORTAL_LOAD_LOAD_H
#define PORTAL_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/text.h"
#include "rules/parameter.h"

struct load_options {
    const char *folder;
    bool is_sample; /* marks parties and probes as demo data, and allows
                       documentation addresses */
    const struct parameters *parameters;
    struct wall_time now;
    enum language language; /* of what is said about a refused row */
};

struct load_counts {
    uint64_t rows;  /* read */
    uint64_t added; /* new ones */
    bool has_programme;
};

/* False with "FILE:LINE: NAME: reason"; nothing was changed then. */
bool load_folder(struct db *db, const struct load_options *options,
                 struct load_counts *counts, struct error_text *error);

#endif
