/*
 * Flow detail: the connection records of counted batches (F27), and the short
 * keys of the texts that repeat in them. Functions run inside the caller's
 * transaction on usage.db.
 */
#ifndef LEDGER_DETAIL_H
#define LEDGER_DETAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/db.h"
#include "common/flow_record.h"

/* Keys remembered since the last detail_forget(); after a rollback they may
 * name rows that are gone. */
struct detail;

struct detail *detail_new(struct db *db); /* NULL without memory */
void detail_free(struct detail *detail);
void detail_forget(struct detail *detail);

/* The key of an endpoint id, made when it is new. */
bool detail_endpoint_key(struct detail *detail, const char *endpoint_id,
                         int64_t *key);
bool detail_application_key(struct detail *detail, const char *name,
                            int64_t *key);
/* Writes one record; *endpoint is its endpoint's key, for the usage. */
bool detail_add(struct detail *detail, uint64_t ledger_index,
                const struct flow_record *record, int64_t *endpoint);

/* Rows of a batch in the order they were written, for holding them against
 * the archive. `schema` is "main" or "live". */
struct db_statement *detail_prepare_batch(struct db *db, const char *schema,
                                          uint64_t ledger_index);
/* Whether the current row holds exactly this record. */
bool detail_row_equals(struct db_statement *s, const struct flow_record *r);

#endif
