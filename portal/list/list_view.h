/*
 * A list as people and programs get it: a page, a file, JSON. See list.h.
 *
 * The page shows words in the reader's language, local times, amounts with
 * commas. Files have the same columns and some more. JSON is a contract: codes,
 * fen, times in UTC, ids with both names, whatever the reader's language.
 */
#ifndef PORTAL_LIST_LIST_VIEW_H
#define PORTAL_LIST_LIST_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/text.h"
#include "portal/list/list.h"
#include "portal/show/file.h"
#include "portal/show/model.h"

enum { LIST_FILE_ROWS = 100000 };

struct list_view {
    const struct list *list;
    const struct list_query *query;
    struct db *db;
    struct arena *arena;
    enum language language;
    bool wants_totals; /* of all rows, not of the page's alone */
};

/* Takes `after` of a list's address, which names the last row before, apart into
 * query->after. */
void list_read_after(const struct list *list, const char *after,
                     struct list_query *query, struct arena *arena);

/* Everything that portal/pages/list_body.html shows. False when the database
 * failed. */
bool list_fill(const struct list_view *view, struct model *model);
/* {"items": [...], "next": "/api/v1/..." or null}. */
bool list_write_json(const struct list_view *view, struct buffer *out);

/* All rows, at most `most`; what is left out is said in a last row with the
 * address of the rest. Gives a file to read from its start, or -1. */
int list_write_file(const struct list_view *view, const struct file_form *form,
                    int64_t most, bool *is_cut);

#endif
