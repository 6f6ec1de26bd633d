/* See evidence.h. */
#include "portal/record/timeline.h"

#include "common/checked.h"
#include "rules/fact.h"

enum { DAY_S = 86400, SHANGHAI_S = 8 * 3600, MINUTES_A_DAY = 1440 };

/* Sums that do not fit stay at their largest: this is for looking at. */
static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return checked_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

static void take_fact(const struct day_fact *fact, struct evidence_day *day)
{
    *day = (struct evidence_day){
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

bool evidence_read_facts(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct evidence *evidence)
{
    enum db_step step = DB_FAILED;
    struct day_fact fact;
    struct db_statement *s =
        db_prepare(db, "SELECT day, data FROM verdict.fact"
                       " WHERE enterprise_id = :enterprise"
                       " AND service_id = :service"
                       " AND day >= :first AND day < :end");
    *evidence = (struct evidence){.first = first, .is_judged = true};
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", service_id);
    db_bind_i64(s, ":first", first.number);
    db_bind_i64(s, ":end", first.number + EVIDENCE_DAYS);
    while ((step = db_step(s)) == DB_ROW) {
        int64_t index = db_i64(s, 0) - first.number;
        if (fact_decode(db_blob(s, 1), &fact))
            take_fact(&fact, &evidence->days[index]);
    }
    return step == DB_DONE;
}

/* The day that an instant (seconds) falls into; -1 outside. */
static int64_t index_of(const struct evidence *evidence, int64_t seconds)
{
    int64_t index = (seconds + SHANGHAI_S) / DAY_S - evidence->first.number;
    return index >= 0 && index < EVIDENCE_DAYS ? index : -1;
}

static unsigned count_bits(int64_t bits)
{
    return (unsigned)__builtin_popcountll((uint64_t)bits);
}

/* Rows come by bucket: minutes of the same five are joined over endpoints and
 * sites before they are counted. */
static enum db_step add_usage_rows(struct db_statement *s,
                                   struct evidence *evidence)
{
    enum db_step step;
    int64_t bucket = -1, seen = 0;
    while ((step = db_step(s)) == DB_ROW) {
        int64_t minutes = db_i64(s, 1);
        int64_t index = index_of(evidence, db_i64(s, 0));
        if (index < 0)
            continue;
        struct evidence_day *day = &evidence->days[index];
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
    struct civil_day end = {first.number + EVIDENCE_DAYS};
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_i64(s, ":from", wall_to_s(day_start(first)) * unit);
    db_bind_i64(s, ":to", wall_to_s(day_start(end)) * unit);
}

static bool read_usage(struct db *db, const char *enterprise_id,
                       const char *service_id, struct evidence *evidence)
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
    bind_range(s, enterprise_id, evidence->first, 1);
    db_bind_text(s, ":service", service_id);
    return add_usage_rows(s, evidence) == DB_DONE;
}

/* Adds [from, to) in minutes to the days that it touches. */
static void add_coverage(struct evidence *evidence, int64_t from, int64_t to)
{
    while (from < to) {
        int64_t index = index_of(evidence, from * 60);
        int64_t day_end =
            ((from * 60 + SHANGHAI_S) / DAY_S + 1) * DAY_S - SHANGHAI_S;
        int64_t end = to < day_end / 60 ? to : day_end / 60;
        if (index >= 0)
            evidence->days[index].covered_minutes += (uint32_t)(end - from);
        from = end;
    }
}

/* Periods come by their start; what overlaps is counted once. */
static bool read_coverage(struct db *db, const char *enterprise_id,
                          struct evidence *evidence)
{
    enum db_step step = DB_FAILED;
    int64_t until = 0;
    struct db_statement *s =
        db_prepare(db, "SELECT period_start_ms, period_end_ms FROM usage.ledger"
                       " WHERE enterprise_id = :enterprise AND is_counted = 1"
                       " AND source = 'probe'"
                       " AND period_start_ms >= :from AND period_start_ms < :to"
                       " ORDER BY period_start_ms");
    if (s == NULL)
        return false;
    bind_range(s, enterprise_id, evidence->first, 1000);
    while ((step = db_step(s)) == DB_ROW) {
        int64_t from = db_i64(s, 0) / 60000;
        int64_t to = (db_i64(s, 1) + 59999) / 60000;
        if (to - from > MINUTES_A_DAY)
            to = from + MINUTES_A_DAY;
        add_coverage(evidence, from > until ? from : until, to);
        until = to > until ? to : until;
    }
    return step == DB_DONE;
}

bool evidence_read_usage(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct evidence *evidence)
{
    *evidence = (struct evidence){.first = first};
    return read_usage(db, enterprise_id, service_id, evidence) &&
           read_coverage(db, enterprise_id, evidence);
}

/* --- what others say --- */

static const struct evidence_testimony SILENCE[WITNESS_COUNT] = {
    [WITNESS_ROUTER] = {"router", .tier = 0},
    [WITNESS_SUPPLIER_COUNTS] = {"supplier_counts", .tier = 1},
    [WITNESS_SUPPLIER_PROBE] = {"supplier_probe", .tier = 2},
    [WITNESS_CARRIER] = {"carrier", .tier = 3},
};

/* One row: days, flows, octets, confirmed. */
static bool take_testimony(struct db_statement *s,
                           struct evidence_testimony *said)
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
                        struct evidence_testimony *said)
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
    db_bind_i64(s, ":end", first.number + EVIDENCE_DAYS);
}

/* Days in which the supplier's probe was not heard of say nothing. A usage.db
 * of before matching has no such table. */
static bool read_matches(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct evidence_testimony *said)
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
                        struct evidence_testimony *said)
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

bool evidence_read_witnesses(
    struct db *db, const char *enterprise_id, const char *service_id,
    struct civil_day first, bool has_usage,
    struct evidence_testimony said[static WITNESS_COUNT])
{
    for (size_t i = 0; i < WITNESS_COUNT; i++)
        said[i] = SILENCE[i];
    return read_counts(db, enterprise_id, service_id, first,
                       &said[WITNESS_SUPPLIER_COUNTS]) &&
           (!has_usage || (read_source(db, enterprise_id, service_id, first,
                                       &said[WITNESS_ROUTER]) &&
                           read_source(db, enterprise_id, service_id, first,
                                       &said[WITNESS_CARRIER]) &&
                           read_matches(db, enterprise_id, service_id, first,
                                        &said[WITNESS_SUPPLIER_PROBE])));
}

/* --- coverage of a day --- */

static uint32_t minutes_before_end(const struct evidence *evidence,
                                   size_t index)
{
    int32_t day = evidence->first.number + (int32_t)index;
    int32_t last = day_of_wall(evidence->end).number;
    if (day < last)
        return MINUTES_A_DAY;
    return day == last ? (uint32_t)wall_minute_of_day(evidence->end) : 0;
}

bool evidence_is_covered(const struct evidence *evidence, size_t index,
                         uint64_t least_permille)
{
    uint64_t covered = evidence->days[index].covered_minutes;
    uint64_t minutes = minutes_before_end(evidence, index);
    return covered > 0 && covered >= minutes * least_permille / 1000;
}

unsigned evidence_covered_percent(const struct evidence *evidence, size_t index)
{
    uint32_t covered = evidence->days[index].covered_minutes;
    uint32_t minutes = minutes_before_end(evidence, index);
    if (covered == 0)
        return 0;
    return covered >= minutes ? 100 : covered * 100 / minutes;
}
