/*
 * Why a row is refused, in the language of who loads it: whole sentences of
 * text/load.po with the value of the file, the one that is there or should be,
 * and a way out. File, line and column are put before them, as a compiler does.
 */
#ifndef PORTAL_LOAD_LOAD_REFUSAL_H
#define PORTAL_LOAD_LOAD_REFUSAL_H

#include <stdbool.h>

#include "common/db.h"
#include "common/text.h"
#include "portal/load/load_table.h"

/* load_refuse(row, column, key, arguments...), as text_fill; the column's name
 * or NULL. False. */
#define load_refuse(row, column, key, ...)                                     \
    load_refuse_list(row, column, key, TEXT_ARGUMENTS(__VA_ARGS__))
bool load_refuse_list(struct load_row *row, const char *column, const char *key,
                      const struct text_argument *arguments);

/* load_say(error, options, key, arguments...): about no row. False. */
#define load_say(error, options, key, ...)                                     \
    load_say_list(error, options, key, TEXT_ARGUMENTS(__VA_ARGS__))
bool load_say_list(struct error_text *error, const struct load_options *options,
                   const char *key, const struct text_argument *arguments);
/* The store did not work, in words for people. False. */
bool load_say_trouble(struct error_text *error,
                      const struct load_options *options, const struct db *db);

/* "FILE:LINE: COLUMN: SENTENCE" into *error; without a column when it is NULL. */
void load_place(const struct load_row *row, const char *column,
                const char *sentence, struct error_text *error);
/* What a column names is not there: column->missing. */
bool load_refuse_reference(struct load_row *row, size_t index);
/* The column may not be corrected: the row that is there has another value. */
bool load_refuse_change(struct load_row *row, size_t index);
/* After the table did not take the row: says which key of it is taken, by which
 * row. False always. */
bool load_refuse_taken(struct db *db, struct load_row *row);

/* Text that people may see: what is no clean character as '?', long text cut
 * where a character begins. */
void load_show_text(struct slice text, char shown[static LOAD_SHOWN_MAX]);

#endif
