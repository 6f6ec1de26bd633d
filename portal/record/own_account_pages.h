/* What everybody does with his own account (ORG-12): see where it is logged in and
 * end that, choose another password, set up a second factor. */
#ifndef PORTAL_RECORD_OWN_ACCOUNT_PAGES_H
#define PORTAL_RECORD_OWN_ACCOUNT_PAGES_H

#include "portal/http/visit.h"

void own_account_show(struct visit *visit);
void own_password_post(struct visit *visit);
void own_session_end(struct visit *visit); /* one, or all others */
void own_factor_show(struct visit *visit);
void own_factor_begin(struct visit *visit);
void own_factor_confirm(struct visit *visit);
void own_factor_end(struct visit *visit);

#endif
