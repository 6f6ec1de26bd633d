/* status: what run writes is what status reads; each fault has its advice in
 * both languages; nothing of the file reaches the terminal as it is. */
#include "probe/admin/status_command.h"
#include "probe/state/status.h"
#include "tests/test.h"

static const struct probe_interface interfaces[] = {
    {"eth1", "EN10MB", 1234567, 0}, {"eth2", "EN10MB", 5, 0}};
static const struct sandbox_report processes[] = {
    {.process = "reader",
     .pid = 7,
     .user = "yz-probe",
     .uid = 990,
     .no_new_privileges = true,
     .seccomp_filter = true,
     .landlock_abi = 6,
     .files_denied = true,
     .sockets_denied = true,
     .root_left = true},
    {.process = "uplink",
     .pid = 8,
     .user = "yz-probe",
     .uid = 990,
     .no_new_privileges = true,
     .seccomp_filter = true,
     .root_left = true,
     .note = "Landlock: not in this kernel"}};

static struct probe_status sample(void)
{
    struct probe_status s = {
        .probe_id = "gate-1",
        .interface = "eth1,eth2",
        .link_type = "EN10MB",
        .pid = 6,
        .started = wall_from_s(1700000000),
        .now = wall_from_s(1700100000),
        .interfaces = interfaces,
        .interface_count = 2,
        .filter_kind = FILTER_EBPF,
        .rules = 500,
        .registry_version = {{0xab, 0xcd}},
        .kernel = {true, 5000000, 1, 1234567, 1},
        .capture = {1234567, 0, 1234567},
        .meter = {.packets = 1234567, .flows = 40, .active_flows = 35},
        .duplicates = 77,
        .memory_rss_bytes = 9 << 20,
        .memory_peak_bytes = 10 << 20,
        .flow_limit = 65536,
        .flow_table_bytes = 4 << 20,
        .batches_made = 12,
        .spool = {.acknowledged = 12},
        .uplink = {.is_connected = true,
                   .has_receipt = true,
                   .last_receipt = {.sequence = 12,
                                    .ledger_index = 4242,
                                    .received_ms = 1700099900000}},
        .receipts = {.bytes = 5 << 20, .days = 3, .oldest = "2023-11-14"},
        .side = {.challenge_taken = wall_from_s(1700099885),
                 .clock_offset_ms = 70,
                 .clock_taken = wall_from_s(1700099995),
                 .registry_serial = 7,
                 .registry_issued = wall_from_s(1700000000),
                 .registry_told = wall_from_s(1700099705),
                 .known_serial = 7},
        .challenge_named = wall_from_s(1700099945),
        .challenge_sequence = 12,
        .certificate_begin = wall_from_s(1690000000),
        .certificate_end = wall_from_s(1720000000),
        .clock_quality = CLOCK_SYNCHRONISED,
        .processes = processes,
        .process_count = 2,
    };
    return s;
}

static bool everybody_lives(uint64_t pid)
{
    return pid == 6;
}

static bool nobody_lives(uint64_t pid)
{
    (void)pid;
    return false;
}

static struct status_question question(void)
{
    struct status_question q = {.name = "status.json",
                                .config = "/etc/x.conf",
                                .state = "/var/lib/x",
                                .now = wall_from_s(1700100005),
                                .is_alive = everybody_lives,
                                .free_bytes = STATUS_FREE_UNKNOWN,
                                .language = LANGUAGE_EN};
    return q;
}

static char text[64 * 1024];
static bool is_running;

static bool ask(struct slice content, const struct status_question *q)
{
    struct error_text error = {{0}};
    struct buffer out;
    buffer_init(&out, sizeof(text) - 1);
    bool good = status_answer(content, q, &out, &is_running, &error);
    CHECK(slice_copy(buffer_slice(&out), text, sizeof(text)));
    /* A sentence that was not given all its arguments shows them. */
    CHECK(q->is_json || strchr(text, '{') == NULL);
    buffer_clear(&out);
    return good;
}

static const char *answer(const struct probe_status *s,
                          const struct status_question *q)
{
    struct buffer json;
    buffer_init(&json, 1 << 20);
    status_print(s, &json);
    CHECK(ask(buffer_slice(&json), q));
    buffer_clear(&json);
    return text;
}

static bool has(const char *wanted)
{
    bool good = strstr(text, wanted) != NULL;
    if (!good)
        printf("# missing: %s\n# in: %s\n", wanted, text);
    return good;
}

static void test_well(void)
{
    struct probe_status s = sample();
    struct status_question q = question();
    test_case("a probe that is well");
    answer(&s, &q);
    CHECK(is_running);
    static const char *const wanted[] = {
        "gate-1: running (as of 5 s ago)",
        "up 1 d 3 h, process 6",
        "registered prefixes valid now 500, list abcd00000000\n",
        "eth1 (EN10MB) received 1,234,567, dropped 0\n",
        "eth2 (EN10MB) received 5",
        "ebpf, registered prefixes valid now 500",
        "seen 5,000,000, matched 1,234,567, refused 3,765,433, dropped by the "
        "kernel 0",
        "duplicates 77",
        "active 35 (of at most 65,536)",
        "now 9.0 MiB, peak 10.0 MiB, flows take at most 4.0 MiB",
        "made 12, waiting 0, acknowledged 12",
        "batches given up 0; signed loss records: in batches 0, for the next "
        "batch 0\n",
        "ledger index 4,242",
        "kept since 2023-11-14, 5.0 MiB: /var/lib/x/receipts\n",
        "synchronised; behind the collector's by 0.070 s (0 min 10 s ago)\n",
        "number 7, issued 2023-11-15 06:13:20 +08:00, confirmed by the "
        "collector 5 min 0 s ago\n",
        "received 2 min 0 s ago, answered by batch 12 1 min 0 s ago\n",
        "230 days left, until 2024-07-03",
        "synchronised",
        "reader (process 7, user yz-probe): +root left +no new privileges "
        "+seccomp +files denied +sockets denied +Landlock 6, capabilities 0x0",
        "-Landlock",
        "Landlock: not in this kernel",
        "All is well."};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        CHECK(has(wanted[i]));
    CHECK(strstr(text, "! ") == NULL);
    test_case("the same in Chinese");
    q.language = LANGUAGE_ZH;
    answer(&s, &q);
    CHECK(has("云证探针 gate-1：运行中（数据为 5 秒前）"));
    CHECK(has(
        "\n启动时间      2023-11-15 06:13:20 +08:00，已运行 1 天 3 小时，"));
    CHECK(has("剩余 230 天，至 2024-07-03") && has("一切正常。"));
}

/* What is wrong, and the advice for it. */
static void bad_drop(struct probe_status *s)
{
    s->capture.dropped = 3;
}
static void bad_evict(struct probe_status *s)
{
    s->meter.evicted = 3;
}
static void bad_cut(struct probe_status *s)
{
    s->meter.undecodable[UNDECODABLE_TRUNCATED] = 1;
}
static void bad_lost(struct probe_status *s)
{
    s->spool.lost = 1;
}
static void bad_refused(struct probe_status *s)
{
    s->spool.refused = 1;
}
static void bad_uplink(struct probe_status *s)
{
    s->uplink.is_connected = false;
    s->uplink.failures = 3;
    snprintf(s->uplink.fault, sizeof(s->uplink.fault), "Connection refused");
    s->uplink_fault_time = wall_from_s(1700099965);
    s->uplink_next = wall_from_s(1700100035);
}
static void bad_queue(struct probe_status *s)
{
    s->spool.waiting = 3;
}
/* Nothing to send: that is how a probe is between two batches. */
static void idle_uplink(struct probe_status *s)
{
    s->uplink.is_connected = false;
}
static void bad_disk(struct probe_status *s)
{
    s->disk_fault = "/x: No space left on device";
}
static void bad_room(struct probe_status *s)
{
    s->spool.bound_bytes = 256 << 20;
    s->spool.waiting_bytes = 206 << 20;
}
static void bad_receipts(struct probe_status *s)
{
    s->receipts.has_failed = true;
}
static void bad_offset(struct probe_status *s)
{
    s->side.clock_offset_ms = -86400000;
}
static void bad_old_list(struct probe_status *s)
{
    s->side.refusal = REFUSED_OLDER;
    s->side.refused_serial = 5;
    s->side.refused_issued = wall_from_s(1690000000);
    s->side.refusals = 1;
}
static void bad_signature(struct probe_status *s)
{
    bad_old_list(s);
    s->side.refusal = REFUSED_SIGNATURE;
}
static void bad_rules(struct probe_status *s)
{
    s->rules = 0;
}
static void bad_clock(struct probe_status *s)
{
    s->clock_quality = CLOCK_UNSYNCHRONISED;
}
static void bad_days(struct probe_status *s)
{
    s->certificate_end = wall_from_s(1700100005 + 9 * 86400);
}
/* Eight of 21 days left is more than a third of its life: no complaint. */
static void short_life(struct probe_status *s)
{
    s->certificate_begin = wall_from_s(1700100005 - 13 * 86400);
    s->certificate_end = wall_from_s(1700100005 + 8 * 86400);
}
static void bad_expired(struct probe_status *s)
{
    s->certificate_end = wall_from_s(1700100000);
}

static void test_faults(void)
{
    static const struct {
        void (*spoil)(struct probe_status *s);
        const char *zh, *en;
    } cases[] = {
        {bad_drop, "加大 buffer_mb", "raise buffer_mb in /etc/x.conf"},
        {bad_evict, "加大 flow_limit", "raise flow_limit in /etc/x.conf"},
        {bad_cut, "加大 snap_length", "raise snap_length"},
        {bad_lost, "加大 spool_mb", "raise spool_mb"},
        {bad_refused, "被拒收", "yz-probe show /var/lib/x/refused/*.ipfix"},
        {bad_uplink, "yz-probe check -c", "yz-probe check -c /etc/x.conf"},
        {bad_uplink, "（0 分 40 秒前，连续 3 次，0 分 30 秒后重试）",
         "! Connection refused (0 min 40 s ago, 3 in a row, next attempt in 0 "
         "min 30 s)"},
        {bad_queue, "批次留在本机等待", "batches wait on this machine"},
        {idle_uplink, "没有批次待发", "not connected, nothing waits"},
        {bad_disk, "腾出 /var/lib/x", "look at the disk of /var/lib/x"},
        {bad_room, "缓存将满", "the spool is nearly full"},
        {bad_receipts, "回执无法保存", "receipts cannot be kept"},
        {bad_offset, "快 86400.000 秒",
         "ahead of the collector's by 86400.000"},
        {bad_old_list, "第 5 号（签发于 2023-07-22",
         "list number 5 (issued 2023-07-22 12:26:40 +08:00) is refused: it is "
         "older than one known before"},
        {bad_old_list, "--serial N（N 大于 7）",
         "yz-portal registry publish --serial N, N above 7"},
        {bad_signature, "yz-probe enrol -c /etc/x.conf --again",
         "its signature is wrong; the list in force stays"},
        {bad_rules, "没有有效的登记", "nothing registered is valid"},
        {bad_clock, "timedatectl", "sudo timedatectl set-ntp true"},
        {bad_days, "换发证书", "9 days left"},
        {bad_expired, "过期", "expired on 2023-11-16"},
        {short_life, "一切正常", "All is well"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe_status s = sample();
        struct status_question q = question();
        test_case(cases[i].en);
        cases[i].spoil(&s);
        answer(&s, &q);
        CHECK(has(cases[i].en));
        bool is_well =
            cases[i].spoil == short_life || cases[i].spoil == idle_uplink;
        CHECK((strstr(text, "! ") == NULL) == is_well);
        CHECK((strstr(text, "All is well") != NULL) == is_well);
        q.language = LANGUAGE_ZH;
        answer(&s, &q);
        CHECK(has(cases[i].zh));
    }
}

static void test_not_running(void)
{
    struct probe_status s = sample();
    struct status_question q = question();
    test_case(
        "older than 30 s, of the future, or without its process: stopped");
    q.now = wall_from_s(1700100030);
    answer(&s, &q);
    CHECK(is_running);
    q.now = wall_from_s(1700100031);
    answer(&s, &q);
    CHECK(!is_running && has(": for 0 min 31 s has written no status, although "
                             "its process is there; look at the disk of "
                             "/var/lib/x"));
    q.free_bytes = 4096;
    answer(&s, &q);
    CHECK(!is_running &&
          has("since the disk of /var/lib/x is full; make room"));
    q.language = LANGUAGE_ZH;
    answer(&s, &q);
    CHECK(has("：0 分 31 秒没有写出状态，因为 /var/lib/x 所在磁盘已满"));
    q = question();
    q.now = wall_from_s(1700100031);
    q.is_alive = nobody_lives;
    answer(&s, &q);
    CHECK(!is_running &&
          has("NOT RUNNING; what follows is from 0 min 31 s ago"));
    CHECK(has("sudo systemctl start yz-probe"));
    q.is_alive = everybody_lives;
    q.now = wall_from_s(1700099000);
    answer(&s, &q);
    CHECK(!is_running && has("the clock was set back"));
    q = question();
    q.is_alive = nobody_lives;
    answer(&s, &q);
    CHECK(!is_running && has("NOT RUNNING"));
    test_case("a disk that is nearly full is told before it is");
    q = question();
    q.free_bytes = 2 << 20;
    answer(&s, &q);
    CHECK(is_running && has("! the disk of /var/lib/x has only 2.0 MiB left"));
    test_case("a status of an older probe, without the newer members");
    CHECK(ask(slice_of_text("{\"written\":\"2023-11-16T02:00:00Z\"}"), &q));
    CHECK(ask(slice_of_text("{\"written\":\"2023-11-16T02:00:00Z\","
                            "\"interface\":\"lo\",\"kernel\":7,\"flows\":[1],"
                            "\"processes\":[3,{}],\"interfaces\":\"x\","
                            "\"memory\":{\"rss_bytes\":-4}}"),
              &q));
}

static void test_json(void)
{
    struct probe_status s = sample();
    struct status_question q = question();
    test_case("--json: the file and two members more");
    q.is_json = true;
    answer(&s, &q);
    CHECK(strncmp(text, "{\"age_s\":5,\"is_running\":true,\"probe\":\"gate-1\"",
                  44) == 0);
    CHECK(has("\"duplicates\":77") && has("\"landlock_abi\":6"));
    CHECK(has("\"clock_offset_ms\":70,\"clock_compared\":\"2023-11-16T"));
    CHECK(has("\"registry\":{\"serial\":7,\"issued\":\"2023-11-14T22:13:20"));
    CHECK(has("\"loss_records\":{\"told\":0,\"waiting\":0"));
    CHECK(has("\"receipts\":{\"kept_octets\":5242880,\"days\":3,\"oldest\":"
              "\"2023-11-14\",\"has_failed\":false}"));
    bad_old_list(&s);
    answer(&s, &q);
    CHECK(has("\"refused\":{\"serial\":5,") && has("\"kind\":\"older\""));
}

static bool is_plain(void)
{
    for (const char *c = text; *c; c++) {
        if ((*c < ' ' && *c != '\n') || *c > '~')
            return false;
    }
    return true;
}

static void test_hostile(void)
{
    struct probe_status s = sample();
    struct status_question q = question();
    /* escape, carriage return, C1, right-to-left override, a rune of 4 bytes */
    s.probe_id = "\x1b[2J\r\xc2\x9b"
                 "31m\xe2\x80\xae\xf0\x9f\x98\x80";
    test_case("control characters in the file do not reach the terminal");
    answer(&s, &q);
    CHECK(is_plain() && has("?[2J??31m??: running"));
    q.is_json = true;
    answer(&s, &q);
    CHECK(is_plain());
    CHECK(strchr(text, '\n') == text + strlen(text) - 1);
    CHECK(has("\\u001b[2J\\r\\u009b31m\\u202e\\ud83d\\ude00"));
    CHECK(ask(slice_of_text("{\t\"written\":\r\"2023-11-16T02:00:00Z\"\n}"),
              &q) &&
          is_plain() && strchr(text, '\n') == text + strlen(text) - 1);
    static const char *const broken[] = {
        "",
        "[]",
        "{}",
        "{\"written\":\"yesterday\"}",
        "{\"written\":5}",
        "{\"written\":\"2023-11-16T02:00:00Z\"} {}",
        "{",
        "{\"written\":\"2023-11-16T02:00:00Z\",\"is_running\":true}"};
    test_case("what is no status is refused");
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        if (!CHECK(!ask(slice_of_text(broken[i]), &q) && !is_running))
            printf("# %s\n", broken[i]);
    }
}

int main(void)
{
    test_well();
    test_faults();
    test_not_running();
    test_json();
    test_hostile();
    return test_end();
}
