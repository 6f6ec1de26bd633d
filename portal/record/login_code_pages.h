/* The second half of a log-in where there is a second factor: the password was
 * right, a code lacks. Until it is there the session opens this page alone, and
 * wrong codes are counted as wrong passwords are (ORG-12). */
#ifndef PORTAL_RECORD_LOGIN_CODE_PAGES_H
#define PORTAL_RECORD_LOGIN_CODE_PAGES_H

#include "portal/http/visit.h"

void login_code_show(struct visit *visit);
void login_code_post(struct visit *visit);

#endif
