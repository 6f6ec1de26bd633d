#include "rules/line_case.h"

#include <stdlib.h>

#include "rules/beacon.h"

enum { HUMAN_DAY_FLOWS = 5, CLIENTS_COMPARED_MAX = 64 };

uint64_t permille_of(uint64_t part, uint64_t whole)
{
    if (whole == 0)
        return 0;
    return part > UINT64_MAX / 1000 ? part / (whole / 1000 + 1)
                                    : part * 1000 / whole;
}

uint64_t line_case_window_days(const struct line_case *c)
{
    return parameters_window_days(c->p, c->line->class);
}

uint64_t line_case_active_days_wanted(const struct line_case *c)
{
    return parameters_min_active_days(c->p, c->line->class);
}

bool line_case_is_used(const struct line_case *c)
{
    return c->window.active_days >= line_case_active_days_wanted(c);
}

/* ---- sums ---- */

static void add_coverage(struct line_case *c, const struct fact_coverage *day)
{
    c->batches += day->batches;
    c->late += day->late_batches;
    c->uncounted += day->uncounted_batches;
    c->lost_batches += day->batches_lost;
    c->unsynchronised += day->unsynchronised_batches;
}

static void add_day(struct line_case *c, const struct day_fact *f)
{
    c->flows += f->flows;
    c->octets += f->octets + f->roctets;
    c->one_way += f->one_way_flows;
    c->residual += f->residual_flows;
    c->sizes += f->sizes;
    if (f->beacon_permille < (int32_t)c->p->s1_score_permille) {
        c->human += f->residual_flows;
        c->human_days += f->residual_flows >= HUMAN_DAY_FLOWS;
    }
    c->largest_day = f->flows > c->largest_day ? f->flows : c->largest_day;
    c->tier = f->tier > c->tier ? f->tier : c->tier;
    add_coverage(c, &f->coverage);
}

static int compare_hosts(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Different hosts over the window. Days list at most FACT_HOSTS_MAX of them,
 * so the largest day's own count is a lower bound too. */
static uint64_t count_devices(const struct line_case *c)
{
    size_t n = 0, room = c->day_count * FACT_HOSTS_MAX + 1;
    uint64_t largest = 0, seen = 0;
    uint64_t *hosts = malloc(room * sizeof(*hosts));
    for (size_t i = 0; i < c->day_count; i++) {
        const struct day_fact *f = &c->days[i];
        largest = f->host_count > largest ? f->host_count : largest;
        for (uint32_t h = 0; hosts != NULL && h < f->hosts_kept; h++)
            hosts[n++] = f->hosts[h];
    }
    if (n > 0)
        qsort(hosts, n, sizeof(hosts[0]), compare_hosts);
    for (size_t i = 0; i < n; i++)
        seen += i == 0 || hosts[i] != hosts[i - 1];
    free(hosts);
    return seen > largest ? seen : largest;
}

static bool is_in_window(const struct line_case *c, struct civil_day day)
{
    return day.number >= c->window.start.number &&
           day.number < c->window.end.number;
}

void line_case_gather(struct line_case *c)
{
    const struct judge_line *line = c->line;
    struct window_search search = {
        .facts = line->facts,
        .fact_count = line->fact_count,
        .from = line->from,
        .cut_off = line->cut_off,
        .days = line_case_window_days(c),
        .covered_minutes_permille = c->p->covered_minutes_permille,
    };
    c->window = window_best(&search);
    for (size_t i = 0; i < line->fact_count; i++) {
        const struct day_fact *f = &line->facts[i];
        c->repeated += f->tokens_repeated;
        c->elsewhere += f->tokens_elsewhere;
        c->is_sample |= f->is_sample;
        if (!is_in_window(c, f->day))
            continue;
        if (c->day_count++ == 0)
            c->days = f;
        add_day(c, f);
    }
    c->devices = count_devices(c);
}

/* ---- over the window's days ---- */

size_t line_case_median(const struct line_case *c,
                        int64_t (*measure)(const struct line_case *c,
                                           const struct day_fact *day),
                        int64_t *median)
{
    int64_t values[WINDOW_PERIOD_DAYS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->day_count && n < WINDOW_PERIOD_DAYS_MAX; i++) {
        int64_t value = measure(c, &c->days[i]);
        if (value >= 0)
            values[n++] = value;
    }
    if (n > 0)
        *median = beacon_median(values, n);
    return n;
}

struct client_sums {
    struct fact_program items[CLIENTS_COMPARED_MAX];
    size_t count;
};

/* Programs past the room are left out: days list the most used few. */
static void add_program(struct client_sums *sums,
                        const struct fact_program *program)
{
    size_t i = 0;
    while (i < sums->count &&
           sums->items[i].fingerprint != program->fingerprint)
        i++;
    if (i == CLIENTS_COMPARED_MAX)
        return;
    if (i == sums->count)
        sums->items[sums->count++].fingerprint = program->fingerprint;
    sums->items[i].flows += program->flows;
}

enum client_kind line_case_client(const struct line_case *c, uint64_t *share)
{
    struct client_sums sums = {0};
    uint64_t all = 0;
    size_t best = 0;
    for (size_t i = 0; i < c->day_count; i++) {
        const struct day_fact *f = &c->days[i];
        all += f->program_flows;
        for (uint32_t k = 0; k < f->program_count; k++)
            add_program(&sums, &f->programs[k]);
    }
    for (size_t i = 1; i < sums.count; i++)
        best = sums.items[i].flows > sums.items[best].flows ? i : best;
    *share = permille_of(sums.items[best].flows, all);
    return sums.count > 0
               ? client_kind_of(c->clients, sums.items[best].fingerprint)
               : CLIENT_UNKNOWN;
}
