/*
 * Carriers' records of one enterprise, by number: what a broadband account or a
 * SIM used, shown by its mask (PRIV-04).
 *
 * Added up from the flow detail, whose host is the start of the number's keyed
 * hash; so it reaches back as far as detail is kept (PRIV-05). What was
 * attributed by a fixed address has no number. Demo data stands in rows of its
 * own, marked.
 */
#ifndef COLLECTOR_REPORT_NUMBER_USAGE_H
#define COLLECTOR_REPORT_NUMBER_USAGE_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/db.h"
#include "common/log.h"
#include "common/text.h"

enum { NUMBER_USAGE_MAX = 1000 * 1000 }; /* rows */

/* Days in [from, to). `only` NULL: every number; else the hash of one. */
bool number_usage_report(struct db *usage_db, const char *enterprise_id,
                         struct civil_day from, struct civil_day to,
                         const struct digest *only, bool as_json,
                         enum language language, struct buffer *out,
                         struct error_text *error);

#endif
