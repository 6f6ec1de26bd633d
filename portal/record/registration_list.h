/* Registrations of enterprises, as a list. */
#ifndef PORTAL_RECORD_REGISTRATION_LIST_H
#define PORTAL_RECORD_REGISTRATION_LIST_H

#include "portal/list/list.h"

extern const struct list REGISTRATION_LIST;

#endif
