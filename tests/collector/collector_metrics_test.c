/* What the collector says of itself: health, a line for each thing that is
 * wrong, and metrics in Prometheus' text form. */
#include "collector/collector_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static struct collector_status well(void)
{
    return (struct collector_status){
        .started = {1000000},
        .now = {600000000},
        .workers = 2,
        .max_connections = 4096,
        .daily = {.is_registry_readable = true,
                  .free_bytes = UINT64_C(10) << 30},
    };
}

static struct collector_status failing_store(void)
{
    struct collector_status s = well();
    s.commits.is_failing = true;
    return s;
}

static struct collector_status no_registry(void)
{
    struct collector_status s = well();
    s.daily.is_registry_readable = false;
    return s;
}

static struct collector_status little_room(void)
{
    struct collector_status s = well();
    s.daily.free_bytes = (UINT64_C(256) << 20) - 1;
    return s;
}

static struct collector_status enough_room(void)
{
    struct collector_status s = well();
    s.daily.free_bytes = UINT64_C(256) << 20;
    return s;
}

static struct collector_status ill_retention(void)
{
    struct collector_status s = well();
    s.daily.has_retention_failed = true;
    return s;
}

static struct collector_status ill_log(void)
{
    struct collector_status s = well();
    s.is_log_ill = true;
    error_set(&s.log_why, "%s", "usage.db is older than checkpoint 7");
    return s;
}

static struct collector_status all_wrong(void)
{
    struct collector_status s = ill_log();
    s.commits.is_failing = s.daily.has_retention_failed = true;
    s.daily.is_registry_readable = false;
    s.daily.free_bytes = 1;
    s.commits.last_group = (struct wall_time){590000000};
    return s;
}

static struct collector_status stored_before(void)
{
    struct collector_status s = well();
    s.commits.last_group = (struct wall_time){590000000};
    return s;
}

static const struct {
    const char *name;
    struct collector_status (*status)(void);
    bool is_healthy;
    const char *text;
} HEALTH[] = {
    {"nothing is wrong", well, true, "ok\n"},
    {"... and batches came", stored_before, true,
     "ok\nlast batches stored 10 s ago\n"},
    {"batches cannot be stored", failing_store, false,
     "batches cannot be stored; they wait\n"},
    {"the registry cannot be read", no_registry, false,
     "the registry (portal.db) or usage.db cannot be read\n"},
    {"the disk is nearly full", little_room, false,
     "less than 256 MiB are free for the archive\n"},
    {"256 MiB are enough", enough_room, true, "ok\n"},
    {"retention failed", ill_retention, false, "retention failed\n"},
    {"no checkpoint can be signed, and why", ill_log, false,
     "usage.db is older than checkpoint 7\n"},
    {"a line for each", all_wrong, false,
     "batches cannot be stored; they wait\n"
     "the registry (portal.db) or usage.db cannot be read\n"
     "less than 256 MiB are free for the archive\n"
     "retention failed\n"
     "usage.db is older than checkpoint 7\n"
     "last batches stored 10 s ago\n"},
};

static void test_health(void)
{
    for (size_t i = 0; i < sizeof(HEALTH) / sizeof(HEALTH[0]); i++) {
        struct collector_status status = HEALTH[i].status();
        struct buffer out;
        buffer_init(&out, METRICS_TEXT_MAX);
        test_case(HEALTH[i].name);
        CHECK(collector_metrics_health(&status, &out) == HEALTH[i].is_healthy);
        buffer_add_u8(&out, 0);
        CHECK_TEXT((const char *)out.data, HEALTH[i].text);
        buffer_clear(&out);
    }
}

/* --- metrics --- */

/* Every line is a comment or "name[{labels}] number", and each name follows
 * its own head. */
static bool is_prometheus_text(struct slice text)
{
    struct slice line;
    char head[100] = "";
    while (slice_next(&text, '\n', &line)) {
        char row[200], name[100] = "", *end;
        if (!slice_copy(line, row, sizeof(row)))
            continue; /* only a help is so long */
        if (sscanf(row, "# TYPE %99s", name) == 1)
            memcpy(head, name, sizeof(head));
        if (row[0] == '#' || row[0] == '\0')
            continue;
        const char *number = strrchr(row, ' ');
        if (number == NULL || strncmp(row, head, strlen(head)) != 0 ||
            strcspn(row, "{ ") < strlen(head) ||
            (strtod(number + 1, &end), *end != '\0')) {
            printf("# %s\n", row);
            return false;
        }
    }
    return true;
}

static void test_metrics(void)
{
    struct collector_status status = all_wrong();
    struct buffer out;
    buffer_init(&out, METRICS_TEXT_MAX);
    status.commits.totals.counted = 7;
    status.commits.totals.events[REASON_CONFLICT] = 3;
    status.commits.took[0] = 2;
    status.commits.took[COMMIT_CELLS - 1] = 1;
    collector_metrics_print(&status, &out);
    buffer_add_u8(&out, 0);
    char *text = (char *)out.data;
    test_case("counts, by what became of batches and by kind of event");
    CHECK(strstr(text, "batches_total{status=\"counted\"} 7\n") != NULL);
    CHECK(strstr(text, "events_total{kind=\"conflict\"} 3\n") != NULL);
    CHECK(strstr(text, "store_failing 1\n") != NULL);
    CHECK(strstr(text, "log_failing 1\n") != NULL);
    test_case("cells of a histogram include those before them");
    CHECK(strstr(text, "commit_seconds_bucket{le=\"0.001\"} 2\n") != NULL);
    CHECK(strstr(text, "commit_seconds_bucket{le=\"5.000\"} 2\n") != NULL);
    CHECK(strstr(text, "commit_seconds_bucket{le=\"+Inf\"} 3\n") != NULL);
    CHECK(strstr(text, "commit_seconds_count 3\n") != NULL);
    test_case("the form of it");
    CHECK(is_prometheus_text(slice_of_text(text)));
    buffer_clear(&out);
}

int main(void)
{
    test_health();
    test_metrics();
    return test_end();
}
