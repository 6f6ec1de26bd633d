#include "rules/window.h"

#include <stdbool.h>

#include "common/coverage.h"

/* Active and covered days in [start, start + days). */
static struct window count_days(const struct window_search *search,
                                int32_t start, size_t days)
{
    struct window n = {{start}, {start + (int32_t)days}, 0, 0};
    for (size_t i = 0; i < search->fact_count; i++) {
        const struct day_fact *fact = &search->facts[i];
        int64_t offset = (int64_t)fact->day.number - start;
        if (offset < 0 || offset >= (int64_t)days)
            continue;
        n.active_days += fact->flows > 0;
        n.covered_days += coverage_is_enough(fact->coverage.minutes, fact->day,
                                             search->cut_off,
                                             search->covered_minutes_permille);
    }
    return n;
}

static bool is_better(struct window a, struct window b)
{
    if (a.active_days != b.active_days)
        return a.active_days > b.active_days;
    return a.covered_days > b.covered_days;
}

/* Only windows that end on a day with facts, or at the cut-off, can be better
 * than their neighbours. */
struct window window_best(const struct window_search *search)
{
    int32_t last = day_of_wall(search->cut_off).number;
    int32_t first = search->from.number > last ? last : search->from.number;
    if (last - first >= WINDOW_PERIOD_DAYS_MAX)
        first = last - WINDOW_PERIOD_DAYS_MAX + 1;
    size_t all = (size_t)(last - first) + 1;
    size_t days = search->days > all ? all : search->days;
    int32_t latest = last - (int32_t)days + 1;
    struct window best = count_days(search, latest, days);
    for (size_t i = search->fact_count; i-- > 0;) {
        int32_t start = search->facts[i].day.number - (int32_t)days + 1;
        start = start > latest ? latest : start < first ? first : start;
        struct window window = count_days(search, start, days);
        best = is_better(window, best) ? window : best;
        if (start == first)
            break;
    }
    return best;
}
