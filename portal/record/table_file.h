/*
 * A completion table's signed file, record by record: short records in front
 * are the table's head (name, value), then come the names of its columns in
 * Chinese and, in newer files, in English, then its rows.
 */
#ifndef PORTAL_RECORD_TABLE_FILE_H
#define PORTAL_RECORD_TABLE_FILE_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/slice.h"
#include "rules/completion_table.h"

enum { TABLE_FIELDS_MAX = 40 };

enum table_record {
    TABLE_HEAD,
    TABLE_NAMES, /* once or twice: has_english tells */
    TABLE_ROW,
    TABLE_END,
    TABLE_BROKEN,
};

struct table_file {
    struct slice fields[TABLE_FIELDS_MAX]; /* of this record */
    int count;
    int row; /* of the table, from 1; 0 before */
    int column_count;
    const struct completion_column *columns[TABLE_FIELDS_MAX]; /* NULL: none of
                                                                  ours */
    bool has_english;
    struct slice rest;
    struct buffer scratch;
    unsigned line;
};

void table_file_open(struct table_file *file, struct slice csv);
enum table_record table_file_next(struct table_file *file);
/* The column that a field of the record stands in; NULL: none of ours. */
const struct completion_column *table_file_column(const struct table_file *file,
                                                  int place);
void table_file_close(struct table_file *file);

#endif
