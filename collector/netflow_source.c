/*
 * Exporters stand in an array in the order in which they were first seen, and
 * their place is their number; one that leaves the registry only falls silent.
 * A sorted list of addresses finds them.
 */
#include "collector/netflow_source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/wire/endpoint.h"
#include "common/wire/ipfix.h"

enum {
    REFUSED_NAMED = 64, /* unregistered addresses named in the log a day */
    WARN_PAUSE_S = 1,
    DAY_S = 86400,
    SLICE_MS = 300 * 1000,
    REACH_MS = 23 * 3600 * 1000, /* of a period's records before its start */
};

struct port_session {
    uint16_t port; /* 0: v5 and v9 */
    int64_t used_ms;
    struct netflow_session *session;
};

struct exporter {
    struct registry_exporter row;
    bool is_active;
    bool is_listed; /* by the reading of the registry that goes on */
    struct port_session ports[NETFLOW_PORTS_MAX];
    size_t port_count;
    struct netflow_counters closed; /* of sessions that ended */
    struct netflow_tally tally;
    uint64_t noted_records, noted_lost; /* are in batches */
    uint64_t stream_records, stream_lost;
    bool is_scaled; /* flows of the last period were */
    struct wall_time warned;
};

struct place {
    struct address address;
    int number;
};

struct netflow_source {
    struct netflow_source_options options;
    struct probe_directory *registry;
    struct netflow_budget budget;
    struct exporter *exporters;
    size_t count, room, next_row;
    struct place *places; /* sorted by address */
    size_t place_count;
    struct endpoint_list *endpoints;
    struct stat endpoints_stat;
    struct netflow_aggregate *aggregate;
    int64_t since_ms; /* when it was made */
    struct source_batches *batches;
    struct source_period period; /* being closed */
    struct wall_time now;        /* of the message being read */
    int reading;                 /* its exporter */
    struct address named[REFUSED_NAMED];
    size_t named_count;
    int64_t named_day;
    uint64_t refused, batches_lost;
    bool is_failing; /* the registry; logged */
};

/* --- flows out --- */

static struct source_chain chain_of(const struct exporter *e, bool is_scaled)
{
    return (struct source_chain){
        .source = SOURCE_ROUTER,
        .name = e->row.id,
        .enterprise_id = e->row.enterprise_id,
        .site_id = e->row.site_id,
        .is_sample = e->row.is_sample,
        .is_scaled = is_scaled,
    };
}

/* A flow that began long before the period is batched with its own time: the
 * ledger does not count records that reach too far out of their period. */
static struct source_period period_of(const struct netflow_source *s,
                                      const struct flow_record *flow)
{
    if (flow->start_ms >= s->period.start_ms - REACH_MS)
        return s->period;
    int64_t start_ms = flow->start_ms / SLICE_MS * SLICE_MS;
    return (struct source_period){start_ms, start_ms + SLICE_MS};
}

static void take_flow(void *context, uint32_t number, bool is_scaled,
                      const struct flow_record *flow)
{
    struct netflow_source *s = context;
    struct exporter *e = &s->exporters[number];
    if (!e->is_active || s->batches == NULL)
        return; /* denied meanwhile */
    struct source_chain chain = chain_of(e, is_scaled);
    e->is_scaled = is_scaled;
    if (!source_batches_add(s->batches, &chain, period_of(s, flow), flow))
        s->batches_lost++;
}

static void take_record(void *context, const struct netflow_record *record)
{
    struct netflow_source *s = context;
    struct exporter *e = &s->exporters[s->reading];
    struct netflow_rate override = {e->row.sampling > 0, e->row.sampling};
    const struct netflow_origin origin = {
        .number = (uint32_t)s->reading,
        .override = override,
        .is_any_time = e->row.is_sample || s->options.is_file,
        .since_ms = s->since_ms,
        .tally = &e->tally,
    };
    netflow_aggregate_add(s->aggregate, &origin, record, wall_to_ms(s->now));
}

/* --- the registry's side --- */

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return memcmp(&a->address, &b->address, sizeof(a->address));
}

/* Mostly the one behind the last one found. */
static struct exporter *find_row(struct netflow_source *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t at = (s->next_row + i) % s->count;
        if (strcmp(s->exporters[at].row.id, id) != 0)
            continue;
        s->next_row = at + 1;
        return &s->exporters[at];
    }
    return NULL;
}

static struct exporter *add_exporter(struct netflow_source *s)
{
    if (s->count == s->room) {
        size_t room = s->room == 0 ? 16 : 2 * s->room;
        struct exporter *more =
            realloc(s->exporters, room * sizeof(*s->exporters));
        if (more == NULL)
            return NULL;
        s->exporters = more;
        s->room = room;
    }
    struct exporter *e = &s->exporters[s->count++];
    *e = (struct exporter){0};
    return e;
}

static bool is_allowed(const struct netflow_source *s,
                       const struct registry_exporter *row)
{
    return s->now.us >= row->agreed_at.us &&
           (!row->has_denied_at || s->now.us < row->denied_at.us) &&
           (!row->is_sample || s->options.accept_sample) &&
           strlen(row->id) < SOURCE_NAME_LEN;
}

/* What its pending flows are to be batched for must not change under them. */
static bool is_same_party(const struct registry_exporter *a,
                          const struct registry_exporter *b)
{
    return strcmp(a->enterprise_id, b->enterprise_id) == 0 &&
           strcmp(a->site_id, b->site_id) == 0 && a->is_sample == b->is_sample;
}

static void take_row(void *context, const struct registry_exporter *row)
{
    struct netflow_source *s = context;
    struct exporter *e = find_row(s, row->id);
    if (!is_allowed(s, row))
        return;
    if (e != NULL && !is_same_party(&e->row, row))
        netflow_aggregate_drain(s->aggregate, wall_to_ms(s->now), true);
    if (e == NULL && (e = add_exporter(s)) == NULL)
        return;
    e->row = *row;
    e->is_listed = true;
}

static void sort_places(struct netflow_source *s)
{
    struct place *places = calloc(s->count + 1, sizeof(*places));
    size_t count = 0;
    for (size_t i = 0; places != NULL && i < s->count; i++)
        if (s->exporters[i].is_active)
            places[count++] =
                (struct place){s->exporters[i].row.address, (int)i};
    if (places == NULL)
        return;
    if (count > 1)
        qsort(places, count, sizeof(*places), compare_places);
    free(s->places);
    s->places = places;
    s->place_count = count;
}

static bool read_exporters(struct netflow_source *s, struct error_text *error)
{
    for (size_t i = 0; i < s->count; i++)
        s->exporters[i].is_listed = false;
    if (probe_directory_read_exporters(s->registry, take_row, s) !=
        REGISTRY_FOUND)
        return error_set(error, "exporters: %s",
                         probe_directory_error(s->registry));
    for (size_t i = 0; i < s->count; i++)
        s->exporters[i].is_active = s->exporters[i].is_listed;
    sort_places(s);
    return true;
}

/* --- the endpoints' side --- */

static struct source_batches *batches_for(const struct netflow_source *s,
                                          const struct endpoint_list *list)
{
    const struct netflow_source_options *o = &s->options;
    const struct source_options options = {
        .key = o->key,
        .boot_id = o->boot_id,
        .registry_version = endpoint_list_version(list),
        .software_hash = o->software_hash,
        .finished = o->finished,
        .context = o->context,
    };
    return source_batches_new(&options);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void close_batches(struct netflow_source *s)
{
    if (s->batches != NULL && !source_batches_close(s->batches))
        s->batches_lost++;
}

static bool read_endpoints(struct netflow_source *s, struct error_text *error)
{
    struct stat st = {0};
    bool is_there = stat(s->options.endpoints, &st) == 0;
    if (is_there && s->endpoints != NULL &&
        is_same_file(&st, &s->endpoints_stat))
        return true;
    struct endpoint_list *list =
        endpoint_list_load(s->options.endpoints, error);
    struct source_batches *batches = list == NULL ? NULL : batches_for(s, list);
    if (batches == NULL) {
        endpoint_list_free(list);
        return list == NULL ? false : error_set(error, "out of memory");
    }
    netflow_aggregate_set_endpoints(s->aggregate, list);
    close_batches(s);
    source_batches_free(s->batches);
    endpoint_list_free(s->endpoints);
    s->batches = batches;
    s->endpoints = list;
    s->endpoints_stat = st;
    return true;
}

/* --- life --- */

static bool reload(struct netflow_source *s, struct wall_time now,
                   struct error_text *error)
{
    s->now = now;
    bool has_exporters = read_exporters(s, error);
    return read_endpoints(s, error) && has_exporters;
}

void netflow_source_reload(struct netflow_source *source, struct wall_time now)
{
    struct error_text error = {""};
    bool good = reload(source, now, &error);
    if (!good && !source->is_failing)
        log_error("exporters and endpoints stay as they are: %s", error.text);
    source->is_failing = !good;
}

struct netflow_source *
netflow_source_new(const struct netflow_source_options *options,
                   struct wall_time now, struct error_text *error)
{
    struct netflow_source *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->options = *options;
    s->budget.max = NETFLOW_MEMORY_MAX;
    s->since_ms = wall_to_ms(now);
    s->period = (struct source_period){s->since_ms, s->since_ms};
    s->aggregate = netflow_aggregate_new(NETFLOW_FLOWS_MAX, options->pseudonym,
                                         take_flow, s);
    if (s->aggregate == NULL)
        error_set(error, "out of memory");
    else if ((s->registry = probe_directory_open(options->registry, error)) !=
                 NULL &&
             reload(s, now, error))
        return s;
    netflow_source_free(s);
    return NULL;
}

void netflow_source_free(struct netflow_source *source)
{
    struct netflow_source *s = source;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->exporters[i].port_count; k++)
            netflow_session_free(s->exporters[i].ports[k].session);
    free(s->exporters);
    free(s->places);
    netflow_aggregate_free(s->aggregate);
    source_batches_free(s->batches);
    endpoint_list_free(s->endpoints);
    probe_directory_close(s->registry);
    free(s);
}

int netflow_source_find(struct netflow_source *source,
                        const struct address *address)
{
    const struct place wanted = {.address = *address};
    const struct place *p =
        source->places == NULL
            ? NULL
            : bsearch(&wanted, source->places, source->place_count,
                      sizeof(*source->places), compare_places);
    return p == NULL ? NETFLOW_NOBODY : p->number;
}

int netflow_source_find_id(const struct netflow_source *source, const char *id)
{
    for (size_t i = 0; i < source->count; i++)
        if (source->exporters[i].is_active &&
            strcmp(source->exporters[i].row.id, id) == 0)
            return (int)i;
    return NETFLOW_NOBODY;
}

const char *netflow_source_id(const struct netflow_source *source, int exporter)
{
    return source->exporters[exporter].row.id;
}

void netflow_source_refuse(struct netflow_source *source,
                           const struct address *address, struct wall_time now)
{
    struct netflow_source *s = source;
    char text[ADDRESS_TEXT_LEN];
    int64_t day = wall_to_s(now) / DAY_S;
    s->refused++;
    if (day != s->named_day)
        s->named_count = 0;
    s->named_day = day;
    for (size_t i = 0; i < s->named_count; i++)
        if (address_equal(&s->named[i], address))
            return;
    if (s->named_count == REFUSED_NAMED)
        return;
    s->named[s->named_count++] = *address;
    address_to_text(address, text);
    log_warn("%s is no registered exporter: what it sends is refused%s", text,
             s->named_count == REFUSED_NAMED ? "; more are not named today"
                                             : "");
}

/* --- messages in --- */

static void warn(struct netflow_source *s, struct exporter *e, size_t length,
                 const char *what, const char *why)
{
    char text[ADDRESS_TEXT_LEN];
    if (s->now.us - e->warned.us < WARN_PAUSE_S * INT64_C(1000000))
        return;
    e->warned = s->now;
    address_to_text(&e->row.address, text);
    log_warn("exporter %s (%s): %s in %zu bytes: %s", e->row.id, text, what,
             length, why);
}

static enum netflow_status read_message(struct netflow_source *s, int exporter,
                                        struct netflow_session *session,
                                        const uint8_t *message, size_t length)
{
    struct exporter *e = &s->exporters[exporter];
    uint64_t refused = netflow_session_counters(session)->templates_refused;
    s->reading = exporter;
    enum netflow_status status = netflow_session_take(
        session, message, length, wall_to_ms(s->now), take_record, s);
    if (status != NETFLOW_OK && status != NETFLOW_DUPLICATE)
        warn(s, e, length, "a fault", netflow_status_text(status));
    else if (netflow_session_counters(session)->templates_refused > refused)
        warn(s, e, length, "a template refused",
             netflow_session_refusal(session));
    return status;
}

static void forget_port(struct exporter *e, size_t index)
{
    netflow_counters_add(&e->closed,
                         netflow_session_counters(e->ports[index].session));
    netflow_session_free(e->ports[index].session);
    e->ports[index] = e->ports[--e->port_count];
}

static struct netflow_session *port_session(struct netflow_source *s,
                                            struct exporter *e, uint16_t port)
{
    size_t oldest = 0;
    for (size_t i = 0; i < e->port_count; i++) {
        if (e->ports[i].port == port) {
            e->ports[i].used_ms = wall_to_ms(s->now);
            return e->ports[i].session;
        }
        if (e->ports[i].used_ms < e->ports[oldest].used_ms)
            oldest = i;
    }
    if (e->port_count == NETFLOW_PORTS_MAX)
        forget_port(e, oldest);
    struct netflow_session *session = netflow_session_new(
        NETFLOW_UDP, s->options.template_lifetime_ms, &s->budget);
    if (session != NULL)
        e->ports[e->port_count++] =
            (struct port_session){port, wall_to_ms(s->now), session};
    return session;
}

void netflow_source_datagram(struct netflow_source *source, int exporter,
                             uint16_t port, const uint8_t *message,
                             size_t length, struct wall_time now)
{
    struct exporter *e = &source->exporters[exporter];
    bool is_ipfix =
        length >= 2 && message[0] == 0 && message[1] == IPFIX_VERSION;
    source->now = now;
    struct netflow_session *session =
        port_session(source, e, is_ipfix ? port : 0);
    if (session != NULL)
        read_message(source, exporter, session, message, length);
}

struct netflow_session *netflow_source_open_stream(struct netflow_source *s)
{
    return netflow_session_new(NETFLOW_STREAM, 0, &s->budget);
}

enum netflow_status netflow_source_message(struct netflow_source *source,
                                           int exporter,
                                           struct netflow_session *session,
                                           const uint8_t *message,
                                           size_t length, struct wall_time now)
{
    struct exporter *e = &source->exporters[exporter];
    const struct netflow_counters *n = netflow_session_counters(session);
    uint64_t records = n->records, lost = n->lost_records;
    source->now = now;
    enum netflow_status status =
        read_message(source, exporter, session, message, length);
    e->stream_records += n->records - records;
    e->stream_lost += n->lost_records - lost;
    return status;
}

void netflow_source_close_stream(struct netflow_source *source, int exporter,
                                 struct netflow_session *session)
{
    struct exporter *e = &source->exporters[exporter];
    const struct netflow_counters *n = netflow_session_counters(session);
    e->stream_records -= n->records;
    e->stream_lost -= n->lost_records;
    netflow_counters_add(&e->closed, n);
    netflow_session_free(session);
}

/* --- closing --- */

static struct netflow_counters counters_of(const struct exporter *e)
{
    struct netflow_counters sum = e->closed;
    for (size_t i = 0; i < e->port_count; i++)
        netflow_counters_add(&sum,
                             netflow_session_counters(e->ports[i].session));
    sum.records += e->stream_records;
    sum.lost_records += e->stream_lost;
    return sum;
}

/* What came and what was lost since the last batch; an exporter that was silent
 * makes none. What was lost may have come late after all. */
static void note(struct netflow_source *s, struct exporter *e)
{
    struct netflow_counters n = counters_of(e);
    uint64_t seen = n.records - e->noted_records;
    uint64_t lost =
        n.lost_records > e->noted_lost ? n.lost_records - e->noted_lost : 0;
    if (seen + lost == 0)
        return;
    struct source_chain chain = chain_of(e, e->is_scaled);
    if (!source_batches_note(s->batches, &chain, s->period, seen, lost))
        s->batches_lost++;
    e->noted_records = n.records;
    e->noted_lost = n.lost_records;
}

void netflow_source_close(struct netflow_source *source,
                          struct source_period period, struct wall_time now,
                          bool is_all)
{
    struct netflow_source *s = source;
    s->period = period;
    s->now = now;
    netflow_aggregate_drain(s->aggregate, wall_to_ms(now), is_all);
    for (size_t i = 0; i < s->count; i++)
        if (s->exporters[i].is_active && period.start_ms != INT64_MAX)
            note(s, &s->exporters[i]);
    close_batches(s);
}

static void add_tally(struct netflow_tally *sum,
                      const struct netflow_tally *more)
{
    uint64_t a[NETFLOW_TALLY_COUNT], b[NETFLOW_TALLY_COUNT];
    memcpy(a, sum, sizeof(a));
    memcpy(b, more, sizeof(b));
    for (size_t i = 0; i < NETFLOW_TALLY_COUNT; i++)
        a[i] += b[i];
    memcpy(sum, a, sizeof(a));
}

void netflow_source_totals(const struct netflow_source *source,
                           struct netflow_totals *totals)
{
    *totals = (struct netflow_totals){.refused = source->refused,
                                      .batches_lost = source->batches_lost};
    for (size_t i = 0; i < source->count; i++) {
        struct netflow_counters n = counters_of(&source->exporters[i]);
        netflow_counters_add(&totals->counters, &n);
        add_tally(&totals->tally, &source->exporters[i].tally);
    }
}
