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
 * are counted in it; where they do not cease it goes on. A report is made when
 * a flow ends and every active timeout, also when no packet comes just then;
 * counts start again at zero after each.
 *
 * A TCP connection is known for longer than its report: one that was silent may
 * go on (keep-alives come after two hours), and of one that has closed a packet
 * may still be on its way. What comes then is reported under the connection's
 * name and token, not as another of which nobody knows anything. Such flows hold
 * no counts, so they make room before all others, and nothing is lost by it.
 *
 * A packet of a flow that is there needs no look at the endpoint list: the same
 * question was answered when the flow began. The answers hold as long as the
 * list and the validities in it do; then a new epoch begins, and each flow asks
 * again.
 */
#include "probe/meter/meter.h"

#include <stdlib.h>
#include <string.h>

#include "probe/meter/decode.h"
#include "probe/meter/flow_table.h"
#include "probe/meter/fragment.h"
#include "probe/meter/inspect.h"

enum {
    SECOND_US = 1000 * 1000,
    LINGER_S = 3,
    LINGER_FLOWS_MAX = 1024, /* more than these do not linger so long */
    ENDED_S = 240, /* no packet is longer on its way (RFC 9293, 2 MSL) */
    ENDED_FLOWS_MAX = 2048, /* nor more than these: few stay in the caches */
    SILENT_S = 8100,        /* two hours, and time for some keep-alives */
    HURRIED_MAX = 2,        /* ended when one is closed */
    TUNNELS_MAX = 3,
    EPOCH_NONE = UINT8_MAX, /* of a flow: its next packet asks */
    STEADY_WAIT = 1000,     /* packets between two looks at the validities */
    PROTOCOL_ICMPV6 = 58,
};
static const int64_t DAY_US = INT64_C(86400) * SECOND_US;

/* In which the flows of a state go, when flows must. */
static const enum flow_state ORDER[FLOW_STATES] = {FLOW_ENDED, FLOW_SILENT,
                                                   FLOW_CLOSING, FLOW_OPEN};

struct meter {
    const struct endpoint_list *endpoints;
    const uint8_t *near; /* the endpoint list's */
    meter_emit_fn *emit;
    void *context;
    int64_t idle_us, active_us;
    uint32_t duplicate_window_ms;
    bool is_vlan_point, keeps_texts;
    bool is_any; /* every address counts */
    bool has_time;
    uint8_t epoch;
    unsigned steady_wait;
    int64_t now_us;
    int64_t due_us;                          /* nothing times out before */
    struct wall_time steady_from, steady_to; /* of this epoch's answers */
    struct flow_table *table;
    struct fragment_table *fragments;
    struct inspector *inspector;
    struct meter_counters counters;
};

/* --- opening --- */

static void set_options(struct meter *m, const struct meter_options *options)
{
    m->idle_us = (int64_t)options->idle_timeout_s * SECOND_US;
    m->active_us = (int64_t)options->active_timeout_s * SECOND_US;
    m->duplicate_window_ms = (uint32_t)options->duplicate_window_ms;
    m->is_vlan_point = options->is_vlan_point;
    m->keeps_texts = options->keeps_texts;
    m->due_us = INT64_MAX;
}

static bool make_tables(struct meter *m, const struct meter_options *options,
                        struct error_text *error)
{
    m->table = flow_table_new(options->flow_limit, hash_key_random());
    m->fragments = fragment_table_new(hash_key_random());
    if (m->table == NULL || m->fragments == NULL)
        return error_set(error, "no memory for %llu flows",
                         (unsigned long long)options->flow_limit);
    struct inspector_options inspect = {
        .hello_limit = options->hello_limit != 0 ? options->hello_limit
                                                 : METER_HELLO_LIMIT,
        .text_chunks = options->keeps_texts ? options->flow_limit : 0,
        .is_lazy = options->is_lazy,
    };
    m->inspector = inspector_new(&inspect, error);
    return m->inspector != NULL;
}

static void use_endpoints(struct meter *m, const struct endpoint_list *list)
{
    m->endpoints = list;
    m->near = endpoint_list_near(list);
    m->is_any = endpoint_list_is_any(list);
    /* Nothing is steady yet: the first packet looks. */
    m->steady_from.us = m->steady_to.us = INT64_MIN;
    m->steady_wait = 0;
}

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
    m->emit = emit;
    m->context = context;
    set_options(m, options);
    use_endpoints(m, endpoints);
    if (!make_tables(m, options, error)) {
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
        .source = address_of(&e->tuple, (int)e->opener),
        .destination = address_of(&e->tuple, !e->opener),
        .source_port = port_of(&e->tuple, (int)e->opener),
        .destination_port = port_of(&e->tuple, !e->opener),
        .protocol = e->tuple.protocol,
        .vlan = e->vlan,
    };
}

static struct flow_side side_of(const struct flow_entry *e, int side)
{
    const struct flow_counts *c = &e->sides[side];
    return (struct flow_side){.packets = c->packets,
                              .octets = c->octets,
                              .payload = c->payload,
                              .retransmissions = e->tcp[side].retransmissions,
                              .tcp_flags = e->tcp_flags[side]};
}

static bool is_answered(const struct flow_entry *e)
{
    if (e->tuple.protocol == PROTOCOL_TCP)
        return e->has_handshake || e->payload_sides == 3;
    return e->packet_sides == 3;
}

/* An echo, or an error about something else, is no use of a service. */
static bool is_counted(const struct meter *m, const struct flow_entry *e)
{
    if (e->tuple.protocol == PROTOCOL_ICMP ||
        e->tuple.protocol == PROTOCOL_ICMPV6)
        return false;
    return m->is_any || e->named_endpoint != ENDPOINT_NONE ||
           !endpoint_is_shared(m->endpoints, e->endpoint);
}

/* The endpoint that the counts are for. */
static int endpoint_of(const struct flow_entry *e)
{
    return e->named_endpoint != ENDPOINT_NONE ? e->named_endpoint : e->endpoint;
}

static void add_texts(const struct meter *m, const struct inspection *i,
                      struct inspect_texts *texts, struct flow *flow)
{
    flow->name = flow->alpn = flow->fingerprint_text = "";
    if (!m->keeps_texts)
        return;
    inspector_texts(m->inspector, i, texts);
    flow->name = texts->name;
    flow->alpn = texts->alpn;
    flow->fingerprint_text = texts->fingerprint;
}

static void report(struct meter *m, const struct flow_entry *e,
                   enum flow_end_reason reason)
{
    const struct inspection *i = flow_table_inspection(m->table, e);
    struct inspect_texts texts;
    struct flow flow = {
        .key = key_of(e),
        .forward = side_of(e, (int)e->opener),
        .reverse = side_of(e, !e->opener),
        .start = {e->start_us},
        .end = {e->end_us},
        .endpoint = endpoint_of(e),
        .endpoint_is_source = e->registered == e->opener,
        .name_source = i->name_source,
        .name_evidence = e->name_evidence,
        .application = i->application != NULL ? i->application : "",
        .tls_version = i->tls_version,
        .rtt_us = e->rtt_us,
        .rtt_client_us = e->rtt_client_us,
        .burst_count = e->burst_count,
        .end_reason = reason,
        .is_answered = is_answered(e),
        .is_counted = is_counted(m, e),
    };
    inspector_token(i, flow.token);
    inspector_fingerprint(m->inspector, i, flow.fingerprint);
    add_texts(m, i, &texts, &flow);
    m->emit(m->context, &flow);
}

static bool has_counts(const struct flow_entry *e)
{
    return e->sides[0].packets + e->sides[1].packets > 0;
}

/* Its last report is made, and it is only remembered. */
static bool is_resting(const struct flow_entry *e)
{
    return e->state == FLOW_SILENT || e->state == FLOW_ENDED;
}

static void begin_counts(struct flow_entry *e)
{
    memset(e->sides, 0, sizeof(e->sides));
    memset(e->tcp_flags, 0, sizeof(e->tcp_flags));
    e->tcp[0].retransmissions = e->tcp[1].retransmissions = 0;
    e->burst_count = 0;
    e->has_reported = true;
}

/* A report in the life of a flow: counts begin again. */
static void report_active(struct meter *m, struct flow_entry *e)
{
    report(m, e, FLOW_END_ACTIVE);
    begin_counts(e);
}

static void forget_flow(struct meter *m, struct flow_entry *e)
{
    if (!is_resting(e))
        m->counters.active_flows--;
    inspector_release(m->inspector, flow_table_inspection(m->table, e));
    flow_table_remove(m->table, e);
}

/* Where nothing came since the last report, that one was the last. */
static void report_last(struct meter *m, const struct flow_entry *e,
                        enum flow_end_reason reason)
{
    if (has_counts(e))
        report(m, e, e->state == FLOW_CLOSING ? FLOW_END_DETECTED : reason);
}

static void end_flow(struct meter *m, struct flow_entry *e,
                     enum flow_end_reason reason)
{
    report_last(m, e, reason);
    forget_flow(m, e);
}

/* The same for a flow of which more may come: a connection whose payload has
 * told what there is to tell is remembered, and holds nothing of the pools but
 * its texts. False: it is gone. */
static bool rest_flow(struct meter *m, struct flow_entry *e,
                      enum flow_end_reason reason)
{
    if (e->tuple.protocol != PROTOCOL_TCP || !e->is_inspected) {
        end_flow(m, e, reason);
        return false;
    }
    report_last(m, e, reason);
    begin_counts(e);
    flow_table_move(m->table, e,
                    e->state == FLOW_CLOSING ? FLOW_ENDED : FLOW_SILENT,
                    m->now_us);
    m->counters.active_flows--;
    if (flow_table_state_count(m->table, FLOW_ENDED) > ENDED_FLOWS_MAX)
        forget_flow(m, flow_table_oldest(m->table, FLOW_ENDED));
    return true;
}

/* It goes on: a closed one with its last packets. Its last flow has been
 * reported as ended, so this is another flow of the same connection (RFC 7011:
 * what is expired is over). */
static void wake_flow(struct meter *m, struct flow_entry *e)
{
    flow_table_move(m->table, e,
                    e->state == FLOW_ENDED ? FLOW_CLOSING : FLOW_OPEN,
                    m->now_us);
    flow_table_restart(m->table, e, m->now_us);
    m->counters.flows++;
    m->counters.active_flows++;
    m->due_us = 0; /* it may be the first to be due */
}

/* --- time --- */

static void end_all(struct meter *m, enum flow_end_reason reason)
{
    struct flow_entry *e;
    for (size_t i = 0; i < FLOW_STATES; i++)
        while ((e = flow_table_oldest(m->table, ORDER[i])) != NULL)
            end_flow(m, e, reason);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* For how long it is in the state that it is in, to a second. */
static uint32_t state_age_s(const struct meter *m, const struct flow_entry *e)
{
    return (uint32_t)(m->now_us / SECOND_US) - e->state_s;
}

/* The first microsecond past the linger time. */
static int64_t linger_end_us(const struct meter *m, const struct flow_entry *e)
{
    int64_t now_s = m->now_us / SECOND_US;
    return (now_s - state_age_s(m, e) + LINGER_S + 1) * SECOND_US;
}

static void expire_reports(struct meter *m)
{
    struct flow_entry *e;
    while ((e = flow_table_oldest_report(m->table)) != NULL &&
           m->now_us - e->report_us >= m->active_us) {
        /* One that is closing is reported in a moment anyway. */
        if (e->state == FLOW_OPEN && has_counts(e))
            report_active(m, e);
        flow_table_restart(m->table, e, m->now_us);
    }
}

/* Where packets still come its ends did not believe what closed it (a forged
 * RST), and it goes on, under its name. */
static void end_linger(struct meter *m, struct flow_entry *e)
{
    int64_t window_us = (int64_t)m->duplicate_window_ms * 1000;
    int64_t silent_us = m->now_us - e->last_us;
    if (silent_us > SECOND_US && silent_us > window_us) {
        rest_flow(m, e, FLOW_END_DETECTED);
        return;
    }
    flow_table_move(m->table, e, FLOW_OPEN, m->now_us);
    e->fin_sides = 0;
}

static void forget(struct meter *m, enum flow_state state, uint32_t after_s)
{
    struct flow_entry *e;
    while ((e = flow_table_oldest(m->table, state)) != NULL &&
           state_age_s(m, e) > after_s)
        forget_flow(m, e);
}

/* The open list is true to a second: one that is idle for less may stand before
 * one that is idle for more. What is only remembered is in no hurry. */
static void expire(struct meter *m)
{
    struct flow_entry *e;
    forget(m, FLOW_ENDED, ENDED_S);
    forget(m, FLOW_SILENT, SILENT_S);
    while ((e = flow_table_oldest(m->table, FLOW_CLOSING)) != NULL &&
           m->now_us >= linger_end_us(m, e))
        end_linger(m, e);
    while ((e = flow_table_oldest(m->table, FLOW_OPEN)) != NULL &&
           m->now_us - e->last_us > m->idle_us)
        rest_flow(m, e, FLOW_END_IDLE);
    expire_reports(m);
    m->due_us = INT64_MAX;
    if ((e = flow_table_oldest(m->table, FLOW_CLOSING)) != NULL)
        m->due_us = linger_end_us(m, e);
    if ((e = flow_table_oldest(m->table, FLOW_OPEN)) != NULL)
        m->due_us = earlier(m->due_us, e->last_us + m->idle_us + 1);
    if ((e = flow_table_oldest_report(m->table)) != NULL)
        m->due_us = earlier(m->due_us, e->report_us + m->active_us);
}

/* A new flow may be the first to be due. */
static void expect_due(struct meter *m)
{
    m->due_us =
        earlier(m->due_us, m->now_us + earlier(m->idle_us + 1, m->active_us));
}

/* May a closed flow go before its time? Not while copies of its packets may
 * come from another point: they would begin it anew. */
static bool may_hurry(const struct meter *m, const struct flow_entry *e)
{
    return m->duplicate_window_ms == 0 ||
           state_age_s(m, e) > (m->duplicate_window_ms + 999) / 1000;
}

static void close_flow(struct meter *m, struct flow_entry *e)
{
    flow_table_move(m->table, e, FLOW_CLOSING, m->now_us);
    for (int i = 0; i < HURRIED_MAX; i++) {
        struct flow_entry *oldest = flow_table_oldest(m->table, FLOW_CLOSING);
        if (flow_table_state_count(m->table, FLOW_CLOSING) <=
                LINGER_FLOWS_MAX ||
            !may_hurry(m, oldest))
            break;
        rest_flow(m, oldest, FLOW_END_DETECTED);
    }
    m->due_us = earlier(m->due_us, m->now_us + LINGER_S * SECOND_US);
}

/* Past a day nothing is left that does not end, whatever its clock says. */
static void step_time(struct meter *m, struct wall_time now)
{
    if (m->has_time && now.us < m->now_us) {
        if (m->now_us - now.us <= m->idle_us)
            return;
        end_all(m, FLOW_END_FORCED);
    } else if (m->has_time && now.us - m->now_us > DAY_US) {
        end_all(m, FLOW_END_IDLE);
    }
    m->now_us = now.us;
    m->has_time = true;
    expire(m);
}

void meter_advance(struct meter *m, struct wall_time now)
{
    if (m->has_time && now.us >= m->now_us && now.us < m->due_us &&
        now.us - m->now_us <= DAY_US)
        m->now_us = now.us;
    else
        step_time(m, now);
}

/* --- which endpoint --- */

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

/* Is an IPv4 packet between these addresses surely towards nothing? */
static bool is_far(const struct meter *m, const uint8_t *source,
                   const uint8_t *destination)
{
    return !m->is_any && !endpoint_is_near(m->near, source) &&
           !endpoint_is_near(m->near, destination);
}

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

/* The far side of who opens is asked first. */
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

static void begin_epoch(struct meter *m)
{
    if (++m->epoch != EPOCH_NONE)
        return;
    /* The numbers begin again: no flow may hold one that comes back. */
    m->epoch = 0;
    struct flow_entry *e = flow_table_oldest_report(m->table);
    for (; e != NULL; e = flow_table_younger_report(m->table, e))
        e->epoch = EPOCH_NONE;
}

/* Do the answers of this epoch hold for a packet of that time? A look at all
 * validities is dear, so not every packet that differs may cause one. */
static bool is_steady(struct meter *m, struct wall_time when)
{
    if (when.us >= m->steady_from.us && when.us < m->steady_to.us)
        return true;
    if (m->steady_wait > 0) {
        m->steady_wait--;
        return false;
    }
    begin_epoch(m);
    endpoint_list_steady(m->endpoints, when, &m->steady_from, &m->steady_to);
    m->steady_wait = STEADY_WAIT;
    return when.us < m->steady_to.us;
}

/* Holds a name against the registered ones, when it is seen. Address and port
 * stay the primary match: only on a shared address does the name decide. */
static void judge_name(const struct meter *m, struct flow_entry *e,
                       struct slice name, enum name_evidence source)
{
    e->named_endpoint = ENDPOINT_NONE;
    e->name_evidence = NAME_NONE;
    if (m->is_any) {
        e->name_evidence = (uint8_t)source;
        return;
    }
    struct address a = address_of(&e->tuple, (int)e->registered);
    e->named_endpoint =
        endpoint_find_by_name(m->endpoints, &a, e->tuple.protocol,
                              port_of(&e->tuple, (int)e->registered),
                              (struct wall_time){e->start_us}, name);
    if (e->named_endpoint != ENDPOINT_NONE)
        e->name_evidence = (uint8_t)source;
    else if (endpoint_has_hosts(m->endpoints, e->endpoint))
        e->name_evidence = NAME_MISMATCH;
}

/* The same endpoints in the new list; false when one is gone. */
static bool map_endpoints(struct meter *m, struct flow_entry *e,
                          const struct endpoint_list *list, bool is_final)
{
    int endpoint =
        endpoint_find_id(list, endpoint_id(m->endpoints, e->endpoint));
    int named = ENDPOINT_NONE;
    if (e->named_endpoint != ENDPOINT_NONE)
        named = endpoint_find_id(list,
                                 endpoint_id(m->endpoints, e->named_endpoint));
    if (endpoint == ENDPOINT_NONE ||
        (named == ENDPOINT_NONE && e->named_endpoint != ENDPOINT_NONE))
        return false;
    if (is_final) {
        e->endpoint = endpoint;
        e->named_endpoint = named;
    }
    return true;
}

/* First what ends is told in terms of the old list, then the rest is moved. */
void meter_set_endpoints(struct meter *m, const struct endpoint_list *list)
{
    struct flow_entry *next, *e = flow_table_oldest_report(m->table);
    for (; e != NULL; e = next) {
        next = flow_table_younger_report(m->table, e);
        if (!map_endpoints(m, e, list, false))
            end_flow(m, e, FLOW_END_FORCED);
    }
    e = flow_table_oldest_report(m->table);
    for (; e != NULL; e = flow_table_younger_report(m->table, e))
        map_endpoints(m, e, list, true);
    use_endpoints(m, list);
}

/* --- the flow of a packet --- */

/* Room is made by the oldest: one that is only remembered, else one that is
 * closing, else the one longest without a packet. */
static struct flow_entry *add_entry(struct meter *m, const struct flow_tuple *t,
                                    uint32_t hash)
{
    struct flow_entry *e = flow_table_add(m->table, t, hash, m->now_us);
    if (e != NULL)
        return e;
    for (size_t i = 0; e == NULL && i < FLOW_STATES; i++)
        e = flow_table_oldest(m->table, ORDER[i]);
    m->counters.evicted += e->state == FLOW_OPEN;
    end_flow(m, e, FLOW_END_RESOURCES);
    return flow_table_add(m->table, t, hash, m->now_us);
}

static struct flow_entry *begin_flow(struct meter *m, const struct packet *p,
                                     const struct flow_tuple *t, uint32_t hash,
                                     int side, struct match match)
{
    bool has_syn = p->protocol == PROTOCOL_TCP && (p->tcp_flags & TCP_SYN);
    struct flow_entry *e = add_entry(m, t, hash);
    e->endpoint = match.endpoint;
    e->named_endpoint = ENDPOINT_NONE;
    e->epoch = EPOCH_NONE;
    e->registered = match.side != 0;
    e->opener = opener_of(p, side) != 0;
    /* Begun before we looked: endpoints are opened to. */
    if (!has_syn && !m->is_any)
        e->opener = match.side == 0;
    e->has_syn = has_syn;
    e->vlan = p->vlan;
    e->request_us = INT64_MIN;
    expect_due(m);
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
    /* The very SYN again: sent again, or from an interface whose packets come
     * in later, when the connection may be over already. */
    if (e->has_syn && side == (int)e->opener && e->syn_us != 0 &&
        e->syn_sequence == p->tcp_sequence)
        return false;
    return e->state != FLOW_OPEN || !e->has_syn ||
           (side == (int)e->opener && e->syn_us != 0);
}

/* The observation points of an entry, which a flow in its place goes on with. */
struct owners {
    uint32_t ms[2];
    uint16_t points[2];
    unsigned sides;
};

static struct owners owners_of(const struct flow_entry *e)
{
    return (struct owners){{e->point_ms[0], e->point_ms[1]},
                           {e->points[0], e->points[1]},
                           e->point_sides};
}

static void set_owners(struct flow_entry *e, const struct owners *owners)
{
    memcpy(e->point_ms, owners->ms, sizeof(e->point_ms));
    memcpy(e->points, owners->points, sizeof(e->points));
    e->point_sides = owners->sides & 3;
}

/* Ends what the packet no longer belongs to. */
static struct flow_entry *leave_flow(struct meter *m, struct flow_entry *e,
                                     const struct packet *p, int side)
{
    if (!is_resting(e) && m->now_us - e->last_us > m->idle_us &&
        !rest_flow(m, e, FLOW_END_IDLE))
        return NULL;
    if (is_new_connection(e, p, side)) {
        end_flow(m, e, FLOW_END_DETECTED);
        return NULL;
    }
    return e;
}

/* The same answer as when the flow began? Its own registered side is asked: the
 * other address may be registered as well. */
static bool is_still_registered(const struct meter *m,
                                const struct flow_entry *e,
                                const struct packet *p, int side,
                                struct wall_time when)
{
    bool is_destination = side != (int)e->registered;
    return find_endpoint(m, p, is_destination, when) == e->endpoint;
}

/* The flow of the packet, which is e or, where there was none or that one is
 * over, begins; NULL when the packet is towards nothing registered. */
static struct flow_entry *flow_of(struct meter *m, struct flow_entry *e,
                                  const struct packet *p,
                                  const struct flow_tuple *tuple, uint32_t hash,
                                  int side, struct wall_time when)
{
    struct owners owners = {.sides = 0};
    if (e != NULL) {
        owners = owners_of(e);
        e = leave_flow(m, e, p, side);
    }
    bool holds = is_steady(m, when);
    if (e != NULL && ((holds && e->epoch == m->epoch) ||
                      is_still_registered(m, e, p, side, when))) {
        if (is_resting(e))
            wake_flow(m, e);
        if (holds)
            e->epoch = m->epoch;
        return e;
    }
    struct match match = match_packet(m, p, side, when);
    if (match.endpoint == ENDPOINT_NONE)
        return NULL;
    if (e != NULL)
        end_flow(m, e, FLOW_END_FORCED);
    e = begin_flow(m, p, tuple, hash, side, match);
    set_owners(e, &owners);
    if (holds)
        e->epoch = m->epoch;
    return e;
}

/* --- one packet in its flow --- */

static uint16_t point_of(const struct meter *m, const struct packet *p,
                         unsigned point)
{
    /* An odd factor: one to one. */
    uint16_t number = (uint16_t)((point + (p->interface << 3)) * 0x9e37u);
    return m->is_vlan_point ? number ^ p->tags : number;
}

/* Was this packet's direction seen at another point just now? Asked before all
 * else: what comes late from there may be of a connection before this one. */
static bool is_duplicate(const struct meter *m, const struct flow_entry *e,
                         const struct packet *p, int side, unsigned point)
{
    uint32_t now_ms = (uint32_t)(m->now_us / 1000);
    return (e->point_sides >> side & 1) != 0 &&
           e->points[side] != point_of(m, p, point) &&
           now_ms - e->point_ms[side] <= m->duplicate_window_ms;
}

static void note_point(const struct meter *m, struct flow_entry *e,
                       const struct packet *p, int side, unsigned point)
{
    e->points[side] = point_of(m, p, point);
    e->point_ms[side] = (uint32_t)(m->now_us / 1000);
    e->point_sides |= 1u << side & 3;
}

static void count(struct flow_entry *e, const struct packet *p, int side,
                  struct wall_time when)
{
    bool is_first = !has_counts(e);
    struct flow_counts *c = &e->sides[side];
    c->packets++;
    c->octets += p->octets;
    c->payload += p->payload_length;
    e->tcp_flags[side] |= p->tcp_flags;
    e->packet_sides |= 1u << side & 3;
    if (p->payload_length > 0)
        e->payload_sides |= 1u << side & 3;
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
    if (side != (int)e->opener || p->payload_length == 0)
        return;
    if (e->request_us == INT64_MIN || when.us - e->request_us >= SECOND_US)
        e->burst_count++;
    if (when.us > e->request_us)
        e->request_us = when.us;
}

/* 0 when it is none that can be told. */
static uint32_t round_trip(int64_t from_us, int64_t to_us)
{
    int64_t us = to_us - from_us;
    return us > 0 && us < UINT32_MAX ? (uint32_t)us : 0;
}

static void note_syn(struct meter *m, struct flow_entry *e,
                     const struct packet *p, int side, struct wall_time when)
{
    inspection_note_syn(flow_table_inspection(m->table, e), side,
                        p->tcp_sequence);
    if (!(p->tcp_flags & TCP_ACK)) {
        if (side != (int)e->opener) /* both open at once (RFC 9293, 3.5) */
            return;
        e->syn_us = when.us;
        e->syn_sequence = p->tcp_sequence;
        return;
    }
    if (side == (int)e->opener || e->has_handshake ||
        (e->syn_us != 0 && p->tcp_acknowledgement != e->syn_sequence + 1))
        return;
    e->has_syn_answer = true;
    if (e->rtt_us == 0 && e->syn_us != 0)
        e->rtt_us = round_trip(e->syn_us, when.us);
}

/* The opener's acknowledgement of the SYN/ACK completes the handshake; it came
 * over the client's side and back since the SYN/ACK went by. */
static void note_handshake(struct flow_entry *e, const struct packet *p,
                           int side, struct wall_time when)
{
    if (!e->has_syn_answer || e->has_handshake || side != (int)e->opener ||
        (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK)
        return;
    int32_t ahead = (int32_t)(e->tcp[!side].next - p->tcp_acknowledgement);
    if (ahead < 0)
        return;
    e->has_handshake = true;
    if (ahead == 0 && e->rtt_us != 0)
        e->rtt_client_us = round_trip(e->syn_us + e->rtt_us, when.us);
}

static void note_tcp(struct meter *m, struct flow_entry *e,
                     const struct packet *p, int side, struct wall_time when)
{
    if (p->is_later_fragment)
        return;
    tcp_track(&e->tcp[side], p);
    if (p->tcp_flags & TCP_SYN)
        note_syn(m, e, p, side, when);
    else
        note_handshake(e, p, side, when);
    if (p->tcp_flags & TCP_FIN)
        e->fin_sides |= 1u << side & 3;
    if (((p->tcp_flags & TCP_RST) || e->fin_sides == 3) &&
        e->state == FLOW_OPEN)
        close_flow(m, e);
}

/* Who sent the hello or request is the client, where no SYN told before. */
static void inspect(struct meter *m, struct flow_entry *e,
                    const struct packet *p, int side, struct wall_time when)
{
    struct inspection *i = flow_table_inspection(m->table, e);
    struct slice name;
    inspector_read(m->inspector, i, p, side, when, &name);
    if (name.length > 0)
        judge_name(m, e, name, i->name_source);
    e->is_inspected = i->is_done;
    int client = inspection_client(i);
    if (client == INSPECT_CLIENT_UNKNOWN || client == (int)e->opener ||
        e->has_syn || e->has_reported)
        return;
    e->opener = client != 0;
    e->burst_count = 0; /* those were of the other side */
    e->request_us = INT64_MIN;
}

/* False: towards nothing registered. */
static bool take_packet(struct meter *m, struct packet *p,
                        struct wall_time when, unsigned point)
{
    if (p->is_fragment)
        fragment_table_apply(m->fragments, p, when);
    else if (p->ip_version == 4 && is_far(m, p->source, p->destination))
        return false;
    int side = flow_packet_side(p);
    struct flow_tuple tuple;
    flow_tuple_of(p, side, &tuple);
    uint32_t hash = flow_table_hash(m->table, &tuple);
    struct flow_entry *e = flow_table_find(m->table, &tuple, hash);
    bool has_points = m->duplicate_window_ms > 0;
    if (has_points && e != NULL && is_duplicate(m, e, p, side, point)) {
        m->counters.duplicates++;
        return true;
    }
    e = flow_of(m, e, p, &tuple, hash, side, when);
    if (e == NULL)
        return false;
    if (has_points)
        note_point(m, e, p, side, point);
    count(e, p, side, when);
    flow_table_touch(m->table, e, m->now_us);
    m->counters.packets++;
    m->counters.octets += p->octets;
    if (p->payload_length > 0 && !e->is_inspected)
        inspect(m, e, p, side, when);
    count_burst(e, p, side, when);
    if (p->protocol == PROTOCOL_TCP)
        note_tcp(m, e, p, side, when);
    return true;
}

/* --- packets --- */

/* From the innermost outwards; where every address counts the innermost is
 * taken at once. */
static void take_tunnelled(struct meter *m, struct packet *outer,
                           struct wall_time when, unsigned point)
{
    struct packet levels[TUNNELS_MAX + 1];
    int depth = 0;
    levels[0] = *outer;
    while (depth < TUNNELS_MAX &&
           decode_inner(&levels[depth], &levels[depth + 1]) == DECODE_OK)
        depth++;
    for (; depth >= 0; depth--)
        if (take_packet(m, &levels[depth], when, point))
            return;
    m->counters.filtered++;
}

/* Most packets of an unfiltered capture are towards nothing registered. Of the
 * plainest of them, TCP over IPv4 on Ethernet, whole and not in a fragment, the
 * same is seen here without decoding; whatever is unusual is left to that. */
static bool is_plainly_other(const struct meter *m, int link_type,
                             const uint8_t *data, size_t captured,
                             size_t length)
{
    enum { IP = 14, TCP = IP + 20, HEADERS = TCP + 20 };
    if (m->is_any || link_type != LINK_ETHERNET || captured < HEADERS ||
        data[12] != 0x08 || data[13] != 0x00 || data[IP] != 0x45 ||
        data[IP + 9] != PROTOCOL_TCP || (data[IP + 6] & 0x3f) != 0 ||
        data[IP + 7] != 0)
        return false;
    size_t total = (size_t)data[IP + 2] << 8 | data[IP + 3];
    size_t header = (size_t)(data[TCP + 12] >> 4) * 4;
    return header >= 20 && total >= 20 + header && total <= length - IP &&
           is_far(m, data + IP + 12, data + IP + 16);
}

static void decode_and_take(struct meter *m, int link_type, const uint8_t *data,
                            size_t captured, size_t length,
                            struct wall_time when, unsigned point)
{
    static const enum undecodable reasons[] = {
        [DECODE_LINK] = UNDECODABLE_LINK,
        [DECODE_TRUNCATED] = UNDECODABLE_TRUNCATED,
        [DECODE_HEADER] = UNDECODABLE_HEADER,
    };
    struct packet packet;
    enum decode_status status =
        decode_packet(link_type, data, captured, length, &packet);
    if (status != DECODE_OK)
        m->counters.undecodable[reasons[status]]++;
    else if (packet.may_tunnel)
        take_tunnelled(m, &packet, when, point);
    else if (!take_packet(m, &packet, when, point))
        m->counters.filtered++;
}

void meter_packet(struct meter *m, int link_type, const uint8_t *data,
                  size_t captured, size_t length, struct wall_time when,
                  unsigned point)
{
    meter_advance(m, when);
    if (is_plainly_other(m, link_type, data, captured, length))
        m->counters.filtered++;
    else
        decode_and_take(m, link_type, data, captured, length, when, point);
}

void meter_flush(struct meter *m)
{
    end_all(m, FLOW_END_FORCED);
}

const struct meter_counters *meter_counters(struct meter *m)
{
    m->counters.texts_missed = inspector_texts_missed(m->inspector);
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
