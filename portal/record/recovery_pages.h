/* Asking for a firm's account when its only agent is gone, and confirming that
 * (ENT-06, F32): recovery_machine.h. */
#ifndef PORTAL_RECORD_RECOVERY_PAGES_H
#define PORTAL_RECORD_RECOVERY_PAGES_H

#include "portal/http/visit.h"
#include "portal/list/list.h"

enum { RECOVERY_FILES_MAX = 6 };

extern const struct list RECOVERY_LIST;

void recovery_show(struct visit *visit);
void recovery_save_post(struct visit *visit);
void recovery_submit_post(struct visit *visit);
void recovery_review_show(struct visit *visit);
/* The last part of the address is the event. */
void recovery_decide_post(struct visit *visit);

#endif
