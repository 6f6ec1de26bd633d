/*
 * Reading usage.db: by index, one statement for an enterprise and a range of
 * days, never one for a record. Connection records come as one compressed block
 * a batch (common/wire/flow_block.h).
 *
 * A record may come in a batch after the day in which it starts: a connection
 * is reported when it ends or at the active timeout. So a day's source is made
 * of the batches that overlap the day or begin within an hour after it.
 */
#include "verifier/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "common/coverage.h"
#include "common/wire/batch.h"
#include "common/wire/flow_block.h"
#include "common/wire/flow_record.h"
#include "verifier/token.h"
#include "verifier/token_filter.h"

enum {
    DAY_MS = 86400000,
    REPORTED_WITHIN_MS = 3600000, /* after a record's start */
    ENDPOINT_SLOTS = 1 << 10,
};

/* Endpoints asked for last: most records name the same few. */
struct endpoint_slot {
    char id[ENDPOINT_ID_LEN]; /* "": empty */
    const struct register_endpoint *endpoint;
};

struct evidence {
    struct db *usage;
    const struct register_view *registry;
    struct wall_time cut_off;
    struct flow_block *block; /* decoded last */
    struct endpoint_slot slots[ENDPOINT_SLOTS];
    struct error_text damage;     /* of a block */
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
    if (e->damage.text[0] != '\0')
        return e->damage.text;
    return text[0] != '\0' ? text : "out of memory";
}

/* --- blocks --- */

static uint64_t hash_of_id(const char *id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *id != '\0'; id++)
        hash = (hash ^ (uint8_t)*id) * UINT64_C(0x100000001b3);
    return hash;
}

/* NULL when it is not registered any more. */
static const struct register_endpoint *endpoint_of(struct evidence *e,
                                                   const char *id)
{
    struct endpoint_slot *slot = &e->slots[hash_of_id(id) % ENDPOINT_SLOTS];
    if (strcmp(slot->id, id) != 0) {
        slice_copy(slice_of_text(id), slot->id, sizeof(slot->id));
        slot->endpoint = register_view_endpoint(e->registry, id);
    }
    return slot->endpoint;
}

/* Somebody wrote over it, or the disk did: no verdict is made of the rest. */
static bool is_damaged(struct evidence *e, int64_t ledger_index)
{
    return error_set(&e->damage,
                     "usage.db: the flow block of ledger row %lld is damaged; "
                     "run 'yz-collector check'",
                     (long long)ledger_index);
}

/* --- repeats of tokens --- */

static uint64_t read_record_count(struct evidence *e)
{
    struct db_statement *s =
        db_prepare(e->usage, "SELECT ifnull(sum(record_count), 0) "
                             "FROM flow_block");
    uint64_t count = s != NULL && db_step(s) == DB_ROW ? db_u64(s, 0) : 0;
    if (s != NULL)
        db_reset(s);
    return count;
}

static struct db_statement *prepare_blocks(struct evidence *e)
{
    struct db_statement *s = db_prepare(
        e->usage,
        "SELECT f.data, f.ledger_idx, l.enterprise_id, l.probe_id, l.is_sample "
        "FROM flow_block AS f CROSS JOIN ledger AS l ON l.idx = f.ledger_idx "
        "WHERE l.source = 'probe' AND l.is_counted = 1 "
        " AND l.received_us <= :cut_off");
    if (s != NULL)
        db_bind_i64(s, ":cut_off", e->cut_off.us);
    return s;
}

static bool filter_tokens(struct evidence *e, struct token_filter *filter)
{
    enum db_step step;
    bool good = true;
    struct db_statement *s = prepare_blocks(e);
    if (s == NULL)
        return false;
    while (good && (step = db_step(s)) == DB_ROW) {
        const uint8_t *tokens;
        size_t count = 0;
        good = flow_block_tokens(db_blob(s, 0), &tokens, &count) ||
               is_damaged(e, db_i64(s, 1));
        for (size_t i = 0; i < count; i++)
            token_filter_add(filter, tokens + i * FLOW_TOKEN_LEN);
    }
    db_reset(s);
    return good && step == DB_DONE;
}

static bool has_repeats(const struct token_filter *filter, struct slice data)
{
    const uint8_t *tokens;
    size_t count;
    if (!flow_block_tokens(data, &tokens, &count))
        return true; /* and is found damaged */
    for (size_t i = 0; i < count; i++)
        if (token_filter_repeats(filter, tokens + i * FLOW_TOKEN_LEN))
            return true;
    return false;
}

static bool take_token_record(struct evidence *e, struct db_statement *s,
                              const struct flow_record *r,
                              struct token_list *list)
{
    const struct register_endpoint *endpoint = endpoint_of(e, r->endpoint_id);
    struct token_record record = {
        .service = endpoint != NULL ? endpoint->service : TOKEN_NO_SERVICE,
        .endpoint = (int64_t)hash_of_id(r->endpoint_id),
        .start_ms = r->start_ms,
        .end_ms = r->end_ms,
        .end_reason = r->end_reason,
        .host = r->host_pseudonym,
        .enterprise = db_text(s, 2),
        .probe = db_text(s, 3),
        .is_sample = db_i64(s, 4) != 0,
    };
    memcpy(record.token, r->token, sizeof(record.token));
    return token_list_add(list, &record);
}

static bool take_token_block(struct evidence *e, struct db_statement *s,
                             const struct token_filter *filter,
                             struct token_list *list)
{
    static const uint8_t none[FLOW_TOKEN_LEN];
    struct slice data = db_blob(s, 0);
    bool good = true;
    if (!has_repeats(filter, data))
        return true;
    if (!flow_block_decode(e->block, data))
        return is_damaged(e, db_i64(s, 1));
    const struct flow_record *r = flow_block_records(e->block);
    for (size_t i = 0; good && i < flow_block_count(e->block); i++)
        if (memcmp(r[i].token, none, sizeof(none)) != 0 &&
            token_filter_repeats(filter, r[i].token))
            good = take_token_record(e, s, &r[i], list);
    return good;
}

/* Tokens with more than one record, most of them long connections, and few
 * others that the filter could not tell from them. */
static bool read_repeats(struct evidence *e)
{
    enum db_step step = DB_FAILED;
    struct token_list list = {0};
    struct token_filter *filter = token_filter_new(read_record_count(e));
    bool good = filter != NULL && filter_tokens(e, filter);
    struct db_statement *s = good ? prepare_blocks(e) : NULL;
    good = s != NULL;
    while (good && (step = db_step(s)) == DB_ROW)
        good = take_token_block(e, s, filter, &list);
    if (s != NULL)
        db_reset(s);
    good = good && step == DB_DONE &&
           token_list_find_repeats(&list, &e->repeats, &e->repeat_count);
    token_list_clear(&list);
    token_filter_free(filter);
    return good;
}

/* --- opening --- */

struct evidence *evidence_open(struct db *usage,
                               const struct register_view *registry,
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
    e->block = flow_block_new();
    if (e->block != NULL && read_repeats(e))
        return e;
    error_set(error, "%s", evidence_error(e));
    evidence_close(e);
    return NULL;
}

void evidence_close(struct evidence *e)
{
    if (e == NULL)
        return;
    flow_block_free(e->block);
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
    struct coverage coverage = {0};
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
            coverage_add(&coverage, day->day, b->start_ms, b->end_ms);
    }
    day->coverage.minutes = coverage_minutes(&coverage);
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

static uint64_t number_of_bytes(const uint8_t bytes[static FINGERPRINT_LEN])
{
    uint64_t value = 0;
    for (int i = 0; i < FINGERPRINT_LEN; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct fact_flow fact_of(const struct evidence *e,
                                const struct flow_record *r,
                                const struct register_endpoint *endpoint)
{
    struct fact_flow flow = {
        .endpoint = (uint32_t)(endpoint - e->registry->endpoints),
        .start_ms = r->start_ms,
        .end_ms = r->end_ms,
        .octets = r->octets,
        .packets = r->packets,
        .roctets = r->roctets,
        .rpackets = r->rpackets,
        .end_reason = r->end_reason,
        .name_evidence = r->name_evidence,
        .rtt_us = r->rtt_us,
        .host = r->host_pseudonym,
        .fingerprint = number_of_bytes(r->fingerprint),
        .is_shared = endpoint->is_shared,
        .is_refused = flow_is_refused(r->protocol, r->tcp_flags, r->rtcp_flags,
                                      r->rpayload),
    };
    memcpy(flow.token, r->token, sizeof(flow.token));
    return flow;
}

static struct db_statement *prepare_flows(struct evidence *e)
{
    return db_prepare(
        e->usage, "SELECT f.data, f.ledger_idx, l.tier, l.is_sample "
                  "FROM ledger AS l INDEXED BY ledger_by_period "
                  "CROSS JOIN flow_block AS f ON f.ledger_idx = l.idx "
                  "WHERE l.enterprise_id = :enterprise "
                  " AND l.period_start_ms >= :first_batch "
                  " AND l.period_start_ms < :last_batch AND l.record_count > 0 "
                  " AND l.source = 'probe' AND l.is_counted = 1 "
                  " AND l.received_us <= :cut_off");
}

static bool is_valid_at(const struct register_endpoint *e, int64_t start_ms)
{
    int64_t us = wall_from_ms(start_ms).us;
    return e->valid_from_us <= us && us < e->valid_to_us;
}

/* What is asked for, and what was found so far. */
struct flow_search {
    int64_t from_ms, to_ms; /* of starts */
    struct evidence_flow *flows;
    size_t count, room;
};

static bool take_block(struct evidence *e, struct db_statement *s,
                       struct flow_search *search)
{
    if (!flow_block_decode(e->block, db_blob(s, 0)))
        return is_damaged(e, db_i64(s, 1));
    const struct flow_record *r = flow_block_records(e->block);
    for (size_t n = flow_block_count(e->block); n > 0; n--, r++) {
        if (r->start_ms < search->from_ms || r->start_ms >= search->to_ms)
            continue;
        const struct register_endpoint *endpoint =
            endpoint_of(e, r->endpoint_id);
        if (endpoint == NULL || !is_valid_at(endpoint, r->start_ms))
            continue;
        if (!make_room((void **)&search->flows, search->count, &search->room,
                       sizeof(*search->flows)))
            return false;
        struct evidence_flow *out = &search->flows[search->count++];
        *out = (struct evidence_flow){
            .service = endpoint->service,
            .day = day_of_wall(wall_from_ms(r->start_ms)).number,
            .flow = fact_of(e, r, endpoint)};
        out->flow.tier = (uint8_t)db_i64(s, 2);
        out->flow.is_sample = db_i64(s, 3) != 0;
    }
    return true;
}

bool evidence_flows(struct evidence *e, const char *enterprise_id,
                    struct civil_day from, struct civil_day to,
                    struct evidence_flow **flows, size_t *count)
{
    enum db_step step;
    bool good = true;
    struct flow_search search = {.from_ms = wall_to_ms(day_start(from)),
                                 .to_ms = wall_to_ms(day_start(to))};
    struct db_statement *s = prepare_flows(e);
    *flows = NULL;
    *count = 0;
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", enterprise_id);
    db_bind_i64(s, ":first_batch", search.from_ms - DAY_MS);
    db_bind_i64(s, ":last_batch", search.to_ms + REPORTED_WITHIN_MS);
    db_bind_i64(s, ":cut_off", e->cut_off.us);
    while (good && (step = db_step(s)) == DB_ROW)
        good = take_block(e, s, &search);
    db_reset(s);
    *flows = search.flows;
    *count = search.count;
    return good && step == DB_DONE;
}

bool evidence_has_records(struct evidence *e, const char *enterprise_id,
                          struct civil_day day, bool *has_records)
{
    struct db_statement *s = db_prepare(
        e->usage,
        "SELECT EXISTS (SELECT 1 FROM ledger AS l INDEXED BY ledger_by_period "
        "CROSS JOIN flow_block AS f ON f.ledger_idx = l.idx "
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
