/*
 * Loading a folder into the registry: programme data (programme.json with its
 * catalogue and cities) and rows of tables, <table>.csv or <table>.xlsx, named
 * and headed like the tables of portal.db (load_table.h).
 *
 * All or nothing, in one transaction, with an audit row. The same row again is
 * fine. A row that reads otherwise than the one that is there corrects it, when
 * that is asked for and the columns may be corrected: each with an audit row of
 * its own that has the hash of the record before and after. A column that the
 * file does not have stays as it is. Nothing is deleted: what ends has a
 * `valid_to` or `denied_at`.
 *
 * A preview does all of it, tells what would change, old and new, and keeps
 * nothing.
 *
 * Files may be written by Excel: UTF-8 with or without its mark, GB18030 (the
 * GBK of a Chinese Excel), CR LF, line ends in quotes, dates as 2026/7/10
 * (load_sheet.h). Times are ISO text, days are dates, amounts are yuan text (the
 * column fee_fen is headed `fee`), keys are hex. Amounts of awards are not in
 * the files: they are computed from fee and catalogue in the order of the
 * applications (AWARD-01 to AWARD-06).
 *
 * Every way in passes the same checks (ORG-08): load_rule.c has those of the
 * programme. What only a demonstration may do is refused without `is_sample`:
 * documentation addresses, endpoints that begin before they are declared, times
 * that have not come yet.
 */
#ifndef PORTAL_LOAD_LOAD_H
#define PORTAL_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/text.h"
#include "rules/parameter.h"

enum load_news {
    LOAD_REFUSED, /* a row, and why */
    LOAD_FLAGGED, /* a row that is taken, and what to look at (VER-05) */
    LOAD_CHANGE,  /* what was changed, or would be */
};

struct load_options {
    const char *folder;
    bool is_sample;   /* marks parties and probes as demo data, and allows
                       documentation addresses */
    bool is_preview;  /* tells what would be done, with corrections */
    bool may_correct; /* rows that are there */
    const struct parameters *parameters;
    struct wall_time now;
    enum language language; /* of what is said */
    /* Hears each line of news, without a line end; NULL: nobody listens. */
    void (*tell)(void *context, enum load_news news, const char *line);
    void *context;
};

struct load_counts {
    uint64_t rows; /* read; those below, and the refused ones */
    uint64_t added, changed, ended, same;
    uint64_t refused; /* of the one file at which loading stopped */
    bool has_programme;
};

/* False with the first thing refused, "FILE:LINE: COLUMN: sentence"; nothing
 * was changed then. True for a preview without a refusal. */
bool load_folder(struct db *db, const struct load_options *options,
                 struct load_counts *counts, struct error_text *error);

#endif
