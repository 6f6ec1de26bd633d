/*
 * history_tool: a generator of DEMO DATA. Nothing it writes was ever observed.
 *
 *   history_tool OUT_DIR [--until TIME] [--days N] [--live-keys DIR]
 *                        [--live-probe ID] [--now TIME]
 *   history_tool --check OUT_DIR
 *
 * It writes the registry of a small programme cycle with nine sample
 * enterprises, and for each a month of what a probe at its gateway would have
 * sent: signed, chained batches of real connection records, one an hour, made
 * through the same writer as a probe's. The enterprises have habits (personas):
 * people in an office, three shifts, machines, and some that only pretend. The
 * same arguments give the same records; keys are new each time.
 *
 *   OUT_DIR/registry/TABLE.csv       for `yz-portal load --sample`
 *   OUT_DIR/registry-live/TABLE.csv  with --live-keys: a second site of
 *                                    ENT-0001 with a real probe, whose public
 *                                    key is DIR/ID.sign.pub.pem
 *   OUT_DIR/batches/PROBE/N.ipfix    in the order in which they were made
 *   OUT_DIR/keys/PROBE.pem           the sample probes' signing keys
 *   OUT_DIR/expected.csv             what each habit must lead to, given a
 *                                    history of 30 days or more
 *
 * History ends at --until (exclusive; default: the last full hour before
 * --now). Batches say CLOCK_RELATIVE, and the sample probes are registered as
 * such, so that their data stay marked wherever they count.
 *
 * How a habit is made: people come and go, break for lunch, work in tasks; a
 * task is a handful of connections with pauses for thought in between. All
 * pauses and sizes are drawn from long-tailed distributions, which is what
 * makes people look like people. Scripts are drawn as scripts.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/program.h"
#include "common/wire/batch.h"
#include "common/writer.h"

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    DAYS_MAX = 400,
    FLOWS_MAX = 400000, /* of one enterprise */
    HOSTS_MAX = 16,
    PATH_LEN = 512,
    MSS = 1400,
};

/* --- chance, the same on every run --- */

struct chance {
    uint64_t state;
};

/* splitmix64: one addition and three mixing steps. */
static uint64_t chance_u64(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* In [0, 1). */
static double chance_unit(struct chance *c)
{
    return (double)(chance_u64(c) >> 11) / 9007199254740992.0;
}

static bool chance_of(struct chance *c, double probability)
{
    return chance_unit(c) < probability;
}

/* In [low, high]. */
static int64_t chance_between(struct chance *c, int64_t low, int64_t high)
{
    return low + (int64_t)(chance_unit(c) * (double)(high - low + 1));
}

static double chance_normal(struct chance *c)
{
    double u = 1 - chance_unit(c), v = chance_unit(c);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Long-tailed, around the median; spread 0.5 is mild, 1 is wide. */
static double chance_long(struct chance *c, double median, double spread)
{
    return median * exp(spread * chance_normal(c));
}

static int64_t chance_poisson(struct chance *c, double mean)
{
    double limit = exp(-mean), product = chance_unit(c);
    int64_t n = 0;
    while (product > limit && n < 1000) {
        product *= chance_unit(c);
        n++;
    }
    return n;
}

/* --- the registry of the demo --- */

struct supplier {
    const char *id, *name_zh, *name_en, *region;
};
static const struct supplier suppliers[] = {
    {"SUP-A", "示例甲云服务有限公司", "Sample A Cloud Services Co.", "440100"},
    {"SUP-B", "示例乙智造软件有限公司", "Sample B Manufacturing Software Co.",
     "440300"},
    {"SUP-C", "示例丙设备互联有限公司", "Sample C Connected Machines Co.",
     "440600"},
};

/* One endpoint each. The live demo's servers stand in 203.0.113.0/24; what
 * only the history uses stands in 198.51.100.0/24. */
struct service {
    const char *id, *supplier;
    int item_no;
    const char *class, *name_zh, *name_en;
    const char *endpoint, *address, *host, *protocol, *ports;
    uint8_t bytes[4];
    uint16_t port;
    const char *application;
};
enum service_index { ERP, MES, IOT, CAD, SCM, REMOTE, SERVICE_COUNT };
static const struct service services[SERVICE_COUNT] = {
    [ERP] = {"SVC-ERP-A",
             "SUP-A",
             9,
             "A",
             "云上进销存(ERP)",
             "Cloud purchase-sale-stock (ERP)",
             "erp-a",
             "203.0.113.10",
             "erp.supplier-a.example",
             "tcp",
             "443",
             {203, 0, 113, 10},
             443,
             "TLS"},
    [MES] = {"SVC-MES-B",
             "SUP-B",
             3,
             "A",
             "云上智能排产(MES)",
             "Cloud scheduling (MES)",
             "mes-b",
             "203.0.113.11",
             "mes.supplier-b.example",
             "",
             "443",
             {203, 0, 113, 11},
             443,
             "TLS"},
    [IOT] = {"SVC-IOT-A",
             "SUP-A",
             2,
             "B",
             "设备状态云监控",
             "Cloud machine monitoring",
             "iot-a",
             "198.51.100.42",
             "iot.supplier-a.example",
             "tcp",
             "8883",
             {198, 51, 100, 42},
             8883,
             "MQTT"},
    [CAD] = {"SVC-CAD-A",
             "SUP-A",
             1,
             "C",
             "云上设计与仿真(CAD)",
             "Cloud design and simulation (CAD)",
             "cad-a",
             "198.51.100.40",
             "cad.supplier-a.example",
             "tcp",
             "443",
             {198, 51, 100, 40},
             443,
             "TLS"},
    [SCM] = {"SVC-SCM-B",
             "SUP-B",
             8,
             "A",
             "云上供应链协同",
             "Cloud supply chain",
             "scm-b",
             "198.51.100.41",
             "scm.supplier-b.example",
             "tcp",
             "443",
             {198, 51, 100, 41},
             443,
             "TLS"},
    [REMOTE] = {"SVC-REM-C",
                "SUP-C",
                7,
                "B",
                "设备远程运维",
                "Remote machine service",
                "rem-c",
                "198.51.100.43",
                "rem.supplier-c.example",
                "tcp",
                "8883",
                {198, 51, 100, 43},
                8883,
                "MQTT"},
};

/* --- the enterprises and their habits --- */

struct history;
typedef void persona_fn(struct history *h);
static persona_fn live_office, live_shifts, live_machines, live_little;
static persona_fn live_cron, live_replay, live_outage, live_two_lines;
static persona_fn live_batch;

struct line {
    enum service_index service;
    const char *fee; /* yuan */
    int sets;        /* 0: the item has none */
};

struct enterprise {
    const char *name_zh, *name_en, *city, *site_zh, *site_en;
    int line_count;
    struct line lines[2];
    persona_fn *live;
    const char *persona, *verdict, *mark;
};

static const struct enterprise enterprises[] = {
    {"示例一号五金制品有限公司",
     "Sample One Hardware Co.",
     "440600",
     "一号厂区",
     "Plant One",
     1,
     {{ERP, "80000.00", 0}},
     live_office,
     "office staff on an ERP",
     "genuine",
     "COMPLETE"},
    {"示例二号陶瓷股份有限公司",
     "Sample Two Ceramics Co.",
     "440600",
     "二号厂区",
     "Plant Two",
     1,
     {{MES, "260000.00", 0}},
     live_shifts,
     "three shifts on a MES",
     "genuine",
     "COMPLETE"},
    {"示例三号机械制造有限公司",
     "Sample Three Machinery Co.",
     "440100",
     "三号厂区",
     "Plant Three",
     1,
     {{IOT, "30000.00", 12}},
     live_machines,
     "telemetry of twelve machines",
     "genuine",
     "COMPLETE"},
    {"示例四号服装有限公司",
     "Sample Four Garments Co.",
     "441500",
     "四号厂区",
     "Plant Four",
     1,
     {{ERP, "36000.00", 0}},
     live_little,
     "used on six days only",
     "insufficient",
     "NOT_COMPLETE"},
    {"示例五号电子科技有限公司",
     "Sample Five Electronics Co.",
     "440100",
     "五号厂区",
     "Plant Five",
     1,
     {{MES, "180000.00", 0}},
     live_cron,
     "a timer that pretends to be staff",
     "suspicious",
     "UNDETERMINED"},
    {"示例六号塑胶有限公司",
     "Sample Six Plastics Co.",
     "441500",
     "六号厂区",
     "Plant Six",
     1,
     {{ERP, "45000.00", 0}},
     live_replay,
     "three days of traffic played again",
     "suspicious",
     "UNDETERMINED"},
    {"示例七号家具有限公司",
     "Sample Seven Furniture Co.",
     "440600",
     "七号厂区",
     "Plant Seven",
     1,
     {{SCM, "28000.00", 0}},
     live_outage,
     "real staff, probe down for half the month",
     "insufficient",
     "UNDETERMINED"},
    {"示例八号模具有限公司",
     "Sample Eight Moulds Co.",
     "440100",
     "八号厂区",
     "Plant Eight",
     2,
     {{ERP, "48000.00", 0}, {CAD, "90000.00", 0}},
     live_two_lines,
     "ERP in use, design service on three days only",
     "insufficient",
     "NOT_COMPLETE"},
    {"示例九号设计制造有限公司",
     "Sample Nine Design and Making Co.",
     "441500",
     "九号厂区",
     "Plant Nine",
     1,
     {{CAD, "120000.00", 0}},
     live_batch,
     "nightly design and simulation jobs",
     "genuine",
     "COMPLETE"},
};
enum { ENTERPRISE_COUNT = sizeof(enterprises) / sizeof(enterprises[0]) };

/* The month of one enterprise. */
struct history {
    const struct enterprise *enterprise;
    struct chance chance;
    int64_t from_ms, until_ms;    /* until: exclusive */
    int32_t first_day, day_count; /* days touched */
    struct flow_record *flows;
    size_t flow_count;
    uint64_t hosts[HOSTS_MAX]; /* pseudonyms */
    uint8_t fingerprints[HOSTS_MAX][FINGERPRINT_LEN];
    uint32_t rtt_us;        /* of the line, without jitter */
    bool is_down[DAYS_MAX]; /* the probe was, all day */
};

/* --- one connection --- */

struct connection {
    enum service_index service;
    int host;
    int64_t start_ms, duration_ms;
    uint64_t up, down; /* application payload */
    bool is_quic;
};

/* Packet counts of a transfer of so many bytes each way, TLS handshake and
 * acknowledgements included. */
static void fill_counts(struct flow_record *r, const struct connection *c)
{
    uint64_t header = c->is_quic ? 28 : 40;
    r->payload = c->up + 780;
    r->rpayload = c->down + 4200;
    uint64_t up = (r->payload + MSS - 1) / MSS;
    uint64_t down = (r->rpayload + MSS - 1) / MSS;
    r->packets = up + down / 2 + 4;
    r->rpackets = down + up / 2 + 3;
    r->octets = r->payload + r->packets * header;
    r->roctets = r->rpayload + r->rpackets * header;
}

static void fill_transport(struct flow_record *r, const struct connection *c)
{
    const struct service *s = &services[c->service];
    snprintf(r->endpoint_id, sizeof(r->endpoint_id), "%s", s->endpoint);
    memcpy(r->address, s->bytes, sizeof(s->bytes));
    r->port = s->port;
    r->protocol = c->is_quic ? 17 : 6;
    r->tcp_flags = c->is_quic ? 0 : 0x1b;
    r->rtcp_flags = c->is_quic ? 0 : 0x1b;
    r->end_reason = c->is_quic ? FLOW_END_IDLE : FLOW_END_DETECTED;
    r->name_evidence = c->is_quic ? NAME_QUIC_SNI : NAME_SNI;
    r->direction = 1;
    snprintf(r->application, sizeof(r->application), "%s",
             c->is_quic ? "QUIC" : s->application);
}

static void fill_token(struct chance *chance, struct flow_record *r)
{
    for (size_t i = 0; i < FLOW_TOKEN_LEN; i++)
        r->token[i] = (uint8_t)chance_u64(chance);
}

static bool is_seen(const struct history *h, int64_t at_ms)
{
    int32_t day = day_of_wall(wall_from_ms(at_ms)).number - h->first_day;
    return at_ms >= h->from_ms && at_ms < h->until_ms && day >= 0 &&
           day < h->day_count && !h->is_down[day];
}

/* A connection as its probe would have reported it; one that does not lie in
 * the history, or while the probe was down, leaves no trace. */
static void add_connection(struct history *h, const struct connection *c)
{
    int64_t end_ms = c->start_ms + c->duration_ms;
    uint64_t noise = chance_u64(&h->chance);
    if (!is_seen(h, c->start_ms) || !is_seen(h, end_ms) ||
        h->flow_count == FLOWS_MAX)
        return;
    struct flow_record *r = &h->flows[h->flow_count++];
    *r = (struct flow_record){.start_ms = c->start_ms, .end_ms = end_ms};
    fill_transport(r, c);
    fill_counts(r, c);
    r->rtt_us = h->rtt_us + (uint32_t)(noise % (h->rtt_us / 4));
    r->burst_count = 1 + (uint32_t)(c->duration_ms / 8000);
    r->host_pseudonym = h->hosts[c->host];
    memcpy(r->fingerprint, h->fingerprints[c->host], FINGERPRINT_LEN);
    fill_token(&h->chance, r);
}

/* --- people --- */

struct habits {
    enum service_index service;
    int host_count;
    double tasks;     /* a day and person */
    double task_size; /* connections in a task, about */
    double think_s;   /* median pause in a task */
    double up, down;  /* median payload */
    bool has_quic;    /* some of it over HTTP/3 */
};

static int64_t day_ms(const struct history *h, int32_t day)
{
    struct civil_day d = {h->first_day + day};
    return wall_to_ms(day_start(d));
}

static bool is_weekend(const struct history *h, int32_t day)
{
    return day_of_week((struct civil_day){h->first_day + day}) >= DAY_SATURDAY;
}

/* One piece of work: a few connections with pauses for thought. */
static void work_on_task(struct history *h, const struct habits *habits,
                         int host, int64_t at_ms)
{
    struct chance *c = &h->chance;
    int64_t count =
        1 + chance_poisson(c, chance_long(c, habits->task_size, 0.5));
    for (int64_t i = 0; i < count; i++) {
        struct connection one = {
            .service = habits->service,
            .host = host,
            .start_ms = at_ms,
            .duration_ms =
                (int64_t)chance_long(c, 6000, 1) % (4 * MINUTE_MS) + 120,
            .up = (uint64_t)chance_long(c, habits->up, 0.9),
            .down = (uint64_t)chance_long(c, habits->down, 1.2),
            .is_quic = habits->has_quic && chance_of(c, 0.4),
        };
        add_connection(h, &one);
        at_ms += (int64_t)(chance_long(c, habits->think_s, 1.1) * SECOND_MS);
    }
}

/* One person's stretch of work, [begin, end) in minutes of the day. */
static void work_stretch(struct history *h, const struct habits *habits,
                         int host, int32_t day, int64_t begin, int64_t end,
                         double tasks)
{
    int64_t count = chance_poisson(&h->chance, tasks);
    for (int64_t i = 0; i < count && end > begin; i++) {
        int64_t minute = chance_between(&h->chance, begin, end - 1);
        int64_t at_ms = day_ms(h, day) + minute * MINUTE_MS +
                        chance_between(&h->chance, 0, MINUTE_MS - 1);
        work_on_task(h, habits, host, at_ms);
    }
}

/* An office day: comes, lunch, leaves; sometimes absent, some days are busy
 * for everybody. */
static void office_day(struct history *h, const struct habits *habits,
                       int32_t day)
{
    struct chance *c = &h->chance;
    double busy = chance_long(c, 1, 0.3);
    for (int host = 0; host < habits->host_count; host++) {
        int64_t comes = 510 + (int64_t)(chance_normal(c) * 12);
        int64_t lunch = 720 + (int64_t)(chance_normal(c) * 8);
        int64_t back = 810 + (int64_t)(chance_normal(c) * 8);
        int64_t leaves = 1065 + (int64_t)(chance_normal(c) * 25);
        double tasks = busy * chance_long(c, habits->tasks, 0.5);
        if (chance_of(c, 0.08))
            continue; /* not in today */
        work_stretch(h, habits, host, day, comes, lunch, tasks * 0.5);
        work_stretch(h, habits, host, day, back, leaves, tasks * 0.5);
    }
}

/* A page left open asks for news every five minutes while its owner is in;
 * honest offices have those too. */
static void open_page(struct history *h, enum service_index service, int host,
                      int32_t day)
{
    struct chance *c = &h->chance;
    int64_t at_ms = day_ms(h, day) + chance_between(c, 520, 540) * MINUTE_MS;
    int64_t end_ms = day_ms(h, day) + chance_between(c, 1020, 1060) * MINUTE_MS;
    while (at_ms < end_ms) {
        struct connection one = {.service = service,
                                 .host = host,
                                 .start_ms = at_ms,
                                 .duration_ms = chance_between(c, 90, 400),
                                 .up = 310,
                                 .down = 450};
        add_connection(h, &one);
        at_ms += 300 * SECOND_MS + chance_between(c, 0, 900);
    }
}

static const struct habits erp_staff = {ERP, 10, 7, 3, 20, 1600, 21000, false};

static void live_office(struct history *h)
{
    for (int32_t day = 0; day < h->day_count; day++) {
        if (is_weekend(h, day) && !chance_of(&h->chance, 0.1))
            continue;
        office_day(h, &erp_staff, day);
        if (!is_weekend(h, day))
            open_page(h, ERP, 3, day);
    }
}

static void live_shifts(struct history *h)
{
    static const struct habits habits = {MES, 8, 9, 2, 35, 1100, 14000, true};
    struct chance *c = &h->chance;
    for (int32_t day = 0; day < h->day_count; day++) {
        double busy = chance_long(c, 1, 0.25) * (is_weekend(h, day) ? 0.6 : 1);
        for (int shift = 0; shift < 3; shift++) {
            int64_t begin = shift * 480, rest = begin + 220 + shift * 10;
            for (int host = 0; host < habits.host_count; host++) {
                /* At night and on some machines fewer terminals are staffed. */
                if (chance_of(c, shift == 0 ? 0.45 : 0.25))
                    continue;
                double tasks = busy * chance_long(c, habits.tasks, 0.4);
                work_stretch(h, &habits, host, day, begin + 5, rest,
                             tasks * 0.5);
                work_stretch(h, &habits, host, day, rest + 40, begin + 475,
                             tasks * 0.5);
            }
        }
    }
}

/* Six days in the month, two people, little to do. */
static void live_little(struct history *h)
{
    struct habits habits = erp_staff;
    int32_t used = 0;
    habits.host_count = 2;
    habits.tasks = 2.5;
    for (int32_t day = 1; day < h->day_count && used < 6; day += 2) {
        if (is_weekend(h, day))
            continue;
        /* At least one connection, whatever chance makes of the day. */
        work_on_task(h, &habits, 0, day_ms(h, day) + 615 * MINUTE_MS);
        office_day(h, &habits, day);
        used++;
    }
}

/* Seven days of use were seen in two stretches; on all others the probe was
 * down. */
static void live_outage(struct history *h)
{
    struct habits habits = erp_staff;
    int32_t used = 0;
    habits.service = SCM;
    habits.host_count = 6;
    for (int32_t day = 0; day < h->day_count; day++) {
        int32_t place = day * 30 / h->day_count; /* as in a month */
        bool is_up = (place >= 3 && place < 10) || (place >= 17 && place < 24);
        h->is_down[day] = !is_up;
        if (!is_up || is_weekend(h, day) || used == 7)
            continue;
        office_day(h, &habits, day);
        used++;
    }
}

/* --- machines and scripts --- */

/* A machine reports every quarter of an hour while it runs: two shifts, six
 * days a week, with stops and days without work. What it says varies. */
static void machine_day(struct history *h, int host, int32_t day)
{
    struct chance *c = &h->chance;
    int64_t begin = 480 + chance_between(c, 0, 25);
    int64_t end = 1320 - chance_between(c, 0, 40);
    int64_t stop = chance_between(c, begin, end);
    int64_t stop_end = stop + (int64_t)chance_long(c, 45, 0.8);
    bool has_stop = chance_of(c, 0.4);
    for (int64_t minute = begin; minute < end; minute += 15) {
        if (has_stop && minute >= stop && minute < stop_end)
            continue;
        struct connection one = {
            .service = IOT,
            .host = host,
            .start_ms = day_ms(h, day) + minute * MINUTE_MS +
                        chance_between(c, 0, 4000),
            .duration_ms = chance_between(c, 200, 1500),
            .up = (uint64_t)(820 + 16 * host + fabs(chance_normal(c)) * 160),
            .down = (uint64_t)chance_between(c, 60, 140),
        };
        if (chance_of(c, 0.05)) /* an alarm, and what led to it */
            one.up += (uint64_t)chance_long(c, 4000, 0.6);
        if (chance_of(c, 0.03)) /* a program comes down */
            one.down += (uint64_t)chance_long(c, 60000, 0.8);
        add_connection(h, &one);
    }
}

static void live_machines(struct history *h)
{
    for (int32_t day = 0; day < h->day_count; day++) {
        struct civil_day d = {h->first_day + day};
        if (day_of_week(d) == DAY_SUNDAY)
            continue;
        for (int host = 0; host < 12; host++) {
            if (!chance_of(&h->chance, 0.07))
                machine_day(h, host, day);
        }
    }
}

/* Every five minutes, day and night, one host, one program, one size. */
static void live_cron(struct history *h)
{
    struct chance *c = &h->chance;
    for (int64_t at_ms = h->from_ms + 7000; at_ms < h->until_ms;
         at_ms += 300 * SECOND_MS) {
        struct connection one = {
            .service = MES,
            .host = 0,
            .start_ms = at_ms + chance_between(c, -3000, 3000),
            .duration_ms = chance_between(c, 350, 420),
            .up = 640,
            .down = (uint64_t)chance_between(c, 8000, 8060)};
        add_connection(h, &one);
    }
}

/* Plays the connections [first, last) of one day again on another: the same
 * tokens, sizes and times of day. */
static void replay_day(struct history *h, size_t first, size_t last,
                       int64_t shift_ms)
{
    for (size_t i = first; i < last && h->flow_count < FLOWS_MAX; i++) {
        struct flow_record r = h->flows[i];
        r.start_ms += shift_ms;
        r.end_ms += shift_ms;
        if (r.end_ms < h->until_ms)
            h->flows[h->flow_count++] = r;
    }
}

static void live_replay(struct history *h)
{
    struct habits habits = erp_staff;
    size_t first[3] = {0}, last[3] = {0};
    int64_t start[3] = {0};
    int seen = 0;
    habits.host_count = 6;
    for (int32_t day = 0; day < h->day_count; day++) {
        if (is_weekend(h, day))
            continue;
        int k = seen % 3;
        if (seen++ >= 3) {
            replay_day(h, first[k], last[k], day_ms(h, day) - start[k]);
            continue;
        }
        first[k] = h->flow_count;
        office_day(h, &habits, day);
        last[k] = h->flow_count;
        start[k] = day_ms(h, day);
    }
}

/* An evening of jobs: models go up, results come back. */
static void job_evening(struct history *h, int32_t day, double jobs)
{
    struct chance *c = &h->chance;
    int64_t count = 1 + chance_poisson(c, jobs);
    for (int64_t i = 0; i < count; i++) {
        struct connection one = {
            .service = CAD,
            .host = (int)chance_between(c, 0, 2),
            .start_ms = day_ms(h, day) +
                        chance_between(c, 1080, 1400) * MINUTE_MS +
                        chance_between(c, 0, MINUTE_MS - 1),
            .duration_ms =
                4000 + (int64_t)chance_long(c, 40000, 0.7) % (4 * MINUTE_MS),
            .up = (uint64_t)chance_long(c, 18e6, 0.9),
            .down = (uint64_t)chance_long(c, 3e6, 1.1),
        };
        add_connection(h, &one);
    }
}

static void live_two_lines(struct history *h)
{
    struct habits habits = erp_staff;
    int32_t evenings = 0;
    habits.host_count = 7;
    for (int32_t day = 0; day < h->day_count; day++) {
        if (is_weekend(h, day))
            continue;
        office_day(h, &habits, day);
        if (day % 6 == 2 && evenings < 3) {
            job_evening(h, day, 3);
            evenings++;
        }
    }
}

static void live_batch(struct history *h)
{
    for (int32_t day = 0; day < h->day_count; day++) {
        if (!is_weekend(h, day) && chance_of(&h->chance, 0.95))
            job_evening(h, day, 14);
    }
}

/* --- a history, from chance to sorted records --- */

static int compare_ends(const void *a, const void *b)
{
    const struct flow_record *x = a, *y = b;
    int order = (x->end_ms > y->end_ms) - (x->end_ms < y->end_ms);
    if (order == 0)
        order = (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
    return order ? order : memcmp(x->token, y->token, FLOW_TOKEN_LEN);
}

static bool history_make(struct history *h, int index, int64_t from_ms,
                         int64_t until_ms)
{
    *h = (struct history){.enterprise = &enterprises[index],
                          .chance = {0x59554e5a48454e47u + (uint64_t)index},
                          .from_ms = from_ms,
                          .until_ms = until_ms};
    h->first_day = day_of_wall(wall_from_ms(from_ms)).number;
    h->day_count =
        day_of_wall(wall_from_ms(until_ms - 1)).number - h->first_day + 1;
    h->flows = calloc(FLOWS_MAX, sizeof(*h->flows));
    if (h->flows == NULL)
        return false;
    h->rtt_us = (uint32_t)chance_between(&h->chance, 4000, 16000);
    for (int i = 0; i < HOSTS_MAX; i++) {
        /* A few kinds of program, shared by hosts and enterprises. */
        char program[32];
        snprintf(program, sizeof(program), "sample program %d",
                 (int)chance_between(&h->chance, 0, 3));
        struct digest hash = digest_of(program, strlen(program));
        memcpy(h->fingerprints[i], hash.bytes, FINGERPRINT_LEN);
        h->hosts[i] = chance_u64(&h->chance);
    }
    h->enterprise->live(h);
    qsort(h->flows, h->flow_count, sizeof(*h->flows), compare_ends);
    return true;
}

/* --- files --- */

static bool make_folder(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static bool make_folder(const char *format, ...)
{
    char path[PATH_LEN];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    if (length < 0 || length >= PATH_LEN)
        return false;
    if (mkdir(path, 0755) == 0)
        return true;
    log_error("%s: %s", path, strerror(errno));
    return false;
}

static bool write_file(const char *path, const struct buffer *data)
{
    FILE *f = fopen(path, "wb");
    bool good = f != NULL && !data->failed &&
                fwrite(data->data, 1, data->length, f) == data->length;
    if (f != NULL)
        good = fclose(f) == 0 && good;
    if (!good)
        log_error("%s: %s", path, strerror(errno));
    return good;
}

/* --- batches --- */

struct output {
    const char *folder;
    char probe_id[PROBE_ID_LEN];
    struct sign_key *key;
    struct batch_writer *writer;
    struct batch_info info;
    struct digest previous;
    uint64_t files; /* written, over all boots */
    uint64_t records;
};

/* The probe starts (again): a new boot id, sequence 1, no previous hash. */
static bool begin_boot(struct output *out, struct history *h, uint32_t domain)
{
    batch_writer_free(out->writer);
    out->writer = batch_writer_new(domain, 0);
    out->info = (struct batch_info){.clock_quality = CLOCK_RELATIVE};
    memcpy(out->info.probe_id, out->probe_id, PROBE_ID_LEN);
    for (size_t i = 0; i < BOOT_ID_LEN; i++)
        out->info.boot_id[i] = (uint8_t)chance_u64(&h->chance);
    out->info.software_hash = digest_of("history_tool", 12);
    out->info.registry_version = digest_of("sample endpoints", 16);
    out->previous = (struct digest){{0}};
    return out->writer != NULL;
}

static bool finish_batch(struct output *out, int64_t start_ms, int64_t end_ms,
                         uint64_t packets)
{
    char path[PATH_LEN];
    struct buffer batch;
    struct digest hash;
    out->info.sequence++;
    out->info.previous_hash = out->previous;
    out->info.period_start_ms = start_ms;
    out->info.period_end_ms = end_ms;
    out->info.packets_seen = packets;
    if (!batch_writer_finish(out->writer, &out->info, out->key,
                             (uint32_t)(end_ms / 1000), &batch, &hash))
        return false;
    out->previous = hash;
    out->files++;
    snprintf(path, sizeof(path), "%s/batches/%s/%06llu.ipfix", out->folder,
             out->probe_id, (unsigned long long)out->files);
    bool good = write_file(path, &batch);
    buffer_clear(&batch);
    return good;
}

/* The records that end in [start, end), starting at *next. */
static bool write_hour(struct output *out, const struct history *h,
                       int64_t start_ms, int64_t end_ms, size_t *next)
{
    uint64_t packets = 0;
    while (*next < h->flow_count && h->flows[*next].end_ms < end_ms) {
        const struct flow_record *r = &h->flows[(*next)++];
        if (!batch_writer_add(out->writer, r, (uint32_t)(end_ms / 1000)))
            return false;
        packets += r->packets + r->rpackets;
        out->records++;
    }
    return finish_batch(out, start_ms, end_ms, packets);
}

static bool write_hours(struct output *out, struct history *h, uint32_t domain)
{
    bool is_up = false, good = true;
    size_t next = 0;
    for (int64_t at_ms = h->from_ms; good && at_ms < h->until_ms;
         at_ms += HOUR_MS) {
        int64_t end_ms =
            at_ms + HOUR_MS < h->until_ms ? at_ms + HOUR_MS : h->until_ms;
        int32_t day = day_of_wall(wall_from_ms(at_ms)).number - h->first_day;
        if (h->is_down[day]) {
            is_up = false;
            continue;
        }
        if (!is_up)
            good = begin_boot(out, h, domain);
        is_up = true;
        good = good && write_hour(out, h, at_ms, end_ms, &next);
    }
    return good;
}

/* Writes everything of one enterprise; adds its public key to `keys`. */
static bool write_enterprise(const char *folder, int index, int64_t from_ms,
                             int64_t until_ms, uint8_t public_key[static 32],
                             uint64_t *records)
{
    struct history h = {0};
    struct output out = {.folder = folder};
    struct error_text error = {"out of memory"};
    char path[PATH_LEN];
    uint8_t raw[SIGN_PUBLIC_MAX];
    snprintf(out.probe_id, sizeof(out.probe_id), "probe-sample-%d", index + 1);
    snprintf(path, sizeof(path), "%s/keys/%s.pem", folder, out.probe_id);
    out.key = sign_key_generate(SIGN_ED25519);
    bool good = out.key != NULL && sign_key_save(out.key, path, &error) &&
                sign_key_public(out.key, raw) == 32 &&
                make_folder("%s/batches/%s", folder, out.probe_id) &&
                history_make(&h, index, from_ms, until_ms) &&
                write_hours(&out, &h, (uint32_t)index + 1);
    if (good)
        memcpy(public_key, raw, 32);
    else
        log_error("%s: not all could be written (%s)", folder, error.text);
    *records += out.records;
    batch_writer_free(out.writer);
    sign_key_free(out.key);
    free(h.flows);
    return good;
}

/* --- registry files --- */

struct probe_directory {
    const char *folder;
    int64_t from_ms, until_ms;
    uint8_t keys[ENTERPRISE_COUNT][32];
};

/* A table being written. */
struct table {
    struct buffer out;
    struct csv_writer csv;
};

static void table_open(struct table *t, const char *header)
{
    struct slice rest = slice_of_text(header), name;
    char text[64];
    buffer_init(&t->out, 1 << 20);
    csv_start(&t->csv, &t->out);
    while (slice_next(&rest, ',', &name)) {
        slice_copy(name, text, sizeof(text));
        csv_text(&t->csv, text);
    }
    csv_row_end(&t->csv);
}

static void table_row(struct table *t, const char *first, ...)
    __attribute__((sentinel));
static void table_row(struct table *t, const char *first, ...)
{
    va_list values;
    va_start(values, first);
    for (const char *v = first; v != NULL; v = va_arg(values, const char *))
        csv_text(&t->csv, v);
    va_end(values);
    csv_row_end(&t->csv);
}

static bool table_close(struct table *t, const char *folder, const char *name)
{
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/%s.csv", folder, name);
    bool good = write_file(path, &t->out);
    buffer_clear(&t->out);
    return good;
}

/* Texts of one row; each call uses the next of a few. */
static const char *texts(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static const char *texts(const char *format, ...)
{
    static char ring[16][160];
    static unsigned next;
    char *text = ring[next++ % 16];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(ring[0]), format, arguments);
    va_end(arguments);
    return text;
}

static const char *time_text(int64_t ms)
{
    char text[WALL_TEXT_LEN];
    wall_to_text(wall_from_ms(ms), text);
    return texts("%s", text);
}

/* Check character of an organisation code (GB 11714): mod 11, X for 10. */
static char organisation_check(const char code[static 8])
{
    static const int weights[8] = {3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 8; i++)
        sum +=
            weights[i] * (code[i] <= '9' ? code[i] - '0' : code[i] - 'A' + 10);
    int check = (11 - sum % 11) % 11;
    return check == 10 ? 'X' : (char)('0' + check);
}

/* A unified social credit code (GB 32100): 9 = business registration, 1 =
 * enterprise, region, an organisation code that starts with DEM0, check. */
static const char *credit_code(const char *region, int number)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    char code[32];
    int weight = 1, sum = 0;
    snprintf(code, sizeof(code), "91%sDEM0%04d", region, number);
    code[16] = organisation_check(code + 8);
    for (int i = 0; i < 17; i++) {
        const char *at = strchr(alphabet, code[i]);
        sum += (int)(at - alphabet) * weight;
        weight = weight * 3 % 31;
    }
    code[17] = alphabet[(31 - sum % 31) % 31];
    code[18] = '\0';
    return texts("%s", code);
}

static bool write_parties(const struct probe_directory *r, const char *folder)
{
    struct table t, sites;
    table_open(&t, "id,name_zh,name_en,credit_code");
    for (size_t i = 0; i < sizeof(suppliers) / sizeof(suppliers[0]); i++) {
        const struct supplier *s = &suppliers[i];
        table_row(&t, s->id, s->name_zh, s->name_en,
                  credit_code(s->region, 9001 + (int)i), NULL);
    }
    bool good = table_close(&t, folder, "supplier");
    table_open(&t, "id,name_zh,name_en,credit_code,city_code,county");
    table_open(&sites, "id,enterprise_id,name_zh,name_en,city_code");
    for (int i = 0; i < ENTERPRISE_COUNT; i++) {
        const struct enterprise *e = &enterprises[i];
        const char *id = texts("ENT-%04d", i + 1);
        table_row(&t, id, e->name_zh, e->name_en, credit_code(e->city, i + 1),
                  e->city, "", NULL);
        table_row(&sites, texts("SITE-%04d", i + 1), id, e->site_zh, e->site_en,
                  e->city, NULL);
    }
    (void)r;
    good = table_close(&t, folder, "enterprise") && good;
    return table_close(&sites, folder, "site") && good;
}

static bool write_services(const struct probe_directory *r, const char *folder)
{
    struct table t, endpoints, addresses;
    const char *from = time_text(r->from_ms - 100ll * DAY_MS);
    table_open(&t, "id,supplier_id,item_no,class,name_zh,name_en");
    table_open(&endpoints,
               "id,service_id,protocol,ports,is_shared,valid_from,valid_to");
    table_open(&addresses, "endpoint_id,address,host");
    for (int i = 0; i < SERVICE_COUNT; i++) {
        const struct service *s = &services[i];
        table_row(&t, s->id, s->supplier, texts("%d", s->item_no), s->class,
                  s->name_zh, s->name_en, NULL);
        table_row(&endpoints, s->endpoint, s->id, s->protocol, s->ports, "0",
                  from, "", NULL);
        table_row(&addresses, s->endpoint, s->address, s->host, NULL);
    }
    bool good = table_close(&t, folder, "service");
    good = table_close(&endpoints, folder, "endpoint") && good;
    return table_close(&addresses, folder, "endpoint_address") && good;
}

static bool write_cycle_and_probes(const struct probe_directory *r,
                                   const char *folder)
{
    struct table t;
    char hex[65];
    table_open(&t, "id,programme_id,name_zh,name_en,application_opens,"
                   "application_deadline,settlement_opens,settlement_deadline");
    table_row(&t, "demo", "guangdong-2018", "演示批次", "Demo cycle",
              time_text(r->from_ms - 90ll * DAY_MS),
              time_text(r->from_ms - 30ll * DAY_MS),
              time_text(r->from_ms - 20ll * DAY_MS),
              time_text(r->until_ms + 30ll * DAY_MS), NULL);
    bool good = table_close(&t, folder, "cycle");
    table_open(&t, "id,enterprise_id,site_id,algorithm,signing_key,agreed_at,"
                   "denied_at");
    for (int i = 0; i < ENTERPRISE_COUNT; i++) {
        hex_of(r->keys[i], 32, hex);
        table_row(&t, texts("probe-sample-%d", i + 1), texts("ENT-%04d", i + 1),
                  texts("SITE-%04d", i + 1), "ed25519", hex,
                  time_text(r->from_ms - 10ll * DAY_MS), "", NULL);
    }
    return table_close(&t, folder, "probe") && good;
}

/* A voucher's number says its year and the order of issue. */
static const char *voucher_number(const struct probe_directory *r, int index)
{
    int year = day_year(day_of_wall(wall_from_ms(r->until_ms)));
    return texts("V-%d-%04d", year, index + 1);
}

static bool write_applications(const struct probe_directory *r,
                               const char *folder)
{
    struct table applications, vouchers, settlements;
    char day[DAY_TEXT_LEN];
    table_open(&applications,
               "id,cycle_id,enterprise_id,supplier_id,contract_no,contract_day,"
               "submitted_at,supplier_confirmed_at,city_approved_at");
    table_open(&vouchers, "number,application_id,issued_at,is_pilot,state");
    table_open(&settlements,
               "id,voucher_number,submitted_at,supplier_confirmed_at,state");
    for (int i = 0; i < ENTERPRISE_COUNT; i++) {
        const struct enterprise *e = &enterprises[i];
        int64_t at_ms = r->from_ms - (80ll - i) * DAY_MS;
        int64_t settled_ms = r->until_ms - (5ll * HOUR_MS - i * 7 * MINUTE_MS);
        const char *id = texts("APP-%04d", i + 1);
        const char *number = voucher_number(r, i);
        day_to_text(day_of_wall(wall_from_ms(at_ms - 9ll * DAY_MS)), day);
        table_row(&applications, id, "demo", texts("ENT-%04d", i + 1),
                  services[e->lines[0].service].supplier,
                  texts("SAMPLE-%04d", i + 1), day, time_text(at_ms),
                  time_text(at_ms + 2ll * DAY_MS),
                  time_text(at_ms + 9ll * DAY_MS), NULL);
        table_row(&vouchers, number, id, time_text(at_ms + 10ll * DAY_MS), "0",
                  "IN_SETTLEMENT", NULL);
        table_row(&settlements, texts("SET-%04d", i + 1), number,
                  time_text(settled_ms), time_text(settled_ms + HOUR_MS),
                  "PENDING_VERIFICATION", NULL);
    }
    bool good = table_close(&applications, folder, "voucher_application");
    good = table_close(&vouchers, folder, "voucher") && good;
    return table_close(&settlements, folder, "settlement") && good;
}

static bool write_lines(const struct probe_directory *r, const char *folder)
{
    struct table lines, identifiers;
    table_open(&lines, "voucher_number,line_no,service_id,fee,networked_sets");
    table_open(&identifiers, "voucher_number,line_no,kind,value,mask,site_id,"
                             "valid_from,valid_to");
    for (int i = 0; i < ENTERPRISE_COUNT; i++) {
        const struct enterprise *e = &enterprises[i];
        for (int k = 0; k < e->line_count; k++) {
            const struct line *line = &e->lines[k];
            const char *number = voucher_number(r, i);
            const char *no = texts("%d", k + 1);
            const char *address = texts("192.0.2.%d", 11 + i);
            table_row(&lines, number, no, services[line->service].id, line->fee,
                      line->sets > 0 ? texts("%d", line->sets) : "", NULL);
            table_row(&identifiers, number, no, "fixed_ip", address, address,
                      texts("SITE-%04d", i + 1),
                      time_text(r->from_ms - 60ll * DAY_MS), "", NULL);
        }
    }
    bool good = table_close(&lines, folder, "voucher_line");
    return table_close(&identifiers, folder, "user_side_identifier") && good;
}

static bool write_expected(const struct probe_directory *r)
{
    struct table t;
    table_open(&t, "voucher_number,verdict,mark,persona");
    for (int i = 0; i < ENTERPRISE_COUNT; i++) {
        const struct enterprise *e = &enterprises[i];
        table_row(&t, voucher_number(r, i), e->verdict, e->mark, e->persona,
                  NULL);
    }
    return table_close(&t, r->folder, "expected");
}

/* The rows that are no sample: a second site of the first enterprise, with the
 * probe that really captures. */
static bool write_live(const struct probe_directory *r, const char *keys,
                       const char *probe_id)
{
    char path[PATH_LEN], folder[PATH_LEN], hex[2 * SIGN_PUBLIC_MAX + 1];
    uint8_t raw[SIGN_PUBLIC_MAX];
    struct error_text error;
    enum sign_algorithm algorithm = SIGN_NONE;
    struct table t;
    snprintf(path, sizeof(path), "%s/%s.sign.pub.pem", keys, probe_id);
    snprintf(folder, sizeof(folder), "%s/registry-live", r->folder);
    size_t length = sign_public_load(path, &algorithm, raw, &error);
    if (length == 0) {
        log_error("%s", error.text);
        return false;
    }
    hex_of(raw, length, hex);
    if (!make_folder("%s", folder))
        return false;
    table_open(&t, "id,enterprise_id,name_zh,name_en,city_code");
    table_row(&t, "SITE-LIVE", "ENT-0001", "实时演示站点", "Live demo site",
              enterprises[0].city, NULL);
    bool good = table_close(&t, folder, "site");
    table_open(&t, "id,enterprise_id,site_id,algorithm,signing_key,agreed_at,"
                   "denied_at");
    table_row(&t, probe_id, "ENT-0001", "SITE-LIVE",
              sign_algorithm_name(algorithm), hex,
              time_text(r->from_ms - 10ll * DAY_MS), "", NULL);
    return table_close(&t, folder, "probe") && good;
}

static bool write_registry(const struct probe_directory *r)
{
    char folder[PATH_LEN];
    snprintf(folder, sizeof(folder), "%s/registry", r->folder);
    return make_folder("%s", folder) && write_parties(r, folder) &&
           write_services(r, folder) && write_cycle_and_probes(r, folder) &&
           write_applications(r, folder) && write_lines(r, folder) &&
           write_expected(r);
}

/* --- checking what was written --- */

struct checked {
    uint64_t files, records, boots;
};

/* One file: exactly one batch, signed by this key. Its place in the chain is
 * checked against the batch before. */
static bool check_file(struct batch_reader *reader, const char *path,
                       struct slice key, const char *probe_id,
                       struct batch_info *last, struct digest *last_hash,
                       struct checked *sum)
{
    struct buffer file;
    bool complete = false;
    size_t at = 0;
    if (!buffer_read_file(&file, path, BATCH_SIZE_MAX))
        return false;
    enum batch_status status = BATCH_OK;
    while (status == BATCH_OK && !complete && at < file.length) {
        int size = ipfix_message_length(file.data + at, file.length - at);
        if (size <= 0 || (size_t)size > file.length - at)
            break;
        status =
            batch_reader_add(reader, file.data + at, (size_t)size, &complete);
        at += (size_t)size;
    }
    const struct batch_info *info = batch_reader_info(reader);
    bool is_boot = info->sequence == 1;
    bool good = status == BATCH_OK && complete && at == file.length &&
                batch_reader_verify(reader, SIGN_ED25519, key) == BATCH_OK &&
                strcmp(info->probe_id, probe_id) == 0 &&
                batch_reader_dropped(reader) == 0 &&
                (is_boot || (info->sequence == last->sequence + 1 &&
                             info->period_start_ms == last->period_end_ms &&
                             digest_equal(info->previous_hash, *last_hash)));
    sum->files++;
    sum->boots += is_boot;
    sum->records += batch_reader_count(reader);
    *last = *info;
    *last_hash = batch_reader_hash(reader);
    batch_reader_next(reader);
    buffer_clear(&file);
    if (!good)
        log_error("%s: %s", path,
                  status != BATCH_OK ? batch_status_text(status)
                                     : "not the batch that belongs here");
    return good;
}

static bool check_probe(const char *folder, const char *probe_id,
                        struct slice key)
{
    struct batch_reader *reader = batch_reader_new();
    struct batch_info last = {0};
    struct digest last_hash = {{0}};
    struct checked sum = {0};
    char path[PATH_LEN];
    bool good = reader != NULL;
    while (good) {
        snprintf(path, sizeof(path), "%s/batches/%s/%06llu.ipfix", folder,
                 probe_id, (unsigned long long)sum.files + 1);
        if (access(path, R_OK) != 0)
            break;
        good = check_file(reader, path, key, probe_id, &last, &last_hash, &sum);
    }
    printf("%s %llu batches %llu boots %llu records\n", probe_id,
           (unsigned long long)sum.files, (unsigned long long)sum.boots,
           (unsigned long long)sum.records);
    batch_reader_free(reader);
    return good && sum.files > 0;
}

/* Every probe of registry/probe.csv, with the key that stands there. */
static int run_check(const char *folder)
{
    enum { COLUMNS = 7, KEY = 4 };
    char path[PATH_LEN], probe_id[PROBE_ID_LEN];
    struct buffer file, scratch;
    struct slice fields[COLUMNS];
    uint8_t raw[32];
    unsigned line = 0, probes = 0;
    bool good = true;
    snprintf(path, sizeof(path), "%s/registry/probe.csv", folder);
    if (!buffer_read_file(&file, path, 1 << 20)) {
        log_error("%s: %s", path, strerror(errno));
        return 1;
    }
    buffer_init(&scratch, 1 << 20);
    struct slice rest = buffer_slice(&file);
    for (int n = csv_read(&rest, &scratch, fields, COLUMNS, &line); n > 0;
         n = csv_read(&rest, &scratch, fields, COLUMNS, &line)) {
        if (slice_equal_text(fields[0], "id"))
            continue;
        good = n == COLUMNS &&
               slice_copy(fields[0], probe_id, sizeof(probe_id)) &&
               parse_hex(fields[KEY], raw, sizeof(raw)) &&
               check_probe(folder, probe_id, slice_of_bytes(raw, 32)) && good;
        probes++;
    }
    buffer_clear(&file);
    buffer_clear(&scratch);
    return good && probes == ENTERPRISE_COUNT ? 0 : 1;
}

/* --- main --- */

struct arguments {
    const char *folder, *until, *days, *live_keys, *live_probe, *now;
    bool is_check;
    int64_t from_ms, until_ms;
};

static bool read_times(struct arguments *a)
{
    struct wall_time now = wall_now(), until;
    uint64_t days = 30;
    if (a->now != NULL && !wall_from_text(slice_of_text(a->now), &now))
        return false;
    until = wall_from_ms(wall_to_ms(now) / HOUR_MS * HOUR_MS);
    if (a->until != NULL && !wall_from_text(slice_of_text(a->until), &until))
        return false;
    if (a->days != NULL &&
        !parse_u64(slice_of_text(a->days), 1, DAYS_MAX - 1, &days))
        return false;
    a->until_ms = wall_to_ms(until);
    /* Whole days before the one in which the history ends. */
    struct civil_day day = day_of_wall(wall_from_ms(a->until_ms - 1));
    day.number -= (int32_t)days - 1;
    a->from_ms = wall_to_ms(day_start(day));
    return a->from_ms > 200ll * DAY_MS;
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    const struct program_option options[] = {
        {"--until", NULL, &a->until, false},
        {"--days", NULL, &a->days, false},
        {"--live-keys", NULL, &a->live_keys, false},
        {"--live-probe", NULL, &a->live_probe, false},
        {"--now", NULL, &a->now, false},
        {"--check", &a->is_check, NULL, false},
    };
    a->live_probe = "probe-live";
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 1, 1) != 1)
        return false;
    a->folder = argv[1];
    if (strlen(a->folder) > PATH_LEN / 2 || !read_times(a)) {
        log_error("history_tool: a time, date or number of days is not one");
        return false;
    }
    return true;
}

static int run_write(const struct arguments *a)
{
    struct probe_directory r = {
        .folder = a->folder, .from_ms = a->from_ms, .until_ms = a->until_ms};
    uint64_t records = 0;
    if (!make_folder("%s", a->folder) || !make_folder("%s/keys", a->folder) ||
        !make_folder("%s/batches", a->folder))
        return 1;
    for (int i = 0; i < ENTERPRISE_COUNT; i++) {
        if (!write_enterprise(a->folder, i, a->from_ms, a->until_ms, r.keys[i],
                              &records))
            return 1;
    }
    if (!write_registry(&r) ||
        (a->live_keys != NULL && !write_live(&r, a->live_keys, a->live_probe)))
        return 1;
    printf("%d sample enterprises, %llu demo records from %s to %s\n",
           ENTERPRISE_COUNT, (unsigned long long)records, time_text(a->from_ms),
           time_text(a->until_ms));
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    log_set_program("history_tool");
    if (!read_arguments(argc, argv, &a))
        return 2;
    return a.is_check ? run_check(a.folder) : run_write(&a);
}
