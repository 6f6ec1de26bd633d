/*
 * Forms in which carriers' records come. A form turns a file into records, one
 * after the other and as often as asked; what becomes of them is not its
 * matter (carrier_file.c).
 */
#ifndef COLLECTOR_CARRIER_CARRIER_FORM_H
#define COLLECTOR_CARRIER_CARRIER_FORM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/carrier/carrier.h"
#include "collector/carrier/csv_file.h"

/* One row: a record, or NULL and what is wrong with it. False stops. */
typedef bool carrier_row_fn(void *context, const struct carrier_record *record,
                            const char *fault);

/* What is known when a file was read to its end. */
struct carrier_reading {
    struct digest hash; /* of all its bytes */
    uint64_t missing;   /* records that the file should have had */
};

struct carrier_form {
    const char *name; /* "carrier-csv" */
    /* NULL with a reason that names the file. The endpoints are borrowed. */
    void *(*open)(const char *path, const struct endpoint_list *endpoints,
                  struct error_text *error);
    void (*close)(void *file);
    /* The whole file from its start. False when it cannot be read to its end,
     * with the reason; or when the callback said so, without. */
    bool (*read)(void *file, struct wall_time now, carrier_row_fn *fn,
                 void *context, struct carrier_reading *reading,
                 struct error_text *error);
    /* Where the row stands that is being read: "FILE:12". */
    void (*place)(const void *file, char *text, size_t size);
    /* Rows that were not attributed, as a table of carrier_csv. */
    bool (*reject_header)(const void *file, FILE *out);
    bool (*reject)(const void *file, const struct carrier_record *record,
                   FILE *out);
};
extern const struct carrier_form carrier_csv, carrier_ipfix;

extern const struct csv_column CARRIER_COLUMNS[];
extern const size_t CARRIER_COLUMN_COUNT;
/* One row of carrier_csv's table: NULL, or what is wrong with it (text that
 * lasts until the next call). */
const char *carrier_row_read(const struct csv_file *file, struct wall_time now,
                             struct carrier_record *record);

/* A record as a row of carrier_csv's table, and that table's first line. */
bool carrier_csv_write_header(FILE *out);
bool carrier_csv_write(const struct carrier_record *record, FILE *out);

#endif
