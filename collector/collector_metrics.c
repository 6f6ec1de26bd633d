#include "collector/collector_metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "collector/ledger/intake.h"
#include "collector/ledger/source.h"
#include "common/program.h"

#define PREFIX "yunzheng_collector_"

enum { FREE_BYTES_MIN = 256 * 1024 * 1024 };

struct metric {
    const char *name, *type, *help;
    size_t offset; /* of a uint64_t in struct collector_status */
};

#define AT(member) offsetof(struct collector_status, member)

static const struct metric METRICS[] = {
    {"workers", "gauge", "Threads that receive and check batches.",
     AT(workers)},
    {"connections", "gauge", "Connections now.", AT(connections)},
    {"connections_limit", "gauge", "Connections allowed at a time.",
     AT(max_connections)},
    {"connections_handshaking", "gauge",
     "Connections that have not proved who they are.", AT(strangers)},
    {"handshakes_total", "counter", "Connections that proved who they are.",
     AT(handshakes)},
    {"handshakes_failed_total", "counter", "Connections that could not.",
     AT(failed_handshakes)},
    {"connections_superseded_total", "counter",
     "Connections closed because their probe opened newer ones.",
     AT(superseded)},
    {"connections_overdue_total", "counter",
     "Connections closed because they were silent or too slow.", AT(overdue)},
    {"received_bytes_total", "counter", "Bytes received, after TLS.",
     AT(received_bytes)},
    {"received_batches_total", "counter", "Complete batches received.",
     AT(batches)},
    {"pending_bytes", "gauge", "Memory of batches not yet stored.",
     AT(pending_bytes)},
    {"waiting_batches", "gauge", "Batches that wait for storing.",
     AT(commits.waiting)},
    {"records_total", "counter", "Connection records counted.",
     AT(commits.totals.records)},
    {"failed_groups_total", "counter",
     "Groups of batches that could not be stored and were tried again.",
     AT(commits.failed_groups)},
    {"failed_batches_total", "counter",
     "Batches that alone could not be stored.", AT(commits.totals.failed)},
    {"notes_dropped_total", "counter",
     "Events of strangers that were too many to keep.",
     AT(commits.notes_dropped)},
    {"probes", "gauge", "Probes registered and not denied, without demo data.",
     AT(daily.probes)},
    {"probes_silent", "gauge",
     "Of those, how many sent nothing for more than 15 minutes.",
     AT(daily.silent_probes)},
    {"archive_free_bytes", "gauge", "Room left on the archive's file system.",
     AT(daily.free_bytes)},
    {"retention_batches", "gauge",
     "Batches whose detail the last run of retention deleted.",
     AT(daily.retention.batches)},
    {"retention_segments", "gauge",
     "Archive segments that the last run of retention deleted.",
     AT(daily.retention.segments)},
};

static void add_rows(const struct collector_status *s, struct buffer *out)
{
    for (size_t i = 0; i < sizeof(METRICS) / sizeof(METRICS[0]); i++) {
        const struct metric *m = &METRICS[i];
        uint64_t value;
        memcpy(&value, (const char *)s + m->offset, sizeof(value));
        metrics_add_head(out, PREFIX, m->name, m->type, m->help);
        buffer_addf(out, PREFIX "%s %" PRIu64 "\n", m->name, value);
    }
}

static void add_labelled(struct buffer *out, const char *name,
                         const char *label, const char *value, uint64_t number)
{
    const struct metrics_label labels[] = {{label, value}};
    metrics_add_sample(out, PREFIX, name, labels, 1, number);
}

static void add_batches(const struct store_totals *t, struct buffer *out)
{
    const struct {
        const char *status;
        uint64_t count;
    } rows[] = {
        {"counted", t->counted},   {"late", t->late},       {"kept", t->kept},
        {"repeated", t->repeated}, {"refused", t->refused},
    };
    metrics_add_head(out, PREFIX, "batches_total", "counter",
                     "Batches decided about, by what became of them.");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_labelled(out, "batches_total", "status", rows[i].status,
                     rows[i].count);
    metrics_add_head(out, PREFIX, "source_batches_total", "counter",
                     "Batches taken into the ledger, by their source.");
    for (int i = 0; i < SOURCE_COUNT; i++)
        add_labelled(out, "source_batches_total", "source",
                     ledger_source_text((enum ledger_source)i),
                     t->by_source[i]);
    metrics_add_head(out, PREFIX, "events_total", "counter",
                     "Things a person must look at, by kind.");
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        add_labelled(out, "events_total", "kind",
                     intake_reason_kind((enum intake_reason)i), t->events[i]);
}

/* A number of microseconds as seconds. */
static void add_seconds(struct buffer *out, const char *name, uint64_t us)
{
    buffer_addf(out, PREFIX "%s %" PRIu64 ".%06" PRIu64 "\n", name,
                us / 1000000, us % 1000000);
}

static void add_commit_times(const struct commit_status *c, struct buffer *out)
{
    uint64_t count = 0;
    metrics_add_head(out, PREFIX, "commit_seconds", "histogram",
                     "How long groups of batches took to be stored.");
    for (int i = 0; i < COMMIT_CELLS; i++) {
        char bound[32] = "+Inf";
        count += c->took[i];
        if (i < COMMIT_CELLS - 1)
            snprintf(bound, sizeof(bound), "%u.%03u", commit_cell_ms[i] / 1000,
                     commit_cell_ms[i] % 1000);
        add_labelled(out, "commit_seconds_bucket", "le", bound, count);
    }
    add_seconds(out, "commit_seconds_sum", c->took_us);
    buffer_addf(out, PREFIX "commit_seconds_count %" PRIu64 "\n", count);
}

static void add_time(struct buffer *out, const char *name, const char *help,
                     struct wall_time time)
{
    if (time.us <= 0)
        return; /* not yet */
    metrics_add_head(out, PREFIX, name, "gauge", help);
    add_seconds(out, name, (uint64_t)time.us);
}

void collector_metrics_print(const struct collector_status *s,
                             struct buffer *out)
{
    metrics_add_head(out, PREFIX, "info", "gauge",
                     "Its version; the value is always 1.");
    add_labelled(out, "info", "version", PROGRAM_VERSION, 1);
    add_time(out, "start_time_seconds", "When the collector started.",
             s->started);
    add_time(out, "last_commit_time_seconds", "When batches were last stored.",
             s->commits.last_group);
    add_time(out, "retention_time_seconds", "When retention last ran.",
             s->daily.retention_at);
    metrics_add_head(out, PREFIX, "store_failing", "gauge",
                     "1 while nothing can be stored.");
    buffer_addf(out, PREFIX "store_failing %d\n", s->commits.is_failing);
    metrics_add_head(out, PREFIX, "log_failing", "gauge",
                     "1 while no checkpoint of the log can be signed.");
    buffer_addf(out, PREFIX "log_failing %d\n", s->is_log_ill);
    add_rows(s, out);
    add_batches(&s->commits.totals, out);
    add_commit_times(&s->commits, out);
}

bool collector_metrics_health(const struct collector_status *s,
                              struct buffer *out)
{
    const struct {
        bool is_wrong;
        const char *what;
    } rows[] = {
        {s->commits.is_failing, "batches cannot be stored; they wait"},
        {!s->daily.is_registry_readable,
         "the registry (portal.db) or usage.db cannot be read"},
        {s->daily.free_bytes > 0 && s->daily.free_bytes < FREE_BYTES_MIN,
         "less than 256 MiB are free for the archive"},
        {s->daily.has_retention_failed, "retention failed"},
        {s->is_log_ill, s->log_why.text},
    };
    bool is_good = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].is_wrong)
            continue;
        is_good = false;
        buffer_addf(out, "%s\n", rows[i].what);
    }
    if (is_good)
        buffer_add_text(out, "ok\n");
    if (s->commits.last_group.us > 0)
        buffer_addf(out, "last batches stored %" PRId64 " s ago\n",
                    (s->now.us - s->commits.last_group.us) / 1000000);
    return is_good;
}
