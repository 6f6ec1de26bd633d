/* My work (待办), what somebody sees first after the log-in. */
#ifndef PORTAL_RECORD_WORK_PAGES_H
#define PORTAL_RECORD_WORK_PAGES_H

#include "portal/http/visit.h"

/* GET / of who has an account. */
void work_show(struct visit *visit);
/* GET /api/v1/work: {"desk", "waiting": {"total", "items"}, "elsewhere": {...}}; as
 * a page it is the one above. */
void work_list_show(struct visit *visit);

#endif
