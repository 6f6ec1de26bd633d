/*
 * Which rows of carriers' files were counted: so that no other file, in
 * whatever form, counts one of them again.
 *
 * A row is known by 8 bytes of a hash of what it says, once it is attributed:
 * whose number or address, which endpoint, first and last second, counts. They
 * are kept sorted, by file and day (Asia/Shanghai), 8 bytes a row; a new file is
 * held against the days that it has rows of. Every row is looked at. Two rows
 * that differ share a hash once in 2^64 pairs of rows of a day.
 *
 *   counted_rows_new, counted_rows_add (any number), counted_rows_sort,
 *   counted_rows_find, counted_rows_store; counted_rows_free
 */
#ifndef COLLECTOR_CARRIER_COUNTED_ROWS_H
#define COLLECTOR_CARRIER_COUNTED_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"

enum {
    COUNTED_ROWS_MAX = 32 * 1024 * 1024, /* of one file, 8 bytes each */
    COUNTED_DAYS_MAX = 800,              /* of one file */
    COUNTED_PART_MAX = 128 * 1024,       /* hashes in one row of the table */
};

struct counted_rows; /* of one file */

struct counted_rows *counted_rows_new(void); /* NULL without memory */
void counted_rows_free(struct counted_rows *rows);
/* `row`: what it says, without padding that is not zero. False without memory
 * or past the bounds. */
bool counted_rows_add(struct counted_rows *rows, struct civil_day day,
                      const void *row, size_t length);
void counted_rows_sort(struct counted_rows *rows);

struct counted_before {
    uint64_t rows;
    char name[200]; /* of one file that brought some of them */
    bool is_whole;  /* that file was taken to its end */
};
/* Of the carrier's other files than `file` (0: of all). False when the table
 * cannot be read. */
bool counted_rows_find(const struct counted_rows *rows, struct db *usage_db,
                       const char *carrier, int64_t file,
                       struct counted_before *before);
/* Inside the caller's transaction. */
bool counted_rows_store(const struct counted_rows *rows, struct db *usage_db,
                        const char *carrier, int64_t file);

#endif
