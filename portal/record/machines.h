/* Every record with a life: to add one is to add its machine here. */
#ifndef PORTAL_RECORD_MACHINES_H
#define PORTAL_RECORD_MACHINES_H

#include "portal/workflow/machine.h"

extern const struct machines MACHINES;

#endif
