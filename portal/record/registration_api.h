/*
 * Registrations for programs: the same acts as the pages' and the same rows. Typed
 * answers in and out (portal/form/field.h), stable codes, the events that may be
 * done now. What is posted is JSON:
 *
 *   POST /api/v1/registration           {"answers": {...}, "mark": "..."}
 *   POST /api/v1/registration/submit    {"event": "submit", "version": 1,
 *                                        "request": "...", "asked": {...}}
 *   POST /api/v1/registrations/N/EVENT  {"version": 2, "request": "...",
 *                                        "asked": {...}}
 *
 * Members of "answers" that are not there stay as they are. Files come as
 * multipart/form-data to /api/v1/registration/STEP, as on the pages.
 */
#ifndef PORTAL_RECORD_REGISTRATION_API_H
#define PORTAL_RECORD_REGISTRATION_API_H

#include "portal/record/registration_desk.h"

void registration_api_show(struct visit *visit);       /* the own one */
void registration_api_show_named(struct visit *visit); /* by its number */
void registration_api_save(struct visit *visit);
void registration_api_submit(struct visit *visit);
void registration_api_decide(struct visit *visit);
/* After a step was saved with its files. */
void registration_api_saved(struct desk *desk, const struct refusal *bad_file);

#endif
