/*
 * Working days (DEAD-10): Monday to Friday except holidays, plus the weekend
 * days that a State Council arrangement turns into working days.
 *
 * The arrangement is data, and it changes during a year: each row may carry the
 * day it was published, and a question is asked as of a day. For one date the
 * row published last, on or before that day, holds. A year without any row is
 * a year without a calendar: answers that touch it are provisional (weekends
 * only), never silently final.
 *
 *   date,kind,published
 *   2019-05-05,workday,2019-03-22
 */
#ifndef RULES_CALENDAR_H
#define RULES_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/slice.h"

enum { CALENDAR_ROWS_MAX = 4096, CALENDAR_DAYS_MAX = 3660 };

struct calendar_row {
    struct civil_day day;
    struct civil_day published; /* number 0: always known */
    bool is_workday;            /* else a holiday */
};

struct calendar {
    struct calendar_row rows[CALENDAR_ROWS_MAX]; /* by day, then published */
    size_t count;
};

/* calendar.csv; the column `published` may be missing or empty. The same day
 * twice with the same published day is refused. */
bool calendar_parse(struct slice csv, struct calendar *calendar,
                    struct error_text *error);

/* A year has a calendar when one of its rows was published by `as_of`. */
bool calendar_has_year(const struct calendar *calendar, int year,
                       struct civil_day as_of);
bool calendar_is_workday(const struct calendar *calendar, struct civil_day day,
                         struct civil_day as_of);

struct calendar_due {
    struct civil_day day; /* due at 24:00 of this day */
    bool is_provisional;  /* some day on the way has no calendar */
};
/* The count-th working day after `start`, which itself is not counted (DEAD-05,
 * DEAD-06). With count 0 it is `start`. At most CALENDAR_DAYS_MAX days ahead
 * are looked at; beyond, the answer is that day, provisional. */
struct calendar_due calendar_due_day(const struct calendar *calendar,
                                     struct civil_day start, unsigned count,
                                     struct civil_day as_of);
/* Working days d with from <= d < to (an overdue review's count, DEAD-11). */
unsigned calendar_count_workdays(const struct calendar *calendar,
                                 struct civil_day from, struct civil_day to,
                                 struct civil_day as_of);

#endif
