/*
 * The meter.
 *
 * Time is the packets' own. `now` only moves forward, so that small disorder
 * does no harm; a step back by more than the idle timeout means another clock
 * (a stepped clock, captures put together), and ends all flows, since no
 * duration across it would be true. A step forward ends by idleness what was
 * open, which is right as well.
 *
 * A flow that ended by FIN or RST lingers a little, so that its last packets
 * are counted in it. A report is made when a flow ends and at the first packet
 * past the active timeout; counts start again at zero after each.
 */
#include "meter/meter.h"

#include <stdlib.h>
#include <string.h>

#include "meter/decode.h"
#include "meter/flow_table.h"
#include "meter/fragment.h"
#include "meter/inspect.h"

enum { SECOND_US = 1000 * 1000, LINGER_US = 3 * SECOND_US };

struct meter {
    const struct endpoint_list *endpoints;
    meter_emit_fn *emit;
    void *context;
    int64_t idle_us, active_us;
    int64_t now_us;
    bool has_time;
    struct flow_table *table;
    struct fragment_table *fragments;
    struct inspector *inspector;
    struct meter_counters counters;
};

struct meter *meter_new(const struct meter_options *options,
                        const struct endpoint_list *endpoints,
                        meter_emit_fn *emit, void *context,
                        struct error_text *error)
{
    struct meter *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    m->endpoints = endpoints;
    m->emit = emit;
    m->context = context;
    m->idle_us = (int64_t)options->idle_timeout_s * SECOND_US;
    m->active_us = (int64_t)options->active_timeout_s * SECOND_US;
    m->table = flow_table_new(options->flow_limit, hash_key_random());
    m->fragments = fragment_table_new(hash_key_random());
    if (m->table == NULL || m->fragments == NULL) {
        error_set(error, "no memory for %llu flows",
                  (unsigned long long)options->flow_limit);
        meter_free(m);
        return NULL;
    }
    m->inspector = inspector_new(error);
    if (m->inspector == NULL) {
        meter_free(m);
        return NULL;
    }
    return m;
}

void meter_free(struct meter *m)
{
    if (m == NULL)
        return;
    inspector_free(m->inspector);
    fragment_table_free(m->fragments);
    flow_table_free(m->table);
    free(m);
}

/* --- reports --- */

static struct address address_of(const struct flow_tuple *t, int side)
{
    struct address a = {.version = t->version};
    memcpy(a.bytes, side == SIDE_LOW ? t->low : t->high, sizeof(a.bytes));
    return a;
}

static uint16_t port_of(const struct flow_tuple *t, int side)
{
    return side == SIDE_LOW ? t->low_port : t->high_port;
}

static struct flow_key key_of(const struct flow_entry *e)
{
    return (struct flow_key){
        .source = address_of(&e->tuple, e->opener),
        .destination = address_of(&e->tuple, !e->opener),
        .source_port = port_of(&e->tuple, e->opener),
        .destination_port = port_of(&e->tuple, !e->opener),
        .protocol = e->tuple.protocol,
        .vlan = e->vlan,
    };
}

static struct flow_side side_of(const struct flow_counts *c)
{
    return (struct flow_side){c->packets, c->octets, c->payload, c->tcp_flags};
}

/* Holds the seen name against the registered ones. Address and port stay the
 * primary match: only on a shared address does the name decide. */
static void judge_name(const struct meter *m, const struct flow_entry *e,
                       struct flow *flow)
{
    const struct endpoint_list *list = m->endpoints;
    flow->endpoint = e->endpoint;
    flow->name_evidence = NAME_NONE;
    if (endpoint_list_is_any(list)) {
        flow->name_evidence = flow->name_source;
        flow->is_counted = true;
        return;
    }
    flow->is_counted = !endpoint_is_shared(list, e->endpoint);
    struct slice name = slice_of_text(flow->name);
    if (name.length == 0)
        return;
    struct address a = address_of(&e->tuple, e->registered);
    int named = endpoint_find_by_name(list, &a, e->tuple.protocol,
                                      port_of(&e->tuple, e->registered),
                                      (struct wall_time){e->start_us}, name);
    if (named != ENDPOINT_NONE) {
        flow->endpoint = named;
        flow->name_evidence = flow->name_source;
        flow->is_counted = true;
    } else if (endpoint_has_hosts(list, e->endpoint)) {
        flow->name_evidence = NAME_MISMATCH;
    }
}

static void report(struct meter *m, struct flow_entry *e,
                   enum flow_end_reason reason)
{
    const struct inspection *i = flow_table_inspection(m->table, e);
    struct flow flow = {
        .key = key_of(e),
        .forward = side_of(&e->sides[e->opener]),
        .reverse = side_of(&e->sides[!e->opener]),
        .start = {e->start_us},
        .end = {e->end_us},
        .endpoint_is_source = e->registered == e->opener,
        .name = i->name,
        .name_source = i->name_source,
        .application = i->application != NULL ? i->application : "",
        .fingerprint_text = i->fingerprint_text,
        .rtt_us = e->rtt_us,
        .burst_count = e->burst_count,
        .end_reason = reason,
    };
    memcpy(flow.fingerprint, i->fingerprint, sizeof(flow.fingerprint));
    memcpy(flow.token, i->token, sizeof(flow.token));
    judge_name(m, e, &flow);
    m->emit(m->context, &flow);
}

/* A report in the life of a flow: counts begin again. */
static void report_active(struct meter *m, struct flow_entry *e)
{
    report(m, e, FLOW_END_ACTIVE);
    memset(e->sides, 0, sizeof(e->sides));
    e->burst_count = 0;
    e->has_reported = true;
}

static void end_flow(struct meter *m, struct flow_entry *e,
                     enum flow_end_reason reason)
{
    report(m, e, e->is_closing ? FLOW_END_DETECTED : reason);
    inspector_release(m->inspector, flow_table_inspection(m->table, e));
    flow_table_remove(m->table, e);
    m->counters.active_flows--;
}

/* --- time --- */

static void end_all(struct meter *m, enum flow_end_reason reason)
{
    struct flow_entry *e;
    while ((e = flow_table_oldest_closing(m->table)) != NULL)
        end_flow(m, e, reason);
    while ((e = flow_table_oldest_open(m->table)) != NULL)
        end_flow(m, e, reason);
}

/* The list is true to a second, so a second more is waited. */
static void expire(struct meter *m)
{
    struct flow_entry *e;
    while ((e = flow_table_oldest_closing(m->table)) != NULL &&
           m->now_us - e->listed_us >= LINGER_US)
        end_flow(m, e, FLOW_END_DETECTED);
    while ((e = flow_table_oldest_open(m->table)) != NULL &&
           m->now_us - e->listed_us >= m->idle_us + SECOND_US)
        end_flow(m, e, FLOW_END_IDLE);
}

void meter_advance(struct meter *m, struct wall_time now)
{
    if (m->has_time && now.us < m->now_us) {
        if (m->now_us - now.us <= m->idle_us)
            return;
        end_all(m, FLOW_END_FORCED);
    }
    m->now_us = now.us;
    m->has_time = true;
    expire(m);
}

/* --- one packet in its flow --- */

/* A SYN opens from its sender, a SYN/ACK tells of one before. */
static int opener_of(const struct packet *p, int side)
{
    bool is_answer =
        (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    return p->protocol == PROTOCOL_TCP && is_answer ? !side : side;
}

/* Which address of a packet is registered. */
struct match {
    int endpoint;
    int side; /* SIDE_ of the registered address */
};

static int find_endpoint(const struct meter *m, const struct packet *p,
                         bool is_destination, struct wall_time when)
{
    struct address a = {.version = p->ip_version};
    memcpy(a.bytes, is_destination ? p->destination : p->source,
           p->ip_version == 4 ? 4 : 16);
    return endpoint_find(m->endpoints, &a, p->protocol,
                         is_destination ? p->destination_port : p->source_port,
                         when);
}

/* Asked for every packet and before anything else: most of an unfiltered
 * capture ends here. The far side of who opens is asked first. */
static struct match match_packet(const struct meter *m, const struct packet *p,
                                 int side, struct wall_time when)
{
    bool is_destination_first = opener_of(p, side) == side;
    int endpoint = find_endpoint(m, p, is_destination_first, when);
    if (endpoint != ENDPOINT_NONE)
        return (struct match){endpoint, is_destination_first ? !side : side};
    endpoint = find_endpoint(m, p, !is_destination_first, when);
    return (struct match){endpoint, is_destination_first ? side : !side};
}

/* Room is made by the oldest: one that is closing, else the one longest
 * without a packet. */
static struct flow_entry *add_entry(struct meter *m, const struct flow_tuple *t,
                                    uint32_t hash)
{
    struct flow_entry *e = flow_table_add(m->table, t, hash, m->now_us);
    if (e != NULL)
        return e;
    struct flow_entry *oldest = flow_table_oldest_closing(m->table);
    if (oldest == NULL) {
        oldest = flow_table_oldest_open(m->table);
        m->counters.evicted++;
    }
    end_flow(m, oldest, FLOW_END_RESOURCES);
    return flow_table_add(m->table, t, hash, m->now_us);
}

static struct flow_entry *begin_flow(struct meter *m, const struct packet *p,
                                     const struct flow_tuple *t, uint32_t hash,
                                     int side, struct match match)
{
    bool has_syn = p->protocol == PROTOCOL_TCP && (p->tcp_flags & TCP_SYN);
    struct flow_entry *e = add_entry(m, t, hash);
    e->endpoint = match.endpoint;
    e->registered = (uint8_t)match.side;
    e->opener = (uint8_t)opener_of(p, side);
    /* Begun before we looked: endpoints are opened to. */
    if (!has_syn && !endpoint_list_is_any(m->endpoints))
        e->opener = (uint8_t)!match.side;
    e->has_syn = has_syn;
    e->vlan = p->vlan;
    e->request_us = INT64_MIN;
    m->counters.flows++;
    m->counters.active_flows++;
    return e;
}

/* Does this SYN begin another connection with the same addresses and ports? */
static bool is_new_connection(const struct flow_entry *e,
                              const struct packet *p, int side)
{
    if (p->protocol != PROTOCOL_TCP ||
        (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    return e->is_closing || !e->has_syn ||
           (side == e->opener && e->syn_us != 0 &&
            e->syn_sequence != p->tcp_sequence);
}

/* The flow of the packet, begun when there is none. */
static struct flow_entry *flow_of(struct meter *m, const struct packet *p,
                                  const struct flow_tuple *t, int side,
                                  struct match match)
{
    uint32_t hash = flow_table_hash(m->table, t);
    struct flow_entry *e = flow_table_find(m->table, t, hash);
    if (e != NULL && m->now_us - e->last_us > m->idle_us) {
        end_flow(m, e, FLOW_END_IDLE);
        e = NULL;
    } else if (e != NULL && is_new_connection(e, p, side)) {
        end_flow(m, e, FLOW_END_DETECTED);
        e = NULL;
    }
    if (e == NULL)
        return begin_flow(m, p, t, hash, side, match);
    if (m->now_us - e->start_us >= m->active_us)
        report_active(m, e);
    return e;
}

static void count(struct flow_entry *e, const struct packet *p, int side,
                  struct wall_time when)
{
    bool is_first = e->sides[0].packets + e->sides[1].packets == 0;
    struct flow_counts *c = &e->sides[side];
    c->packets++;
    c->octets += p->octets;
    c->payload += p->payload_length;
    c->tcp_flags |= p->tcp_flags;
    if (is_first || when.us < e->start_us)
        e->start_us = when.us;
    if (is_first || when.us > e->end_us)
        e->end_us = when.us;
    if (e->vlan == 0)
        e->vlan = p->vlan;
}

/* Requests of the opener with a pause of a second before them. */
static void count_burst(struct flow_entry *e, const struct packet *p, int side,
                        struct wall_time when)
{
    if (side != e->opener || p->payload_length == 0)
        return;
    if (e->request_us == INT64_MIN || when.us - e->request_us >= SECOND_US)
        e->burst_count++;
    if (when.us > e->request_us)
        e->request_us = when.us;
}

static void note_syn(struct meter *m, struct flow_entry *e,
                     const struct packet *p, int side, struct wall_time when)
{
    inspection_note_syn(flow_table_inspection(m->table, e), side,
                        p->tcp_sequence);
    if (!(p->tcp_flags & TCP_ACK)) {
        if (side != e->opener) /* both open at once (RFC 9293 section 3.5) */
            return;
        e->syn_us = when.us;
        e->syn_sequence = p->tcp_sequence;
        return;
    }
    int64_t rtt_us = when.us - e->syn_us;
    if (e->rtt_us == 0 && e->syn_us != 0 && side != e->opener &&
        p->tcp_acknowledgement == e->syn_sequence + 1 && rtt_us > 0 &&
        rtt_us < UINT32_MAX)
        e->rtt_us = (uint32_t)rtt_us;
}

static void note_tcp(struct meter *m, struct flow_entry *e,
                     const struct packet *p, int side, struct wall_time when)
{
    if (p->tcp_flags & TCP_SYN)
        note_syn(m, e, p, side, when);
    if (p->tcp_flags & TCP_FIN)
        e->fin_sides |= (uint8_t)(1 << side);
    if ((p->tcp_flags & TCP_RST) || e->fin_sides == 3)
        flow_table_close(m->table, e, m->now_us);
}

/* Who sent the hello or request is the client, where no SYN told before. */
static void inspect(struct meter *m, struct flow_entry *e,
                    const struct packet *p, int side, struct wall_time when)
{
    struct inspection *i = flow_table_inspection(m->table, e);
    inspector_read(m->inspector, i, p, side, when);
    e->is_inspected = i->is_done;
    int client = inspection_client(i);
    if (client != INSPECT_CLIENT_UNKNOWN && !e->has_syn && !e->has_reported)
        e->opener = (uint8_t)client;
}

static void meter_decoded(struct meter *m, struct packet *p,
                          struct wall_time when)
{
    struct flow_tuple tuple;
    if (p->is_fragment)
        fragment_table_apply(m->fragments, p, when);
    int side = flow_packet_side(p);
    struct match match = match_packet(m, p, side, when);
    if (match.endpoint == ENDPOINT_NONE) {
        m->counters.filtered++;
        return;
    }
    flow_tuple_of(p, side, &tuple);
    struct flow_entry *e = flow_of(m, p, &tuple, side, match);
    count(e, p, side, when);
    e->last_us = m->now_us;
    flow_table_touch(m->table, e, m->now_us);
    m->counters.packets++;
    m->counters.octets += p->octets;
    if (p->payload_length > 0 && !e->is_inspected)
        inspect(m, e, p, side, when);
    count_burst(e, p, side, when);
    if (p->protocol == PROTOCOL_TCP)
        note_tcp(m, e, p, side, when);
}

void meter_packet(struct meter *m, int link_type, const uint8_t *data,
                  size_t captured, size_t length, struct wall_time when)
{
    static const enum undecodable reasons[] = {
        [DECODE_LINK] = UNDECODABLE_LINK,
        [DECODE_TRUNCATED] = UNDECODABLE_TRUNCATED,
        [DECODE_HEADER] = UNDECODABLE_HEADER,
    };
    struct packet packet;
    meter_advance(m, when);
    enum decode_status status =
        decode_packet(link_type, data, captured, length, &packet);
    if (status == DECODE_OK)
        meter_decoded(m, &packet, when);
    else
        m->counters.undecodable[reasons[status]]++;
}

void meter_flush(struct meter *m)
{
    end_all(m, FLOW_END_FORCED);
}

const struct meter_counters *meter_counters(const struct meter *m)
{
    return &m->counters;
}

void meter_counters_add(struct meter_counters *sum,
                        const struct meter_counters *c)
{
    enum { COUNT = sizeof(*sum) / sizeof(uint64_t) };
    uint64_t a[COUNT], b[COUNT];
    memcpy(a, sum, sizeof(a)); /* counters, and nothing else */
    memcpy(b, c, sizeof(b));
    for (int i = 0; i < COUNT; i++)
        a[i] += b[i];
    memcpy(sum, a, sizeof(a));
}

bool meter_reads_link_type(int link_type)
{
    return decode_reads_link_type(link_type);
}
