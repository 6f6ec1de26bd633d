/*
 * Facts of a day from its connection records.
 *
 * The order in which records arrived must not show (VER-17): they are first
 * sorted by everything that tells two records apart. Then
 *
 *   merge      records of one connection (active timeout) become one
 *   count      two-way connections, hosts, sizes, programs
 *   decompose  groups of (host, upload size within 15 %) whose starts are
 *              regular are automatic; the rest is the residual
 *   measure    regularity, burstiness and shape of the residual
 *
 * Canonical form, big-endian: version 1 byte, then the members of struct
 * day_fact in order, each array behind its count, as written in fact_encode().
 */
#include "rules/fact.h"

#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/wire/flow_record.h"
#include "rules/beacon.h"

enum { CONTINUES_WITHIN_MS = FLOW_PAUSE_MAX_S * 1000, SHAPE_MIN_MARKS = 16 };

/* A two-way connection while the day is being measured. */
struct piece {
    const struct fact_flow *flow;
    uint64_t size_hash;
    uint32_t bucket; /* of the upload size */
    bool is_automated;
};

struct day_work {
    struct civil_day day;
    int64_t start_ms; /* of the day */
    const struct parameters *parameters;
    struct piece *pieces;
    size_t count;
    int64_t *starts, *spare, *scores; /* room for count each */
    uint64_t *octets;
};

static int order_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Connections together, their records in the order of time, ties by content. */
static int compare_records(const void *a, const void *b)
{
    const struct fact_flow *x = a, *y = b;
    int order = order_u64(x->host, y->host);
    order = order ? order : order_u64(x->endpoint, y->endpoint);
    order = order ? order : memcmp(x->token, y->token, sizeof(x->token));
    order = order ? order : order_i64(x->start_ms, y->start_ms);
    order = order ? order : order_i64(x->end_ms, y->end_ms);
    order = order ? order : order_u64(x->octets, y->octets);
    order = order ? order : order_u64(x->roctets, y->roctets);
    order = order ? order : order_u64(x->packets, y->packets);
    order = order ? order : order_u64(x->rpackets, y->rpackets);
    order = order ? order : order_u64(x->fingerprint, y->fingerprint);
    order = order ? order : order_u64(x->end_reason, y->end_reason);
    order = order ? order : order_u64(x->name_evidence, y->name_evidence);
    order = order ? order : order_u64(x->rtt_us, y->rtt_us);
    order = order ? order : order_u64(x->is_refused, y->is_refused);
    return order ? order : order_u64(x->tier, y->tier);
}

static bool continues(const struct fact_flow *a, const struct fact_flow *b)
{
    return a->end_reason == FLOW_END_ACTIVE && a->host == b->host &&
           a->endpoint == b->endpoint &&
           memcmp(a->token, b->token, sizeof(a->token)) == 0 &&
           b->start_ms <= a->end_ms + CONTINUES_WITHIN_MS;
}

static void add_record(struct fact_flow *flow, const struct fact_flow *next)
{
    flow->end_ms = next->end_ms > flow->end_ms ? next->end_ms : flow->end_ms;
    flow->octets += next->octets;
    flow->packets += next->packets;
    flow->roctets += next->roctets;
    flow->rpackets += next->rpackets;
    flow->end_reason = next->end_reason;
    flow->fingerprint =
        flow->fingerprint != 0 ? flow->fingerprint : next->fingerprint;
    flow->rtt_us = flow->rtt_us != 0 ? flow->rtt_us : next->rtt_us;
    flow->tier = next->tier > flow->tier ? next->tier : flow->tier;
    flow->is_sample |= next->is_sample;
    flow->is_refused &= next->is_refused;
    if (flow->name_evidence == NAME_NONE)
        flow->name_evidence = next->name_evidence;
}

static size_t merge_records(struct fact_flow *flows, size_t count)
{
    size_t n = 0;
    if (count == 0)
        return 0;
    qsort(flows, count, sizeof(flows[0]), compare_records);
    for (size_t i = 1; i < count; i++) {
        if (continues(&flows[n], &flows[i]))
            add_record(&flows[n], &flows[i]);
        else
            flows[++n] = flows[i];
    }
    return n + 1;
}

static bool is_observation(const struct fact_flow *f)
{
    return f->packets > 0 && f->rpackets > 0 && !f->is_refused &&
           !(f->is_shared && f->name_evidence == NAME_MISMATCH);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x7fb5d329728ea185);
    x ^= x >> 27;
    x *= UINT64_C(0x81dadef4bc2dd44d);
    return x ^ x >> 33;
}

static uint64_t hash_pair(uint64_t a, uint64_t b)
{
    return mix(mix(a + UINT64_C(0x9e3779b97f4a7c15)) ^ b);
}

/* Steps of 15 %, counted in integers so that every machine agrees. */
static uint32_t size_bucket(uint64_t octets)
{
    uint32_t bucket = 0;
    uint64_t edge = 16;
    while (edge < octets && bucket < 200) {
        edge += edge * 15 / 100 + 1;
        bucket++;
    }
    return bucket;
}

static int64_t minute_of(const struct day_work *w, int64_t ms)
{
    int64_t minute = (ms - w->start_ms) / 60000;
    return minute < 0 ? 0 : minute < DAY_MINUTES ? minute : DAY_MINUTES - 1;
}

static void count_flow(const struct fact_flow *f, struct day_fact *fact)
{
    static const uint8_t NO_TOKEN[sizeof(f->token)];
    fact->flows++;
    fact->octets += f->octets;
    fact->roctets += f->roctets;
    fact->tier = f->tier > fact->tier ? f->tier : fact->tier;
    fact->is_sample |= f->is_sample;
    fact->names_confirmed +=
        f->name_evidence != NAME_NONE && f->name_evidence != NAME_MISMATCH;
    fact->names_mismatched += f->name_evidence == NAME_MISMATCH;
    fact->token_flows += memcmp(f->token, NO_TOKEN, sizeof(NO_TOKEN)) != 0;
}

static void take_pieces(struct day_work *w, const struct fact_flow *flows,
                        size_t count, struct day_fact *fact)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_observation(&flows[i])) {
            fact->one_way_flows++;
            continue;
        }
        count_flow(&flows[i], fact);
        w->pieces[w->count++] = (struct piece){
            .flow = &flows[i],
            .size_hash = hash_pair(flows[i].octets, flows[i].roctets),
            .bucket = size_bucket(flows[i].octets),
        };
    }
}

static void count_minutes(const struct day_work *w, struct day_fact *fact)
{
    bool touched[DAY_MINUTES] = {false};
    for (size_t i = 0; i < w->count; i++) {
        int64_t last = minute_of(w, w->pieces[i].flow->end_ms);
        for (int64_t m = minute_of(w, w->pieces[i].flow->start_ms); m <= last;
             m++)
            touched[m] = true;
    }
    for (int m = 0; m < DAY_MINUTES; m++)
        fact->active_minutes += touched[m];
}

static int compare_u64(const void *a, const void *b)
{
    return order_u64(*(const uint64_t *)a, *(const uint64_t *)b);
}

static void count_hosts(const struct day_work *w, struct day_fact *fact)
{
    for (size_t i = 0; i < w->count; i++)
        w->octets[i] = w->pieces[i].flow->host;
    qsort(w->octets, w->count, sizeof(w->octets[0]), compare_u64);
    for (size_t i = 0; i < w->count; i++) {
        if (i > 0 && w->octets[i] == w->octets[i - 1])
            continue;
        fact->host_count++;
        if (fact->hosts_kept < FACT_HOSTS_MAX)
            fact->hosts[fact->hosts_kept++] = w->octets[i];
    }
}

/* The most used ones; of equally used ones the smaller number. */
static void add_program(struct day_fact *fact, struct fact_program program)
{
    uint32_t place = fact->program_count;
    while (place > 0 && fact->programs[place - 1].flows < program.flows)
        place--;
    if (place == FACT_PROGRAMS_MAX)
        return;
    if (fact->program_count < FACT_PROGRAMS_MAX)
        fact->program_count++;
    for (uint32_t i = fact->program_count - 1; i > place; i--)
        fact->programs[i] = fact->programs[i - 1];
    fact->programs[place] = program;
}

static void count_programs(const struct day_work *w, struct day_fact *fact)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->pieces[i].flow->fingerprint != 0)
            w->octets[n++] = w->pieces[i].flow->fingerprint;
    }
    fact->program_flows = n;
    qsort(w->octets, n, sizeof(w->octets[0]), compare_u64);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && w->octets[end] == w->octets[i]; end++)
            ;
        add_program(fact, (struct fact_program){w->octets[i], end - i});
    }
}

static void measure_rtt(const struct day_work *w, struct day_fact *fact)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->pieces[i].flow->rtt_us != 0)
            w->spare[n++] = w->pieces[i].flow->rtt_us;
    }
    if (n > 0)
        fact->rtt_median_us = (uint32_t)beacon_median(w->spare, n);
}

static int compare_times(const struct piece *x, const struct piece *y)
{
    int order = order_i64(x->flow->start_ms, y->flow->start_ms);
    order = order ? order : order_u64(x->flow->octets, y->flow->octets);
    return order ? order : order_u64(x->flow->roctets, y->flow->roctets);
}

static int compare_groups(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    int order = order_u64(x->flow->host, y->flow->host);
    order = order ? order : order_u64(x->bucket, y->bucket);
    return order ? order : compare_times(x, y);
}

/* Automatic ones to the end, then by host and time. */
static int compare_hosts(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    int order = order_u64(x->is_automated, y->is_automated);
    order = order ? order : order_u64(x->flow->host, y->flow->host);
    return order ? order : compare_times(x, y);
}

static int compare_sizes(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    int order = order_u64(x->size_hash, y->size_hash);
    return order ? order : order_i64(x->flow->start_ms, y->flow->start_ms);
}

static void mark_group(struct day_work *w, size_t begin, size_t end,
                       struct day_fact *fact)
{
    const struct parameters *p = w->parameters;
    size_t n = end - begin;
    if (n < p->auto_group_min_flows)
        return;
    for (size_t i = 0; i < n; i++)
        w->starts[i] = w->pieces[begin + i].flow->start_ms;
    int32_t score = beacon_of_starts(w->starts, n, w->spare);
    if (score < (int32_t)p->auto_group_score_permille)
        return;
    for (size_t i = begin; i < end; i++)
        w->pieces[i].is_automated = true;
    fact->automated_groups++;
    fact->automated_flows += n;
}

static void decompose(struct day_work *w, struct day_fact *fact)
{
    size_t end;
    qsort(w->pieces, w->count, sizeof(w->pieces[0]), compare_groups);
    for (size_t begin = 0; begin < w->count; begin = end) {
        const struct piece *first = &w->pieces[begin];
        for (end = begin + 1; end < w->count; end++) {
            const struct piece *next = &w->pieces[end];
            if (next->flow->host != first->flow->host ||
                next->bucket != first->bucket)
                break;
        }
        mark_group(w, begin, end, fact);
    }
    fact->residual_flows = w->count - fact->automated_flows;
    qsort(w->pieces, w->count, sizeof(w->pieces[0]), compare_hosts);
}

/* Score of each host of the residual with enough connections; their median. */
static void measure_hosts(const struct day_work *w, struct day_fact *fact)
{
    size_t scores = 0, end;
    size_t count = (size_t)fact->residual_flows;
    fact->beacon_permille = BEACON_NONE;
    for (size_t begin = 0; begin < count; begin = end) {
        uint64_t host = w->pieces[begin].flow->host;
        for (end = begin; end < count && w->pieces[end].flow->host == host;
             end++) {
            w->starts[end - begin] = w->pieces[end].flow->start_ms;
            w->octets[end - begin] = w->pieces[end].flow->octets;
        }
        if (end - begin < w->parameters->auto_group_min_flows)
            continue;
        int32_t one = beacon_score(w->starts, w->octets, end - begin,
                                   w->start_ms, w->spare);
        if (one != BEACON_NONE)
            w->scores[scores++] = one;
    }
    if (scores > 0)
        fact->beacon_permille = (int32_t)beacon_median(w->scores, scores);
}

static void measure_bursts(const struct day_work *w, struct day_fact *fact)
{
    uint32_t bins[DAY_BINS] = {0};
    for (size_t i = 0; i < fact->residual_flows; i++)
        bins[minute_of(w, w->pieces[i].flow->start_ms) / 10]++;
    fact->fano_permille = beacon_fano(bins);
}

static uint64_t count_sizes(const struct piece *pieces, size_t count)
{
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += i == 0 || pieces[i].size_hash != pieces[i - 1].size_hash;
    return n;
}

/* Reorders the residual; nothing after this needs the order by host. */
static void measure_shape(struct day_work *w, struct day_fact *fact)
{
    size_t count = (size_t)fact->residual_flows;
    qsort(w->pieces, count, sizeof(w->pieces[0]), compare_sizes);
    fact->residual_sizes = count_sizes(w->pieces, count);
    for (size_t i = 0; i < count; i++) {
        const struct piece *p = &w->pieces[i];
        uint16_t minute = (uint16_t)minute_of(w, p->flow->start_ms);
        fact->shape_hash =
            hash_pair(fact->shape_hash, hash_pair(p->size_hash, minute));
        if (fact->shape_count < FACT_SHAPE_MAX)
            fact->shape[fact->shape_count++] = (struct fact_mark){
                .size_hash = (uint32_t)(p->size_hash >> 32), .minute = minute};
    }
    qsort(w->pieces, w->count, sizeof(w->pieces[0]), compare_sizes);
    fact->sizes = count_sizes(w->pieces, w->count);
}

static bool work_init(struct day_work *w, size_t count)
{
    size_t room = count + 1;
    w->pieces = calloc(room, sizeof(*w->pieces));
    w->starts = calloc(room, sizeof(*w->starts));
    w->spare = calloc(room, sizeof(*w->spare));
    w->scores = calloc(room, sizeof(*w->scores));
    w->octets = calloc(room, sizeof(*w->octets));
    return w->pieces != NULL && w->starts != NULL && w->spare != NULL &&
           w->scores != NULL && w->octets != NULL;
}

static void work_clear(struct day_work *w)
{
    free(w->pieces);
    free(w->starts);
    free(w->spare);
    free(w->scores);
    free(w->octets);
}

bool fact_compute(struct civil_day day, struct fact_flow *flows, size_t count,
                  const struct fact_coverage *coverage,
                  const struct parameters *parameters, struct day_fact *fact)
{
    struct day_work w = {
        .day = day,
        .start_ms = wall_to_ms(day_start(day)),
        .parameters = parameters,
    };
    *fact = (struct day_fact){
        .day = day, .coverage = *coverage, .is_sample = coverage->is_sample};
    count = merge_records(flows, count);
    bool good = work_init(&w, count);
    if (good) {
        take_pieces(&w, flows, count, fact);
        count_minutes(&w, fact);
        count_hosts(&w, fact);
        count_programs(&w, fact);
        measure_rtt(&w, fact);
        decompose(&w, fact);
        measure_hosts(&w, fact);
        measure_bursts(&w, fact);
        measure_shape(&w, fact);
    }
    work_clear(&w);
    return good;
}

/* --- canonical form --- */

static void encode_coverage(const struct fact_coverage *c, struct buffer *out)
{
    buffer_add_u32(out, c->minutes);
    buffer_add_u32(out, c->batches);
    buffer_add_u32(out, c->late_batches);
    buffer_add_u32(out, c->uncounted_batches);
    buffer_add_u32(out, c->unsynchronised_batches);
    buffer_add_u64(out, c->batches_lost);
    buffer_add_u64(out, c->packets_dropped);
    buffer_add_u64(out, c->flows_evicted);
    buffer_add_u8(out, c->tier);
    buffer_add_u8(out, c->is_sample);
}

static void encode_lists(const struct day_fact *f, struct buffer *out)
{
    buffer_add_u32(out, f->shape_count);
    for (uint32_t i = 0; i < f->shape_count; i++) {
        buffer_add_u32(out, f->shape[i].size_hash);
        buffer_add_u16(out, f->shape[i].minute);
    }
    buffer_add_u32(out, f->hosts_kept);
    for (uint32_t i = 0; i < f->hosts_kept; i++)
        buffer_add_u64(out, f->hosts[i]);
    buffer_add_u32(out, f->program_count);
    for (uint32_t i = 0; i < f->program_count; i++) {
        buffer_add_u64(out, f->programs[i].fingerprint);
        buffer_add_u64(out, f->programs[i].flows);
    }
}

/* The 64-bit members, in the order of the form. */
/* clang-format off */
#define WIDE_MEMBERS(X)                                                        \
    X(flows) X(octets) X(roctets) X(one_way_flows)                             \
    X(names_confirmed) X(names_mismatched) X(automated_flows) X(automated_groups)\
    X(residual_flows) X(sizes) X(residual_sizes) X(shape_hash)                 \
    X(host_count) X(program_flows) X(token_flows) X(tokens_repeated)           \
    X(tokens_elsewhere)
/* clang-format on */

void fact_encode(const struct day_fact *f, struct buffer *out)
{
    buffer_add_u8(out, FACT_VERSION);
    buffer_add_u32(out, (uint32_t)f->day.number);
    encode_coverage(&f->coverage, out);
#define ADD(member) buffer_add_u64(out, f->member);
    WIDE_MEMBERS(ADD)
#undef ADD
    buffer_add_u32(out, f->active_minutes);
    buffer_add_u32(out, f->rtt_median_us);
    buffer_add_u8(out, f->tier);
    buffer_add_u8(out, f->is_sample);
    buffer_add_u32(out, (uint32_t)f->beacon_permille);
    buffer_add_u32(out, (uint32_t)f->fano_permille);
    encode_lists(f, out);
}

static void decode_coverage(struct cursor *in, struct fact_coverage *c)
{
    c->minutes = cursor_u32(in);
    c->batches = cursor_u32(in);
    c->late_batches = cursor_u32(in);
    c->uncounted_batches = cursor_u32(in);
    c->unsynchronised_batches = cursor_u32(in);
    c->batches_lost = cursor_u64(in);
    c->packets_dropped = cursor_u64(in);
    c->flows_evicted = cursor_u64(in);
    c->tier = cursor_u8(in);
    c->is_sample = cursor_u8(in) == 1;
}

static uint32_t decode_count(struct cursor *in, uint32_t max)
{
    uint32_t count = cursor_u32(in);
    if (count > max)
        in->failed = true;
    return in->failed ? 0 : count;
}

static void decode_lists(struct cursor *in, struct day_fact *f)
{
    f->shape_count = decode_count(in, FACT_SHAPE_MAX);
    for (uint32_t i = 0; i < f->shape_count; i++) {
        f->shape[i].size_hash = cursor_u32(in);
        f->shape[i].minute = cursor_u16(in);
    }
    f->hosts_kept = decode_count(in, FACT_HOSTS_MAX);
    for (uint32_t i = 0; i < f->hosts_kept; i++)
        f->hosts[i] = cursor_u64(in);
    f->program_count = decode_count(in, FACT_PROGRAMS_MAX);
    for (uint32_t i = 0; i < f->program_count; i++) {
        f->programs[i].fingerprint = cursor_u64(in);
        f->programs[i].flows = cursor_u64(in);
    }
}

/* The other way to say a fact is refused: what is decoded must encode to the
 * same bytes. */
static bool is_canonical(const struct day_fact *fact, struct slice data)
{
    struct buffer again;
    buffer_init(&again, data.length);
    fact_encode(fact, &again);
    bool same = !again.failed && slice_equal(buffer_slice(&again), data);
    buffer_clear(&again);
    return same;
}

bool fact_decode(struct slice data, struct day_fact *f)
{
    struct cursor in = cursor_of(data.data, data.length);
    *f = (struct day_fact){0};
    if (cursor_u8(&in) != FACT_VERSION)
        return false;
    f->day.number = (int32_t)cursor_u32(&in);
    decode_coverage(&in, &f->coverage);
#define TAKE(member) f->member = cursor_u64(&in);
    WIDE_MEMBERS(TAKE)
#undef TAKE
    f->active_minutes = cursor_u32(&in);
    f->rtt_median_us = cursor_u32(&in);
    f->tier = cursor_u8(&in);
    f->is_sample = cursor_u8(&in) == 1;
    f->beacon_permille = (int32_t)cursor_u32(&in);
    f->fano_permille = (int32_t)cursor_u32(&in);
    decode_lists(&in, f);
    return !in.failed && is_canonical(f, data);
}

/* --- likeness of two days --- */

/* Marks that a day holds completely: below the last hash when it is full. */
static uint32_t marks_below(const struct day_fact *f, uint32_t limit)
{
    uint32_t n = 0;
    while (n < f->shape_count && f->shape[n].size_hash < limit)
        n++;
    return n;
}

static uint32_t shape_limit(const struct day_fact *f)
{
    return f->shape_count < FACT_SHAPE_MAX
               ? UINT32_MAX
               : f->shape[f->shape_count - 1].size_hash;
}

static int compare_marks(const struct fact_mark *x, const struct fact_mark *y)
{
    int order = order_u64(x->size_hash, y->size_hash);
    if (order != 0)
        return order;
    return y->minute > x->minute + 1 ? -1 : x->minute > y->minute + 1;
}

uint32_t fact_shape_likeness(const struct day_fact *a, const struct day_fact *b)
{
    uint32_t limit = shape_limit(a), same = 0, i = 0, j = 0;
    limit = shape_limit(b) < limit ? shape_limit(b) : limit;
    uint32_t in_a = marks_below(a, limit), in_b = marks_below(b, limit);
    uint32_t fewer = in_a < in_b ? in_a : in_b;
    if (fewer < SHAPE_MIN_MARKS)
        return 0;
    while (i < in_a && j < in_b) {
        int order = compare_marks(&a->shape[i], &b->shape[j]);
        same += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return same * 1000 / fewer;
}
