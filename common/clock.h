/*
 * Time.
 *
 * Two kinds that the compiler keeps apart: wall_time for what happened when
 * (UTC, microseconds since 1970), mono_time for how long. Only main loops call
 * the two _now() functions; everything else is given the time.
 *
 * Dates are judged in Asia/Shanghai, which is UTC+8 without daylight saving
 * (requirements 1.4); a date is kept as a day number, so that periods are
 * half-open ranges of integers.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

struct wall_time {
    int64_t us; /* microseconds since 1970-01-01T00:00:00Z */
};

struct mono_time {
    int64_t us; /* microseconds since some start */
};

/* Days since 1970-01-01 of a calendar date in Asia/Shanghai. */
struct civil_day {
    int32_t number;
};

enum { DAY_MINUTES = 1440 }; /* the zone has no summer time */

enum { WALL_TEXT_LEN = 32, DAY_TEXT_LEN = 16 };
enum { DAY_MONDAY, DAY_SATURDAY = 5, DAY_SUNDAY = 6 };

struct wall_time wall_now(void);
struct mono_time mono_now(void);
struct mono_time mono_later(struct mono_time time, int64_t ms);
struct wall_time wall_from_s(int64_t seconds);
struct wall_time wall_from_ms(int64_t milliseconds);
int64_t wall_to_s(struct wall_time time);  /* rounded down */
int64_t wall_to_ms(struct wall_time time); /* rounded down */
/* "2026-11-23T08:00:00.000Z" */
void wall_to_text(struct wall_time time, char text[static WALL_TEXT_LEN]);
/* The form above with 0 to 6 decimals, Z or a numeric offset such as +08:00;
 * also a bare date, which is its start in Asia/Shanghai. Years 1970 to 9999. */
bool wall_from_text(struct slice text, struct wall_time *time);
/* "2026-11-23 16:00:00" in Asia/Shanghai, for pages, where the zone stands
 * beside it. */
void wall_to_local_text(struct wall_time time, char text[static WALL_TEXT_LEN]);

struct civil_day day_of_wall(struct wall_time time);
struct wall_time day_start(struct civil_day day);
bool day_from_text(struct slice text, struct civil_day *day); /* 2018-12-31 */
void day_to_text(struct civil_day day, char text[static DAY_TEXT_LEN]);
int day_of_week(struct civil_day day); /* DAY_MONDAY (0) to DAY_SUNDAY (6) */
int day_year(struct civil_day day);
/* Minute of the day in Asia/Shanghai, 0 to 1439. */
int wall_minute_of_day(struct wall_time time);

#endif
