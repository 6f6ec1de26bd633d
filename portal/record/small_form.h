/*
 * A form of one page, posted to one address and not kept as a draft: its fields
 * read, checked, and shown with their refusals by part_errors.html and
 * part_fields.html.
 */
#ifndef PORTAL_RECORD_SMALL_FORM_H
#define PORTAL_RECORD_SMALL_FORM_H

#include "portal/form/form.h"
#include "portal/http/visit.h"

/* static const struct form REGISTER = SMALL_FORM("register", &STEP); */
#define SMALL_FORM(form_name, step)                                            \
    {                                                                          \
        .name = (form_name), .steps = (step), .step_count = 1                  \
    }

/* What was posted; of a GET, empty answers. */
struct answers small_form_read(struct visit *visit, const struct form *form);
/* Whether all is there and right; refusals stay with the answers. */
bool small_form_check(struct visit *visit, const struct form *form,
                      struct answers *answers);
/* Refuses a field for a reason that only the record knows. */
void small_form_refuse(struct answers *answers, const char *field,
                       const char *code, const char *key);
void small_form_show(struct visit *visit, const struct form *form,
                     struct answers *answers);

#endif
