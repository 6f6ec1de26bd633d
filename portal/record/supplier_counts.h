/*
 * A supplier's own counts of how its services were used, by day.
 *
 *   {"request": "2026-11-23-1",
 *    "rows": [{"enterprise": "ENT-1", "service": "SVC-1", "day": "2026-11-22",
 *              "connections": 120, "octets_up": 1000, "octets_down": 9000,
 *              "active_users": 7}]}
 *
 * `request` is the supplier's own number of the request: sent again with the
 * same content it changes nothing, with another it is refused (SYS-03,
 * E_IDEMPOTENCY). A request is taken whole or not at all. A row for a day that
 * has one already is a correction: the earlier one stays on record. Days are
 * dates in Asia/Shanghai; today and up to COUNTS_DAYS_MAX before it, and more
 * than COUNTS_LATE_DAYS is marked late.
 */
#ifndef PORTAL_RECORD_SUPPLIER_COUNTS_H
#define PORTAL_RECORD_SUPPLIER_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/slice.h"
#include "portal/access/api_token.h"
#include "portal/show/refused.h"

/* Of a day, each way; those of all days of evidence can be added, and every
 * reader of JSON holds it exactly (RFC 8259, section 6). */
#define COUNTS_OCTETS_MAX (INT64_C(1) << 53)

enum {
    COUNTS_ROWS_MAX = 500,
    COUNTS_BODY_MAX = 256 * 1024, /* so many rows, with blanks between */
    COUNTS_LATE_DAYS = 7,
    COUNTS_DAYS_MAX = 400,
    COUNTS_REQUESTS_A_MINUTE = 30, /* of one supplier */
    COUNTS_ID_LEN = 65,
};

struct supplier_row {
    char enterprise_id[COUNTS_ID_LEN];
    char service_id[COUNTS_ID_LEN];
    struct civil_day day;
    bool is_late, has_active_users;
    int64_t connections, octets_up, octets_down, active_users;
};

struct supplier_counts {
    char request[COUNTS_ID_LEN];
    struct supplier_row rows[COUNTS_ROWS_MAX];
    size_t count;
};

/* False with a reason that names the place in the body. */
bool supplier_counts_parse(struct slice body, struct wall_time now,
                           struct supplier_counts *counts,
                           struct error_text *error);

struct supplier_receipt {
    int64_t added, corrected, unchanged;
    bool is_repeated; /* had this request before; the numbers are of then */
};

/* Takes a request inside the caller's transaction on portal.db. REFUSED_NONE, or
 * why not, and then nothing must be kept; *error names what it is about. */
enum refused supplier_counts_take(struct db *db,
                                  const struct api_caller *caller,
                                  const struct supplier_counts *counts,
                                  struct slice body, struct wall_time now,
                                  struct supplier_receipt *receipt,
                                  struct error_text *error);

#endif
