/*
 * Tables in CSV files of any length, read line by line in bounded memory.
 *
 * The header names the columns, in any order; columns that nobody asked for are
 * refused, so that a misspelt name does not go by as a missing one. RFC 4180,
 * but a field has no line break in it. The file's SHA-256 is known once its end
 * was read; reading it twice shows whether it was changed meanwhile.
 */
#ifndef COLLECTOR_CARRIER_CSV_FILE_H
#define COLLECTOR_CARRIER_CSV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/slice.h"

enum {
    CSV_COLUMNS_MAX = 16,
    CSV_LINE_MAX = 16 * 1024, /* bytes */
    CSV_FAULTS_MAX = 100,     /* that are told one by one */
};

struct csv_column {
    const char *name;
    bool is_required;
};

struct csv_file;

/* NULL with a reason that names the file; `columns` is borrowed. */
struct csv_file *csv_file_open(const char *path,
                               const struct csv_column *columns, size_t count,
                               struct error_text *error);
/* The same of an open descriptor, which then belongs to it. */
struct csv_file *csv_file_of(int fd, const char *name,
                             const struct csv_column *columns, size_t count,
                             struct error_text *error);
void csv_file_close(struct csv_file *file);

enum csv_status {
    CSV_ROW,
    CSV_END,
    CSV_BAD_ROW, /* csv_file_fault() says why; the next one can be read */
    CSV_FAILED,  /* the file cannot be read any further; fault says why */
};
enum csv_status csv_file_next(struct csv_file *file);
const char *csv_file_fault(const struct csv_file *file);
uint64_t csv_file_line(const struct csv_file *file); /* from 1 */
/* A column's field, blanks around it taken away; empty when the file has no
 * such column. Borrowed until the next row. */
struct slice csv_file_field(const struct csv_file *file, size_t column);
/* The row as it stands in the file, without its end of line. */
struct slice csv_file_raw(const struct csv_file *file);
const char *csv_file_header(const struct csv_file *file); /* the same of it */
/* Of everything read so far; of the whole file after CSV_END. */
struct digest csv_file_digest(const struct csv_file *file);
/* Before the first row again. */
bool csv_file_rewind(struct csv_file *file, struct error_text *error);
const char *csv_file_name(const struct csv_file *file);

/* What is wrong with a file, line by line. The first CSV_FAULTS_MAX are kept as
 * lines of text, all are counted. */
struct csv_faults {
    struct buffer text;
    uint64_t count;
};
void csv_faults_init(struct csv_faults *faults);
void csv_faults_clear(struct csv_faults *faults);
void csv_faults_add(struct csv_faults *faults, const char *name, uint64_t line,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, with the place in words. */
void csv_faults_add_at(struct csv_faults *faults, const char *place,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
