/*
 * Flows stand in an array in the order in which they came, and an index of
 * open addressing finds them; nothing is taken out singly, so the index needs
 * no deletion: draining makes it anew. The hash is keyed by random bytes of the
 * process, since exporters' keys are not ours to choose.
 *
 * Most records are of other traffic, so the first thing done with one is the
 * cheap look whether anything is registered near its addresses.
 */
#include "collector/netflow/aggregate.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"

enum {
    FORWARD = 0,
    REVERSE = 1,
    TCP = 6,
    UDP = 17,
    TCP_FIN = 1,
    TCP_RST = 4,
    TOTAL_FORGET_S = 3600,
    COUNTS = 4, /* octets, packets, roctets, rpackets */
};

struct key {
    uint8_t inside[16], endpoint[16];
    uint32_t exporter;
    int32_t endpoint_index;
    uint16_t inside_port, endpoint_port;
    uint8_t protocol, version, is_scaled, mark;
};

struct counts {
    uint64_t octets, packets;
};

struct flow {
    struct key key;
    struct counts counts[2][2]; /* direction; ingress and egress */
    int64_t start_ms[2], end_ms[2];
    int64_t arrived_ms;
    uint16_t flags[2];
    uint8_t end_reason;
};

/* The last total counts of a flow. */
struct total {
    struct key key;
    int64_t start_ms, used_ms;
    uint64_t values[COUNTS];
    uint64_t flow_id;
    uint32_t domain;
    bool is_used;
};

struct netflow_aggregate {
    const struct endpoint_list *endpoints;
    const uint8_t *near; /* NULL: every address is to be looked up */
    struct secret key;
    netflow_flow_fn *fn;
    void *context;
    uint64_t seed;
    struct flow *flows;
    size_t count, room;
    uint32_t *slots; /* 1 + place in flows; 0: free */
    size_t mask;
    struct total *totals; /* made when the first one comes */
};

struct netflow_aggregate *netflow_aggregate_new(size_t flows,
                                                const struct secret *key,
                                                netflow_flow_fn *fn,
                                                void *context)
{
    struct netflow_aggregate *a = calloc(1, sizeof(*a));
    size_t slots = 16;
    while (slots < 2 * flows)
        slots *= 2;
    if (a == NULL)
        return NULL;
    *a = (struct netflow_aggregate){.key = *key,
                                    .fn = fn,
                                    .context = context,
                                    .room = flows,
                                    .mask = slots - 1};
    random_bytes(&a->seed, sizeof(a->seed));
    a->flows = calloc(flows, sizeof(*a->flows));
    a->slots = calloc(slots, sizeof(*a->slots));
    if (a->flows == NULL || a->slots == NULL) {
        netflow_aggregate_free(a);
        return NULL;
    }
    return a;
}

void netflow_aggregate_free(struct netflow_aggregate *aggregate)
{
    if (aggregate == NULL)
        return;
    free(aggregate->flows);
    free(aggregate->slots);
    free(aggregate->totals);
    free(aggregate);
}

/* --- which endpoint, which side --- */

static struct address address_of(const uint8_t *bytes, uint8_t version)
{
    struct address a = {.version = version};
    memcpy(a.bytes, bytes, version == 4 ? 4 : 16);
    return a;
}

static int find_endpoint(const struct netflow_aggregate *a,
                         const struct netflow_record *r, const uint8_t *bytes,
                         uint16_t port)
{
    if (r->version == 4 && a->near != NULL && !endpoint_is_near(a->near, bytes))
        return ENDPOINT_NONE;
    struct address address = address_of(bytes, r->version);
    return endpoint_find(a->endpoints, &address, r->protocol, port,
                         wall_from_ms(r->start_ms));
}

/* Fills the key; false when neither side is registered. */
static bool orient(const struct netflow_aggregate *a,
                   const struct netflow_record *r, struct key *key,
                   int *direction)
{
    int index = find_endpoint(a, r, r->destination, r->destination_port);
    bool is_forward = index >= 0;
    if (!is_forward)
        index = find_endpoint(a, r, r->source, r->source_port);
    if (index < 0)
        return false;
    const uint8_t *inside = r->source;
    uint16_t inside_port = r->source_port;
    if (!is_forward) {
        inside = r->has_post_destination ? r->post_destination : r->destination;
        inside_port = r->post_destination_port != 0 ? r->post_destination_port
                                                    : r->destination_port;
    }
    memset(key, 0, sizeof(*key));
    memcpy(key->inside, inside, sizeof(key->inside));
    memcpy(key->endpoint, is_forward ? r->destination : r->source,
           sizeof(key->endpoint));
    key->endpoint_index = index;
    key->inside_port = inside_port;
    key->endpoint_port = is_forward ? r->destination_port : r->source_port;
    key->protocol = r->protocol;
    key->version = r->version;
    *direction = is_forward ? FORWARD : REVERSE;
    return true;
}

/* --- the table --- */

static uint64_t hash_key(uint64_t seed, const struct key *key)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t words[sizeof(*key) / sizeof(uint64_t)], hash = seed;
    memcpy(words, key, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        hash = (hash ^ words[i]) * factor;
        hash ^= hash >> 32;
    }
    return hash;
}

static uint32_t *find_slot(const struct netflow_aggregate *a,
                           const struct key *key)
{
    size_t i = hash_key(a->seed, key) & a->mask;
    while (a->slots[i] != 0 &&
           memcmp(&a->flows[a->slots[i] - 1].key, key, sizeof(*key)) != 0)
        i = (i + 1) & a->mask;
    return &a->slots[i];
}

static struct flow *find_flow(struct netflow_aggregate *a,
                              const struct netflow_origin *origin,
                              const struct key *key, int64_t now_ms)
{
    uint32_t *slot = find_slot(a, key);
    if (*slot != 0)
        return &a->flows[*slot - 1];
    if (a->count == a->room) {
        origin->tally->early += a->count;
        netflow_aggregate_drain(a, now_ms, true);
        slot = find_slot(a, key);
    }
    struct flow *f = &a->flows[a->count++];
    *slot = (uint32_t)a->count;
    *f = (struct flow){.key = *key,
                       .start_ms = {INT64_MAX, INT64_MAX},
                       .end_ms = {INT64_MIN, INT64_MIN}};
    return f;
}

/* --- counts --- */

/* False: a count that no flow has. */
static bool scale(uint64_t *value, struct netflow_rate rate)
{
    if (*value > NETFLOW_COUNT_MAX)
        return false;
    if (rate.chosen > 0) {
        uint64_t times = rate.population / rate.chosen;
        uint64_t rest = rate.population % rate.chosen;
        /* value < 2^41, a rate has 32 bits: by parts nothing overflows. */
        if (times != 0 && *value > NETFLOW_COUNT_MAX / times)
            return false;
        *value = *value * times + (*value / rate.chosen * rest +
                                   *value % rate.chosen * rest / rate.chosen);
    }
    return *value <= NETFLOW_COUNT_MAX;
}

static bool scale_all(struct netflow_record *r, struct netflow_rate rate)
{
    return scale(&r->octets, rate) && scale(&r->packets, rate) &&
           scale(&r->roctets, rate) && scale(&r->rpackets, rate);
}

/* NULL when there is no room. One that is not used for so long may go: should
 * its flow be heard of again, it began too long ago to be counted whole. */
static struct total *find_total(struct netflow_aggregate *a,
                                const struct netflow_record *r,
                                const struct key *key, int64_t now_ms)
{
    enum { TRIES = 32 };
    struct total *room = NULL;
    if (a->totals == NULL)
        a->totals = calloc(NETFLOW_TOTALS_MAX, sizeof(*a->totals));
    size_t start = hash_key(a->seed, key) & (NETFLOW_TOTALS_MAX - 1);
    for (size_t i = 0; a->totals != NULL && i < TRIES; i++) {
        struct total *t = &a->totals[(start + i) & (NETFLOW_TOTALS_MAX - 1)];
        if (t->is_used && t->domain == r->domain && t->flow_id == r->flow_id &&
            t->start_ms == r->start_ms &&
            memcmp(&t->key, key, sizeof(t->key)) == 0)
            return t;
        bool is_free =
            !t->is_used || now_ms - t->used_ms > TOTAL_FORGET_S * INT64_C(1000);
        if (room == NULL && is_free)
            room = t;
    }
    if (room != NULL)
        *room = (struct total){.key = *key,
                               .start_ms = r->start_ms,
                               .flow_id = r->flow_id,
                               .domain = r->domain};
    return room;
}

/* The key of a total: of one direction and sense, and of no endpoint list. */
static struct key total_key(const struct netflow_origin *origin,
                            const struct netflow_record *r,
                            const struct key *key, int direction)
{
    struct key k = *key;
    k.exporter = origin->number;
    k.endpoint_index = 0;
    k.mark = (uint8_t)(direction * 2 + (r->direction == NETFLOW_EGRESS));
    return k;
}

/* Total counts to what is new in them. A flow that began before the collector,
 * or long before it is first heard of here, was perhaps counted before and
 * forgotten: only its growth from now on counts, never the same octets twice. */
static bool settle_totals(struct netflow_aggregate *a,
                          const struct netflow_origin *origin,
                          struct netflow_record *r, const struct key *key,
                          int direction, int64_t now_ms)
{
    uint64_t *const values[COUNTS] = {&r->octets, &r->packets, &r->roctets,
                                      &r->rpackets};
    const struct key k = total_key(origin, r, key, direction);
    struct total *t = find_total(a, r, &k, now_ms);
    if (t == NULL) {
        origin->tally->unsettled++;
        return false;
    }
    bool is_old = !t->is_used && !origin->is_any_time &&
                  (r->start_ms < origin->since_ms ||
                   now_ms - r->start_ms > TOTAL_FORGET_S * INT64_C(1000));
    for (int i = 0; i < COUNTS; i++) {
        if ((r->totals & 1 << i) == 0)
            continue;
        uint64_t total = *values[i];
        *values[i] = total >= t->values[i] ? total - t->values[i] : 0;
        if (total > t->values[i])
            t->values[i] = total;
    }
    t->is_used = true;
    t->used_ms = now_ms;
    origin->tally->unsettled += is_old;
    return !is_old;
}

/* --- adding --- */

/* A tally to count the record in when it is not to be kept, or NULL. */
static uint64_t *objection(const struct netflow_origin *origin,
                           const struct netflow_record *r, int64_t now_ms)
{
    struct netflow_tally *n = origin->tally;
    if (r->version == 0 || r->start_ms < 0 || r->end_ms < r->start_ms)
        return &n->impossible;
    if (r->end_ms > now_ms + NETFLOW_FUTURE_S * INT64_C(1000))
        return &n->future;
    if (!origin->is_any_time &&
        r->start_ms < now_ms - NETFLOW_OLD_S * INT64_C(1000))
        return &n->old;
    return NULL;
}

static void add_counts(struct flow *f, int direction, int sense,
                       const struct netflow_record *r, uint64_t octets,
                       uint64_t packets, uint16_t flags)
{
    struct counts *c = &f->counts[direction][sense];
    if (packets == 0 && octets == 0)
        return;
    c->octets += octets;
    c->packets += packets;
    f->flags[direction] |= flags;
    if (r->start_ms < f->start_ms[direction])
        f->start_ms[direction] = r->start_ms;
    if (r->end_ms > f->end_ms[direction])
        f->end_ms[direction] = r->end_ms;
}

static void add_record(struct netflow_aggregate *a,
                       const struct netflow_origin *origin,
                       struct netflow_record *r, struct key *key, int direction,
                       int64_t now_ms)
{
    struct netflow_rate rate =
        origin->override.chosen > 0 ? origin->override : r->rate;
    if (r->totals != 0 && !settle_totals(a, origin, r, key, direction, now_ms))
        return;
    if (r->octets + r->packets + r->roctets + r->rpackets == 0) {
        origin->tally->empty++;
        return;
    }
    if (!scale_all(r, rate)) {
        origin->tally->impossible++;
        return;
    }
    key->exporter = origin->number;
    key->is_scaled = rate.chosen > 0 && rate.population > rate.chosen;
    struct flow *f = find_flow(a, origin, key, now_ms);
    int sense = r->direction == NETFLOW_EGRESS;
    add_counts(f, direction, sense, r, r->octets, r->packets, r->tcp_flags);
    add_counts(f, !direction, sense, r, r->roctets, r->rpackets, r->rtcp_flags);
    if (r->end_reason != 0)
        f->end_reason = r->end_reason;
    f->arrived_ms = now_ms;
    origin->tally->kept++;
}

void netflow_aggregate_add(struct netflow_aggregate *aggregate,
                           const struct netflow_origin *origin,
                           const struct netflow_record *record, int64_t now_ms)
{
    struct netflow_aggregate *a = aggregate;
    struct key key;
    int direction;
    uint64_t *why = objection(origin, record, now_ms);
    if (why == NULL &&
        (a->endpoints == NULL || !orient(a, record, &key, &direction)))
        why = &origin->tally->elsewhere;
    if (why == NULL && endpoint_is_shared(a->endpoints, key.endpoint_index))
        why = &origin->tally->shared;
    if (why != NULL) {
        ++*why;
        return;
    }
    struct netflow_record copy = *record;
    add_record(a, origin, &copy, &key, direction, now_ms);
}

/* --- draining --- */

static struct counts larger(const struct counts seen[2])
{
    return seen[seen[1].packets > seen[0].packets ||
                (seen[1].packets == seen[0].packets &&
                 seen[1].octets > seen[0].octets)];
}

/* Octets less the shortest headers. */
static uint64_t payload_of(const struct key *key, struct counts c)
{
    uint64_t headers = key->version == 4 ? 20 : 40;
    headers += key->protocol == TCP ? 20 : key->protocol == UDP ? 8 : 0;
    headers *= c.packets;
    return c.octets > headers ? c.octets - headers : 0;
}

static uint8_t end_reason_of(const struct flow *f)
{
    if (f->end_reason >= FLOW_END_IDLE && f->end_reason <= FLOW_END_RESOURCES)
        return f->end_reason;
    return (f->flags[0] | f->flags[1]) & (TCP_FIN | TCP_RST) ? FLOW_END_DETECTED
                                                             : FLOW_END_IDLE;
}

/* Who was first opened it; a router tells of one packet only what it tells of
 * all, so that equal times say nothing. */
static uint8_t direction_of(const struct flow *f)
{
    if (f->start_ms[FORWARD] < f->start_ms[REVERSE])
        return 1;
    return f->start_ms[FORWARD] > f->start_ms[REVERSE] ? 2 : 0;
}

static int64_t earlier(const int64_t times[2])
{
    return times[times[1] < times[0]];
}

static int64_t later(const int64_t times[2])
{
    return times[times[1] > times[0]];
}

static void give_out(struct netflow_aggregate *a, const struct flow *f)
{
    const struct key *key = &f->key;
    size_t address_length = key->version == 4 ? 4 : 16;
    struct counts forward = larger(f->counts[FORWARD]);
    struct counts reverse = larger(f->counts[REVERSE]);
    struct flow_record r = {
        .start_ms = earlier(f->start_ms),
        .end_ms = later(f->end_ms),
        .is_ipv6 = key->version == 6,
        .port = key->endpoint_port,
        .protocol = key->protocol,
        .octets = forward.octets,
        .packets = forward.packets,
        .payload = payload_of(key, forward),
        .roctets = reverse.octets,
        .rpackets = reverse.packets,
        .rpayload = payload_of(key, reverse),
        .tcp_flags = f->flags[FORWARD],
        .rtcp_flags = f->flags[REVERSE],
        .end_reason = end_reason_of(f),
        .name_evidence = NAME_NONE,
        .direction = direction_of(f),
        .host_pseudonym =
            secret_pseudonym(&a->key, key->inside, address_length),
    };
    memcpy(r.address, key->endpoint, address_length);
    slice_copy(slice_of_text(endpoint_id(a->endpoints, key->endpoint_index)),
               r.endpoint_id, sizeof(r.endpoint_id));
    a->fn(a->context, key->exporter, key->is_scaled != 0, &r);
}

static bool is_waiting(const struct flow *f, int64_t now_ms)
{
    bool has_both =
        f->end_ms[FORWARD] != INT64_MIN && f->end_ms[REVERSE] != INT64_MIN;
    return !has_both && now_ms - f->arrived_ms < NETFLOW_HOLD_S * INT64_C(1000);
}

void netflow_aggregate_drain(struct netflow_aggregate *aggregate,
                             int64_t now_ms, bool is_all)
{
    struct netflow_aggregate *a = aggregate;
    size_t count = a->count;
    if (count == 0)
        return;
    a->count = 0;
    memset(a->slots, 0, (a->mask + 1) * sizeof(*a->slots));
    for (size_t i = 0; i < count; i++) {
        struct flow f = a->flows[i];
        if (is_all || !is_waiting(&f, now_ms)) {
            give_out(a, &f);
            continue;
        }
        a->flows[a->count++] = f;
        *find_slot(a, &f.key) = (uint32_t)a->count;
    }
}

void netflow_aggregate_set_endpoints(struct netflow_aggregate *aggregate,
                                     const struct endpoint_list *endpoints)
{
    struct netflow_aggregate *a = aggregate;
    netflow_aggregate_drain(a, 0, true);
    a->endpoints = endpoints;
    a->near = endpoints == NULL || endpoint_list_is_any(endpoints)
                  ? NULL
                  : endpoint_list_near(endpoints);
}

const struct netflow_counter_name netflow_tally_names[] = {
    {"kept_records", "Records to or from registered endpoints."},
    {"elsewhere_records", "Records of other traffic, dropped at once."},
    {"shared_records", "Records on shared addresses, where a name would be "
                       "needed; not counted."},
    {"old_records", "Records older than 72 hours; not counted."},
    {"future_records", "Records more than 5 minutes ahead; not counted."},
    {"impossible_records", "Records without addresses, that end before they "
                           "start or with absurd counts; not counted."},
    {"empty_records", "Records without packets or anything new."},
    {"unsettled_records", "Total counts of flows whose start was not seen; "
                          "only their growth counts."},
    {"early_flows", "Flows given out early because the table was full."},
};
