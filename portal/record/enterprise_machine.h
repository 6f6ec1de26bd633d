/*
 * The life of an enterprise's registration (workflow, section 7.1): filed by the
 * enterprise, reviewed by its city; and what is asked with each event.
 */
#ifndef PORTAL_RECORD_ENTERPRISE_MACHINE_H
#define PORTAL_RECORD_ENTERPRISE_MACHINE_H

#include "portal/form/form.h"
#include "portal/workflow/machine.h"

/* What is asked with the events. */
extern const struct form REGISTRATION_SUBMIT_FORM; /* mark, replies */
extern const struct form REGISTRATION_APPROVE_FORM;
extern const struct form REGISTRATION_RETURN_FORM; /* points */
extern const struct form REGISTRATION_REJECT_FORM;

extern const struct machine ENTERPRISE_MACHINE;

#endif
