/*
 * Reading usage.db: by index, one statement for an enterprise and a range of
 * days, never one for a record.
 *
 * A record may come in a batch after the day in which it starts: a connection
 * is reported when it ends or at the active timeout. So a day's source is made
 * of the batches that overlap the day or begin within an hour after it.
 */
#include "verifier/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "common/batch.h"
#include "common/flow_record.h"
#include "rules/beacon.h"
#include "verifier/token.h"

enum {
    DAY_MS = 86400000,
    REPORTED_WITHIN_MS = 3600000, /* after a record's start */
    ENDPOINT_KEYS_MAX = 1 << 22,
};

struct evidence {
    struct db *usage;
    const struct registry *registry;
    struct wall_time cut_off;
    const struct registry_endpoint **by_key; /* by endpoint_key.key */
    size_t key_count;
    struct token_repeat *repeats; /* by enterprise, service, day */
    size_t repeat_count;
};

static bool make_room(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room == 0 ? 256 : *room * 2;
    void *moved =
        wanted > SIZE_MAX / size ? NULL : realloc(*items, wanted * size);
    if (moved == NULL)
        return false;
    *items = moved;
    *room = wanted;
    return true;
}

const char *evidence_error(const struct evidence *e)
{
    const char *text = db_error(e->usage);
    return text[0] != '\0' ? text : "out of memory";
}

/* --- opening --- */

static bool read_keys(struct evidence *e)
{
    size_t room = 0;
    enum db_step step;
    struct db_statement *s = db_prepare(
        e->usage, "SELECT key, endpoint_id FROM endpoint_key ORDER BY key");
    if (s == NULL)
        return false;
    while ((step = db_step(s)) == DB_ROW) {
        int64_t key = db_i64(s, 0);
        if (key < 0 || key >= ENDPOINT_KEYS_MAX)
            continue;
        while (e->key_count <= (size_t)key) {
            if (!make_room((void **)&e->by_key, e->key_count, &room,
                           sizeof(*e->by_key)))
                return false;
            e->by_key[e->key_count++] = NULL;
        }
        e->by_key[key] = registry_endpoint(e->registry, db_text(s, 1));
    }
    return step == DB_DONE;
}

static const struct registry_endpoint *endpoint_of(const struct evidence *e,
                                                   int64_t key)
{
    return key >= 0 && (size_t)key < e->key_count ? e->by_key[key] : NULL;
}

static bool take_token_record(struct evidence *e, struct db_statement *s,
                              struct token_list *list)
{
    const struct registry_endpoint *endpoint = endpoint_of(e, db_i64(s, 2));
    struct token_record record = {
        .service = endpoint != NULL ? endpoint->service : TOKEN_NO_SERVICE,
        .endpoint = db_i64(s, 2),
        .start_ms = db_i64(s, 3),
        .end_ms = db_i64(s, 4),
        .end_reason = (uint8_t)db_i64(s, 5),
        .host = (uint64_t)db_i64(s, 6),
        .enterprise = db_text(s, 1),
        .probe = db_text(s, 7),
        .is_sample = db_i64(s, 8) != 0,
    };
    struct slice token = db_blob(s, 0);
    if (token.length != sizeof(record.token))
        return true;
    memcpy(record.token, token.data, token.length);
    return token_list_add(list, &record);
}

/* Tokens with more than one record; most are long connections. */
static bool read_repeats(struct evidence *e)
{
    enum db_step step;
    struct token_list list = {0};
    struct db_statement *s = db_prepare(
        e->usage,
        "SELECT f.token, l.enterprise_id, f.endpoint, f.start_ms, f.end_ms, "
        " f.end_reason, f.host, l.probe_id, l.is_sample "
        "FROM (SELECT token FROM flow INDEXED BY flow_by_token "
        "  WHERE token IS NOT NULL GROUP BY token HAVING count(*) > 1) AS t "
        "CROSS JOIN flow AS f INDEXED BY flow_by_token ON f.token = t.token "
        "CROSS JOIN ledger AS l ON l.idx = f.ledger_idx "
        "WHERE l.source = 'probe' AND l.is_counted = 1 "
        " AND l.received_us <= :cut_off");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":cut_off", e->cut_off.us);
    bool good = true;
    while (good && (step = db_step(s)) == DB_ROW)
        good = take_token_record(e, s, &list);
    good = good && step == DB_DONE &&
           token_list_find_repeats(&list, &e->repeats, &e->repeat_count);
    db_reset(s);
    token_list_clear(&list);
    return good;
}

struct evidence *evidence_open(struct db *usage,
                               const struct registry *registry,
                               struct wall_time cut_off,
                               struct error_text *error)
{
    struct evidence *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    *e = (struct evidence){
        .usage = usage, .registry = registry, .cut_off = cut_off};
    if (read_keys(e) && read_repeats(e))
        return e;
    error_set(error, "%s", evidence_error(e));
    evidence_close(e);
    return NULL;
}

void evidence_close(struct evidence *e)
{
    if (e == NULL)
        return;
    free(e->by_key);
    free(e->repeats);
    free(e);
}

const struct token_repeat *evidence_repeat(const struct evidence *e,
                                           const char *enterprise_id,
                                           size_t service, struct civil_day day)
{
    struct token_repeat key = {.service = service, .day = day.number};
    if (!slice_copy(slice_of_text(enterprise_id), key.enterprise_id,
                    sizeof(key.enterprise_id)) ||
        e->repeat_count == 0)
        return NULL;
    return bsearch(&key, e->repeats, e->repeat_count, sizeof(key),
                   token_compare_repeats);
}

/* --- days --- */

static struct evidence_batch batch_of_row(struct db_statement *s)
{
    struct evidence_batch b = {
        .start_ms = db_i64(s, 0),
        .end_ms = db_i64(s, 1),
        .tier = (uint8_t)db_i64(s, 3),
        .is_late = db_i64(s, 4) != 0,
        .is_counted = db_i64(s, 5) != 0,
        .is_sample = db_i64(s, 6) != 0,
        .is_unsynchronised = db_i64(s, 7) == CLOCK_UNSYNCHRONISED,
        .record_count = db_u64(s, 8),
        .batches_lost = db_u64(s, 9),
        .packets_dropped = db_u64(s, 10),
        .flows_evicted = db_u64(s, 11),
    };
    struct slice hash = db_blob(s, 2);
    if (hash.length == sizeof(b.hash.bytes))
        memcpy(b.hash.bytes, hash.data, hash.length);
    return b;
}

static bool read_batches(struct evidence *e, const char *enterprise_id,
                         int64_t from_ms, int64_t to_ms,
                         struct evidence_batch **batches, size_t *count)
{
    size_t room = 0;
    enum db_step step;
    struct db_statement *s = db_prepare(
        e->usage,
        "SELECT period_start_ms, period_end_ms, batch_hash, tier, is_late, "
        " is_counted, is_sample, clock_quality, record_count, batches_lost, "
        " packets_dropped, flows_evicted "
        "FROM ledger INDEXED BY ledger_by_period "
        "WHERE enterprise_id = :enterprise AND source = 'probe' "
        " AND period_start_ms >= :from AND period_start_ms < :to "
        " AND received_us <= :cut_off "
        "ORDER BY period_start_ms, batch_hash");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_i64(s, ":from", from_ms);
    db_bind_i64(s, ":to", to_ms);
    db_bind_i64(s, ":cut_off", e->cut_off.us);
    while ((step = db_step(s)) == DB_ROW) {
        if (!make_room((void **)batches, *count, &room, sizeof(**batches))) {
            db_reset(s);
            return false;
        }
        (*batches)[(*count)++] = batch_of_row(s);
    }
    return step == DB_DONE;
}

/* A minute counts when its middle lies in the period. */
static void cover_minutes(const struct evidence_batch *b, int64_t day_ms,
                          bool covered[static DAY_MINUTES])
{
    int64_t first = (b->start_ms - day_ms + 29999) / 60000;
    int64_t last = (b->end_ms - day_ms + 29999) / 60000;
    if (b->start_ms < day_ms)
        first = 0;
    for (int64_t m = first; m < last && m < DAY_MINUTES; m++)
        covered[m] = true;
}

static void add_to_coverage(const struct evidence_batch *b,
                            struct fact_coverage *c)
{
    c->batches++;
    c->late_batches += b->is_late;
    c->uncounted_batches += !b->is_counted;
    c->unsynchronised_batches += b->is_unsynchronised;
    c->batches_lost += b->batches_lost;
    c->packets_dropped += b->packets_dropped;
    c->flows_evicted += b->flows_evicted;
    c->is_sample |= b->is_sample;
    c->tier = b->tier > c->tier ? b->tier : c->tier;
}

static void add_to_source(const struct evidence_batch *b,
                          struct digest_stream *source)
{
    uint8_t marks[] = {b->is_late, b->is_counted, b->is_sample, b->tier};
    digest_stream_add(source, b->hash.bytes, sizeof(b->hash.bytes));
    digest_stream_add(source, marks, sizeof(marks));
}

/* The batches from `first` on that concern the day. False when none does. */
static bool gather_day(const struct evidence_batch *batches, size_t count,
                       size_t first, int64_t day_ms, struct evidence_day *day)
{
    bool covered[DAY_MINUTES] = {false};
    size_t used = 0;
    struct digest_stream *source = digest_stream_new();
    for (size_t i = first; i < count; i++) {
        const struct evidence_batch *b = &batches[i];
        if (b->start_ms >= day_ms + DAY_MS + REPORTED_WITHIN_MS)
            break;
        if (b->end_ms < day_ms || (b->end_ms == day_ms && b->start_ms < day_ms))
            continue;
        add_to_source(b, source);
        used++;
        day->records += b->is_counted ? b->record_count : 0;
        if (b->start_ms >= day_ms + DAY_MS)
            continue;
        add_to_coverage(b, &day->coverage);
        if (b->is_counted)
            cover_minutes(b, day_ms, covered);
    }
    for (int m = 0; m < DAY_MINUTES; m++)
        day->coverage.minutes += covered[m];
    day->source = digest_stream_now(source);
    digest_stream_free(source);
    return used > 0;
}

bool evidence_days(struct evidence *e, const char *enterprise_id,
                   struct civil_day from, struct civil_day to,
                   struct evidence_day **days, size_t *count)
{
    struct evidence_batch *batches = NULL;
    size_t batch_count = 0, first = 0;
    int64_t from_ms = wall_to_ms(day_start(from));
    int64_t to_ms = wall_to_ms(day_start(to));
    bool good = false;
    *count = 0;
    *days = calloc((size_t)(to.number - from.number) + 1, sizeof(**days));
    /* A period is at most a day long, or is seen from its start only. */
    if (*days == NULL ||
        !read_batches(e, enterprise_id, from_ms - DAY_MS,
                      to_ms + REPORTED_WITHIN_MS, &batches, &batch_count))
        goto out;
    for (int32_t d = from.number; d < to.number; d++) {
        struct civil_day day = {d};
        int64_t day_ms = wall_to_ms(day_start(day));
        struct evidence_day *out = &(*days)[*count];
        *out = (struct evidence_day){.day = day};
        while (first < batch_count && batches[first].start_ms < day_ms - DAY_MS)
            first++;
        if (gather_day(batches, batch_count, first, day_ms, out))
            (*count)++;
    }
    good = true;
out:
    free(batches);
    return good;
}

/* --- records --- */

static void flow_of_row(struct db_statement *s,
                        const struct registry_endpoint *endpoint,
                        struct fact_flow *flow)
{
    *flow = (struct fact_flow){
        .endpoint = (uint32_t)db_i64(s, 0),
        .start_ms = db_i64(s, 1),
        .end_ms = db_i64(s, 2),
        .octets = db_u64(s, 3),
        .packets = db_u64(s, 4),
        .roctets = db_u64(s, 5),
        .rpackets = db_u64(s, 6),
        .end_reason = (uint8_t)db_i64(s, 7),
        .name_evidence = (uint8_t)db_i64(s, 8),
        .rtt_us = (uint32_t)db_i64(s, 9),
        .host = (uint64_t)db_i64(s, 10),
        .fingerprint = (uint64_t)db_i64(s, 12),
        .tier = (uint8_t)db_i64(s, 13),
        .is_sample = db_i64(s, 14) != 0,
        .is_shared = endpoint->is_shared,
        .is_refused =
            flow_is_refused((uint8_t)db_i64(s, 15), (uint16_t)db_i64(s, 16),
                            (uint16_t)db_i64(s, 17), db_u64(s, 18)),
    };
    struct slice token = db_blob(s, 11);
    if (token.length == sizeof(flow->token))
        memcpy(flow->token, token.data, token.length);
}

static struct db_statement *prepare_flows(struct evidence *e)
{
    return db_prepare(
        e->usage,
        "SELECT f.endpoint, f.start_ms, f.end_ms, f.octets, f.packets, "
        " f.roctets, f.rpackets, f.end_reason, f.name_evidence, f.rtt_us, "
        " f.host, f.token, f.fingerprint, l.tier, l.is_sample, f.protocol, "
        " f.tcp_flags, f.rtcp_flags, f.rpayload "
        "FROM ledger AS l INDEXED BY ledger_by_period "
        "CROSS JOIN flow AS f INDEXED BY flow_by_ledger ON f.ledger_idx = "
        "l.idx "
        "WHERE l.enterprise_id = :enterprise "
        " AND l.period_start_ms >= :first_batch "
        " AND l.period_start_ms < :last_batch AND l.record_count > 0 "
        " AND l.source = 'probe' AND l.is_counted = 1 "
        " AND l.received_us <= :cut_off "
        " AND f.start_ms >= :from AND f.start_ms < :to");
}

static bool is_valid_at(const struct registry_endpoint *e, int64_t start_ms)
{
    int64_t us = wall_from_ms(start_ms).us;
    return e->valid_from_us <= us && us < e->valid_to_us;
}

bool evidence_flows(struct evidence *e, const char *enterprise_id,
                    struct civil_day from, struct civil_day to,
                    struct evidence_flow **flows, size_t *count)
{
    size_t room = 0;
    enum db_step step;
    int64_t from_ms = wall_to_ms(day_start(from));
    int64_t to_ms = wall_to_ms(day_start(to));
    struct db_statement *s = prepare_flows(e);
    *flows = NULL;
    *count = 0;
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_i64(s, ":first_batch", from_ms - DAY_MS);
    db_bind_i64(s, ":last_batch", to_ms + REPORTED_WITHIN_MS);
    db_bind_i64(s, ":cut_off", e->cut_off.us);
    db_bind_i64(s, ":from", from_ms);
    db_bind_i64(s, ":to", to_ms);
    while ((step = db_step(s)) == DB_ROW) {
        const struct registry_endpoint *endpoint = endpoint_of(e, db_i64(s, 0));
        if (endpoint == NULL || !is_valid_at(endpoint, db_i64(s, 1)))
            continue;
        if (!make_room((void **)flows, *count, &room, sizeof(**flows))) {
            db_reset(s);
            return false;
        }
        struct evidence_flow *out = &(*flows)[(*count)++];
        flow_of_row(s, endpoint, &out->flow);
        out->service = endpoint->service;
        out->day = day_of_wall(wall_from_ms(out->flow.start_ms)).number;
    }
    return step == DB_DONE;
}

bool evidence_has_records(struct evidence *e, const char *enterprise_id,
                          struct civil_day day, bool *has_records)
{
    struct db_statement *s = db_prepare(
        e->usage,
        "SELECT EXISTS (SELECT 1 FROM ledger AS l INDEXED BY ledger_by_period "
        "CROSS JOIN flow AS f INDEXED BY flow_by_ledger ON f.ledger_idx = "
        "l.idx "
        "WHERE l.enterprise_id = :enterprise AND l.source = 'probe' "
        "AND l.period_start_ms >= :from AND l.period_start_ms < :to)");
    int64_t day_ms = wall_to_ms(day_start(day));
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_i64(s, ":from", day_ms - DAY_MS);
    db_bind_i64(s, ":to", day_ms + DAY_MS + REPORTED_WITHIN_MS);
    bool good = db_step(s) == DB_ROW;
    *has_records = good && db_i64(s, 0) != 0;
    db_reset(s);
    return good;
}

/* --- conflicts --- */

static bool count_conflicts(struct evidence *e, const char *probe_id,
                            uint64_t *count)
{
    struct db_statement *s = db_prepare(
        e->usage, "SELECT count(*) FROM event WHERE kind = 'conflict' "
                  "AND probe_id = :probe AND at_us <= :cut_off");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", probe_id);
    db_bind_i64(s, ":cut_off", e->cut_off.us);
    bool good = db_step(s) == DB_ROW;
    if (good)
        *count += db_u64(s, 0);
    db_reset(s);
    return good;
}

bool evidence_conflicts(struct evidence *e, struct db *registry,
                        const char *enterprise_id, uint64_t *count)
{
    enum db_step step;
    bool good = true;
    struct db_statement *s = db_prepare(
        registry, "SELECT id FROM probe WHERE enterprise_id = :enterprise");
    *count = 0;
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    while ((step = db_step(s)) == DB_ROW && good)
        good = count_conflicts(e, db_text(s, 0), count);
    db_reset(s);
    return good && step == DB_DONE;
}
