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
 */
#ifndef PORTAL_SHOW_TEMPLATE_H
#define PORTAL_SHOW_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/text.h"
#include "portal/show/model.h"

enum { TEMPLATE_DEPTH = 16 }; /* sections and parts inside one another */

struct template_page {
    const char *name;
    const char *html;
};

struct template_set {
    const struct template_page *pages;
    size_t count;
};

/* Adds the page to out. False with a reason for a page that is not well
 * formed, or asks for a name, key or part that is not there. */
bool template_render(const struct template_set *set, const char *name,
                     enum language language, const struct model *model,
                     struct buffer *out, struct error_text *error);

#endif
