/* The signed completion tables that somebody may see, as a list. */
#ifndef PORTAL_RECORD_TABLE_LIST_H
#define PORTAL_RECORD_TABLE_LIST_H

#include "portal/list/list.h"

extern const struct list TABLE_LIST;

#endif
