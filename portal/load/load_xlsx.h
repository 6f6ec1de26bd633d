/*
 * The first sheet of an Excel workbook (ECMA-376, .xlsx) as CSV text.
 *
 * A workbook is a ZIP of XML parts. Of them are read: which sheet is the first
 * (xl/workbook.xml and its relations), the strings that cells share, which
 * number formats are dates, and that sheet. Texts stay as they are, in one line;
 * numbers as Excel stored them; dates become 2026-07-10 or, with a time of day,
 * 2026-07-10T08:00:00+08:00. Formulas are read by the value that was stored with
 * them. Row n of the sheet is line n of the text, and each line is as wide as
 * the first one that has cells.
 *
 * A stranger's file decides nothing: parts are read as a stream and end at a
 * ceiling, whatever the ZIP says of their size; so do rows, columns and strings;
 * a document type (entities that grow) is refused.
 */
#ifndef PORTAL_LOAD_LOAD_XLSX_H
#define PORTAL_LOAD_LOAD_XLSX_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/slice.h"

enum { LOAD_XLSX_MAX_BYTES = 64 * 1024 * 1024 }; /* of a part, unpacked */

/* Adds the text to the buffer. False with the key of a sentence (text/load.po)
 * in *wrong. */
bool load_xlsx_read(struct slice file, struct buffer *csv, const char **wrong);

#endif
