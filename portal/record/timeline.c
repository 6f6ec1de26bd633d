#include "portal/record/timeline.h"

#include <stdlib.h>

#include "common/checked.h"
#include "common/coverage.h"
#include "rules/fact.h"

enum { DAY_S = 86400, SHANGHAI_S = 8 * 3600 };

static struct civil_day timeline_day_at(const struct timeline *timeline,
                                        size_t index)
{
    return (struct civil_day){timeline->first.number + (int32_t)index};
}

/* Sums that do not fit stay at their largest: this is for looking at. */
static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return checked_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

static void take_fact(const struct day_fact *fact, struct timeline_day *day)
{
    *day = (struct timeline_day){
        .covered_minutes = fact->coverage.minutes,
        .active_minutes = fact->active_minutes,
        .flows = fact->flows,
        .octets = add(fact->octets, fact->roctets),
        .hosts = fact->host_count,
        .has_hosts = true,
        .is_active = fact->flows > 0,
        .is_sample = fact->is_sample,
    };
}

bool timeline_read_facts(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct timeline *timeline)
{
    enum db_step step = DB_FAILED;
    struct day_fact fact;
    struct db_statement *s =
        db_prepare(db, "SELECT day, data FROM verdict.fact"
                       " WHERE enterprise_id = :enterprise"
                       " AND service_id = :service"
                       " AND day >= :first AND day < :end");
    *timeline = (struct timeline){.first = first, .is_judged = true};
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", service_id);
    db_bind_i64(s, ":first", first.number);
    db_bind_i64(s, ":end", first.number + TIMELINE_DAYS);
    while ((step = db_step(s)) == DB_ROW) {
        int64_t index = db_i64(s, 0) - first.number;
        if (fact_decode(db_blob(s, 1), &fact))
            take_fact(&fact, &timeline->days[index]);
    }
    return step == DB_DONE;
}

/* The day that an instant (seconds) falls into; -1 outside. */
static int64_t index_of(const struct timeline *timeline, int64_t seconds)
{
    int64_t index = (seconds + SHANGHAI_S) / DAY_S - timeline->first.number;
    return index >= 0 && index < TIMELINE_DAYS ? index : -1;
}

static unsigned count_bits(int64_t bits)
{
    return (unsigned)__builtin_popcountll((uint64_t)bits);
}

/* Rows come by bucket: minutes of the same five are joined over endpoints and
 * sites before they are counted. */
static enum db_step add_usage_rows(struct db_statement *s,
                                   struct timeline *timeline)
{
    enum db_step step;
    int64_t bucket = -1, seen = 0;
    while ((step = db_step(s)) == DB_ROW) {
        int64_t minutes = db_i64(s, 1);
        int64_t index = index_of(timeline, db_i64(s, 0));
        if (index < 0)
            continue;
        struct timeline_day *day = &timeline->days[index];
        if (db_i64(s, 0) != bucket)
            seen = 0;
        bucket = db_i64(s, 0);
        day->active_minutes += count_bits(minutes & ~seen);
        seen |= minutes;
        day->flows = add(day->flows, db_u64(s, 2));
        day->octets = add(day->octets, add(db_u64(s, 3), db_u64(s, 4)));
        day->is_active |= minutes != 0;
        day->is_sample |= db_i64(s, 5) != 0;
    }
    return step;
}

static void bind_range(struct db_statement *s, const char *enterprise_id,
                       struct civil_day first, int64_t unit)
{
    struct civil_day end = {first.number + TIMELINE_DAYS};
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_i64(s, ":from", wall_to_s(day_start(first)) * unit);
    db_bind_i64(s, ":to", wall_to_s(day_start(end)) * unit);
}

static bool read_usage(struct db *db, const char *enterprise_id,
                       const char *service_id, struct timeline *timeline)
{
    struct db_statement *s = db_prepare(
        db, "SELECT u.bucket, u.minutes, u.flows, u.octets, u.roctets,"
            " u.is_sample FROM endpoint e"
            " CROSS JOIN usage.endpoint_key k ON k.endpoint_id = e.id"
            " CROSS JOIN usage.usage u ON u.enterprise_id = :enterprise"
            "   AND u.endpoint = k.key AND u.bucket >= :from"
            "   AND u.bucket < :to AND u.source = 'probe'"
            " WHERE e.service_id = :service ORDER BY u.bucket");
    if (s == NULL)
        return false;
    bind_range(s, enterprise_id, timeline->first, 1);
    db_bind_text(s, ":service", service_id);
    return add_usage_rows(s, timeline) == DB_DONE;
}

/* Periods that began on the day before the first one reach into it. */
static bool read_coverage(struct db *db, const char *enterprise_id,
                          struct timeline *timeline)
{
    enum db_step step = DB_FAILED;
    struct coverage *days = calloc(TIMELINE_DAYS, sizeof(*days));
    struct db_statement *s =
        db_prepare(db, "SELECT period_start_ms, period_end_ms FROM usage.ledger"
                       " WHERE enterprise_id = :enterprise AND is_counted = 1"
                       " AND source = 'probe'"
                       " AND period_start_ms >= :from - 86400000"
                       " AND period_start_ms < :to");
    if (s == NULL || days == NULL)
        goto out;
    bind_range(s, enterprise_id, timeline->first, 1000);
    while ((step = db_step(s)) == DB_ROW) {
        int64_t start = db_i64(s, 0), end = db_i64(s, 1);
        int64_t index = day_of_wall(wall_from_ms(start)).number -
                        (int64_t)timeline->first.number;
        for (int64_t i = index; i <= index + 1; i++) {
            if (i >= 0 && i < TIMELINE_DAYS)
                coverage_add(&days[i], timeline_day_at(timeline, (size_t)i),
                             start, end);
        }
    }
    for (size_t i = 0; i < TIMELINE_DAYS; i++)
        timeline->days[i].covered_minutes = coverage_minutes(&days[i]);
out:
    free(days);
    return step == DB_DONE;
}

bool timeline_read_usage(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct timeline *timeline)
{
    *timeline = (struct timeline){.first = first};
    return read_usage(db, enterprise_id, service_id, timeline) &&
           read_coverage(db, enterprise_id, timeline);
}

/* --- what others say --- */

static const struct timeline_testimony SILENCE[WITNESS_COUNT] = {
    [WITNESS_ROUTER] = {"router", .tier = 0},
    [WITNESS_SUPPLIER_COUNTS] = {"supplier_counts", .tier = 1},
    [WITNESS_SUPPLIER_PROBE] = {"supplier_probe", .tier = 2},
    [WITNESS_CARRIER] = {"carrier", .tier = 3},
};

/* One row: days, flows, octets, confirmed. */
static bool take_testimony(struct db_statement *s,
                           struct timeline_testimony *said)
{
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        said->days = (uint32_t)db_u64(s, 0);
        said->flows = db_u64(s, 1);
        said->octets = db_u64(s, 2);
        said->confirmed = db_u64(s, 3);
    }
    db_reset(s);
    return step != DB_FAILED;
}

/* What the collector counted of another source than the probes. */
static bool read_source(struct db *db, const char *enterprise_id,
                        const char *service_id, struct civil_day first,
                        struct timeline_testimony *said)
{
    struct db_statement *s = db_prepare(
        db, "SELECT count(DISTINCT (u.bucket + 28800) / 86400),"
            " ifnull(sum(u.flows), 0), ifnull(sum(u.octets + u.roctets), 0), 0"
            " FROM endpoint e"
            " CROSS JOIN usage.endpoint_key k ON k.endpoint_id = e.id"
            " CROSS JOIN usage.usage u ON u.enterprise_id = :enterprise"
            "   AND u.endpoint = k.key AND u.bucket >= :from"
            "   AND u.bucket < :to AND u.source = :source"
            " WHERE e.service_id = :service");
    if (s == NULL)
        return false;
    bind_range(s, enterprise_id, first, 1);
    db_bind_text(s, ":service", service_id);
    db_bind_text(s, ":source", said->name);
    return take_testimony(s, said);
}

static void bind_days(struct db_statement *s, const char *enterprise_id,
                      const char *service_id, struct civil_day first)
{
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", service_id);
    db_bind_i64(s, ":first", first.number);
    db_bind_i64(s, ":end", first.number + TIMELINE_DAYS);
}

/* Days in which the supplier's probe was not heard of say nothing. A usage.db
 * of before matching has no such table. */
static bool read_matches(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct timeline_testimony *said)
{
    struct db_statement *s = db_prepare(
        db, "SELECT count(DISTINCT m.day), ifnull(sum(m.flows), 0),"
            " ifnull(sum(m.octets), 0),"
            " ifnull(sum(m.matched_by_token + m.matched_by_shape), 0)"
            " FROM endpoint e JOIN usage.match_day m"
            " ON m.enterprise_id = :enterprise AND m.endpoint_id = e.id"
            " AND m.day >= :first AND m.day < :end"
            " WHERE e.service_id = :service"
            " AND m.supplier_probe_covered_minutes > 0");
    if (s == NULL)
        return true;
    bind_days(s, enterprise_id, service_id, first);
    return take_testimony(s, said);
}

static bool read_counts(struct db *db, const char *enterprise_id,
                        const char *service_id, struct civil_day first,
                        struct timeline_testimony *said)
{
    struct db_statement *s = db_prepare(
        db, "SELECT count(*), ifnull(sum(connections), 0),"
            " ifnull(sum(octets_up + octets_down), 0), 0"
            " FROM supplier_count_now WHERE enterprise_id = :enterprise"
            " AND service_id = :service AND day >= :first AND day < :end");
    if (s == NULL)
        return false;
    bind_days(s, enterprise_id, service_id, first);
    return take_testimony(s, said);
}

bool timeline_read_witnesses(
    struct db *db, const char *enterprise_id, const char *service_id,
    struct civil_day first,
    struct timeline_testimony said[static WITNESS_COUNT])
{
    for (size_t i = 0; i < WITNESS_COUNT; i++)
        said[i] = SILENCE[i];
    return read_counts(db, enterprise_id, service_id, first,
                       &said[WITNESS_SUPPLIER_COUNTS]) &&
           read_source(db, enterprise_id, service_id, first,
                       &said[WITNESS_ROUTER]) &&
           read_source(db, enterprise_id, service_id, first,
                       &said[WITNESS_CARRIER]) &&
           read_matches(db, enterprise_id, service_id, first,
                        &said[WITNESS_SUPPLIER_PROBE]);
}

/* --- coverage of a day --- */

bool timeline_is_covered(const struct timeline *timeline, size_t index,
                         uint64_t least_permille)
{
    return coverage_is_enough(timeline->days[index].covered_minutes,
                              timeline_day_at(timeline, index), timeline->end,
                              least_permille);
}

unsigned timeline_covered_percent(const struct timeline *timeline, size_t index)
{
    uint32_t covered = timeline->days[index].covered_minutes;
    uint32_t asked =
        coverage_minutes_asked(timeline_day_at(timeline, index), timeline->end);
    if (covered == 0 || asked == 0)
        return 0;
    return covered >= asked ? 100 : covered * 100 / asked;
}
