/*
 * The rows of a file, whatever program wrote it: CSV, or an Excel workbook
 * (load_xlsx.h).
 *
 * A CSV is UTF-8, with or without a byte order mark, or GB18030, which is what
 * a Chinese Excel means by "CSV" (GBK is a part of it). The text decides: what
 * is UTF-8 throughout is UTF-8, else what is GB18030 throughout is that. A
 * short Chinese text can be both; where it is doubtful, nothing is guessed and
 * the file is refused with the way out. Line ends are LF or CR LF, also within
 * quotes.
 *
 * A file is refused as a whole by a key of text/load.po, with the {line} where
 * it cannot be read.
 */
#ifndef PORTAL_LOAD_LOAD_SHEET_H
#define PORTAL_LOAD_LOAD_SHEET_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/slice.h"

enum { LOAD_FILE_MAX_BYTES = 256 * 1024 * 1024 };

struct load_sheet {
    struct buffer text; /* UTF-8 */
    struct slice rest;  /* of it */
    struct buffer scratch;
    unsigned line; /* read to its end */
    unsigned row;  /* the line where the row begins */
    bool was_gb18030;
    const char *wrong; /* why it was refused */
};

/* False with `wrong` set, or NULL and errno when the file cannot be read. To be
 * closed in either case. */
bool load_sheet_open(struct load_sheet *sheet, const char *path);
void load_sheet_close(struct load_sheet *sheet);
/* Fields of the next row, 0 at the end, -1 with `wrong` set. They are good until
 * the next call. Empty lines, and rows of empty cells as Excel leaves them at
 * the end, are passed over. */
int load_sheet_next(struct load_sheet *sheet, struct slice *fields, int max);

#endif
