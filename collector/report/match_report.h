/* What match_day says of a period, as a table or JSON. */
#ifndef COLLECTOR_REPORT_MATCH_REPORT_H
#define COLLECTOR_REPORT_MATCH_REPORT_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "common/text.h"

/* Days in [from, to); `enterprise_id` NULL: of all. */
bool match_report(struct db *usage_db, const char *enterprise_id,
                  struct civil_day from, struct civil_day to, bool as_json,
                  enum language language, struct buffer *out,
                  struct error_text *error);

#endif
