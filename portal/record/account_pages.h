/*
 * Accounts for those who answer for them (ORG-07): the province those of bureaux
 * and operators, a city its own operator, an enterprise or supplier its own
 * people. To everybody else an account is not there (404).
 */
#ifndef PORTAL_RECORD_ACCOUNT_PAGES_H
#define PORTAL_RECORD_ACCOUNT_PAGES_H

#include "portal/http/visit.h"

void accounts_show(struct visit *visit);
void colleagues_show(struct visit *visit);
void account_show(struct visit *visit);
void account_new_show(struct visit *visit);
void account_new_post(struct visit *visit);
/* The last part of the address says what: disable, enable, unlock, reset,
 * hand-over. */
void account_act_post(struct visit *visit);

#endif
