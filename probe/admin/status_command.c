/*
 * The human form is a table of rows: a label, and a function that adds the row's
 * sentence and, below it, what to do where something is wrong. A group of
 * members that an older probe did not write leaves its row out.
 */
#include "probe/admin/status_command.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/columns.h"
#include "common/durable.h"
#include "common/json.h"
#include "common/program.h"
#include "common/shown.h"
#include "probe/state/probe_config.h"
#include "probe/state/probe_number.h"

enum {
    FILE_MAX = 256 * 1024,
    OUTPUT_MAX = 4 * 1024 * 1024, /* \u escapes make a text six times longer */
    LABEL_WIDTH = 14,
    DAY_S = 24 * 3600,
    CERTIFICATE_WARN_DAYS = 10,
    WAITING_WARN = 3,        /* batches */
    SPOOL_WARN_PERCENT = 80, /* of its bound */
    FREE_WARN_BYTES = 4 * 1024 * 1024,
    CLOCK_WARN_MS = 2 * 60 * 1000, /* the collector refuses what is dated 5
                                      minutes ahead, and marks 10 as late */
};

struct view {
    const struct status_question *q;
    const struct json_node *root;
    struct buffer *out;
    int64_t age_s;
    bool is_running; /* and its status is fresh */
    bool is_alive;   /* its process is there */
    unsigned faults;
};

/* A whole sentence of the row; a mark, and what to do, on a line of its own. */
#define SAY(v, ...)   text_fill((v)->out, (v)->q->language, __VA_ARGS__)
#define FAULT(v, ...) (begin_fault(v), SAY(v, __VA_ARGS__))
/* --- members, without complaint when they are absent --- */

static bool get_u64(const struct json_node *object, const char *key,
                    uint64_t *value)
{
    const struct json_node *n = json_member(object, key);
    *value = 0;
    if (n == NULL || json_kind_of(n) != JSON_INTEGER_KIND)
        return false;
    int64_t number = json_as_i64(n, INT64_MIN, INT64_MAX);
    if (number < 0)
        return false;
    *value = (uint64_t)number;
    return true;
}

static uint64_t u64_of(const struct json_node *object, const char *key)
{
    uint64_t value;
    get_u64(object, key, &value);
    return value;
}

static const char *text_of(const struct json_node *object, const char *key)
{
    const struct json_node *n = json_member(object, key);
    return n != NULL && json_kind_of(n) == JSON_TEXT_KIND ? json_as_text(n)
                                                          : "";
}

static bool bool_of(const struct json_node *object, const char *key)
{
    const struct json_node *n = json_member(object, key);
    return n != NULL && json_kind_of(n) == JSON_BOOL_KIND && json_as_bool(n);
}

/* An object or array, else NULL, which every reader takes for empty. */
static const struct json_node *group_of(const struct json_node *object,
                                        const char *key)
{
    const struct json_node *n = json_member(object, key);
    bool is_group = n != NULL && (json_kind_of(n) == JSON_OBJECT_KIND ||
                                  json_kind_of(n) == JSON_ARRAY_KIND);
    return is_group ? n : NULL;
}

static bool time_of(const struct json_node *object, const char *key,
                    struct wall_time *time)
{
    return wall_from_text(slice_of_text(text_of(object, key)), time);
}

/* --- lines --- */

/* Below the row, where it goes on. */
static void new_line(struct view *v)
{
    buffer_addf(v->out, "\n%*s", LABEL_WIDTH, "");
}

static void begin_fault(struct view *v)
{
    v->faults++;
    buffer_addf(v->out, "\n%*s! ", LABEL_WIDTH - 2, "");
}

/* A moment not long past, as a span until now. */
static int64_t ago(const struct view *v, struct wall_time time)
{
    return wall_to_s(v->q->now) - wall_to_s(time);
}

/* --- numbers --- */

enum { NUMBERS_MORE = 4, NUMBERS_MOST = 16 };

/* The sentence of a group of the status with all its numbers, under their names
 * there, and some more. */
static void say_numbers(struct view *v, const char *key, const char *group,
                        const struct text_argument more[static NUMBERS_MORE])
{
    struct text_argument arguments[NUMBERS_MOST + NUMBERS_MORE + 1] = {0};
    const struct json_node *object = group_of(v->root, group);
    const struct probe_number *n = NULL;
    size_t count = 0;
    while (count < NUMBERS_MOST && (n = probe_number_next(group, n)) != NULL)
        arguments[count++] = strstr(n->key, "_octets") != NULL
                                 ? text_size(n->key, u64_of(object, n->key))
                                 : text_count(n->key, u64_of(object, n->key));
    for (size_t i = 0; i < NUMBERS_MORE && more[i].name != NULL; i++)
        arguments[count++] = more[i];
    text_fill_list(v->out, v->q->language, key, arguments);
}
#define SAY_NUMBERS(v, key, group, ...)                                        \
    say_numbers(v, key, group,                                                 \
                (const struct text_argument[NUMBERS_MORE]){                    \
                    __VA_ARGS__ __VA_OPT__(, ){0}})

/* What to do about those of the group that should be 0. */
static void blame_numbers(struct view *v, const char *group)
{
    const struct json_node *object = group_of(v->root, group);
    const struct probe_number *n = NULL;
    while ((n = probe_number_next(group, n)) != NULL)
        if (n->fault != NULL && u64_of(object, n->key) > 0)
            FAULT(v, n->fault, text_plain("config", v->q->config),
                  text_plain("state", v->q->state));
}

/* --- rows --- */

static bool add_since(struct view *v)
{
    struct wall_time started;
    if (!time_of(v->root, "started", &started))
        return false;
    SAY(v, v->is_running ? "probe.status.up" : "probe.status.started",
        text_moment("started", started), text_span("up", ago(v, started)),
        text_count("pid", u64_of(v->root, "pid")));
    return true;
}

static bool add_interfaces(struct view *v)
{
    const struct json_node *list = group_of(v->root, "interfaces");
    for (const struct json_node *n = json_first(list); n; n = json_next(n)) {
        if (n != json_first(list))
            new_line(v);
        SAY(v, "probe.status.interface",
            text_foreign("name", text_of(n, "name")),
            text_foreign("link", text_of(n, "link_type")),
            text_count("received", u64_of(n, "received")),
            text_count("dropped", u64_of(n, "dropped")));
    }
    return json_first(list) != NULL;
}

static bool add_filter(struct view *v)
{
    uint64_t rules = u64_of(v->root, "rules");
    const char *version = text_of(v->root, "registry_version");
    char start[13] = {0};
    memcpy(start, version, strnlen(version, sizeof(start) - 1));
    SAY(v,
        start[0] != '\0' ? "probe.status.filter" : "probe.status.filter_only",
        text_foreign("filter", text_of(v->root, "filter")),
        text_count("rules", rules), text_foreign("list", start));
    if (text_of(v->root, "looks_through")[0] != '\0') {
        new_line(v);
        SAY(v, "probe.status.looks_through",
            text_foreign("tunnels", text_of(v->root, "looks_through")));
    }
    if (rules == 0)
        FAULT(v, "probe.status.fault.no_rules",
              text_plain("config", v->q->config));
    return true;
}

static bool add_packets(struct view *v)
{
    const struct json_node *k = group_of(v->root, "kernel");
    uint64_t seen;
    bool has_seen = get_u64(k, "seen", &seen);
    if (k == NULL)
        return false;
    SAY_NUMBERS(v,
                has_seen ? TEXT_KEY("probe.status.packets")
                         : TEXT_KEY("probe.status.packets_matched"),
                "kernel", text_count("seen", seen),
                text_count("matched", u64_of(k, "matched")),
                text_count("refused", u64_of(k, "refused")));
    blame_numbers(v, "kernel");
    return true;
}

static bool add_decoding(struct view *v)
{
    const struct json_node *p = group_of(v->root, "process");
    const struct json_node *u = group_of(p, "undecodable");
    if (p == NULL)
        return false;
    SAY_NUMBERS(v, TEXT_KEY("probe.status.decoding"), "process",
                text_count("link", u64_of(u, "link")),
                text_count("truncated", u64_of(u, "truncated")),
                text_count("header", u64_of(u, "header")));
    if (u64_of(u, "truncated") > 0)
        FAULT(v, "probe.status.fault.truncated",
              text_plain("config", v->q->config));
    return true;
}

static bool add_flows(struct view *v)
{
    const struct json_node *f = group_of(v->root, "flows");
    const struct json_node *m = group_of(v->root, "memory");
    if (f == NULL)
        return false;
    SAY_NUMBERS(v, TEXT_KEY("probe.status.flows"), "flows",
                text_count("limit", u64_of(m, "flow_limit")));
    blame_numbers(v, "flows");
    return true;
}

static bool add_memory(struct view *v)
{
    const struct json_node *m = group_of(v->root, "memory");
    if (u64_of(m, "rss_bytes") == 0)
        return false;
    SAY(v, "probe.status.memory", text_size("now", u64_of(m, "rss_bytes")),
        text_size("peak", u64_of(m, "peak_bytes")),
        text_size("flows", u64_of(m, "flow_table_bytes")));
    return true;
}

static void blame_disk(struct view *v, const struct json_node *b)
{
    uint64_t waiting = u64_of(b, "waiting_octets"),
             bound = u64_of(b, "bound_octets");
    if (text_of(b, "disk_fault")[0] != '\0')
        FAULT(v, "probe.status.fault.disk",
              text_foreign("reason", text_of(b, "disk_fault")),
              text_plain("state", v->q->state));
    if (v->q->free_bytes < FREE_WARN_BYTES)
        FAULT(v, "probe.status.fault.disk_nearly_full",
              text_plain("state", v->q->state),
              text_size("free", v->q->free_bytes));
    if (bound > 0 && waiting / SPOOL_WARN_PERCENT >= bound / 100)
        FAULT(v, "probe.status.fault.spool_nearly_full",
              text_plain("config", v->q->config));
}

static bool add_batches(struct view *v)
{
    const struct json_node *b = group_of(v->root, "batches");
    if (b == NULL)
        return false;
    SAY_NUMBERS(v,
                u64_of(b, "waiting") > 0
                    ? TEXT_KEY("probe.status.batches_waiting")
                    : TEXT_KEY("probe.status.batches"),
                "batches");
    blame_disk(v, b);
    blame_numbers(v, "batches");
    return true;
}

static bool add_losses(struct view *v)
{
    const struct json_node *l = group_of(v->root, "loss_records");
    const struct json_node *b = group_of(v->root, "batches");
    if (l == NULL)
        return false;
    SAY_NUMBERS(v,
                u64_of(l, "waiting") > 0
                    ? TEXT_KEY("probe.status.losses_waiting")
                    : TEXT_KEY("probe.status.losses"),
                "loss_records", text_count("lost", u64_of(b, "lost")));
    return true;
}

/* Why the last connection failed, and what happens next. */
static void blame_uplink(struct view *v, const struct json_node *u)
{
    struct wall_time failed, next;
    if (!time_of(u, "fault_time", &failed))
        return;
    bool has_next = time_of(u, "next_attempt", &next);
    FAULT(v,
          has_next ? "probe.status.fault.uplink"
                   : "probe.status.fault.uplink_now",
          text_foreign("reason", text_of(u, "fault")),
          text_span("ago", ago(v, failed)),
          text_count("failures", u64_of(u, "failures")),
          text_span("left", has_next ? -ago(v, next) : 0));
}

static bool add_uplink(struct view *v)
{
    const struct json_node *u = group_of(v->root, "uplink");
    uint64_t failures = u64_of(u, "failures");
    uint64_t waiting = u64_of(group_of(v->root, "batches"), "waiting");
    SAY(v, bool_of(v->root, "connected") ? "probe.status.connected"
           : waiting > 0                 ? "probe.status.not_connected"
                                         : "probe.status.nothing_waits");
    if (!v->is_running)
        return true;
    if (failures > 0)
        blame_uplink(v, u);
    if (failures > 0 || waiting >= WAITING_WARN)
        FAULT(v, "probe.status.fault.waiting",
              text_plain("config", v->q->config));
    return true;
}

static bool add_receipt(struct view *v)
{
    const struct json_node *last = group_of(v->root, "last_receipt");
    const struct json_node *kept = group_of(v->root, "receipts");
    struct wall_time received;
    if (time_of(last, "received", &received))
        SAY(v, "probe.status.receipt", text_moment("received", received),
            text_count("index", u64_of(last, "ledger_index")),
            text_foreign("status", text_of(last, "status")));
    else
        SAY(v, "probe.status.none_yet");
    if (text_of(kept, "oldest")[0] != '\0') {
        new_line(v);
        SAY(v, "probe.status.receipts_kept",
            text_foreign("oldest", text_of(kept, "oldest")),
            text_size("size", u64_of(kept, "kept_octets")),
            text_plain("state", v->q->state));
    }
    if (bool_of(kept, "has_failed"))
        FAULT(v, "probe.status.fault.receipts",
              text_plain("state", v->q->state));
    return true;
}

static bool add_certificate(struct view *v)
{
    struct wall_time begin, end;
    if (!time_of(v->root, "certificate_end", &end))
        return false;
    int64_t left_s = -ago(v, end);
    int64_t warn_s = CERTIFICATE_WARN_DAYS * (int64_t)DAY_S;
    if (time_of(v->root, "certificate_begin", &begin) &&
        (wall_to_s(end) - wall_to_s(begin)) / 3 < warn_s)
        warn_s = (wall_to_s(end) - wall_to_s(begin)) / 3;
    SAY(v,
        left_s > 0 ? "probe.status.certificate"
                   : "probe.status.certificate_over",
        text_number("days", left_s / DAY_S), text_moment("end", end));
    if (left_s <= 0)
        FAULT(v, "probe.status.fault.expired",
              text_plain("config", v->q->config));
    else if (left_s < warn_s && group_of(v->root, "renewal") == NULL)
        FAULT(v, "probe.status.fault.not_renewed",
              text_plain("config", v->q->config));
    return true;
}

/* Of the process that renews it. */
static bool add_renewal(struct view *v)
{
    struct wall_time next;
    const struct json_node *r = group_of(v->root, "renewal");
    if (r == NULL)
        return false;
    uint64_t failures = u64_of(r, "failures");
    if (!time_of(r, "next", &next))
        SAY(v, "probe.status.none_yet");
    else
        SAY(v,
            failures > 0 ? "probe.status.renewal_failed"
                         : "probe.status.renewal",
            text_moment("next", next), text_count("failures", failures));
    if (bool_of(r, "is_gone"))
        FAULT(v, "probe.status.fault.renewer_gone");
    else if (failures > 0)
        FAULT(v, "probe.status.fault.renewal",
              text_foreign("reason", text_of(r, "reason")),
              text_plain("config", v->q->config));
    return true;
}

static bool get_offset(const struct view *v, int64_t *ms)
{
    const struct json_node *n = json_member(v->root, "clock_offset_ms");
    if (n == NULL || json_kind_of(n) != JSON_INTEGER_KIND)
        return false;
    *ms = json_as_i64(n, -INT64_MAX, INT64_MAX);
    return true;
}

/* Its quality, and the collector's clock less ours when they were compared. */
static bool add_clock(struct view *v)
{
    const char *word = text_of(v->root, "clock");
    struct wall_time compared;
    char gap[32];
    int64_t ms = 0;
    bool is_compared =
        get_offset(v, &ms) && time_of(v->root, "clock_compared", &compared);
    uint64_t gap_ms = (uint64_t)(ms < 0 ? -ms : ms);
    snprintf(gap, sizeof(gap), "%" PRIu64 ".%03" PRIu64, gap_ms / 1000,
             gap_ms % 1000);
    SAY(v,
        !is_compared ? "probe.status.clock_alone"
        : ms < 0     ? "probe.status.clock_ahead"
                     : "probe.status.clock_behind",
        text_code("quality", "probe.status.clock.", word),
        text_plain("gap", gap),
        text_span("ago", is_compared ? ago(v, compared) : 0));
    if (gap_ms >= CLOCK_WARN_MS)
        FAULT(v, "probe.status.fault.clock_far");
    if (strcmp(word, "synchronised") != 0)
        FAULT(v, "probe.status.fault.clock");
    return true;
}

/* A list that was refused, what that means, and who can do something. */
static void blame_registry(struct view *v, const struct json_node *refused,
                           uint64_t known)
{
    struct wall_time issued;
    bool is_dated = time_of(refused, "issued", &issued);
    FAULT(v,
          is_dated ? "probe.status.fault.list_dated"
                   : "probe.status.fault.list",
          text_number("serial", (int64_t)u64_of(refused, "serial")),
          text_moment("issued", is_dated ? issued : (struct wall_time){0}),
          text_foreign("reason", text_of(refused, "reason")));
    if (strcmp(text_of(refused, "kind"), "signature") == 0)
        FAULT(v, "probe.status.fault.list_key",
              text_plain("config", v->q->config));
    else
        FAULT(v, "probe.status.fault.list_old",
              text_number("known", (int64_t)known));
}

/* Of a probe that takes lists from the collector. */
static bool add_registry(struct view *v)
{
    const struct json_node *r = group_of(v->root, "registry");
    const struct json_node *refused = group_of(r, "refused");
    uint64_t serial = u64_of(r, "serial"), known = u64_of(r, "known_serial");
    struct wall_time issued, confirmed;
    if (serial == 0 && known == 0 && refused == NULL)
        return false;
    if (serial > 0 && time_of(r, "issued", &issued) &&
        time_of(r, "confirmed", &confirmed))
        SAY(v, "probe.status.list", text_number("serial", (int64_t)serial),
            text_moment("issued", issued), text_span("ago", ago(v, confirmed)));
    else
        SAY(v, "probe.status.list_unconfirmed",
            text_number("serial", (int64_t)(serial > 0 ? serial : known)));
    if (refused != NULL)
        blame_registry(v, refused, known);
    return true;
}

static bool add_challenge(struct view *v)
{
    const struct json_node *c = group_of(v->root, "challenge");
    struct wall_time received, answered;
    if (c == NULL)
        return false;
    if (!time_of(c, "received", &received))
        SAY(v, "probe.status.none_yet");
    else if (time_of(c, "answered", &answered))
        SAY(v, "probe.status.challenge",
            text_span("received", ago(v, received)),
            text_count("batch", u64_of(c, "batch")),
            text_span("answered", ago(v, answered)));
    else
        SAY(v, "probe.status.challenge_open",
            text_span("received", ago(v, received)));
    return true;
}

/* "+root left -seccomp": names with a sign. */
static void add_measures(struct view *v, const struct json_node *p,
                         struct buffer *out)
{
    static const struct {
        const char *member, *key;
    } measures[] = {
        {"root_left", TEXT_KEY("probe.status.measure.root_left")},
        {"no_new_privileges", TEXT_KEY("probe.status.measure.no_privileges")},
        {"seccomp_filter", TEXT_KEY("probe.status.measure.seccomp")},
        {"files_denied", TEXT_KEY("probe.status.measure.files_denied")},
        {"sockets_denied", TEXT_KEY("probe.status.measure.sockets_denied")},
    };
    uint64_t abi = u64_of(p, "landlock_abi");
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        buffer_add_text(out, bool_of(p, measures[i].member) ? "+" : "-");
        text_add(out, v->q->language, measures[i].key);
        buffer_add_text(out, " ");
    }
    if (abi > 0)
        buffer_addf(out, "+Landlock %" PRIu64, abi);
    else
        buffer_add_text(out, "-Landlock");
}

static void add_process(struct view *v, const struct json_node *p)
{
    struct buffer measures;
    char capabilities[24];
    snprintf(capabilities, sizeof(capabilities), "0x%" PRIx64,
             u64_of(p, "capabilities"));
    buffer_init(&measures, 1024);
    add_measures(v, p, &measures);
    SAY(v, "probe.status.process",
        text_foreign("process", text_of(p, "process")),
        text_number("pid", (int64_t)u64_of(p, "pid")),
        text_foreign("user", text_of(p, "user")),
        text_slice("measures", buffer_slice(&measures)),
        text_plain("capabilities", capabilities));
    buffer_clear(&measures);
    if (text_of(p, "note")[0] != '\0') {
        new_line(v);
        buffer_add_text(v->out, "  ");
        text_add_foreign(v->out, text_of(p, "note"));
    }
    if (!bool_of(p, "root_left"))
        FAULT(v, "probe.status.fault.root", text_plain("config", v->q->config));
}

static bool add_sandbox(struct view *v)
{
    const struct json_node *list = group_of(v->root, "processes");
    for (const struct json_node *n = json_first(list); n; n = json_next(n)) {
        if (n != json_first(list))
            new_line(v);
        add_process(v, n);
    }
    return json_first(list) != NULL;
}

static const struct {
    const char *label;
    /* False: nothing to say, the row is left out. */
    bool (*add)(struct view *v);
} rows[] = {
    {TEXT_KEY("probe.status.row.started"), add_since},
    {TEXT_KEY("probe.status.row.interface"), add_interfaces},
    {TEXT_KEY("probe.status.row.filter"), add_filter},
    {TEXT_KEY("probe.status.row.packets"), add_packets},
    {TEXT_KEY("probe.status.row.decoding"), add_decoding},
    {TEXT_KEY("probe.status.row.flows"), add_flows},
    {TEXT_KEY("probe.status.row.memory"), add_memory},
    {TEXT_KEY("probe.status.row.batches"), add_batches},
    {TEXT_KEY("probe.status.row.losses"), add_losses},
    {TEXT_KEY("probe.status.row.collector"), add_uplink},
    {TEXT_KEY("probe.status.row.receipt"), add_receipt},
    {TEXT_KEY("probe.status.row.certificate"), add_certificate},
    {TEXT_KEY("probe.status.row.renewal"), add_renewal},
    {TEXT_KEY("probe.status.row.clock"), add_clock},
    {TEXT_KEY("probe.status.row.registry"), add_registry},
    {TEXT_KEY("probe.status.row.challenge"), add_challenge},
    {TEXT_KEY("probe.status.row.sandbox"), add_sandbox},
};

/* --- the whole --- */

/* A probe that cannot write goes on, and delivers what it has in memory. */
static const char *headline_of(const struct view *v)
{
    if (v->is_running)
        return TEXT_KEY("probe.status.running");
    if (v->age_s < 0)
        return TEXT_KEY("probe.status.stopped_future");
    if (!v->is_alive)
        return TEXT_KEY("probe.status.stopped");
    return v->q->free_bytes < FREE_WARN_BYTES
               ? TEXT_KEY("probe.status.silent_disk_full")
               : TEXT_KEY("probe.status.silent");
}

static void add_row(struct view *v, size_t i)
{
    size_t before = v->out->length;
    const char *label = text_find(v->q->language, slice_of_text(rows[i].label));
    columns_add(v->out, slice_of_text(label), LABEL_WIDTH);
    if (rows[i].add(v))
        buffer_add_text(v->out, "\n");
    else if (!v->out->failed)
        v->out->length = before;
}

static void add_human(struct view *v)
{
    SAY(v, headline_of(v), text_foreign("probe", text_of(v->root, "probe")),
        text_number("age_s", v->age_s), text_span("age", v->age_s),
        text_plain("state", v->q->state));
    buffer_add_text(v->out, "\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_row(v, i);
    if (v->faults == 0 && v->is_running) {
        SAY(v, "probe.status.well");
        buffer_add_text(v->out, "\n");
    }
}

/* Beyond printable ASCII JSON has characters only inside of texts, where an
 * escape says the same: so a terminal meets a line of ASCII. */
static void add_escaped(struct buffer *out, struct slice text)
{
    while (text.length > 0 && !out->failed) {
        size_t length = slice_utf8_length(text);
        const uint8_t *c = (const uint8_t *)text.data;
        uint32_t code = c[0];
        length = length == 0 ? 1 : length;
        if (length > 1)
            code &= 0xffu >> (length + 1);
        for (size_t i = 1; i < length; i++)
            code = code << 6 | (c[i] & 0x3f);
        if (code > 0xffff)
            buffer_addf(out, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10),
                        0xdc00 + (code & 0x3ff));
        else if (code > '~')
            buffer_addf(out, "\\u%04x", code);
        else /* below ' ' there are only blanks between values */
            buffer_add_u8(out, code < ' ' ? ' ' : c[0]);
        text.data += length;
        text.length -= length;
    }
}

/* The file's object, with two members in front. */
static void add_json(struct view *v, struct slice content)
{
    struct slice object = slice_trim(content);
    buffer_addf(v->out, "{\"age_s\":%" PRId64 ",\"is_running\":%s%s", v->age_s,
                v->is_running ? "true" : "false",
                json_count(v->root) > 0 ? "," : "");
    object.data++;
    object.length--;
    add_escaped(v->out, object);
    buffer_add_text(v->out, "\n");
}

/* Not of the future by more than a clock may be set back. */
static bool is_fresh(const struct view *v)
{
    return v->age_s <= STATUS_STALE_S && v->age_s >= -STATUS_STALE_S;
}

/* A file of an older probe, without the number, is believed while fresh. */
static void look_for_process(struct view *v)
{
    uint64_t pid = u64_of(v->root, "pid");
    v->is_alive = pid != 0 && v->q->is_alive(pid);
    v->is_running = is_fresh(v) && (pid == 0 || v->is_alive);
}

bool status_answer(struct slice content, const struct status_question *q,
                   struct buffer *out, bool *is_running,
                   struct error_text *error)
{
    struct view v = {.q = q, .out = out};
    struct wall_time written;
    struct json_document *document = json_parse(content, q->name, error);
    *is_running = false;
    if (document == NULL)
        return false;
    v.root = json_root(document);
    bool good = json_kind_of(v.root) == JSON_OBJECT_KIND &&
                time_of(v.root, "written", &written) &&
                json_member(v.root, "age_s") == NULL &&
                json_member(v.root, "is_running") == NULL;
    if (good) {
        v.age_s = wall_to_s(q->now) - wall_to_s(written);
        look_for_process(&v);
        *is_running = v.is_running;
        if (q->is_json)
            add_json(&v, content);
        else
            add_human(&v);
        good = !out->failed ||
               error_set(error, "%s: too large to be shown", q->name);
    } else {
        error_set(error, "%s: not the status of a probe", q->name);
    }
    json_free(document);
    return good;
}

/* --- the command --- */

static bool is_alive(uint64_t pid)
{
    return pid > 0 && pid <= INT32_MAX &&
           (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* The folder may belong to somebody less trusted than the reader: no pipe that
 * would make it wait is opened. */
static bool read_status(const char *path, const struct status_question *q,
                        struct buffer *content)
{
    struct stat info;
    bool good = lstat(path, &info) == 0;
    if (good && !S_ISREG(info.st_mode))
        errno = EINVAL;
    if (good && S_ISREG(info.st_mode) &&
        buffer_read_file(content, path, FILE_MAX))
        return true;
    const char *key = errno == ENOENT   ? TEXT_KEY("probe.status.never_ran")
                      : errno == EACCES ? TEXT_KEY("probe.status.not_readable")
                                        : NULL;
    if (key == NULL)
        log_error("%s: %s", path, strerror(errno));
    else
        program_complain(key, text_plain("path", path),
                         text_plain("config", q->config));
    return false;
}

static uint64_t free_bytes(const char *state)
{
    struct statvfs fs;
    return statvfs(state, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize
                                    : STATUS_FREE_UNKNOWN;
}

static int answer(struct status_question *q)
{
    char path[DURABLE_PATH_LEN];
    struct buffer content = {0}, out;
    struct error_text error;
    bool is_running = false;
    if (!durable_path(path, q->state, "status.json")) {
        log_error("%s: %s", q->state, strerror(errno));
        return 2;
    }
    q->name = path;
    q->free_bytes = free_bytes(q->state);
    buffer_init(&out, OUTPUT_MAX);
    if (read_status(path, q, &content)) {
        if (status_answer(buffer_slice(&content), q, &out, &is_running, &error))
            fwrite(out.data, 1, out.length, stdout);
        else
            log_error("%s", error.text);
    }
    buffer_clear(&content);
    buffer_clear(&out);
    return is_running ? 0 : 1;
}

int status_command_main(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("probe");
    struct status_question q = {.now = wall_now(),
                                .is_alive = is_alive,
                                .language = program_language()};
    struct probe_config config;
    struct error_text error;
    const struct program_option options[] = {
        {.name = "-c", .value = &path}, {.name = "--json", .flag = &q.is_json}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0)
        return 2;
    if (!probe_config_read(path, &config, &error)) {
        log_error("%s", error.text);
        return 2;
    }
    q.config = path;
    q.state = config.state;
    return answer(&q);
}
