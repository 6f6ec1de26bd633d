/* Ways in for who has no password: signing up, a link that lets choose one
 * (ORG-07), and another link for who has forgotten it. What they answer does not
 * tell who has an account. */
#ifndef PORTAL_RECORD_ENTRY_PAGES_H
#define PORTAL_RECORD_ENTRY_PAGES_H

#include "portal/http/visit.h"

void register_show(struct visit *visit);
void register_post(struct visit *visit);
void forgotten_show(struct visit *visit);
void forgotten_post(struct visit *visit);
void activate_show(struct visit *visit);
void activate_post(struct visit *visit);

/* For pages on which a password is chosen: what is wrong with what was typed
 * twice ("password", "again"), as a text key; NULL: nothing. */
const char *entry_password_fault(struct visit *visit,
                                 const struct account *account);

#endif
