/* The newest verdict on a voucher, as members of a page's model. */
#ifndef PORTAL_RECORD_VERDICT_VIEW_H
#define PORTAL_RECORD_VERDICT_VIEW_H

#include "common/verdict/verdict_reader.h"
#include "portal/http/visit.h"

/* Adds `_verdict` to the page. */
void verdict_view_fill(struct visit *visit, const struct verdict *verdict);
/* Adds `_result` (counts in the best window) and `_rules` to a line's model. */
void verdict_view_fill_line(struct visit *visit,
                            const struct verdict_line *verdict,
                            struct model *line);

#endif
