/*
 * The life of an enterprise's registration (workflow, section 7.1): filed by the
 * enterprise, reviewed by its city.
 */
#ifndef PORTAL_RECORD_ENTERPRISE_MACHINE_H
#define PORTAL_RECORD_ENTERPRISE_MACHINE_H

#include "portal/workflow/machine.h"

extern const struct machine ENTERPRISE_MACHINE;

#endif
