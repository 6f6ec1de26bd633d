/*
 * Numbers over time, from carriers' files into usage.db (006-number.sql).
 *
 *   number,kind,address,port_from,port_to,from,to
 *
 * kind as in common/wire/number.h; address an address or a prefix no wider than /24
 * or /48; ports both or none, and only with a single address; times with zone
 * (2026-11-23T08:00:00+08:00 or Z), the period half open, `to` empty while it
 * lasts. Nothing may lie in the future.
 *
 * A file is taken whole or not at all: money follows from it, and half a file
 * would attribute to the wrong one what the other half takes back. Rows that
 * were there before are no fault, so a carrier may send everything again; a row
 * like a known one that was still open closes it. Numbers are kept as keyed
 * hash and mask only (PRIV-04).
 */
#ifndef COLLECTOR_CARRIER_NUMBER_IMPORT_H
#define COLLECTOR_CARRIER_NUMBER_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/carrier/csv_file.h"
#include "collector/carrier/number_map.h"
#include "common/clock.h"
#include "common/crypto/secret.h"
#include "common/db.h"
#include "common/wire/number.h"

struct number_import_result {
    uint64_t rows;  /* of the file */
    uint64_t added; /* intervals new or closed */
};

/* False: nothing was stored; *faults says what is wrong with which line, or
 * *error what else went wrong (faults->count is then 0). */
bool number_import_file(struct db *usage_db, const struct secret *key,
                        const char *carrier, const char *path,
                        struct wall_time now,
                        struct number_import_result *result,
                        struct csv_faults *faults, struct error_text *error);

extern const struct csv_column NUMBER_COLUMNS[];
extern const size_t NUMBER_COLUMN_COUNT;

/* One row of such a table: NULL, or what is wrong with it (text that lasts
 * until the next call). interval->number is left alone. */
const char *number_row_read(const struct csv_file *file, struct wall_time now,
                            struct number *number,
                            struct number_interval *interval);

/* The carrier's intervals that meet [from_ms, to_ms), sealed. NULL with a
 * reason. */
struct number_map *number_map_load(struct db *usage_db, const char *carrier,
                                   int64_t from_ms, int64_t to_ms,
                                   struct error_text *error);

/* A time with date, clock and zone. */
bool csv_time_read(struct slice text, int64_t *ms);
/* "CT-GD_1": as names of sources (source_batch.h). */
bool carrier_is_name(const char *name);

#endif
