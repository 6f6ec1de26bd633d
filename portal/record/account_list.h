/* Accounts as lists (ORG-07): those of bureaux and operators for who makes them,
 * and its own people for each enterprise and supplier. */
#ifndef PORTAL_RECORD_ACCOUNT_LIST_H
#define PORTAL_RECORD_ACCOUNT_LIST_H

#include "portal/list/list.h"

extern const struct list ACCOUNT_LIST, COLLEAGUE_LIST;

#endif
