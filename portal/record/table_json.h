/* A completion table for programs: GET /api/v1/tables/NUMBER/VERSION. */
#ifndef PORTAL_RECORD_TABLE_JSON_H
#define PORTAL_RECORD_TABLE_JSON_H

#include "common/db.h"
#include "common/writer.h"

/* What the signed file says from row `after` on, `most` rows: names are the
 * columns' ids, values codes, integers, fen and UTC. *last is the last row
 * written, 0 when there are no more behind it. A column that the file does not
 * have is null. False: the file is broken. */
bool table_json_rows(struct json_writer *json, struct slice csv, int64_t after,
                     int64_t most, int64_t *last);
/* The schema of a row. */
void table_json_openapi(struct buffer *out);

#endif
