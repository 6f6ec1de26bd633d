/*
 * Those that wait stand in a ring, in the order in which they came, and in
 * chains by a hash of their key and way. The hash is keyed by random bytes of
 * the process: whoever wrote the file makes chains long by equal keys only, and
 * of those a search looks at so many and no more.
 */
#include "collector/carrier/carrier_pair.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"

enum { ROOM_MIN = 64, NOBODY = 0 }; /* links are places + 1 */

struct waiting {
    struct carrier_record record;
    uint32_t chain, next, previous;
    bool is_used;
};

struct carrier_pairs {
    carrier_pair_fn *fn;
    void *context;
    uint64_t seed, order;
    struct waiting *ring;
    size_t room; /* of it: grows until CARRIER_PAIRS_MAX */
    uint32_t *chains;
};

struct carrier_pairs *carrier_pairs_new(carrier_pair_fn *fn, void *context)
{
    struct carrier_pairs *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->fn = fn;
    p->context = context;
    random_bytes(&p->seed, sizeof(p->seed));
    p->chains = calloc(CARRIER_PAIRS_MAX, sizeof(*p->chains));
    if (p->chains != NULL)
        return p;
    carrier_pairs_free(p);
    return NULL;
}

void carrier_pairs_free(struct carrier_pairs *pairs)
{
    if (pairs == NULL)
        return;
    free(pairs->ring);
    free(pairs->chains);
    free(pairs);
}

/* --- what belongs together --- */

/* Before a translator, where both ways have the same address. */
static const struct carrier_user *inside(const struct carrier_record *r)
{
    return &r->users[r->user_count - 1];
}

static bool is_up(const struct carrier_record *r)
{
    return r->octets_up > 0 || r->packets_up > 0;
}

static bool is_down(const struct carrier_record *r)
{
    return r->octets_down > 0 || r->packets_down > 0;
}

/* Of those of one way. */
static uint32_t chain_of(const struct carrier_pairs *p,
                         const struct carrier_record *r, bool up)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t words[5] = {0}, hash = p->seed + up;
    memcpy(words, inside(r)->address.bytes, 16);
    memcpy(words + 2, r->cloud_address.bytes, 16);
    words[4] = (uint64_t)(uint32_t)inside(r)->port << 32 |
               (uint64_t)r->cloud_port << 8 | r->protocol;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        hash = (hash ^ words[i]) * factor;
        hash ^= hash >> 32;
    }
    return (uint32_t)(hash & (CARRIER_PAIRS_MAX - 1));
}

/* Both ways of one 5-tuple. */
static bool has_same_key(const struct carrier_record *a,
                         const struct carrier_record *b)
{
    return is_up(a) != is_up(b) && a->cloud_port == b->cloud_port &&
           a->protocol == b->protocol && inside(a)->port == inside(b)->port &&
           address_equal(&a->cloud_address, &b->cloud_address) &&
           address_equal(&inside(a)->address, &inside(b)->address);
}

static bool is_same_time(const struct carrier_record *a,
                         const struct carrier_record *b)
{
    return a->start_ms <= b->end_ms + CARRIER_PAIR_SLACK_MS &&
           b->start_ms <= a->end_ms + CARRIER_PAIR_SLACK_MS;
}

/* --- the ring --- */

static void unlink_waiting(struct carrier_pairs *p, struct waiting *w)
{
    if (w->previous != NOBODY)
        p->ring[w->previous - 1].next = w->next;
    else
        p->chains[w->chain] = w->next;
    if (w->next != NOBODY)
        p->ring[w->next - 1].previous = w->previous;
    w->is_used = false;
}

/* A chain begins with the youngest. */
static struct waiting *find(struct carrier_pairs *p,
                            const struct carrier_record *r)
{
    struct waiting *oldest = NULL;
    int tries = 0;
    uint32_t i = p->chains[chain_of(p, r, !is_up(r))];
    for (; i != NOBODY && tries < CARRIER_PAIR_TRIES; i = p->ring[i - 1].next) {
        struct waiting *w = &p->ring[i - 1];
        if (!has_same_key(&w->record, r))
            continue;
        tries++;
        if (is_same_time(&w->record, r))
            oldest = w;
    }
    return oldest;
}

/* Before it first comes round, so everybody keeps the place. */
static bool grow(struct carrier_pairs *p)
{
    size_t room = p->room > 0 ? 2 * p->room : ROOM_MIN;
    struct waiting *more = realloc(p->ring, room * sizeof(*more));
    if (more == NULL)
        return false;
    memset(more + p->room, 0, (room - p->room) * sizeof(*more));
    p->ring = more;
    p->room = room;
    return true;
}

/* Whoever stands in the place goes on alone. */
static bool wait(struct carrier_pairs *p, const struct carrier_record *r)
{
    if (p->order == p->room && p->room < CARRIER_PAIRS_MAX && !grow(p))
        return false;
    struct waiting *w = &p->ring[p->order % p->room];
    bool good = true;
    if (w->is_used) {
        unlink_waiting(p, w);
        good = p->fn(p->context, &w->record);
    }
    uint32_t place = (uint32_t)(w - p->ring) + 1;
    uint32_t chain = chain_of(p, r, is_up(r)), next = p->chains[chain];
    p->order++;
    *w = (struct waiting){
        .record = *r, .chain = chain, .next = next, .is_used = true};
    if (next != NOBODY)
        p->ring[next - 1].previous = place;
    p->chains[chain] = place;
    return good;
}

static bool join(struct carrier_pairs *p, struct waiting *w,
                 const struct carrier_record *r)
{
    struct carrier_record both = w->record;
    both.octets_up += r->octets_up;
    both.octets_down += r->octets_down;
    both.packets_up += r->packets_up;
    both.packets_down += r->packets_down;
    if (r->start_ms < both.start_ms)
        both.start_ms = r->start_ms;
    if (r->end_ms > both.end_ms)
        both.end_ms = r->end_ms;
    if (!both.has_number && r->has_number) {
        both.has_number = true;
        both.number_count = r->number_count;
        memcpy(both.number_text, r->number_text, sizeof(both.number_text));
        memcpy(both.numbers, r->numbers, sizeof(both.numbers));
    }
    if (r->user_count > both.user_count) {
        both.user_count = r->user_count;
        memcpy(both.users, r->users, sizeof(both.users));
    }
    unlink_waiting(p, w);
    return p->fn(p->context, &both);
}

bool carrier_pairs_add(struct carrier_pairs *pairs,
                       const struct carrier_record *record)
{
    if (is_up(record) == is_down(record))
        return pairs->fn(pairs->context, record);
    struct waiting *w = find(pairs, record);
    return w != NULL ? join(pairs, w, record) : wait(pairs, record);
}

bool carrier_pairs_end(struct carrier_pairs *pairs)
{
    uint64_t end = pairs->order;
    uint64_t i = end > pairs->room ? end - pairs->room : 0;
    for (; i < end; i++) {
        struct waiting *w = &pairs->ring[i % pairs->room];
        if (!w->is_used)
            continue;
        unlink_waiting(pairs, w);
        if (!pairs->fn(pairs->context, &w->record))
            return false;
    }
    return true;
}
