/*
 * A day's records of all enterprises and suppliers are loaded, pieces of one
 * token joined, matched, and summed up by enterprise and endpoint. An
 * enterprise's long connection counts in each day with what of it started
 * there; the supplier's side of it is one over the whole time looked at.
 *
 * Only connections to the same endpoint can match. A day with more of them than
 * fit into memory is therefore done in parts, each with some of the endpoints:
 * a first reading counts, and each part reads the day's batches again.
 *
 * Reading and matching millions of connections takes its time, so it is done on
 * a view of what is committed, and the collector goes on storing meanwhile; a
 * short transaction writes the result. What came between the two is noticed by
 * the next run, for the day's state is that of the view.
 */
#include "collector/report/match_day.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/detail_read.h"
#include "collector/ledger/ledger.h"
#include "collector/report/match.h"
#include "common/coverage.h"

enum {
    DAY_MS = DAY_MINUTES * 60000,
    REACH_MS = INTAKE_REACH_S * 1000,
    NOBODY = -1,
    COUNTING = -1, /* in place of a part's number */
    LEFT_OUT = -2,
};

struct endpoint_row {
    char id[ENDPOINT_ID_LEN];
    char supplier_id[REGISTRY_ID_LEN];
    uint64_t flows; /* of the day, both sides, as far as counted */
    int part;       /* in which it is matched */
};

/* What a supplier's probes watched of the day. */
struct watched {
    char supplier_id[REGISTRY_ID_LEN];
    bool is_sample;
    struct coverage minutes;
};

/* Records of a supplier's probe about endpoints of others. */
struct foreign {
    char probe_id[PROBE_ID_LEN], supplier_id[REGISTRY_ID_LEN];
    uint64_t records;
};

struct flows {
    struct match_flow *list;
    size_t count, capacity;
};

/* Of one enterprise and endpoint. */
struct sum {
    uint32_t owner, group;
    uint64_t flows, octets, by_token, by_shape, ambiguous, matched_octets;
};

struct work {
    struct db *db;
    struct detail_reader *reader;
    struct wall_time now;
    struct error_text *error;
    struct match_day_result *result;
    struct endpoint_row *endpoints; /* by id; of suppliers with a probe */
    size_t endpoint_count, endpoint_capacity;
    struct civil_day day;
    int64_t start_ms, end_ms; /* of the day */
    int part, part_count;
    uint64_t part_flows; /* as many as one part may have, both sides */
    uint64_t endpoint_flows;
    struct flows enterprise, supplier;
    struct sum *sums;
    size_t sum_count, sum_capacity;
    char (*owners)[REGISTRY_ID_LEN]; /* enterprises, by number */
    size_t owner_count, owner_capacity;
    struct watched *watched;
    size_t watched_count, watched_capacity;
    struct foreign *foreign; /* by probe */
    size_t foreign_count, foreign_capacity;
};

static bool fail(struct work *w)
{
    return error_set(w->error, "%s", db_error(w->db));
}

static bool no_memory(struct work *w)
{
    return error_set(w->error, "out of memory while matching");
}

/* One more place at a list's end. */
static void *extend(void *list, size_t *count, size_t *capacity, size_t size)
{
    void **place = list;
    if (*count == *capacity) {
        size_t more = *capacity ? 2 * *capacity : 64;
        void *grown = realloc(*place, more * size);
        if (grown == NULL)
            return NULL;
        *place = grown;
        *capacity = more;
    }
    return (char *)*place + (*count)++ * size;
}

/* --- the registry --- */

static bool read_endpoints(struct work *w, const char *registry)
{
    struct db *db = db_open(registry, DB_READ, NULL, 0, w->error);
    if (db == NULL)
        return false;
    struct db_statement *s = db_prepare(
        db, "SELECT e.id, s.supplier_id FROM endpoint AS e "
            "JOIN service AS s ON s.id = e.service_id WHERE s.supplier_id IN "
            "(SELECT supplier_id FROM probe) ORDER BY e.id");
    enum db_step step = s == NULL ? DB_FAILED : db_step(s);
    bool good = true;
    for (; good && step == DB_ROW; step = db_step(s)) {
        struct endpoint_row *row = extend(&w->endpoints, &w->endpoint_count,
                                          &w->endpoint_capacity, sizeof(*row));
        good = row != NULL || no_memory(w);
        /* An id that no record can have is nobody's. */
        if (good && (!slice_copy(slice_of_text(db_text(s, 0)), row->id,
                                 sizeof(row->id)) ||
                     !slice_copy(slice_of_text(db_text(s, 1)), row->supplier_id,
                                 sizeof(row->supplier_id))))
            w->endpoint_count--;
    }
    if (good && step == DB_FAILED)
        good = error_set(w->error, "%s", db_error(db));
    db_close(db);
    return good;
}

static int find_endpoint(const struct work *w, const char *id)
{
    size_t low = 0, high = w->endpoint_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(w->endpoints[middle].id, id);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NOBODY;
}

/* --- a day's flows --- */

/* A batch that is being loaded. */
struct batch {
    uint64_t index;
    int64_t start_ms, end_ms;
    char probe_id[PROBE_ID_LEN];
    char enterprise_id[REGISTRY_ID_LEN];
    char supplier_id[REGISTRY_ID_LEN];
    bool is_sample;
    uint32_t probe, owner;
};

static bool add_flow(struct work *w, struct flows *flows, const struct batch *b,
                     const struct flow_record *r, int endpoint, bool is_context)
{
    struct endpoint_row *row = &w->endpoints[endpoint];
    if (w->part == COUNTING)
        row->flows++;
    if (w->part != row->part)
        return true;
    if (flows->count == MATCH_FLOWS_MAX)
        return error_set(w->error,
                         "endpoint %s: more than %d connections of a day to "
                         "match",
                         row->id, MATCH_FLOWS_MAX);
    struct match_flow *f =
        extend(&flows->list, &flows->count, &flows->capacity, sizeof(*f));
    if (f == NULL)
        return no_memory(w);
    *f = (struct match_flow){
        .start_ms = r->start_ms,
        .end_ms = r->end_ms,
        .octets = r->octets,
        .roctets = r->roctets,
        .group = 2 * (uint32_t)endpoint + (b->is_sample ? 1 : 0),
        .probe = b->probe,
        .owner = b->owner,
        .port = r->port,
        .protocol = r->protocol,
        .is_context = is_context,
    };
    memcpy(f->token, r->token, sizeof(f->token));
    return true;
}

static bool add_enterprise_record(struct work *w, const struct batch *b,
                                  const struct flow_record *r, int endpoint)
{
    bool is_inside = r->start_ms >= w->start_ms && r->start_ms < w->end_ms;
    if (endpoint == NOBODY)
        return true;
    return add_flow(w, &w->enterprise, b, r, endpoint, !is_inside);
}

/* A probe's batches come one after the other. */
static bool count_foreign(struct work *w, const struct batch *b)
{
    if (w->part > 0)
        return true; /* the first reading did */
    struct foreign *f =
        w->foreign_count > 0 ? &w->foreign[w->foreign_count - 1] : NULL;
    if (f == NULL || strcmp(f->probe_id, b->probe_id) != 0) {
        f = extend(&w->foreign, &w->foreign_count, &w->foreign_capacity,
                   sizeof(*f));
        if (f == NULL)
            return no_memory(w);
        f->records = 0;
        memcpy(f->probe_id, b->probe_id, sizeof(f->probe_id));
        memcpy(f->supplier_id, b->supplier_id, sizeof(f->supplier_id));
    }
    f->records++;
    return true;
}

static bool add_supplier_record(struct work *w, const struct batch *b,
                                const struct flow_record *r, int endpoint)
{
    if (endpoint == NOBODY ||
        strcmp(w->endpoints[endpoint].supplier_id, b->supplier_id) != 0)
        return count_foreign(w, b);
    return add_flow(w, &w->supplier, b, r, endpoint, false);
}

static bool add_records(struct work *w, const struct batch *b)
{
    const struct flow_record *records;
    size_t count;
    bool is_supplier = b->supplier_id[0] != '\0';
    if (!detail_reader_batch(w->reader, b->index, &records, &count))
        return error_set(w->error,
                         "flow detail of batch %" PRIu64 " cannot be read",
                         b->index);
    for (size_t i = 0; i < count; i++) {
        const struct flow_record *r = &records[i];
        if (r->start_ms < w->start_ms - MATCH_SLACK_MS ||
            r->start_ms >= w->end_ms + MATCH_SLACK_MS ||
            !flow_record_is_two_way(r))
            continue;
        int endpoint = find_endpoint(w, r->endpoint_id);
        if (!(is_supplier ? add_supplier_record(w, b, r, endpoint)
                          : add_enterprise_record(w, b, r, endpoint)))
            return false;
    }
    return true;
}

static bool cover(struct work *w, const struct batch *b)
{
    struct watched *c = NULL;
    if (w->part > 0)
        return true;
    for (size_t i = 0; c == NULL && i < w->watched_count; i++)
        if (strcmp(w->watched[i].supplier_id, b->supplier_id) == 0 &&
            w->watched[i].is_sample == b->is_sample)
            c = &w->watched[i];
    if (c == NULL) {
        c = extend(&w->watched, &w->watched_count, &w->watched_capacity,
                   sizeof(*c));
        if (c == NULL)
            return no_memory(w);
        *c = (struct watched){.is_sample = b->is_sample};
        memcpy(c->supplier_id, b->supplier_id, sizeof(c->supplier_id));
    }
    coverage_add(&c->minutes, w->day, b->start_ms, b->end_ms);
    return true;
}

/* Rows come by owner and probe: a new name is a new number. */
static bool number_batch(struct work *w, struct batch *b,
                         const struct batch *before)
{
    bool is_supplier = b->supplier_id[0] != '\0';
    b->probe = before->probe;
    if (strcmp(b->probe_id, before->probe_id) != 0)
        b->probe++;
    b->owner = before->owner;
    if (is_supplier || (w->owner_count > 0 &&
                        strcmp(w->owners[b->owner], b->enterprise_id) == 0))
        return true;
    void *place = extend(&w->owners, &w->owner_count, &w->owner_capacity,
                         sizeof(*w->owners));
    if (place == NULL)
        return no_memory(w);
    memcpy(place, b->enterprise_id, sizeof(b->enterprise_id));
    b->owner = (uint32_t)w->owner_count - 1;
    return true;
}

static struct batch batch_of(struct db_statement *s)
{
    struct batch b = {
        .index = db_u64(s, 0),
        .start_ms = db_i64(s, 1),
        .end_ms = db_i64(s, 2),
        .is_sample = db_i64(s, 6) != 0,
    };
    slice_copy(slice_of_text(db_text(s, 3)), b.probe_id, sizeof(b.probe_id));
    slice_copy(slice_of_text(db_text(s, 4)), b.enterprise_id,
               sizeof(b.enterprise_id));
    slice_copy(slice_of_text(db_text(s, 5)), b.supplier_id,
               sizeof(b.supplier_id));
    return b;
}

static bool load_batch(struct work *w, struct batch *b,
                       const struct batch *before)
{
    if (!number_batch(w, b, before))
        return false;
    if (b->supplier_id[0] != '\0' && !cover(w, b))
        return false;
    return add_records(w, b);
}

static bool load_side(struct work *w, enum ledger_source source)
{
    struct batch before = {0};
    struct db_statement *s = db_prepare(
        w->db,
        "SELECT idx, period_start_ms, period_end_ms, probe_id, enterprise_id, "
        "supplier_id, is_sample FROM ledger WHERE source = :source "
        "AND is_counted AND period_start_ms > :first "
        "AND period_start_ms < :last AND period_end_ms > :from "
        "ORDER BY enterprise_id, probe_id, idx");
    if (s == NULL)
        return fail(w);
    db_bind_text(s, ":source", ledger_source_text(source));
    db_bind_i64(s, ":first", w->start_ms - REACH_MS - MATCH_SLACK_MS);
    db_bind_i64(s, ":last",
                w->end_ms + MATCH_SLACK_MS + FLOW_PAUSE_MAX_S * 1000);
    db_bind_i64(s, ":from", w->start_ms - MATCH_SLACK_MS);
    enum db_step step;
    bool good = true;
    while (good && (step = db_step(s)) == DB_ROW) {
        struct batch b = batch_of(s);
        good = load_batch(w, &b, &before);
        before = b;
    }
    db_reset(s);
    return good && (step == DB_DONE || fail(w));
}

/* --- the result --- */

static uint32_t covered_minutes(const struct work *w, const char *supplier,
                                bool is_sample)
{
    for (size_t i = 0; i < w->watched_count; i++) {
        const struct watched *c = &w->watched[i];
        if (c->is_sample != is_sample || strcmp(c->supplier_id, supplier) != 0)
            continue;
        return coverage_minutes(&c->minutes);
    }
    return 0;
}

static void add_to_sum(struct sum *sum, const struct match_flow *f)
{
    sum->flows++;
    sum->octets += f->octets + f->roctets;
    sum->by_token += f->outcome == MATCH_TOKEN;
    sum->by_shape += f->outcome == MATCH_SHAPE;
    sum->ambiguous += f->outcome == MATCH_AMBIGUOUS;
    sum->matched_octets += f->matched_octets;
}

static bool store_sum(struct work *w, const struct sum *sum)
{
    const struct endpoint_row *endpoint = &w->endpoints[sum->group / 2];
    bool is_sample = sum->group % 2 != 0;
    struct db_statement *s = db_prepare(
        w->db,
        "INSERT INTO match_day (enterprise_id, endpoint_id, day, is_sample, "
        "supplier_id, flows, octets, matched_by_token, matched_by_shape, "
        "ambiguous, matched_octets, supplier_probe_covered_minutes, "
        "computed_at_us) VALUES (:enterprise, :endpoint, :day, :sample, "
        ":supplier, :flows, :octets, :token, :shape, :ambiguous, :matched, "
        ":covered, :now)");
    if (s == NULL)
        return fail(w);
    db_bind_text(s, ":enterprise", w->owners[sum->owner]);
    db_bind_text(s, ":endpoint", endpoint->id);
    db_bind_i64(s, ":day", w->day.number);
    db_bind_i64(s, ":sample", is_sample);
    db_bind_text(s, ":supplier", endpoint->supplier_id);
    db_bind_u64(s, ":flows", sum->flows);
    db_bind_u64(s, ":octets", sum->octets);
    db_bind_u64(s, ":token", sum->by_token);
    db_bind_u64(s, ":shape", sum->by_shape);
    db_bind_u64(s, ":ambiguous", sum->ambiguous);
    db_bind_u64(s, ":matched", sum->matched_octets);
    db_bind_i64(s, ":covered",
                covered_minutes(w, endpoint->supplier_id, is_sample));
    db_bind_i64(s, ":now", w->now.us);
    w->result->flows += sum->flows;
    w->result->matched += sum->by_token + sum->by_shape;
    return db_do(s) || fail(w);
}

static int by_owner(const void *one, const void *other)
{
    const struct match_flow *a = one, *b = other;
    int order = (a->owner > b->owner) - (a->owner < b->owner);
    return order != 0 ? order : (a->group > b->group) - (a->group < b->group);
}

static bool sum_up(struct work *w)
{
    struct match_flow *f = w->enterprise.list;
    size_t count = w->enterprise.count;
    if (count > 0)
        qsort(f, count, sizeof(*f), by_owner);
    for (size_t i = 0, end; i < count; i = end) {
        struct sum sum = {.owner = f[i].owner, .group = f[i].group};
        for (end = i; end < count && by_owner(&f[i], &f[end]) == 0; end++)
            if (!f[end].is_context)
                add_to_sum(&sum, &f[end]);
        if (sum.flows == 0)
            continue;
        struct sum *place =
            extend(&w->sums, &w->sum_count, &w->sum_capacity, sizeof(*place));
        if (place == NULL)
            return no_memory(w);
        *place = sum;
    }
    return true;
}

static bool store_sums(struct work *w)
{
    bool good = true;
    for (size_t i = 0; good && i < w->sum_count; i++)
        good = store_sum(w, &w->sums[i]);
    return good;
}

/* One event for a probe and day, however many batches. */
static bool note_foreign(struct work *w, const struct foreign *f)
{
    char day[DAY_TEXT_LEN], detail[300];
    bool is_new;
    day_to_text(w->day, day);
    snprintf(detail, sizeof(detail),
             "%s: records about endpoints that are not of supplier %s; they "
             "are not matched",
             day, f->supplier_id);
    struct digest about = digest_of(detail, strlen(detail));
    const struct ledger_event event = {.reason = REASON_FOREIGN,
                                       .probe_id = f->probe_id,
                                       .other = &about,
                                       .detail = detail};
    w->result->foreign += f->records;
    return ledger_add_event(w->db, &event, w->now, &is_new) || fail(w);
}

static bool note_all_foreign(struct work *w)
{
    bool good = true;
    for (size_t i = 0; good && i < w->foreign_count; i++)
        good = note_foreign(w, &w->foreign[i]);
    return good;
}

/* --- a day --- */

/* What a day is computed from, and whether it was. */
struct day_state {
    int64_t batches, last_index;
    bool is_known; /* from just this */
    bool is_gone;  /* its detail was deleted */
};

static bool read_state(struct work *w, struct day_state *state)
{
    struct db_statement *s = db_prepare(
        w->db, "SELECT count(*), ifnull(max(idx), 0), "
               "(SELECT batch_count FROM match_run WHERE day = :day), "
               "(SELECT last_idx FROM match_run WHERE day = :day), "
               "(SELECT detail_before_ms FROM retention) "
               "FROM ledger WHERE source IN ('probe', 'supplier_probe') "
               "AND period_start_ms > :first AND period_start_ms < :last "
               "AND period_end_ms > :from");
    if (s == NULL)
        return fail(w);
    db_bind_i64(s, ":day", w->day.number);
    db_bind_i64(s, ":first", w->start_ms - REACH_MS - MATCH_SLACK_MS);
    db_bind_i64(s, ":last",
                w->end_ms + MATCH_SLACK_MS + FLOW_PAUSE_MAX_S * 1000);
    db_bind_i64(s, ":from", w->start_ms - MATCH_SLACK_MS);
    bool good = db_step(s) == DB_ROW;
    *state = (struct day_state){
        .batches = db_i64(s, 0),
        .last_index = db_i64(s, 1),
        .is_known = !db_is_null(s, 2) && db_i64(s, 2) == db_i64(s, 0) &&
                    db_i64(s, 3) == db_i64(s, 1),
        .is_gone = db_i64(s, 4) > w->start_ms - MATCH_SLACK_MS,
    };
    db_reset(s);
    return good || fail(w);
}

static bool store_state(struct work *w, const struct day_state *state)
{
    struct db_statement *s =
        db_prepare(w->db, "INSERT INTO match_run (day, batch_count, last_idx, "
                          "computed_at_us) VALUES (:day, :count, :last, :now) "
                          "ON CONFLICT DO UPDATE SET batch_count = :count, "
                          "last_idx = :last, computed_at_us = :now");
    if (s == NULL)
        return fail(w);
    db_bind_i64(s, ":day", w->day.number);
    db_bind_i64(s, ":count", state->batches);
    db_bind_i64(s, ":last", state->last_index);
    db_bind_i64(s, ":now", w->now.us);
    return db_do(s) || fail(w);
}

static bool forget_day(struct work *w)
{
    struct db_statement *s =
        db_prepare(w->db, "DELETE FROM match_day WHERE day = :day");
    if (s == NULL)
        return fail(w);
    db_bind_i64(s, ":day", w->day.number);
    return db_do(s) || fail(w);
}

/* Both sides of one part; owners are numbered the same each time. */
static bool load_part(struct work *w, int part)
{
    w->part = part;
    w->enterprise.count = w->supplier.count = w->owner_count = 0;
    return load_side(w, SOURCE_PROBE) && load_side(w, SOURCE_SUPPLIER_PROBE);
}

static bool match_part(struct work *w)
{
    w->enterprise.count = match_join(w->enterprise.list, w->enterprise.count);
    w->supplier.count = match_join(w->supplier.list, w->supplier.count);
    if (!match_flows(w->enterprise.list, w->enterprise.count, w->supplier.list,
                     w->supplier.count))
        return no_memory(w);
    return sum_up(w);
}

/* One more part when the next endpoint does not fit. */
static void divide(struct work *w)
{
    uint64_t flows = 0;
    w->part_count = 1;
    for (size_t i = 0; i < w->endpoint_count; i++) {
        struct endpoint_row *row = &w->endpoints[i];
        if (row->flows > w->endpoint_flows) {
            row->part = LEFT_OUT; /* and does not hold up the others */
            w->result->left_out++;
            log_warn("endpoint %s: more connections of a day than can be "
                     "matched",
                     row->id);
            continue;
        }
        if (flows > 0 && flows + row->flows > w->part_flows) {
            w->part_count++;
            flows = 0;
        }
        flows += row->flows;
        row->part = w->part_count - 1;
    }
}

/* Without reading their records: an upper bound. */
static bool count_records(struct work *w, uint64_t *records)
{
    struct db_statement *s = db_prepare(
        w->db, "SELECT ifnull(sum(record_count), 0) FROM ledger "
               "WHERE source IN ('probe', 'supplier_probe') AND is_counted "
               "AND period_start_ms > :first AND period_start_ms < :last");
    if (s == NULL)
        return fail(w);
    db_bind_i64(s, ":first", w->start_ms - REACH_MS - MATCH_SLACK_MS);
    db_bind_i64(s, ":last",
                w->end_ms + MATCH_SLACK_MS + FLOW_PAUSE_MAX_S * 1000);
    bool good = db_step(s) == DB_ROW;
    *records = good ? db_u64(s, 0) : 0;
    db_reset(s);
    return good || fail(w);
}

static bool compute_day(struct work *w)
{
    uint64_t records = 0;
    w->sum_count = w->watched_count = w->foreign_count = 0;
    w->part_count = 1;
    for (size_t i = 0; i < w->endpoint_count; i++)
        w->endpoints[i].flows = 0, w->endpoints[i].part = 0;
    bool good = count_records(w, &records);
    if (good && records > w->part_flows) {
        good = load_part(w, COUNTING);
        divide(w);
        w->watched_count = w->foreign_count = 0;
    }
    for (int part = 0; good && part < w->part_count; part++)
        good = load_part(w, part) && match_part(w);
    return good;
}

static bool store_day(struct work *w, const struct day_state *state)
{
    if (!db_begin(w->db))
        return fail(w);
    if (forget_day(w) && store_sums(w) && note_all_foreign(w) &&
        store_state(w, state))
        return db_commit(w->db) || fail(w);
    db_rollback(w->db);
    return false;
}

static bool run_day(struct work *w, struct civil_day day, bool is_forced)
{
    struct day_state state = {0};
    w->day = day;
    w->start_ms = wall_to_ms(day_start(day));
    w->end_ms = w->start_ms + DAY_MS;
    if (!db_begin_reading(w->db))
        return fail(w);
    bool good = read_state(w, &state);
    bool is_known = state.is_known && !is_forced;
    if (good && !state.is_gone && !is_known)
        good = compute_day(w);
    db_rollback(w->db);
    if (!good)
        return false;
    if (state.is_gone)
        w->result->gone++;
    else if (is_known)
        w->result->skipped++;
    else if (store_day(w, &state))
        w->result->days++;
    else
        return false;
    return true;
}

bool match_days_run(struct db *usage_db, const char *registry,
                    const struct match_days *days, struct wall_time now,
                    struct match_day_result *result, struct error_text *error)
{
    struct work w = {.db = usage_db,
                     .reader = detail_reader_new(usage_db),
                     .now = now,
                     .error = error,
                     .result = result,
                     .endpoint_flows = days->endpoint_flows > 0
                                           ? days->endpoint_flows
                                           : MATCH_FLOWS_MAX,
                     .part_flows = days->part_flows > 0 ? days->part_flows
                                                        : MATCH_PART_FLOWS};
    *result = (struct match_day_result){0};
    bool good = w.reader != NULL ? read_endpoints(&w, registry) : no_memory(&w);
    if (good && days->to.number - days->from.number > MATCH_DAYS_MAX)
        good = error_set(error, "more than %d days at once", MATCH_DAYS_MAX);
    for (int32_t day = days->from.number; good && day < days->to.number; day++)
        good = run_day(&w, (struct civil_day){day}, days->is_forced);
    free(w.endpoints);
    free(w.enterprise.list);
    free(w.supplier.list);
    free(w.owners);
    free(w.watched);
    free(w.foreign);
    free(w.sums);
    detail_reader_free(w.reader);
    return good;
}
