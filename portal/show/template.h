/*
 * Pages: HTML with names in double braces, filled from a model.
 *
 *   {{name}}              the value, escaped; texts and integers only
 *   {{=key}}              words of the text table in the page's language
 *   {{#name}}...{{/name}} once for each object of a list, once inside an
 *                         object, or once when a claim holds, a text is not
 *                         empty, an integer is not 0
 *   {{^name}}...{{/name}} when that is not so
 *   {{>part}}             another page, in place
 *
 * A name is looked up in the innermost object and then outwards. There is no
 * way to write a value unescaped.
 *
 * Pages are parsed once, when the program starts, and shown from then on
 * without being scanned again. A set is complete or is not there: braces that
 * do not close, sections that cross, a part or a key that there is not, and a
 * page that is a part of itself are refused with page and line, wherever they
 * stand. What a model lacks is found when a page is shown with it.
 */
#ifndef PORTAL_SHOW_TEMPLATE_H
#define PORTAL_SHOW_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/log.h"
#include "common/text.h"
#include "portal/show/model.h"

enum { TEMPLATE_DEPTH = 16 }; /* sections and parts inside one another */

/* A page as it is written; both texts are borrowed for the life of the set. */
struct template_page {
    const char *name;
    const char *html;
};

struct template_set;

/* NULL with a reason, "voucher.html:12: ...". */
struct template_set *template_set_new(const struct template_page *pages,
                                      size_t count, struct error_text *error);
void template_set_free(struct template_set *set);

/* Adds the page to out; several threads may at once. False with a reason for a
 * page that is not there, asks for a name that the model has not, or is too
 * long. */
bool template_render(const struct template_set *set, const char *name,
                     enum language language, const struct model *model,
                     struct buffer *out, struct error_text *error);

#endif
