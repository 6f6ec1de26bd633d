/*
 * Keeping facts up to date.
 *
 * Days are handled in chunks, so that the records of a large enterprise do not
 * all stand in memory at once. Within a chunk records are dealt out to
 * (service, day) slots by counting, and each slot becomes a fact.
 */
#include "verifier/facts.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_DAYS = 8 };

struct chunk {
    const struct evidence_day *days;
    size_t day_count;
    const size_t *services;
    size_t service_count;
    struct evidence_flow *flows;
    size_t flow_count;
    struct fact_flow *dealt; /* by slot */
    size_t *starts;          /* of each slot in `dealt`, and the end */
};

static bool fail_with(struct error_text *error, const struct db *db)
{
    return error_set(error, "%s",
                     db_error(db)[0] != '\0' ? db_error(db) : "out of memory");
}

/* What a fact of this service and day was, or would be, computed from. */
static struct digest source_of(const struct facts_scope *scope, size_t service,
                               const struct evidence_day *day)
{
    const struct parameters *p = scope->parameters;
    const uint64_t numbers[] = {
        FACT_VERSION, p->auto_group_min_flows, p->auto_group_score_permille,
        scope->registry->services[service].endpoints_hash};
    struct digest_stream *s = digest_stream_new();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint8_t bytes[8];
        for (int b = 0; b < 8; b++)
            bytes[b] = (uint8_t)(numbers[i] >> (56 - 8 * b));
        digest_stream_add(s, bytes, sizeof(bytes));
    }
    digest_stream_add(s, day->source.bytes, sizeof(day->source.bytes));
    struct digest source = digest_stream_now(s);
    digest_stream_free(s);
    return source;
}

static bool save(struct facts_scope *scope, const char *enterprise_id,
                 size_t service, struct digest source,
                 const struct day_fact *fact)
{
    struct buffer data;
    struct db_statement *s = db_prepare(
        scope->verdicts,
        "INSERT INTO fact (enterprise_id, service_id, day, source, data) "
        "VALUES (:enterprise, :service, :day, :source, :data) "
        "ON CONFLICT DO UPDATE SET source = :source, data = :data");
    if (s == NULL)
        return false;
    buffer_init(&data, 1 << 16);
    fact_encode(fact, &data);
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", scope->registry->services[service].id);
    db_bind_i64(s, ":day", fact->day.number);
    db_bind_blob(s, ":source", source.bytes, sizeof(source.bytes));
    db_bind_blob(s, ":data", data.data, data.length);
    bool good = !data.failed && db_do(s);
    buffer_clear(&data);
    return good;
}

/* --- what is there already --- */

struct stored_day {
    int32_t day;
    struct digest source;
    bool is_current;
    uint64_t repeated, elsewhere;
};

static bool read_stored(struct facts_scope *scope, const char *enterprise_id,
                        size_t service, int32_t from, int32_t to,
                        struct stored_day *stored, size_t *count)
{
    enum db_step step;
    struct day_fact fact;
    struct db_statement *s = db_prepare(
        scope->verdicts,
        "SELECT day, source, data FROM fact WHERE enterprise_id = :enterprise "
        "AND service_id = :service AND day >= :from AND day < :to "
        "ORDER BY day");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", scope->registry->services[service].id);
    db_bind_i64(s, ":from", from);
    db_bind_i64(s, ":to", to);
    *count = 0;
    while ((step = db_step(s)) == DB_ROW) {
        struct slice source = db_blob(s, 1);
        struct stored_day *out = &stored[*count];
        *out = (struct stored_day){.day = (int32_t)db_i64(s, 0)};
        /* A fact of another version is computed again. */
        if (source.length != sizeof(out->source.bytes) ||
            !fact_decode(db_blob(s, 2), &fact))
            continue;
        memcpy(out->source.bytes, source.data, source.length);
        out->repeated = fact.tokens_repeated;
        out->elsewhere = fact.tokens_elsewhere;
        (*count)++;
    }
    return step == DB_DONE;
}

static const struct stored_day *find_stored(const struct stored_day *stored,
                                            size_t count, int32_t day)
{
    for (size_t low = 0, high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (stored[middle].day == day)
            return &stored[middle];
        if (stored[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool has_detail(const struct facts_scope *scope, int32_t day)
{
    int64_t age = (int64_t)day_of_wall(scope->cut_off).number - day;
    return age < (int64_t)scope->parameters->flow_detail_days;
}

/* Repeats may come to light by another day's records, so they are compared
 * apart from the source. */
static bool is_current(const struct facts_scope *scope,
                       const char *enterprise_id, size_t service,
                       const struct evidence_day *day,
                       const struct stored_day *stored)
{
    if (stored == NULL)
        return false;
    if (!has_detail(scope, day->day.number))
        return true;
    const struct token_repeat *r =
        evidence_repeat(scope->evidence, enterprise_id, service, day->day);
    return digest_equal(stored->source, source_of(scope, service, day)) &&
           stored->repeated == (r != NULL ? r->repeated : 0) &&
           stored->elsewhere == (r != NULL ? r->elsewhere : 0);
}

/* --- computing --- */

static size_t index_of(const size_t *items, size_t count, size_t item)
{
    size_t i = 0;
    while (i < count && items[i] != item)
        i++;
    return i;
}

/* Slot of a record, or the number of slots when nobody asked for it. */
static size_t slot_of(const struct chunk *c, const struct evidence_flow *flow)
{
    size_t none = c->service_count * c->day_count;
    size_t service = index_of(c->services, c->service_count, flow->service);
    for (size_t d = 0; service < c->service_count && d < c->day_count; d++) {
        if (c->days[d].day.number == flow->day)
            return service * c->day_count + d;
    }
    return none;
}

static bool deal(struct chunk *c)
{
    size_t slots = c->service_count * c->day_count;
    c->dealt = calloc(c->flow_count + 1, sizeof(*c->dealt));
    c->starts = calloc(slots + 3, sizeof(*c->starts));
    if (c->dealt == NULL || c->starts == NULL)
        return false;
    for (size_t i = 0; i < c->flow_count; i++)
        c->starts[slot_of(c, &c->flows[i]) + 2]++;
    for (size_t i = 2; i < slots + 3; i++)
        c->starts[i] += c->starts[i - 1];
    for (size_t i = 0; i < c->flow_count; i++)
        c->dealt[c->starts[slot_of(c, &c->flows[i]) + 1]++] = c->flows[i].flow;
    return true;
}

/* The day's batches had records and none is left of any service: their time is
 * over (PRIV-05). What is stored stays; nothing can be said anew. */
static bool find_gone(struct facts_scope *scope, const char *enterprise_id,
                      const struct chunk *c, size_t day, bool *is_gone)
{
    bool has_records = c->days[day].records == 0;
    for (size_t k = 0; k < c->service_count; k++) {
        size_t slot = k * c->day_count + day;
        has_records |= c->starts[slot + 1] > c->starts[slot];
    }
    *is_gone = false;
    if (has_records)
        return true;
    if (!evidence_has_records(scope->evidence, enterprise_id, c->days[day].day,
                              &has_records))
        return false;
    *is_gone = !has_records;
    return true;
}

static bool compute_slot(struct facts_scope *scope, const char *enterprise_id,
                         const struct chunk *c, size_t slot,
                         struct error_text *error)
{
    struct day_fact fact;
    size_t service = c->services[slot / c->day_count];
    const struct evidence_day *day = &c->days[slot % c->day_count];
    size_t count = c->starts[slot + 1] - c->starts[slot];
    bool is_gone;
    if (!find_gone(scope, enterprise_id, c, slot % c->day_count, &is_gone))
        return error_set(error, "%s", evidence_error(scope->evidence));
    if (is_gone)
        return true;
    if (!fact_compute(day->day, c->dealt + c->starts[slot], count,
                      &day->coverage, scope->parameters, &fact))
        return error_set(error, "out of memory");
    const struct token_repeat *r =
        evidence_repeat(scope->evidence, enterprise_id, service, day->day);
    fact.tokens_repeated = r != NULL ? r->repeated : 0;
    fact.tokens_elsewhere = r != NULL ? r->elsewhere : 0;
    scope->counters.computed++;
    if (!save(scope, enterprise_id, service, source_of(scope, service, day),
              &fact))
        return fail_with(error, scope->verdicts);
    return true;
}

static bool compute_chunk(struct facts_scope *scope, const char *enterprise_id,
                          struct chunk *c, struct error_text *error)
{
    struct civil_day from = c->days[0].day;
    struct civil_day to = {c->days[c->day_count - 1].day.number + 1};
    bool good = evidence_flows(scope->evidence, enterprise_id, from, to,
                               &c->flows, &c->flow_count);
    if (!good)
        error_set(error, "%s", evidence_error(scope->evidence));
    scope->counters.records += c->flow_count;
    if (good && !deal(c))
        good = error_set(error, "out of memory");
    for (size_t slot = 0; good && slot < c->service_count * c->day_count;
         slot++)
        good = compute_slot(scope, enterprise_id, c, slot, error);
    free(c->flows);
    free(c->dealt);
    free(c->starts);
    return good;
}

/* Runs of days that need computing, CHUNK_DAYS calendar days at most. */
static bool compute_days(struct facts_scope *scope, const char *enterprise_id,
                         const size_t *services, size_t service_count,
                         const struct evidence_day *days, const bool *needs,
                         size_t day_count, struct error_text *error)
{
    for (size_t i = 0; i < day_count;) {
        if (!needs[i]) {
            i++;
            continue;
        }
        size_t end = i;
        while (end < day_count && needs[end] &&
               days[end].day.number - days[i].day.number < CHUNK_DAYS)
            end++;
        struct chunk c = {.days = &days[i],
                          .day_count = end - i,
                          .services = services,
                          .service_count = service_count};
        if (!compute_chunk(scope, enterprise_id, &c, error))
            return false;
        i = end;
    }
    return true;
}

static void add_root(struct digest_stream *root, const char *enterprise_id,
                     const struct evidence_day *days, size_t count)
{
    digest_stream_add(root, enterprise_id, strlen(enterprise_id) + 1);
    for (size_t i = 0; i < count; i++)
        digest_stream_add(root, days[i].source.bytes,
                          sizeof(days[i].source.bytes));
}

/* A day that no batch touched by the cut-off has no fact, whatever a run with
 * a later cut-off left there. */
static bool forget(struct facts_scope *scope, const char *enterprise_id,
                   size_t service, int32_t day)
{
    struct db_statement *s = db_prepare(
        scope->verdicts, "DELETE FROM fact WHERE enterprise_id = :enterprise "
                         "AND service_id = :service AND day = :day");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", scope->registry->services[service].id);
    db_bind_i64(s, ":day", day);
    return db_do(s);
}

static bool has_day(const struct evidence_day *days, size_t count, int32_t day)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (days[middle].day.number < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && days[low].day.number == day;
}

static bool compare_stored(struct facts_scope *scope, const char *enterprise_id,
                           size_t service, const struct stored_day *stored,
                           size_t stored_count, const struct evidence_day *days,
                           size_t day_count, bool *needs)
{
    for (size_t i = 0; i < day_count; i++) {
        bool current =
            is_current(scope, enterprise_id, service, &days[i],
                       find_stored(stored, stored_count, days[i].day.number));
        scope->counters.kept += current;
        needs[i] |= !current;
    }
    for (size_t i = 0; i < stored_count; i++) {
        if (!has_day(days, day_count, stored[i].day) &&
            !forget(scope, enterprise_id, service, stored[i].day))
            return false;
    }
    return true;
}

/* A day is computed for all services when one of them needs it. */
static bool find_needs(struct facts_scope *scope, const char *enterprise_id,
                       const size_t *services, size_t service_count,
                       int32_t from, int32_t to,
                       const struct evidence_day *days, size_t day_count,
                       bool *needs)
{
    struct stored_day *stored =
        calloc((size_t)(to - from) + 1, sizeof(*stored));
    bool good = stored != NULL;
    for (size_t k = 0; good && k < service_count; k++) {
        size_t count;
        good = read_stored(scope, enterprise_id, services[k], from, to, stored,
                           &count) &&
               compare_stored(scope, enterprise_id, services[k], stored, count,
                              days, day_count, needs);
    }
    free(stored);
    return good;
}

bool facts_refresh(struct facts_scope *scope, const char *enterprise_id,
                   const size_t *services, size_t service_count,
                   struct civil_day from, struct digest_stream *root,
                   struct error_text *error)
{
    struct evidence_day *days = NULL;
    bool *needs = NULL, good = false;
    size_t day_count = 0;
    struct civil_day to = {day_of_wall(scope->cut_off).number + 1};
    if (from.number >= to.number)
        return true;
    if (!evidence_days(scope->evidence, enterprise_id, from, to, &days,
                       &day_count)) {
        error_set(error, "%s", evidence_error(scope->evidence));
        goto out;
    }
    add_root(root, enterprise_id, days, day_count);
    needs = calloc(day_count + 1, sizeof(*needs));
    if (needs == NULL ||
        !find_needs(scope, enterprise_id, services, service_count, from.number,
                    to.number, days, day_count, needs)) {
        fail_with(error, scope->verdicts);
        goto out;
    }
    good = compute_days(scope, enterprise_id, services, service_count, days,
                        needs, day_count, error);
out:
    free(days);
    free(needs);
    return good;
}

bool facts_load(struct facts_scope *scope, const char *enterprise_id,
                size_t service, struct civil_day from, struct civil_day to,
                struct day_fact **facts, size_t *count,
                struct error_text *error)
{
    enum db_step step;
    struct db_statement *s =
        db_prepare(scope->verdicts,
                   "SELECT data FROM fact WHERE enterprise_id = :enterprise "
                   "AND service_id = :service AND day >= :from AND day < :to "
                   "ORDER BY day");
    int32_t room = to.number > from.number ? to.number - from.number : 0;
    *count = 0;
    *facts = calloc((size_t)room + 1, sizeof(**facts));
    if (s == NULL || *facts == NULL)
        return fail_with(error, scope->verdicts);
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_text(s, ":service", scope->registry->services[service].id);
    db_bind_i64(s, ":from", from.number);
    db_bind_i64(s, ":to", to.number);
    while ((step = db_step(s)) == DB_ROW) {
        if (fact_decode(db_blob(s, 0), &(*facts)[*count]))
            (*count)++;
    }
    return step == DB_DONE || fail_with(error, scope->verdicts);
}
