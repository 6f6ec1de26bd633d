/* The one table of everything that a visitor can reach, and the pages that it
 * is shown with. */
#ifndef PORTAL_PAGES_SITE_H
#define PORTAL_PAGES_SITE_H

#include "common/log.h"
#include "portal/http/route.h"

struct template_set;

extern const struct site SITE;

/* Every .html of this folder, parsed; NULL with a reason. */
struct template_set *site_pages_new(struct error_text *error);

#endif
