/* The newest verdict on a voucher, as members of a page's model. */
#ifndef PORTAL_RECORD_VERDICT_VIEW_H
#define PORTAL_RECORD_VERDICT_VIEW_H

#include <stdbool.h>

#include "portal/http/visit.h"

/* What other parts of the page need to know of it. */
struct verdict_view {
    bool is_there;
    int64_t run_id;
    struct wall_time cut_off;
    bool is_sample;
};

/* Adds `verdict` to the model when there is one. False: a query failed. */
bool verdict_view_fill(struct visit *visit, const char *voucher,
                       const char *cycle, struct verdict_view *view);

struct verdict_window {
    struct civil_day start, end;
    bool is_there;
};

/* Adds `result` (counts in the best window) and `rules` to a line's model. */
bool verdict_view_fill_line(struct visit *visit,
                            const struct verdict_view *view,
                            const char *voucher, int64_t line_no,
                            struct model *line, struct verdict_window *window);

#endif
