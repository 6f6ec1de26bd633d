/*
 * Both passes make pairs with a distance and hand them to one assignment, which
 * goes from the nearest to the farthest. Pairs of the same distance are looked
 * at together: a flow that is in two of them fits two equally well, and is
 * taken out with all that it fits.
 */
#include "collector/report/match.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_PLACES = 64, /* supplier's flows with one token, told apart */
    PERMILLE_MS = 100, /* so far off as a thousandth of the octets is */
};

struct pair {
    uint64_t distance;
    uint32_t one, other; /* places in the two sides */
};

struct pairs {
    struct pair *list;
    size_t count, capacity;
};

/* How far the supplier's probe's clock is ahead of the enterprise's. */
struct clock_gap {
    uint32_t one, other; /* probes */
    int64_t ms;
};

struct matching {
    struct match_flow *one, *other; /* enterprise's, supplier's side */
    size_t one_count, other_count;
    struct pairs pairs;
    uint8_t *one_times, *other_times; /* in pairs of one distance */
    struct clock_gap *gaps; /* of tokens; then one for each two probes */
    size_t gap_count;
    int64_t gap_min, gap_max;
};

static bool has_token(const struct match_flow *f)
{
    static const uint8_t NONE[FLOW_TOKEN_LEN];
    return memcmp(f->token, NONE, FLOW_TOKEN_LEN) != 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t difference(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* --- order --- */

static int compare_rest(const struct match_flow *a, const struct match_flow *b)
{
    int order = compare_u64(a->probe, b->probe);
    if (order == 0)
        order = compare_i64(a->start_ms, b->start_ms);
    if (order == 0)
        order = compare_i64(a->end_ms, b->end_ms);
    if (order == 0)
        order = compare_u64(a->octets, b->octets);
    return order != 0 ? order : compare_u64(a->roctets, b->roctets);
}

static int compare_token(const struct match_flow *a, const struct match_flow *b)
{
    int order = compare_u64(a->group, b->group);
    return order != 0 ? order : memcmp(a->token, b->token, FLOW_TOKEN_LEN);
}

static int by_token(const void *one, const void *other)
{
    const struct match_flow *a = one, *b = other;
    int order = compare_token(a, b);
    if (order == 0)
        order = compare_u64(a->probe, b->probe);
    if (order == 0)
        order = (int)a->is_context - (int)b->is_context;
    return order != 0 ? order : compare_rest(a, b);
}

static int compare_place(const struct match_flow *a, const struct match_flow *b)
{
    int order = compare_u64(a->group, b->group);
    if (order == 0)
        order = (int)a->protocol - (int)b->protocol;
    return order != 0 ? order : (int)a->port - (int)b->port;
}

static int by_time(const void *one, const void *other)
{
    const struct match_flow *a = one, *b = other;
    int order = compare_place(a, b);
    if (order == 0)
        order = compare_i64(a->start_ms, b->start_ms);
    if (order == 0)
        order = compare_rest(a, b);
    return order != 0 ? order : memcmp(a->token, b->token, FLOW_TOKEN_LEN);
}

static void sort(struct match_flow *flows, size_t count,
                 int (*order)(const void *, const void *))
{
    if (count > 0)
        qsort(flows, count, sizeof(*flows), order);
}

size_t match_join(struct match_flow *flows, size_t count)
{
    size_t kept = 0;
    sort(flows, count, by_token);
    for (size_t i = 0; i < count; i++) {
        struct match_flow *last = kept > 0 ? &flows[kept - 1] : NULL;
        const struct match_flow *f = &flows[i];
        if (last == NULL || !has_token(f) || last->probe != f->probe ||
            last->owner != f->owner || last->is_context != f->is_context ||
            compare_token(last, f) != 0) {
            flows[kept++] = *f;
            continue;
        }
        if (f->end_ms > last->end_ms)
            last->end_ms = f->end_ms;
        last->octets += f->octets;
        last->roctets += f->roctets;
    }
    return kept;
}

/* --- pairs --- */

static bool add_pair(struct pairs *p, uint64_t distance, size_t one,
                     size_t other)
{
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 1024;
        struct pair *more = realloc(p->list, capacity * sizeof(*more));
        if (more == NULL)
            return false;
        p->list = more;
        p->capacity = capacity;
    }
    p->list[p->count++] =
        (struct pair){distance, (uint32_t)one, (uint32_t)other};
    return true;
}

static int by_distance(const void *one, const void *other)
{
    const struct pair *a = one, *b = other;
    int order = compare_u64(a->distance, b->distance);
    if (order == 0)
        order = compare_u64(a->one, b->one);
    return order != 0 ? order : compare_u64(a->other, b->other);
}

static bool is_free(const struct matching *m, const struct pair *p)
{
    return m->one[p->one].outcome == MATCH_NONE &&
           m->other[p->other].outcome == MATCH_NONE;
}

static void take(struct match_flow *a, struct match_flow *b,
                 enum match_outcome outcome)
{
    uint64_t octets = smaller(a->octets + a->roctets, b->octets + b->roctets);
    a->outcome = b->outcome = (uint8_t)outcome;
    a->matched_octets = b->matched_octets = octets;
}

/* Pairs of one distance; those taken earlier are not free any more. */
static void assign_equal(struct matching *m, const struct pair *pairs,
                         size_t count, enum match_outcome outcome)
{
    for (size_t i = 0; i < count; i++)
        if (is_free(m, &pairs[i])) {
            uint8_t *one = &m->one_times[pairs[i].one];
            uint8_t *other = &m->other_times[pairs[i].other];
            *one = *one < 2 ? *one + 1 : 2;
            *other = *other < 2 ? *other + 1 : 2;
        }
    for (size_t i = 0; i < count; i++) {
        struct match_flow *a = &m->one[pairs[i].one];
        struct match_flow *b = &m->other[pairs[i].other];
        uint8_t one = m->one_times[pairs[i].one];
        uint8_t other = m->other_times[pairs[i].other];
        if (one == 1 && other == 1)
            take(a, b, outcome);
        else if (one > 0 && other > 0)
            a->outcome = b->outcome = MATCH_AMBIGUOUS;
    }
    for (size_t i = 0; i < count; i++)
        m->one_times[pairs[i].one] = m->other_times[pairs[i].other] = 0;
}

static void assign(struct matching *m, enum match_outcome outcome)
{
    struct pairs *p = &m->pairs;
    if (p->count > 0)
        qsort(p->list, p->count, sizeof(*p->list), by_distance);
    for (size_t i = 0, end; i < p->count; i = end) {
        for (end = i + 1;
             end < p->count && p->list[end].distance == p->list[i].distance;)
            end++;
        assign_equal(m, &p->list[i], end - i, outcome);
    }
    p->count = 0;
}

/* --- by token --- */

static size_t run_of(const struct match_flow *flows, size_t count, size_t from)
{
    size_t end = from + 1;
    while (end < count && compare_token(&flows[from], &flows[end]) == 0)
        end++;
    return end;
}

/* The part of a connection that is not of this day, of which the other part is
 * (it stands before it): the two are one. */
static bool is_same_as_before(const struct match_flow *flows, size_t first,
                              size_t i)
{
    return i > first && flows[i].is_context && !flows[i - 1].is_context &&
           flows[i].probe == flows[i - 1].probe &&
           flows[i].owner == flows[i - 1].owner;
}

/* Two probes of a supplier may see one connection: the first of equals is as
 * good as any. Two enterprises' that are as near are not. */
static bool pair_run(struct matching *m, size_t one, size_t one_end,
                     size_t other, size_t other_end)
{
    for (size_t a = one; a < one_end; a++)
        for (size_t b = other; b < other_end; b++) {
            uint64_t apart =
                difference(m->one[a].start_ms, m->other[b].start_ms);
            uint64_t place = smaller(b - other, TOKEN_PLACES - 1);
            if (!is_same_as_before(m->one, one, a) &&
                !add_pair(&m->pairs, apart * TOKEN_PLACES + place, a, b))
                return false;
        }
    return true;
}

static bool pair_tokens(struct matching *m)
{
    size_t i = 0, k = 0;
    while (i < m->one_count && k < m->other_count) {
        int order = compare_token(&m->one[i], &m->other[k]);
        size_t one_end = run_of(m->one, m->one_count, i);
        size_t other_end = run_of(m->other, m->other_count, k);
        if (order == 0 && has_token(&m->one[i]) &&
            !pair_run(m, i, one_end, k, other_end))
            return false;
        i = order <= 0 ? one_end : i;
        k = order >= 0 ? other_end : k;
    }
    return true;
}

/* --- clocks --- */

static int by_gap(const void *one, const void *other)
{
    const struct clock_gap *a = one, *b = other;
    int order = compare_u64(a->one, b->one);
    if (order == 0)
        order = compare_u64(a->other, b->other);
    return order != 0 ? order : compare_i64(a->ms, b->ms);
}

/* One gap for every match by token, in the order of their pairs. */
static void note_gaps(struct matching *m)
{
    for (size_t i = 0, k = 0; i < m->one_count; i++) {
        const struct match_flow *a = &m->one[i];
        if (a->outcome != MATCH_TOKEN)
            continue;
        while (k < m->other_count && (compare_token(&m->other[k], a) < 0 ||
                                      (compare_token(&m->other[k], a) == 0 &&
                                       m->other[k].outcome != MATCH_TOKEN)))
            k++;
        if (k < m->other_count && compare_token(&m->other[k], a) == 0)
            m->gaps[m->gap_count++] =
                (struct clock_gap){a->probe, m->other[k].probe,
                                   m->other[k].start_ms - a->start_ms};
    }
}

/* The gaps of each two probes become their median. */
static void join_gaps(struct matching *m)
{
    size_t kept = 0, end;
    if (m->gap_count > 0)
        qsort(m->gaps, m->gap_count, sizeof(*m->gaps), by_gap);
    for (size_t i = 0; i < m->gap_count; i = end) {
        for (end = i + 1; end < m->gap_count &&
                          m->gaps[end].one == m->gaps[i].one &&
                          m->gaps[end].other == m->gaps[i].other;)
            end++;
        if (end - i < MATCH_CLOCKS_MIN)
            continue;
        struct clock_gap gap = m->gaps[i + (end - i) / 2];
        m->gaps[kept++] = gap;
        if (gap.ms < m->gap_min)
            m->gap_min = gap.ms;
        if (gap.ms > m->gap_max)
            m->gap_max = gap.ms;
    }
    m->gap_count = kept;
}

static int64_t gap_between(const struct matching *m, uint32_t one,
                           uint32_t other)
{
    size_t low = 0, high = m->gap_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct clock_gap *g = &m->gaps[middle];
        if (g->one < one || (g->one == one && g->other < other))
            low = middle + 1;
        else
            high = middle;
    }
    bool is_known = low < m->gap_count && m->gaps[low].one == one &&
                    m->gaps[low].other == other;
    return is_known ? m->gaps[low].ms : 0;
}

/* --- by shape --- */

/* In thousandths, rounded up. */
static uint64_t count_difference(uint64_t a, uint64_t b)
{
    uint64_t more = a > b ? a : b;
    return more > 0 ? ((more - smaller(a, b)) * 1000 + more - 1) / more : 0;
}

/* Whether b can be what a is, and how far off. */
static bool fits(const struct matching *m, const struct match_flow *a,
                 const struct match_flow *b, uint64_t *distance)
{
    int64_t gap = gap_between(m, a->probe, b->probe);
    uint64_t start = difference(a->start_ms + gap, b->start_ms);
    uint64_t length =
        difference(a->end_ms - a->start_ms, b->end_ms - b->start_ms);
    uint64_t octets = count_difference(a->octets, b->octets);
    uint64_t roctets = count_difference(a->roctets, b->roctets);
    *distance = start + length + (octets + roctets) * PERMILLE_MS;
    return b->outcome == MATCH_NONE && !(has_token(a) && has_token(b)) &&
           start <= MATCH_TIME_MS && length <= MATCH_TIME_MS &&
           octets <= 10 * MATCH_PERCENT && roctets <= 10 * MATCH_PERCENT;
}

/* The first of the other side at a's place that is not too early. */
static size_t first_near(const struct matching *m, const struct match_flow *a)
{
    int64_t earliest = a->start_ms + m->gap_min - MATCH_TIME_MS;
    size_t low = 0, high = m->other_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct match_flow *b = &m->other[middle];
        int order = compare_place(b, a);
        if (order < 0 || (order == 0 && b->start_ms < earliest))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool pair_shapes_of(struct matching *m, size_t one)
{
    struct match_flow *a = &m->one[one];
    int64_t latest = a->start_ms + m->gap_max + MATCH_TIME_MS;
    size_t before = m->pairs.count;
    for (size_t i = first_near(m, a);
         i < m->other_count && compare_place(&m->other[i], a) == 0 &&
         m->other[i].start_ms <= latest;
         i++) {
        uint64_t distance;
        if (!fits(m, a, &m->other[i], &distance))
            continue;
        if (m->pairs.count - before == MATCH_FITTING_MAX) {
            m->pairs.count = before;
            a->outcome = MATCH_AMBIGUOUS;
            return true;
        }
        if (!add_pair(&m->pairs, distance, one, i))
            return false;
    }
    return true;
}

static bool pair_shapes(struct matching *m)
{
    for (size_t i = 0; i < m->one_count; i++)
        if (m->one[i].outcome == MATCH_NONE && !pair_shapes_of(m, i))
            return false;
    return true;
}

/* --- both --- */

static void forget(struct match_flow *flows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        flows[i].outcome = MATCH_NONE;
        flows[i].matched_octets = 0;
    }
}

static bool match(struct matching *m)
{
    sort(m->one, m->one_count, by_token);
    sort(m->other, m->other_count, by_token);
    if (!pair_tokens(m))
        return false;
    assign(m, MATCH_TOKEN);
    note_gaps(m);
    join_gaps(m);
    sort(m->one, m->one_count, by_time);
    sort(m->other, m->other_count, by_time);
    if (!pair_shapes(m))
        return false;
    assign(m, MATCH_SHAPE);
    return true;
}

bool match_flows(struct match_flow *enterprise, size_t enterprise_count,
                 struct match_flow *supplier, size_t supplier_count)
{
    struct matching m = {
        .one = enterprise,
        .other = supplier,
        .one_count = enterprise_count,
        .other_count = supplier_count,
        .one_times = calloc(enterprise_count + 1, 1),
        .other_times = calloc(supplier_count + 1, 1),
        .gaps = calloc(enterprise_count + 1, sizeof(struct clock_gap)),
    };
    forget(enterprise, enterprise_count);
    forget(supplier, supplier_count);
    bool good = m.one_times != NULL && m.other_times != NULL &&
                m.gaps != NULL && match(&m);
    free(m.one_times);
    free(m.other_times);
    free(m.gaps);
    free(m.pairs.list);
    return good;
}
