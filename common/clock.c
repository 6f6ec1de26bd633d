/*
 * Time: two clocks, and the calendar of Asia/Shanghai.
 *
 * The calendar is the proleptic Gregorian one, computed from day numbers with
 * integer arithmetic: years are counted from March, so that the leap day is the
 * last of its year, in eras of 400 years (146,097 days). No time zone database
 * is asked; the zone is a fixed eight hours (requirements 1.4).
 */
#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const int64_t US_PER_S = 1000000;
static const int64_t US_PER_MS = 1000;
static const int64_t S_PER_DAY = 86400;
static const int64_t SHANGHAI_OFFSET_S = 8 * 3600;
enum { YEAR_MIN = 1970, YEAR_MAX = 9999 };

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t days_of_date(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int month_from_march = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct date date_of_days(int64_t days)
{
    days += 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                           day_of_era / 146096) /
                          365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (int)((5 * day_of_year + 2) / 153);
    int month =
        month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct date){
        .year = era * 400 + year_of_era + (month <= 2 ? 1 : 0),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5) + 1,
    };
}

static int days_in_month(int64_t year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static struct wall_time now_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (struct wall_time){now.tv_sec * US_PER_S + now.tv_nsec / 1000};
}

struct wall_time wall_now(void)
{
    return now_of(CLOCK_REALTIME);
}

struct mono_time mono_now(void)
{
    return (struct mono_time){now_of(CLOCK_MONOTONIC).us};
}

struct mono_time mono_later(struct mono_time time, int64_t ms)
{
    return (struct mono_time){time.us + ms * 1000};
}

/* Times from outside may be any number; they stay at the ends of the range. */
static struct wall_time scaled(int64_t value, int64_t factor)
{
    int64_t us;
    if (__builtin_mul_overflow(value, factor, &us))
        us = value < 0 ? INT64_MIN : INT64_MAX;
    return (struct wall_time){us};
}

struct wall_time wall_from_s(int64_t seconds)
{
    return scaled(seconds, US_PER_S);
}

struct wall_time wall_from_ms(int64_t milliseconds)
{
    return scaled(milliseconds, US_PER_MS);
}

int64_t wall_to_s(struct wall_time time)
{
    return floor_divide(time.us, US_PER_S);
}

int64_t wall_to_ms(struct wall_time time)
{
    return floor_divide(time.us, US_PER_MS);
}

/* Seconds since 1970 as "2026-11-23", separator, "08:00:00". The largest
 * wall_time is in the year 294247, whose text still fits. */
static void seconds_to_text(int64_t seconds, char separator,
                            char text[static WALL_TEXT_LEN])
{
    int64_t days = floor_divide(seconds, S_PER_DAY);
    int rest = (int)(seconds - days * S_PER_DAY);
    struct date date = date_of_days(days);
    snprintf(text, WALL_TEXT_LEN, "%04" PRId64 "-%02d-%02d%c%02d:%02d:%02d",
             date.year, date.month, date.day, separator, rest / 3600,
             rest / 60 % 60, rest % 60);
}

void wall_to_text(struct wall_time time, char text[static WALL_TEXT_LEN])
{
    char seconds[WALL_TEXT_LEN];
    seconds_to_text(wall_to_s(time), 'T', seconds);
    int ms = (int)(wall_to_ms(time) - wall_to_s(time) * 1000);
    snprintf(text, WALL_TEXT_LEN, "%.*s.%03dZ", WALL_TEXT_LEN - 6, seconds, ms);
}

void wall_to_local_text(struct wall_time time, char text[static WALL_TEXT_LEN])
{
    seconds_to_text(wall_to_s(time) + SHANGHAI_OFFSET_S, ' ', text);
}

/* Exactly `width` digits and then `mark` (0: nothing) from the front of text. */
static bool take_number(struct slice *text, size_t width, char mark, int min,
                        int max, int *value)
{
    size_t length = width + (mark != 0 ? 1 : 0);
    uint64_t number;
    if (text->length < length ||
        !parse_u64((struct slice){text->data, width}, (uint64_t)min,
                   (uint64_t)max, &number) ||
        (mark != 0 && text->data[width] != mark))
        return false;
    text->data += length;
    text->length -= length;
    *value = (int)number;
    return true;
}

static bool take_date(struct slice *text, int64_t *days)
{
    int year, month, day;
    if (!take_number(text, 4, '-', YEAR_MIN, YEAR_MAX, &year) ||
        !take_number(text, 2, '-', 1, 12, &month) ||
        !take_number(text, 2, 0, 1, days_in_month(year, month), &day))
        return false;
    *days = days_of_date((struct date){year, month, day});
    return true;
}

/* ".5" to ".123456"; nothing is 0. */
static bool take_fraction(struct slice *text, int *us)
{
    *us = 0;
    if (text->length == 0 || text->data[0] != '.')
        return true;
    size_t count = 0;
    for (; count + 1 < text->length && slice_is_digit(text->data[count + 1]);
         count++) {
        if (count == 6)
            return false;
        *us = *us * 10 + (text->data[count + 1] - '0');
    }
    for (size_t i = count; i < 6; i++)
        *us *= 10;
    text->data += count + 1;
    text->length -= count + 1;
    return count > 0;
}

/* "Z", "+08:00" or "-03:30", and then nothing. */
static bool take_zone(struct slice text, int *offset_s)
{
    int hours, minutes;
    *offset_s = 0;
    if (slice_equal(text, SLICE("Z")))
        return true;
    if (text.length != 6 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    int sign = text.data[0] == '-' ? -1 : 1;
    text.data++;
    text.length--;
    if (!take_number(&text, 2, ':', 0, 23, &hours) ||
        !take_number(&text, 2, 0, 0, 59, &minutes))
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool wall_from_text(struct slice text, struct wall_time *time)
{
    int64_t days;
    int hours, minutes, seconds, us, offset_s;
    if (!take_date(&text, &days))
        return false;
    if (text.length == 0) {
        *time = day_start((struct civil_day){(int32_t)days});
        return true;
    }
    if (text.data[0] != 'T' && text.data[0] != ' ')
        return false;
    text.data++;
    text.length--;
    if (!take_number(&text, 2, ':', 0, 23, &hours) ||
        !take_number(&text, 2, ':', 0, 59, &minutes) ||
        !take_number(&text, 2, 0, 0, 59, &seconds) ||
        !take_fraction(&text, &us) || !take_zone(text, &offset_s))
        return false;
    int64_t s =
        days * S_PER_DAY + hours * 3600 + minutes * 60 + seconds - offset_s;
    time->us = s * US_PER_S + us;
    return true;
}

struct civil_day day_of_wall(struct wall_time time)
{
    return (struct civil_day){
        (int32_t)floor_divide(wall_to_s(time) + SHANGHAI_OFFSET_S, S_PER_DAY)};
}

struct wall_time day_start(struct civil_day day)
{
    return wall_from_s(day.number * S_PER_DAY - SHANGHAI_OFFSET_S);
}

bool day_from_text(struct slice text, struct civil_day *day)
{
    int64_t days;
    if (!take_date(&text, &days) || text.length != 0)
        return false;
    day->number = (int32_t)days;
    return true;
}

void day_to_text(struct civil_day day, char text[static DAY_TEXT_LEN])
{
    struct date date = date_of_days(day.number);
    snprintf(text, DAY_TEXT_LEN, "%04d-%02d-%02d", (int)date.year, date.month,
             date.day);
}

int day_of_week(struct civil_day day)
{
    /* Day 0, 1970-01-01, was a Thursday. */
    int64_t from_monday = (int64_t)day.number + 3;
    return (int)(from_monday - 7 * floor_divide(from_monday, 7));
}

int day_year(struct civil_day day)
{
    return (int)date_of_days(day.number).year;
}

int wall_minute_of_day(struct wall_time time)
{
    int64_t local_s = wall_to_s(time) + SHANGHAI_OFFSET_S;
    int64_t day_s = local_s - floor_divide(local_s, S_PER_DAY) * S_PER_DAY;
    return (int)(day_s / 60);
}
