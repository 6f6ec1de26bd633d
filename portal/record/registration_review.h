/* The bureau's pages of registrations: papers beside what was typed, what changed
 * since a return, the decision; and the paper of a decision (F19), which the
 * enterprise reads, too. */
#ifndef PORTAL_RECORD_REGISTRATION_REVIEW_H
#define PORTAL_RECORD_REGISTRATION_REVIEW_H

struct visit;

void registration_review_show(struct visit *visit);
void registration_edition_show(struct visit *visit);
void registration_notice_show(struct visit *visit);
/* approve, return, reject */
void registration_decide_post(struct visit *visit);
/* The same page with more rows for points; nothing is done. */
void registration_rows_post(struct visit *visit);
void registration_interest_post(struct visit *visit);

#endif
