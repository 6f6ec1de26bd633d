/*
 * A row and the table it goes into: looking up what is there, inserting,
 * correcting. The statements are made from column names, which are ours
 * (load_table.c); values are bound.
 */
#ifndef PORTAL_LOAD_LOAD_ROW_H
#define PORTAL_LOAD_LOAD_ROW_H

#include "common/crypto/digest.h"
#include "common/db.h"
#include "portal/load/load_table.h"

/* The values of a key's columns: "ENT-1", or "voucher_number=V-1, line_no=2". */
void load_row_show_key(const struct load_row *row, const char *columns,
                       char shown[static LOAD_SHOWN_MAX]);
/* The same of the key that says which row it is. */
void load_row_key(const struct load_row *row,
                  char shown[static LOAD_SHOWN_MAX]);

/* The row that has these columns' values, all its columns in the table's order;
 * to be stepped. NULL on failure. */
struct db_statement *load_row_find(struct db *db, const struct load_row *row,
                                   const char *columns);
/* Sets is_there and what is there; columns that the file does not have get the
 * values that are there. False when the store does not work. */
bool load_row_look_up(struct db *db, struct load_row *row);
/* The next column, from *index on, whose value is not the one that is there. */
bool load_row_differs(const struct load_row *row, size_t *index);

/* False when the table does not take it. */
bool load_row_insert(struct db *db, const struct load_row *row);
bool load_row_update(struct db *db, const struct load_row *row);
/* SHA-256 over "column<TAB>value<LF>" of all columns in the table's order: texts
 * and numbers as they are stored, bytes in hex, nothing for NULL. */
struct digest load_row_digest(const struct load_table *table,
                              const struct load_value *values);

#endif
