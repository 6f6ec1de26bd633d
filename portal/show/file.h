/*
 * Files that people open in a spreadsheet: CSV or XLSX, by the same few calls.
 *
 * What they show is what was stored: texts stay texts, whatever they begin with
 * and however many digits they have; amounts are plain numbers of yuan with two
 * decimals. Rows go to a temporary file at once, so that memory does not grow
 * with them; equal rows give equal bytes.
 */
#ifndef PORTAL_SHOW_FILE_H
#define PORTAL_SHOW_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/money.h"
#include "common/slice.h"

struct file_writer;

struct file_form {
    const char *extension; /* "csv" */
    const char *content_type;
    struct file_writer *(*open)(const char *title);
    void (*text)(struct file_writer *file, struct slice text);
    /* A day or a time, ISO 8601: a spreadsheet may take it for one. */
    void (*plain)(struct file_writer *file, struct slice text);
    void (*money)(struct file_writer *file, struct money amount);
    void (*count)(struct file_writer *file, int64_t count);
    void (*row_end)(struct file_writer *file);
    /* Ends and frees. The whole file, to be read from its start and closed by
     * the caller; it has no name any more. -1 when something failed. */
    int (*close)(struct file_writer *file);
};

extern const struct file_form FILE_CSV, FILE_XLSX;
/* "csv" or "xlsx"; NULL for any other. */
const struct file_form *file_form_of(const char *extension);
/* A file of these bytes, as `close` gives one; -1 when that failed. */
int file_of_bytes(struct slice bytes);

#endif
