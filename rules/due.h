/*
 * When something has to be done, and how late it is (DEAD-05 to DEAD-11,
 * DEAD-16).
 *
 * A deadline rule is a row: how many working days, by which parameter, after the
 * day on which it starts, which is not counted; it ends at 24:00 of the last of
 * them. Nothing here reads a clock or a file: the day is computed when it is
 * asked for, so that a changed calendar moves what has not been reached.
 */
#ifndef RULES_DUE_H
#define RULES_DUE_H

#include <stdbool.h>

#include "common/clock.h"
#include "rules/calendar.h"
#include "rules/parameter.h"

enum due_rule {
    DUE_NONE = 0,            /* no date fixed */
    DUE_REGISTRATION_REVIEW, /* DEAD-05 */
    DUE_VOUCHER_REVIEW,      /* DEAD-06 */
    DUE_CORRECTION,          /* DEAD-09 */
    DUE_RULE_COUNT
};

/* By what it is counted; both are borrowed. */
struct due_terms {
    const struct parameters *parameters;
    const struct calendar *calendar;
};

struct due {
    struct civil_day day; /* its last day */
    struct wall_time at;  /* 24:00 of it: the first instant too late */
    bool is_provisional;  /* a year on the way has no calendar (DEAD-10) */
};

/* "registration_review"; "" for DUE_NONE. */
const char *due_rule_name(enum due_rule rule);
bool due_rule_from(struct slice name, enum due_rule *rule);

/* Of a rule that starts in the day of `start`, as known at `now`. */
struct due due_of(enum due_rule rule, struct wall_time start,
                  const struct due_terms *terms, struct wall_time now);
bool due_is_over(const struct due *due, struct wall_time now);
/* Working days behind the day of `now` up to the last one; 0 once it has come. */
unsigned due_workdays_left(const struct due *due, const struct due_terms *terms,
                           struct wall_time now);
/* Working days behind the last one up to the day of `now` (DEAD-11); 0: none. */
unsigned due_workdays_late(const struct due *due, const struct due_terms *terms,
                           struct wall_time now);
/* The reminder whose time has come: so many working days before the end; 0: none.
 * Of several that were missed it is the last one. */
unsigned due_reminder(enum due_rule rule, const struct due *due,
                      const struct due_terms *terms, struct wall_time now);

#endif
