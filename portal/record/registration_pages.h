/* The enterprise's own pages of its registration: steps, uploads, the check
 * before it is handed in, the receipt. The bureau's: registration_review.h. */
#ifndef PORTAL_RECORD_REGISTRATION_PAGES_H
#define PORTAL_RECORD_REGISTRATION_PAGES_H

struct visit;

void registration_show(struct visit *visit);
void registration_step_show(struct visit *visit);
void registration_step_post(struct visit *visit);
void registration_check_show(struct visit *visit);
void registration_submit_post(struct visit *visit);
void registration_receipt_show(struct visit *visit);

/* A file of one step. */
enum { REGISTRATION_FILES_MAX = 6 };

#endif
