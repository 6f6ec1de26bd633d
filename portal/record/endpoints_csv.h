/* The registered application-side endpoints as ENDPOINTS.csv for probes. */
#ifndef PORTAL_RECORD_ENDPOINTS_CSV_H
#define PORTAL_RECORD_ENDPOINTS_CSV_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/db.h"

/* One row for each address or host, in the order of the ids. */
bool endpoints_csv_write(struct db *db, struct buffer *out);

#endif
