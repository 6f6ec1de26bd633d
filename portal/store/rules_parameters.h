/* The programme's parameters and its calendar, from its rules folder. */
#ifndef PORTAL_STORE_RULES_PARAMETERS_H
#define PORTAL_STORE_RULES_PARAMETERS_H

#include <stdbool.h>

#include "common/log.h"
#include "rules/calendar.h"
#include "rules/parameter.h"

/* FOLDER/parameters.conf; false with a reason that names the file. */
bool rules_parameters_read(const char *folder, struct parameters *parameters,
                           struct error_text *error);
/* FOLDER/calendar.csv, the same. */
bool rules_calendar_read(const char *folder, struct calendar *calendar,
                         struct error_text *error);

#endif
