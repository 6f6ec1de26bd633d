/*
 * The newest verdict on a voucher, as members of a page's model.
 *
 * JSON has it as `verdict`, exactly as yz-verifier explain --json prints it;
 * what the page shows of it, in the language of the reader, are `_verdict`, and
 * `_result` and `_rules` of each line.
 */
#ifndef PORTAL_RECORD_VERDICT_VIEW_H
#define PORTAL_RECORD_VERDICT_VIEW_H

#include <stdbool.h>

#include "common/verdict/verdict_reader.h"
#include "portal/http/visit.h"

struct verdict_view {
    bool is_there; /* the newest run of the cycle judged the voucher */
    struct verdict verdict;
};

/* False: a query failed. */
bool verdict_view_fill(struct visit *visit, const char *voucher,
                       struct verdict_view *view);

struct verdict_window {
    struct civil_day start, end;
    bool is_there;
};

/* Adds `_result` (counts in the best window) and `_rules` to a line's model. */
void verdict_view_fill_line(struct visit *visit,
                            const struct verdict_view *view, int64_t line_no,
                            struct model *line, struct verdict_window *window);

#endif
