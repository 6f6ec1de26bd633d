/*
 * Working days from a sorted table of exceptions.
 *
 * Rows are sorted by day and, within a day, by when they were published, so
 * "as of" is: the last row of the day that was published by then.
 */
#include "rules/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/writer.h"

enum { COLUMNS = 3 };

static int compare_rows(const void *a, const void *b)
{
    const struct calendar_row *x = a, *y = b;
    if (x->day.number != y->day.number)
        return x->day.number < y->day.number ? -1 : 1;
    if (x->published.number != y->published.number)
        return x->published.number < y->published.number ? -1 : 1;
    return 0;
}

static bool read_row(const struct slice *fields, int count, unsigned line,
                     struct calendar_row *row, struct error_text *error)
{
    if (count != 2 && count != COLUMNS)
        return error_set(error, "line %u: date, kind and published expected",
                         line);
    if (!day_from_text(fields[0], &row->day))
        return error_set(error, "line %u: not a date", line);
    row->is_workday = slice_equal(fields[1], SLICE("workday"));
    if (!row->is_workday && !slice_equal(fields[1], SLICE("holiday")))
        return error_set(error, "line %u: kind is holiday or workday", line);
    row->published = (struct civil_day){0};
    if (count == COLUMNS && fields[2].length > 0 &&
        !day_from_text(fields[2], &row->published))
        return error_set(error, "line %u: published is no date", line);
    return true;
}

static bool header_is_right(const struct slice *fields, int count)
{
    return (count == 2 || count == COLUMNS) &&
           slice_equal(fields[0], SLICE("date")) &&
           slice_equal(fields[1], SLICE("kind")) &&
           (count == 2 || slice_equal(fields[2], SLICE("published")));
}

static bool read_rows(struct slice csv, struct buffer *scratch,
                      struct calendar *calendar, struct error_text *error)
{
    struct slice fields[COLUMNS];
    unsigned line = 0;
    int count = csv_read(&csv, scratch, fields, COLUMNS, &line);
    if (!header_is_right(fields, count))
        return error_set(error, "line 1: header date,kind,published expected");
    while ((count = csv_read(&csv, scratch, fields, COLUMNS, &line)) > 0) {
        if (calendar->count == CALENDAR_ROWS_MAX)
            return error_set(error, "line %u: more than %d rows", line,
                             CALENDAR_ROWS_MAX);
        if (!read_row(fields, count, line, &calendar->rows[calendar->count],
                      error))
            return false;
        calendar->count++;
    }
    if (count < 0)
        return error_set(error, "line %u: malformed", line + 1);
    return true;
}

bool calendar_parse(struct slice csv, struct calendar *calendar,
                    struct error_text *error)
{
    struct buffer scratch;
    calendar->count = 0;
    buffer_init(&scratch, 4096);
    bool good = read_rows(csv, &scratch, calendar, error);
    buffer_clear(&scratch);
    if (!good)
        return false;
    qsort(calendar->rows, calendar->count, sizeof(calendar->rows[0]),
          compare_rows);
    for (size_t i = 1; i < calendar->count; i++) {
        if (compare_rows(&calendar->rows[i - 1], &calendar->rows[i]) == 0) {
            char text[DAY_TEXT_LEN];
            day_to_text(calendar->rows[i].day, text);
            return error_set(error, "%s stands there twice", text);
        }
    }
    return true;
}

/* Index of the first row on or after the day. */
static size_t first_row(const struct calendar *calendar, int32_t day)
{
    size_t low = 0, high = calendar->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (calendar->rows[middle].day.number < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: the day is like any other of its weekday. */
static const struct calendar_row *row_of_day(const struct calendar *calendar,
                                             struct civil_day day,
                                             struct civil_day as_of)
{
    const struct calendar_row *found = NULL;
    for (size_t i = first_row(calendar, day.number); i < calendar->count; i++) {
        const struct calendar_row *row = &calendar->rows[i];
        if (row->day.number != day.number ||
            row->published.number > as_of.number)
            break;
        found = row;
    }
    return found;
}

bool calendar_has_year(const struct calendar *calendar, int year,
                       struct civil_day as_of)
{
    for (size_t i = 0; i < calendar->count; i++) {
        const struct calendar_row *row = &calendar->rows[i];
        if (row->published.number <= as_of.number && day_year(row->day) == year)
            return true;
    }
    return false;
}

bool calendar_is_workday(const struct calendar *calendar, struct civil_day day,
                         struct civil_day as_of)
{
    const struct calendar_row *row = row_of_day(calendar, day, as_of);
    if (row != NULL)
        return row->is_workday;
    return day_of_week(day) < DAY_SATURDAY;
}

struct calendar_due calendar_due_day(const struct calendar *calendar,
                                     struct civil_day start, unsigned count,
                                     struct civil_day as_of)
{
    struct calendar_due due = {.day = start};
    int known_year = 0;
    for (int i = 0; count > 0; i++) {
        if (i == CALENDAR_DAYS_MAX) {
            due.is_provisional = true;
            break;
        }
        due.day.number++;
        int year = day_year(due.day);
        if (year != known_year && !calendar_has_year(calendar, year, as_of))
            due.is_provisional = true;
        known_year = year;
        if (calendar_is_workday(calendar, due.day, as_of))
            count--;
    }
    return due;
}

unsigned calendar_count_workdays(const struct calendar *calendar,
                                 struct civil_day from, struct civil_day to,
                                 struct civil_day as_of)
{
    unsigned count = 0;
    struct civil_day day = from;
    for (; day.number < to.number; day.number++) {
        if (calendar_is_workday(calendar, day, as_of))
            count++;
    }
    return count;
}
