/*
 * Reading the three protocols.
 *
 *   v5       24 bytes of header, then records of 48 bytes each
 *   v9       20 bytes of header, then sets; no length in the header
 *   IPFIX    16 bytes of header, then sets
 *
 * A record is filled in two steps: its template's program copies the fields as
 * they are, then times and sampling are understood with what the domain knows.
 * Huawei's and H3C's NetStream are v5 and v9 on the wire with two habits: the
 * v5 header says zero sampling though packets are sampled, and v9 tells
 * sampling in options data that may come much later or never. Both are what the
 * registry's sampling of an exporter is for (aggregate.h).
 */
#include "collector/netflow/netflow_session.h"

#include <stdlib.h>
#include <string.h>

#include "collector/netflow/netflow_state.h"
#include "common/cursor.h"
#include "common/wire/ipfix.h"

enum { V9_SET_TEMPLATE = 0, V9_SET_OPTIONS = 1, SAMPLING_BITS = 14 };

struct netflow_session {
    struct netflow_state state;
    struct netflow_counters counters;
    const char *refusal;
};

/* One message on its way through. */
struct reading {
    struct netflow_session *session;
    struct netflow_domain *domain;
    enum netflow_dialect dialect;
    int64_t now_ms;
    int64_t export_ms;        /* of the header */
    uint32_t uptime;          /* of the header, v5 and v9 */
    struct netflow_rate rate; /* of the header, v5 */
    uint32_t records, flows;
    bool has_unknown_set;
    netflow_record_fn *fn;
    void *context;
};

/* --- session --- */

struct netflow_session *netflow_session_new(enum netflow_transport transport,
                                            int64_t template_lifetime_ms,
                                            struct netflow_budget *budget)
{
    struct netflow_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->state.transport = transport;
    s->state.lifetime_ms = template_lifetime_ms;
    s->state.budget = budget;
    s->state.counters = &s->counters;
    s->refusal = "";
    return s;
}

void netflow_session_free(struct netflow_session *session)
{
    if (session == NULL)
        return;
    netflow_state_clear(&session->state);
    free(session);
}

const struct netflow_counters *
netflow_session_counters(const struct netflow_session *session)
{
    return &session->counters;
}

const char *netflow_session_refusal(const struct netflow_session *session)
{
    return session->refusal;
}

/* --- templates --- */

/* A definition that cannot be used takes the place of the one before: records
 * that follow are not read by what no longer holds. */
static void refuse(struct reading *r, uint16_t id, const char *why)
{
    struct netflow_session *s = r->session;
    s->counters.templates_refused++;
    s->refusal = why;
    netflow_state_forget(&s->state, r->domain, id);
}

static enum netflow_status read_templates(struct reading *r, struct cursor *set,
                                          bool is_options)
{
    enum { SHORTEST = 4 }; /* a withdrawal; what is shorter is padding */
    enum netflow_status status = NETFLOW_OK;
    while (status == NETFLOW_OK && cursor_left(set) >= SHORTEST) {
        struct netflow_template *t = NULL;
        const char *why = NULL;
        uint16_t id;
        switch (
            netflow_template_read(set, r->dialect, is_options, &id, &t, &why)) {
        case NETFLOW_TEMPLATE_OK:
            status = netflow_state_define(&r->session->state, r->domain, t,
                                          r->now_ms);
            break;
        case NETFLOW_TEMPLATE_WITHDRAWAL:
            status = netflow_state_withdraw(&r->session->state, r->domain, id,
                                            is_options);
            break;
        case NETFLOW_TEMPLATE_REFUSED:
            refuse(r, id, why);
            break;
        case NETFLOW_TEMPLATE_BAD:
            return NETFLOW_BAD_TEMPLATE;
        }
    }
    return status;
}

/* --- times --- */

static int64_t from_ntp(uint64_t ntp)
{
    const int64_t epoch_s = INT64_C(2208988800); /* from 1900 to 1970 */
    int64_t seconds = (int64_t)(ntp >> 32) - epoch_s;
    return seconds * 1000 + (int64_t)((ntp & UINT32_MAX) * 1000 >> 32);
}

/* Milliseconds of uptime are 32 bits and come round every 49.7 days: the
 * distance to the export time is taken modulo 2^32, as near as may be. */
static int64_t from_uptime(const struct reading *r, uint32_t at)
{
    uint32_t at_export = r->uptime;
    if (r->dialect == NETFLOW_IPFIX) {
        if (r->domain->init_ms == 0)
            return NETFLOW_NO_TIME;
        at_export = (uint32_t)((uint64_t)r->export_ms - r->domain->init_ms);
    }
    return r->export_ms - (int32_t)(at_export - at);
}

static int64_t understand_time(const struct reading *r, uint8_t sense,
                               int64_t value)
{
    /* Milliseconds beyond the year 9999 are none that anybody means. */
    const int64_t max_ms = INT64_C(253402300799999);
    switch ((enum netflow_sense)sense) {
    case SENSE_MILLISECONDS:
        return value >= 0 && value <= max_ms ? value : NETFLOW_NO_TIME;
    case SENSE_NTP:
        return from_ntp((uint64_t)value);
    case SENSE_SECONDS:
        return value * 1000;
    case SENSE_DELTA_US:
        return r->export_ms - value / 1000;
    case SENSE_UPTIME:
        return from_uptime(r, (uint32_t)value);
    case SENSE_PLAIN:
    case SENSE_TOTAL:
    case SENSE_IPV4:
    case SENSE_IPV6:
    case SENSE_TEXT:
        break;
    }
    return NETFLOW_NO_TIME;
}

static void set_times(struct reading *r, struct netflow_record *record,
                      uint8_t start_sense, uint8_t end_sense)
{
    record->start_ms = understand_time(r, start_sense, record->start_ms);
    record->end_ms = understand_time(r, end_sense, record->end_ms);
    if (record->start_ms != NETFLOW_NO_TIME &&
        record->end_ms != NETFLOW_NO_TIME)
        return;
    r->session->counters.untimed_records++;
    if (record->end_ms == NETFLOW_NO_TIME)
        record->end_ms = record->start_ms == NETFLOW_NO_TIME ? r->export_ms
                                                             : record->start_ms;
    if (record->start_ms == NETFLOW_NO_TIME)
        record->start_ms = record->end_ms;
}

/* --- sampling --- */

/* samplingProbability (RFC 5477 8.2.6): a float64, or of reduced size a float32
 * (RFC 7011 6.2), whose bits leave the upper half empty. */
static struct netflow_rate rate_of_probability(uint64_t bits)
{
    const uint32_t population = UINT32_C(1) << 31;
    struct netflow_rate none = {0};
    uint32_t half = (uint32_t)bits;
    float narrow;
    double probability;
    memcpy(&narrow, &half, sizeof(narrow));
    memcpy(&probability, &bits, sizeof(probability));
    if (bits >> 32 == 0)
        probability = (double)narrow;
    if (!(probability > 0 && probability <= 1))
        return none;
    uint32_t chosen = (uint32_t)(probability * population + 0.5);
    return chosen > 0 ? (struct netflow_rate){chosen, population} : none;
}

static struct netflow_rate told_rate(const struct netflow_record *record)
{
    if (record->interval > 0 && record->space <= UINT32_MAX - record->interval)
        return (struct netflow_rate){record->interval,
                                     record->interval + record->space};
    if (record->size > 0 && record->sampled_from >= record->size)
        return (struct netflow_rate){record->size, record->sampled_from};
    if (record->one_in > 0)
        return (struct netflow_rate){1, record->one_in};
    return rate_of_probability(record->probability);
}

/* --- data --- */

static void take_options(struct reading *r, const struct netflow_record *record)
{
    struct netflow_rate rate = told_rate(record);
    r->session->counters.options_records++;
    if (record->init_ms > 0 && record->init_ms < INT64_MAX)
        r->domain->init_ms = record->init_ms;
    if (rate.chosen > 0)
        netflow_domain_learn_rate(r->domain, record->selector, rate);
}

/* Devices write zeros for what they did not translate. */
static bool is_told(const uint8_t address[16])
{
    static const uint8_t zeros[16];
    return memcmp(address, zeros, sizeof(zeros)) != 0;
}

/* A template with addresses of both versions has zeros in those of the other. */
static void choose_version(struct netflow_record *record)
{
    if (is_told(record->source) || is_told(record->destination) ||
        !is_told(record->source6))
        return;
    record->version = 6;
    memcpy(record->source, record->source6, sizeof(record->source));
    memcpy(record->destination, record->destination6,
           sizeof(record->destination));
    record->has_post_source = record->has_post_destination = false;
}

static void take_flow(struct reading *r, const struct netflow_template *t,
                      struct netflow_record *record)
{
    struct netflow_domain *d = r->domain;
    if (record->init_ms > 0 && record->init_ms < INT64_MAX)
        d->init_ms = record->init_ms;
    record->domain = d->id;
    record->version = t->version;
    record->totals = t->totals;
    record->has_post_source =
        t->has_post_source && is_told(record->post_source);
    record->has_post_destination =
        t->has_post_destination && is_told(record->post_destination);
    if (t->has_both)
        choose_version(record);
    set_times(r, record, t->start_sense, t->end_sense);
    record->rate = told_rate(record);
    if (record->rate.chosen == 0 && d->selector_count > 0)
        record->rate = netflow_domain_rate(d, record->selector);
    r->flows++;
    r->fn(r->context, record);
}

static enum netflow_status read_data(struct reading *r, struct cursor *set,
                                     uint16_t id)
{
    const struct netflow_template *t =
        netflow_state_find(&r->session->state, r->domain, id, r->now_ms);
    if (t == NULL) {
        r->session->counters.unknown_sets++;
        r->has_unknown_set = true;
        return NETFLOW_OK;
    }
    while (cursor_left(set) >= t->minimum) {
        struct netflow_record record = {0};
        if (!netflow_template_run(t, set, &record))
            return NETFLOW_BAD_RECORD;
        r->records++;
        if (t->is_options)
            take_options(r, &record);
        else
            take_flow(r, t, &record);
    }
    return NETFLOW_OK;
}

static enum netflow_status read_set(struct reading *r, struct cursor *c)
{
    uint16_t id = cursor_u16(c), length = cursor_u16(c);
    if (c->failed)
        return NETFLOW_TRUNCATED;
    if (length < IPFIX_SET_HEADER_LEN)
        return NETFLOW_BAD_LENGTH;
    struct cursor set = cursor_sub(c, length - (size_t)IPFIX_SET_HEADER_LEN);
    if (set.failed)
        return NETFLOW_TRUNCATED;
    bool is_v9 = r->dialect == NETFLOW_V9;
    if (id == (is_v9 ? V9_SET_TEMPLATE : IPFIX_SET_TEMPLATE))
        return read_templates(r, &set, false);
    if (id == (is_v9 ? V9_SET_OPTIONS : IPFIX_SET_OPTIONS_TEMPLATE))
        return read_templates(r, &set, true);
    if (id < IPFIX_SET_DATA_MIN)
        return NETFLOW_BAD_SET;
    return read_data(r, &set, id);
}

/* Some exporters of v9 leave up to three bytes at the end of a message. */
static enum netflow_status read_sets(struct reading *r, struct cursor *c)
{
    size_t padding = r->dialect == NETFLOW_V9 ? IPFIX_SET_HEADER_LEN - 1 : 0;
    enum netflow_status status = NETFLOW_OK;
    while (status == NETFLOW_OK && cursor_left(c) > padding)
        status = read_set(r, c);
    return status;
}

/* --- v5 --- */

static void read_v5_record(struct reading *r, struct cursor *c)
{
    struct netflow_record record = {.version = 4, .rate = r->rate};
    memcpy(record.source, cursor_bytes(c, 4), 4);
    memcpy(record.destination, cursor_bytes(c, 4), 4);
    cursor_skip(c, 4); /* next hop */
    record.input = cursor_u16(c);
    record.output = cursor_u16(c);
    record.packets = cursor_u32(c);
    record.octets = cursor_u32(c);
    record.start_ms = cursor_u32(c);
    record.end_ms = cursor_u32(c);
    record.source_port = cursor_u16(c);
    record.destination_port = cursor_u16(c);
    cursor_skip(c, 1);
    record.tcp_flags = cursor_u8(c);
    record.protocol = cursor_u8(c);
    cursor_skip(c, 9); /* class of service, networks, padding */
    record.domain = r->domain->id;
    set_times(r, &record, SENSE_UPTIME, SENSE_UPTIME);
    r->records++;
    r->flows++;
    r->fn(r->context, &record);
}

static enum netflow_status read_v5(struct reading *r, struct cursor *c,
                                   uint16_t count)
{
    if (cursor_left(c) < (size_t)count * NETFLOW_V5_RECORD_LEN)
        return NETFLOW_TRUNCATED;
    for (uint16_t i = 0; i < count; i++)
        read_v5_record(r, c);
    return NETFLOW_OK;
}

/* --- headers --- */

struct header {
    uint16_t version, count; /* count: IPFIX the length */
    uint32_t uptime, sequence, domain;
    int64_t export_ms;
    uint16_t sampling;
};

static bool read_header(struct cursor *c, struct header *h)
{
    *h = (struct header){.version = cursor_u16(c), .count = cursor_u16(c)};
    if (h->version == NETFLOW_V5 || h->version == NETFLOW_V9)
        h->uptime = cursor_u32(c);
    h->export_ms = (int64_t)cursor_u32(c) * 1000;
    if (h->version == NETFLOW_V5)
        h->export_ms += cursor_u32(c) / 1000000;
    h->sequence = cursor_u32(c);
    if (h->version == NETFLOW_V5) {
        h->domain = cursor_u16(c); /* engine type and id */
        h->sampling = cursor_u16(c) & ((1 << SAMPLING_BITS) - 1);
    } else {
        h->domain = cursor_u32(c);
    }
    return !c->failed;
}

static enum netflow_status check_header(const struct cursor *c,
                                        const struct header *h)
{
    if (h->version != NETFLOW_V5 && h->version != NETFLOW_V9 &&
        h->version != NETFLOW_IPFIX)
        return NETFLOW_BAD_VERSION;
    if (c->failed)
        return NETFLOW_TRUNCATED;
    if (h->version != NETFLOW_IPFIX || h->count == c->length)
        return NETFLOW_OK;
    return h->count > c->length ? NETFLOW_TRUNCATED : NETFLOW_BAD_LENGTH;
}

/* A late message takes back what its gap was counted as. */
static void note_late(struct reading *r, uint64_t records)
{
    struct netflow_counters *n = &r->session->counters;
    uint64_t messages = r->dialect == NETFLOW_V9 && n->lost_messages > 0;
    if (records > n->lost_records)
        records = n->lost_records;
    n->reordered++;
    n->lost_records -= records;
    n->lost_messages -= messages;
    r->domain->late_records += records;
    r->domain->late_messages += messages;
}

/* `was_restart`: those before it were not late, so what was lost stays lost. */
static void note_in_order(struct reading *r, bool was_restart)
{
    struct netflow_counters *n = &r->session->counters;
    struct netflow_domain *d = r->domain;
    if (was_restart) {
        n->lost_records += d->late_records;
        n->lost_messages += d->late_messages;
    }
    d->late_records = d->late_messages = 0;
}

/* What the number says about what did not come, in records. */
static void note_sequence(struct reading *r, uint32_t number, bool is_whole)
{
    struct netflow_counters *n = &r->session->counters;
    struct netflow_domain *d = r->domain;
    bool is_v9 = r->dialect == NETFLOW_V9;
    uint32_t missing;
    bool is_certain = is_v9 || (is_whole && !r->has_unknown_set);
    bool was_late = d->sequence.late_run == SEQUENCE_LATE_MAX;
    enum netflow_order order = netflow_sequence_note(
        &d->sequence, number, is_v9 ? 1 : r->records, is_certain, &missing);
    uint64_t average = d->messages > 0 ? d->records / d->messages : r->records;
    if (order == ORDER_UNREAD)
        n->unread_records += missing;
    if (order == ORDER_GAP) {
        n->lost_records += is_v9 ? missing * average : missing;
        n->lost_messages += is_v9 ? missing : 0;
    }
    if (order == ORDER_LATE)
        note_late(r, is_v9 ? average : r->records);
    else
        note_in_order(r, order == ORDER_RESET && was_late);
    n->resets += order == ORDER_RESET;
    d->messages++;
    d->records += r->records;
}

static enum netflow_status read_message(struct reading *r, struct cursor *c,
                                        const struct header *h)
{
    enum netflow_status status =
        r->dialect == NETFLOW_V5 ? read_v5(r, c, h->count) : read_sets(r, c);
    r->session->counters.records += r->flows;
    note_sequence(r, h->sequence, status == NETFLOW_OK);
    return status;
}

static enum netflow_status take(struct netflow_session *s,
                                const uint8_t *message, size_t length,
                                int64_t now_ms, netflow_record_fn *fn,
                                void *context)
{
    struct cursor c = cursor_of(message, length);
    struct header h;
    read_header(&c, &h);
    enum netflow_status status = check_header(&c, &h);
    if (status != NETFLOW_OK)
        return status;
    struct reading r = {
        .session = s,
        .domain = netflow_state_domain(&s->state, h.version, h.domain, now_ms),
        .dialect = h.version,
        .now_ms = now_ms,
        .export_ms = h.export_ms,
        .uptime = h.uptime,
        .fn = fn,
        .context = context,
    };
    if (r.domain == NULL)
        return NETFLOW_NO_MEMORY;
    if (h.sampling > 1)
        r.rate = (struct netflow_rate){1, h.sampling};
    if (s->state.transport == NETFLOW_UDP &&
        netflow_window_has(&r.domain->window, h.sequence,
                           netflow_message_hash(message, length)))
        return NETFLOW_DUPLICATE;
    return read_message(&r, &c, &h);
}

enum netflow_status netflow_session_take(struct netflow_session *session,
                                         const uint8_t *message, size_t length,
                                         int64_t now_ms, netflow_record_fn *fn,
                                         void *context)
{
    enum netflow_status status =
        take(session, message, length, now_ms, fn, context);
    session->counters.messages += status == NETFLOW_OK;
    session->counters.duplicates += status == NETFLOW_DUPLICATE;
    session->counters.malformed +=
        status != NETFLOW_OK && status != NETFLOW_DUPLICATE;
    return status;
}

/* --- messages in a row --- */

static int64_t v9_length(const uint8_t *data, size_t length, bool is_end)
{
    struct cursor c = cursor_of(data, length);
    cursor_skip(&c, NETFLOW_V9_HEADER_LEN);
    while (cursor_left(&c) >= IPFIX_SET_HEADER_LEN) {
        size_t before = c.offset;
        uint16_t id = cursor_u16(&c), size = cursor_u16(&c);
        if (id == NETFLOW_V5 || id == NETFLOW_V9 || id == NETFLOW_IPFIX)
            return (int64_t)before;
        if (size < IPFIX_SET_HEADER_LEN || before > IPFIX_MESSAGE_MAX)
            return -1;
        cursor_skip(&c, size - (size_t)IPFIX_SET_HEADER_LEN);
    }
    if (c.failed && length > 2 * (size_t)IPFIX_MESSAGE_MAX)
        return -1;
    if (!is_end || c.failed)
        return is_end ? -1 : 0;
    return (int64_t)length;
}

int64_t netflow_message_length(const uint8_t *data, size_t length, bool is_end)
{
    struct cursor c = cursor_of(data, length);
    uint16_t version = cursor_u16(&c), count = cursor_u16(&c);
    if (c.failed)
        return is_end ? -1 : 0;
    int64_t wanted;
    switch (version) {
    case NETFLOW_IPFIX:
        wanted = count >= IPFIX_HEADER_LEN ? count : -1;
        break;
    case NETFLOW_V5:
        wanted = NETFLOW_V5_HEADER_LEN + (int64_t)count * NETFLOW_V5_RECORD_LEN;
        break;
    case NETFLOW_V9:
        return v9_length(data, length, is_end);
    default:
        return -1;
    }
    if (wanted > IPFIX_MESSAGE_MAX)
        return -1;
    return wanted > (int64_t)length ? (is_end ? -1 : 0) : wanted;
}

/* --- texts --- */

const char *netflow_status_text(enum netflow_status status)
{
    static const char *const texts[NETFLOW_STATUS_COUNT] = {
        [NETFLOW_OK] = "ok",
        [NETFLOW_DUPLICATE] = "came before",
        [NETFLOW_BAD_VERSION] = "neither NetFlow v5, v9 nor IPFIX",
        [NETFLOW_TRUNCATED] = "runs past its end",
        [NETFLOW_BAD_LENGTH] = "impossible message or set length",
        [NETFLOW_BAD_SET] = "reserved set id",
        [NETFLOW_BAD_TEMPLATE] = "template not allowed",
        [NETFLOW_REDEFINED] = "template defined anew without withdrawal",
        [NETFLOW_BAD_RECORD] = "record runs past its set",
        [NETFLOW_NO_MEMORY] = "no room for its templates",
    };
    return (unsigned)status < NETFLOW_STATUS_COUNT ? texts[status] : "unknown";
}

const struct netflow_counter_name netflow_counter_names[] = {
    {"messages", "Messages read to their end."},
    {"malformed_messages", "Messages with a fault."},
    {"duplicate_messages", "Messages dropped because they came before."},
    {"records", "Flow records decoded."},
    {"options_records", "Options records decoded."},
    {"lost_records",
     "Flow records lost on the way, by sequence numbers; for "
     "NetFlow v9 an estimate from lost messages.",
     true},
    {"lost_messages", "NetFlow v9 messages lost on the way.", true},
    {"unread_records", "Records that came before their template."},
    {"unknown_sets", "Sets that came before their template."},
    {"reordered_messages", "Messages that came after later ones."},
    {"sequence_resets", "Sequences that began anew."},
    {"templates", "Template definitions taken."},
    {"templates_refused", "Templates whose records cannot be read."},
    {"templates_evicted", "Templates dropped to make room."},
    {"templates_expired", "Templates not defined again in time."},
    {"withdrawals", "Template withdrawals; over UDP they are ignored."},
    {"untimed_records", "Records without a time of their own."},
};

void netflow_counters_add(struct netflow_counters *sum,
                          const struct netflow_counters *more)
{
    uint64_t a[NETFLOW_COUNTER_COUNT], b[NETFLOW_COUNTER_COUNT];
    memcpy(a, sum, sizeof(a));
    memcpy(b, more, sizeof(b));
    for (size_t i = 0; i < NETFLOW_COUNTER_COUNT; i++)
        a[i] += b[i];
    memcpy(sum, a, sizeof(a));
}
