#include "common/coverage.h"

enum { MINUTE_MS = 60000, DAY_MS = DAY_MINUTES * MINUTE_MS };

/* The first minute of the day whose middle is not before an instant of the
 * day (ms since its start). */
static int64_t first_minute_from(int64_t ms)
{
    return ms < 0 ? 0 : (ms + MINUTE_MS / 2 - 1) / MINUTE_MS;
}

void coverage_add(struct coverage *coverage, struct civil_day day,
                  int64_t start_ms, int64_t end_ms)
{
    int64_t day_ms = wall_to_ms(day_start(day));
    if (start_ms < day_ms - DAY_MS || start_ms >= day_ms + DAY_MS)
        return;
    int64_t end = first_minute_from(end_ms - day_ms);
    for (int64_t m = first_minute_from(start_ms - day_ms);
         m < end && m < DAY_MINUTES; m++)
        coverage->is_watched[m] = true;
}

uint32_t coverage_minutes(const struct coverage *coverage)
{
    uint32_t minutes = 0;
    for (int m = 0; m < DAY_MINUTES; m++)
        minutes += coverage->is_watched[m];
    return minutes;
}

uint32_t coverage_minutes_asked(struct civil_day day, struct wall_time cut_off)
{
    int32_t last = day_of_wall(cut_off).number;
    if (day.number < last)
        return DAY_MINUTES;
    return day.number == last ? (uint32_t)wall_minute_of_day(cut_off) : 0;
}

bool coverage_is_enough(uint32_t minutes, struct civil_day day,
                        struct wall_time cut_off, uint64_t least_permille)
{
    uint64_t asked = coverage_minutes_asked(day, cut_off);
    return asked > 0 && UINT64_C(1000) * minutes >= asked * least_permille;
}
