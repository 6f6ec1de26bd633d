/*
 * Why a row is refused, in the language of who loads it: sentences of
 * text/load.po with both values, the one of the file and the one that is there
 * or should be, and a way out. The place is put before them by load.c.
 */
#ifndef PORTAL_LOAD_LOAD_REFUSAL_H
#define PORTAL_LOAD_LOAD_REFUSAL_H

#include <stdbool.h>

#include "common/db.h"
#include "common/text.h"
#include "portal/load/load_table.h"

/* load_refuse(error, language, key, arguments...), as text_fill; false. */
#define load_refuse(error, language, key, ...)                                 \
    load_refuse_list(error, language, key, TEXT_ARGUMENTS(__VA_ARGS__))
bool load_refuse_list(struct error_text *error, enum language language,
                      const char *key, const struct text_argument *arguments);

/* What a column names is not there: column->missing. */
bool load_refuse_reference(const struct load_row *row,
                           const struct load_column *column,
                           const struct load_value *value,
                           struct error_text *error);
/* After the table did not take the row: says which key of it is taken, and by
 * a row with which other value. *column is the column that it is about, or
 * NULL; false always. */
bool load_refuse_row(struct db *db, const struct load_row *row,
                     const char **column, struct error_text *error);

#endif
