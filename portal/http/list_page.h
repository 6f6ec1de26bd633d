/*
 * A list as the answer to a visit: its address gives the page or, below
 * /api/v1, JSON; with .csv or .xlsx behind it the file. See portal/list.
 */
#ifndef PORTAL_HTTP_LIST_PAGE_H
#define PORTAL_HTTP_LIST_PAGE_H

#include "portal/http/visit.h"
#include "portal/list/list.h"

/* What the route's pattern ends in says which form it is. */
void list_page_answer(struct visit *visit, const struct list *list,
                      const char *pattern);

/* For a page that has more than the list: fills the model with what
 * list_body.html shows. False when the database failed. */
bool list_page_fill(struct visit *visit, const struct list *list);
void list_page_json(struct visit *visit, const struct list *list);

#endif
