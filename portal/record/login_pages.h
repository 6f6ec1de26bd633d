/* Logging in and out (ORG-12). A wrong name, a wrong password and a locked
 * account get the same answer. */
#ifndef PORTAL_RECORD_LOGIN_PAGES_H
#define PORTAL_RECORD_LOGIN_PAGES_H

#include "portal/http/visit.h"

void login_show(struct visit *visit);
void login_post(struct visit *visit);
void logout_post(struct visit *visit);
/* Where it goes on after a log-in: an address of this site, or the first page. */
const char *login_next(const char *next);

#endif
