/*
 * The enterprise's registration as a form (F6): its fields in steps, what of
 * them may not be, and what is only said to the applicant.
 *
 * What decides at the application for a voucher (a year of age, ten million of
 * revenue: ELIG-04, ELIG-05) refuses no registration; it is told beforehand.
 */
#ifndef PORTAL_RECORD_ENTERPRISE_FORM_H
#define PORTAL_RECORD_ENTERPRISE_FORM_H

#include "portal/form/form.h"

extern const struct form ENTERPRISE_FORM;

/* Section B, C or D of GB/T 4754-2017; another one is a flag, which the bureau
 * answers (ELIG-02). */
bool enterprise_is_industrial(const struct answers *answers);
/* The first day on which an application passes ELIG-04; false: not known. */
bool enterprise_first_day(const struct answers *answers, struct civil_day *day);
/* Below the revenue that an application needs (ELIG-05). */
bool enterprise_is_small(const struct answers *answers);

#endif
