/*
 * The human form is a table of rows: a label in both languages, and a function
 * that adds the row's text and, below it, what to do where something is wrong.
 * A member that an older probe did not write leaves its row out.
 */
#include "probe/admin/status_command.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/durable.h"
#include "common/json.h"
#include "common/program.h"
#include "probe/state/probe_config.h"

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

/* Both formats take the same arguments. */
#define SAY(v, zh, ...)                                                        \
    language_addf((v)->out, (v)->q->language, zh, __VA_ARGS__)

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

/* --- pieces of text --- */

static void foreign(struct view *v, const char *text)
{
    text_add_foreign(v->out, text);
}

/* 1,234,567 */
static void number(struct view *v, uint64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer_add_u8(v->out, ',');
        buffer_add_u8(v->out, (uint8_t)digits[i]);
    }
}

static void named_number(struct view *v, const char *zh, const char *en,
                         uint64_t value)
{
    SAY(v, "%s ", "%s ", v->q->language == LANGUAGE_ZH ? zh : en);
    number(v, value);
}

static void comma(struct view *v)
{
    SAY(v, "，", ", ");
}

static void size(struct view *v, uint64_t bytes)
{
    if (bytes >= 1 << 20)
        buffer_addf(v->out, "%" PRIu64 ".%" PRIu64 " MiB", bytes >> 20,
                    (bytes & 0xfffff) * 10 >> 20);
    else
        buffer_addf(v->out, "%" PRIu64 " KiB", (bytes + 1023) >> 10);
}

static void moment(struct view *v, struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_local_text(time, text);
    buffer_addf(v->out, "%s +08:00", text);
}

static void span(struct view *v, int64_t seconds)
{
    if (seconds >= DAY_S)
        SAY(v, "%" PRId64 " 天 %" PRId64 " 小时", "%" PRId64 " d %" PRId64 " h",
            seconds / DAY_S, seconds % DAY_S / 3600);
    else if (seconds >= 3600)
        SAY(v, "%" PRId64 " 小时 %" PRId64 " 分",
            "%" PRId64 " h %" PRId64 " min", seconds / 3600,
            seconds % 3600 / 60);
    else
        SAY(v, "%" PRId64 " 分 %" PRId64 " 秒", "%" PRId64 " min %" PRId64 " s",
            seconds / 60, seconds % 60);
}

/* "3 min 2 s ago", of a moment not long past. */
static void ago(struct view *v, struct wall_time time)
{
    int64_t seconds = wall_to_s(v->q->now) - wall_to_s(time);
    span(v, seconds > 0 ? seconds : 0);
    SAY(v, " 前", " ago");
}

/* A line of its own below the row: what is wrong, and what to do. */
static void fault(struct view *v)
{
    v->faults++;
    buffer_addf(v->out, "\n%*s! ", LABEL_WIDTH - 2, "");
}

/* --- rows --- */

static bool add_since(struct view *v)
{
    struct wall_time started;
    if (!time_of(v->root, "started", &started))
        return false;
    moment(v, started);
    if (v->is_running) {
        SAY(v, "，已运行 ", ", up ");
        span(v, wall_to_s(v->q->now) - wall_to_s(started));
    }
    uint64_t pid = u64_of(v->root, "pid");
    if (pid != 0)
        SAY(v, "，进程 %" PRIu64, ", process %" PRIu64, pid);
    return true;
}

static void add_interface(struct view *v, const struct json_node *n)
{
    foreign(v, text_of(n, "name"));
    buffer_add_text(v->out, " (");
    foreign(v, text_of(n, "link_type"));
    buffer_add_text(v->out, ")");
    uint64_t received;
    if (!get_u64(n, "received", &received))
        return;
    named_number(v, " 收到", " received", received);
    comma(v);
    named_number(v, "丢失", "dropped", u64_of(n, "dropped"));
}

static bool add_interfaces(struct view *v)
{
    const struct json_node *list = group_of(v->root, "interfaces");
    if (json_first(list) == NULL) { /* an older probe has one */
        foreign(v, text_of(v->root, "interface"));
        buffer_add_text(v->out, " (");
        foreign(v, text_of(v->root, "link_type"));
        buffer_add_text(v->out, ")");
        return text_of(v->root, "interface")[0] != '\0';
    }
    for (const struct json_node *n = json_first(list); n; n = json_next(n)) {
        if (n != json_first(list))
            buffer_addf(v->out, "\n%*s", LABEL_WIDTH, "");
        add_interface(v, n);
    }
    return true;
}

static bool add_filter(struct view *v)
{
    uint64_t rules = u64_of(v->root, "rules");
    const char *version = text_of(v->root, "registry_version");
    foreign(v, text_of(v->root, "filter"));
    comma(v);
    named_number(v, "有效登记", "registered prefixes valid now", rules);
    if (version[0] != '\0') {
        char start[13] = {0};
        memcpy(start, version, strnlen(version, 12));
        SAY(v, "，登记表 ", ", list ");
        foreign(v, start);
    }
    if (text_of(v->root, "looks_through")[0] != '\0') {
        buffer_addf(v->out, "\n%*s", LABEL_WIDTH, "");
        SAY(v, "可看穿 ", "looks through ");
        foreign(v, text_of(v->root, "looks_through"));
    }
    if (rules == 0) {
        fault(v);
        SAY(v,
            "没有有效的登记，什么也不会记录；请更新登记表：yz-probe check -c "
            "%s",
            "nothing registered is valid, so nothing is recorded; update the "
            "list, then: yz-probe check -c %s",
            v->q->config);
    }
    return true;
}

static bool add_packets(struct view *v)
{
    const struct json_node *k = group_of(v->root, "kernel");
    uint64_t seen, dropped = u64_of(k, "dropped");
    if (k == NULL)
        return false;
    if (get_u64(k, "seen", &seen)) {
        named_number(v, "看到", "seen", seen);
        comma(v);
    }
    named_number(v, "放行", "matched", u64_of(k, "matched"));
    comma(v);
    if (get_u64(k, "refused", &seen)) {
        named_number(v, "拒收", "refused", seen);
        comma(v);
    }
    named_number(v, "内核丢失", "dropped by the kernel", dropped);
    if (dropped > 0) {
        fault(v);
        SAY(v, "登记流量有丢失；请在 %s 中加大 buffer_mb 后重启",
            "registered traffic was lost; raise buffer_mb in %s, then restart",
            v->q->config);
    }
    return true;
}

static bool add_decoding(struct view *v)
{
    static const struct {
        const char *key;
        struct bilingual name;
    } reasons[] = {{"link", {{"链路类型", "link type"}}},
                   {"truncated", {{"截断", "truncated"}}},
                   {"header", {{"报头错误", "bad header"}}}};
    const struct json_node *p = group_of(v->root, "process");
    const struct json_node *u = group_of(p, "undecodable");
    if (p == NULL)
        return false;
    named_number(v, "计入", "counted", u64_of(p, "packets"));
    SAY(v, "；无法解析：", "; undecodable: ");
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (i > 0)
            comma(v);
        named_number(v, reasons[i].name.text[LANGUAGE_ZH],
                     reasons[i].name.text[LANGUAGE_EN],
                     u64_of(u, reasons[i].key));
    }
    SAY(v, "；", "; ");
    named_number(v, "重复", "duplicates", u64_of(p, "duplicates"));
    if (u64_of(u, "truncated") > 0) {
        fault(v);
        SAY(v, "有数据包被截断；请在 %s 中加大 snap_length 后重启",
            "packets were cut off; raise snap_length in %s, then restart",
            v->q->config);
    }
    return true;
}

static bool add_flows(struct view *v)
{
    const struct json_node *f = group_of(v->root, "flows");
    uint64_t limit = u64_of(group_of(v->root, "memory"), "flow_limit");
    if (f == NULL)
        return false;
    named_number(v, "当前", "active", u64_of(f, "active"));
    if (limit > 0) {
        SAY(v, "（上限 ", " (of at most ");
        number(v, limit);
        SAY(v, "）", ")");
    }
    comma(v);
    named_number(v, "累计", "begun", u64_of(f, "begun"));
    comma(v);
    named_number(v, "挤出", "evicted", u64_of(f, "evicted"));
    if (u64_of(f, "evicted") > 0) {
        fault(v);
        SAY(v, "流表曾满，部分流提前上报；请在 %s 中加大 flow_limit 后重启",
            "the table was full and flows were reported early; raise "
            "flow_limit in %s, then restart",
            v->q->config);
    }
    return true;
}

static bool add_memory(struct view *v)
{
    const struct json_node *m = group_of(v->root, "memory");
    uint64_t now = u64_of(m, "rss_bytes"),
             table = u64_of(m, "flow_table_bytes");
    if (now == 0)
        return false;
    SAY(v, "当前 ", "now ");
    size(v, now);
    SAY(v, "，最高 ", ", peak ");
    size(v, u64_of(m, "peak_bytes"));
    if (table > 0) {
        SAY(v, "，流表最多占 ", ", flows take at most ");
        size(v, table);
    }
    return true;
}

static void blame_disk(struct view *v, const struct json_node *b)
{
    uint64_t waiting = u64_of(b, "waiting_octets"),
             bound = u64_of(b, "bound_octets");
    if (text_of(b, "disk_fault")[0] != '\0') {
        fault(v);
        foreign(v, text_of(b, "disk_fault"));
        SAY(v,
            "；批次暂存内存，重启或断电即丢失；请检查并腾出 %s 所在磁盘的空间",
            "; batches wait in memory, and a restart would lose them; look at "
            "the disk of %s, and make room",
            v->q->state);
    }
    if (v->q->free_bytes < FREE_WARN_BYTES) {
        fault(v);
        SAY(v, "%s 所在磁盘只剩 %" PRIu64 " KiB；请腾出空间",
            "the disk of %s has only %" PRIu64 " KiB left; make room",
            v->q->state, v->q->free_bytes >> 10);
    }
    if (bound > 0 && waiting / SPOOL_WARN_PERCENT >= bound / 100) {
        fault(v);
        SAY(v,
            "缓存将满，之后最早的批次会被放弃；请恢复上联，或在 %s 中加大 "
            "spool_mb",
            "the spool is nearly full, and then the oldest batches are given "
            "up; mend the uplink, or raise spool_mb in %s",
            v->q->config);
    }
}

static void blame_batches(struct view *v, const struct json_node *b)
{
    blame_disk(v, b);
    if (u64_of(b, "lost") > 0) {
        fault(v);
        SAY(v,
            "有批次因缓存已满或损坏而丢失；请检查上联，并在 %s 中加大 spool_mb",
            "batches were given up: the spool was full or damaged; check the "
            "uplink and raise spool_mb in %s",
            v->q->config);
    }
    if (u64_of(b, "refused") > 0) {
        fault(v);
        SAY(v, "有批次被拒收，见日志；内容：yz-probe show %s/refused/*.ipfix",
            "batches were refused, the log says why; their content: yz-probe "
            "show %s/refused/*.ipfix",
            v->q->state);
    }
}

static bool add_batches(struct view *v)
{
    const struct json_node *b = group_of(v->root, "batches");
    if (b == NULL)
        return false;
    named_number(v, "生成", "made", u64_of(b, "made"));
    comma(v);
    named_number(v, "等待", "waiting", u64_of(b, "waiting"));
    if (u64_of(b, "waiting") > 0) {
        SAY(v, "（", " (");
        size(v, u64_of(b, "waiting_octets"));
        SAY(v, "）", ")");
    }
    comma(v);
    named_number(v, "已确认", "acknowledged", u64_of(b, "acknowledged"));
    comma(v);
    named_number(v, "被拒收", "refused", u64_of(b, "refused"));
    comma(v);
    named_number(v, "丢失", "lost", u64_of(b, "lost"));
    blame_batches(v, b);
    return true;
}

static bool add_losses(struct view *v)
{
    const struct json_node *l = group_of(v->root, "loss_records");
    if (l == NULL)
        return false;
    named_number(v, "放弃批次", "batches given up",
                 u64_of(group_of(v->root, "batches"), "lost"));
    SAY(v, "；签名损失记录：", "; signed loss records: ");
    named_number(v, "已写入批次", "in batches", u64_of(l, "told"));
    comma(v);
    named_number(v, "待写入下一批次", "for the next batch",
                 u64_of(l, "waiting"));
    if (u64_of(l, "waiting") > 0) {
        SAY(v, "（涉及 ", " (of ");
        number(v, u64_of(l, "waiting_batches"));
        SAY(v, " 批）", " batches)");
    }
    return true;
}

/* Why the last connection failed, and what happens next. */
static void blame_uplink(struct view *v, const struct json_node *u)
{
    struct wall_time time;
    fault(v);
    foreign(v, text_of(u, "fault"));
    if (time_of(u, "fault_time", &time)) {
        SAY(v, "（", " (");
        ago(v, time);
        SAY(v, "，连续 %" PRIu64 " 次", ", %" PRIu64 " in a row",
            u64_of(u, "failures"));
        if (time_of(u, "next_attempt", &time)) {
            int64_t left_s = wall_to_s(time) - wall_to_s(v->q->now);
            SAY(v, "，", ", next attempt in ");
            span(v, left_s > 0 ? left_s : 0);
            SAY(v, "后重试%s", "%s", "");
        }
        SAY(v, "）", ")");
    }
}

static bool add_uplink(struct view *v)
{
    const struct json_node *u = group_of(v->root, "uplink");
    bool is_connected = bool_of(v->root, "connected");
    uint64_t failures = u64_of(u, "failures");
    uint64_t waiting = u64_of(group_of(v->root, "batches"), "waiting");
    const char *zh = is_connected  ? "已连接"
                     : waiting > 0 ? "未连接"
                                   : "未连接，没有批次待发";
    const char *en = is_connected  ? "connected"
                     : waiting > 0 ? "not connected"
                                   : "not connected, nothing waits";
    SAY(v, "%s", "%s", v->q->language == LANGUAGE_ZH ? zh : en);
    if (!v->is_running)
        return true;
    if (failures > 0)
        blame_uplink(v, u);
    if (failures > 0 || waiting >= WAITING_WARN) {
        fault(v);
        SAY(v, "批次留在本机等待；请检查：yz-probe check -c %s",
            "batches wait on this machine; look: yz-probe check -c %s",
            v->q->config);
    }
    return true;
}

/* Of the files in STATE/receipts. */
static void add_kept_receipts(struct view *v)
{
    const struct json_node *r = group_of(v->root, "receipts");
    if (text_of(r, "oldest")[0] != '\0') {
        buffer_addf(v->out, "\n%*s", LABEL_WIDTH, "");
        SAY(v, "保存自 ", "kept since ");
        foreign(v, text_of(r, "oldest"));
        comma(v);
        size(v, u64_of(r, "kept_octets"));
        SAY(v, "：%s/receipts", ": %s/receipts", v->q->state);
    }
    if (bool_of(r, "has_failed")) {
        fault(v);
        SAY(v, "回执无法保存；请检查 %s 所在的磁盘",
            "receipts cannot be kept; look at the disk of %s", v->q->state);
    }
}

static bool add_receipt(struct view *v)
{
    const struct json_node *r = group_of(v->root, "last_receipt");
    struct wall_time received;
    if (r == NULL)
        SAY(v, "尚无", "none yet");
    else if (time_of(r, "received", &received))
        moment(v, received);
    if (r != NULL) {
        named_number(v, "，账本序号", ", ledger index",
                     u64_of(r, "ledger_index"));
        SAY(v, "，状态 ", ", status ");
        foreign(v, text_of(r, "status"));
    }
    add_kept_receipts(v);
    return true;
}

static bool add_certificate(struct view *v)
{
    struct wall_time begin, end;
    if (!time_of(v->root, "certificate_end", &end))
        return false;
    int64_t left_s = wall_to_s(end) - wall_to_s(v->q->now);
    int64_t warn_s = CERTIFICATE_WARN_DAYS * (int64_t)DAY_S;
    if (time_of(v->root, "certificate_begin", &begin) &&
        (wall_to_s(end) - wall_to_s(begin)) / 3 < warn_s)
        warn_s = (wall_to_s(end) - wall_to_s(begin)) / 3;
    if (left_s <= 0)
        SAY(v, "已于 ", "expired on ");
    else
        SAY(v, "剩余 %" PRId64 " 天，至 ", "%" PRId64 " days left, until ",
            left_s / DAY_S);
    moment(v, end);
    if (left_s <= 0)
        SAY(v, " 过期%s", "%s", "");
    if (left_s <= 0) {
        fault(v);
        SAY(v,
            "请向项目主管部门索取本探针的登记码，然后执行：yz-probe enrol -c "
            "%s --code 登记码",
            "ask the programme office for a code for this probe, then do: "
            "yz-probe enrol -c %s --code CODE",
            v->q->config);
    } else if (left_s < warn_s && group_of(v->root, "renewal") == NULL) {
        fault(v);
        SAY(v,
            "未设自动续期；请在 %s 中设置 portal 后执行 yz-probe renew，"
            "或向项目主管部门换发证书",
            "it is not renewed by itself; set portal in %s and do yz-probe "
            "renew, or ask the programme office for a new one",
            v->q->config);
    }
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
    if (time_of(r, "next", &next)) {
        SAY(v, "下次 ", "next ");
        moment(v, next);
    }
    if (failures > 0)
        SAY(v, "，连续失败 %" PRIu64 " 次", ", %" PRIu64 " failures in a row",
            failures);
    if (bool_of(r, "is_gone")) {
        fault(v);
        SAY(v, "续期进程已退出；请重启探针%s",
            "the process that renews it is gone; restart the probe%s", "");
    } else if (failures > 0) {
        fault(v);
        foreign(v, text_of(r, "reason"));
        SAY(v, "；可手动执行：yz-probe renew -c %s",
            "; by hand: yz-probe renew -c %s", v->q->config);
    }
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

/* The collector's clock less ours, and when they were compared. */
static void add_offset(struct view *v)
{
    int64_t ms;
    struct wall_time compared;
    if (!get_offset(v, &ms)) {
        SAY(v, "；尚未与采集方比对", "; not compared with the collector's yet");
        return;
    }
    uint64_t gap = (uint64_t)(ms < 0 ? -ms : ms);
    SAY(v, "；比采集方%s %" PRIu64 ".%03" PRIu64 " 秒",
        "; %s the collector's by %" PRIu64 ".%03" PRIu64 " s",
        v->q->language == LANGUAGE_ZH ? ms < 0 ? "快" : "慢"
        : ms < 0                      ? "ahead of"
                                      : "behind",
        gap / 1000, gap % 1000);
    if (time_of(v->root, "clock_compared", &compared)) {
        SAY(v, "（", " (");
        ago(v, compared);
        SAY(v, "）", ")");
    }
    if (gap >= CLOCK_WARN_MS) {
        fault(v);
        SAY(v, "与采集方相差过大，批次会被拒收或记为迟到；请校准时钟：%s",
            "too far from the collector's: batches are refused, or marked "
            "late; set the clock: %s",
            "sudo timedatectl set-ntp true");
    }
}

static bool add_clock(struct view *v)
{
    static const struct {
        const char *word;
        struct bilingual text;
    } words[] = {
        {"synchronised", {{"已同步", "synchronised"}}},
        {"unsynchronised", {{"未同步", "not synchronised"}}},
        {"informative", {{"曾校准，误差未知", "set once, drift unknown"}}},
        {"relative", {{"相对时间", "relative"}}}};
    const char *word = text_of(v->root, "clock");
    const char *text = NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i].word) == 0)
            text = words[i].text.text[v->q->language];
    }
    if (text != NULL)
        buffer_add_text(v->out, text);
    else
        foreign(v, word);
    add_offset(v);
    if (strcmp(word, "synchronised") != 0) {
        fault(v);
        SAY(v, "时间可能不准，批次可能被拒收；请执行：%s",
            "the time may be wrong and batches may be refused; do: %s",
            "sudo timedatectl set-ntp true");
    }
    return true;
}

/* A list that was refused, what that means, and who can do something. */
static void blame_registry(struct view *v, const struct json_node *refused)
{
    struct wall_time issued;
    bool is_signature = strcmp(text_of(refused, "kind"), "signature") == 0;
    fault(v);
    SAY(v, "采集方发来的登记表第 %" PRIu64 " 号",
        "the collector's list number %" PRIu64, u64_of(refused, "serial"));
    if (time_of(refused, "issued", &issued)) {
        SAY(v, "（签发于 ", " (issued ");
        moment(v, issued);
        SAY(v, "）", ")");
    }
    SAY(v, "已拒用：", " is refused: ");
    foreign(v, text_of(refused, "reason"));
    SAY(v, "；现用登记表不变，批次照常发送%s",
        "; the list in force stays, and batches go on%s", "");
    fault(v);
    if (is_signature)
        SAY(v,
            "请告知项目主管部门；若其更换了登记表签名密钥，请索取登记码后执行："
            "yz-probe enrol -c %s --again --code 登记码",
            "tell the programme office; if it has a new key for lists, ask for "
            "a code and do: yz-probe enrol -c %s --again --code CODE",
            v->q->config);
    else
        SAY(v,
            "请告知项目主管部门；若门户由备份恢复，应由其执行：yz-portal "
            "registry publish --serial N（N 大于 %" PRIu64 "）",
            "tell the programme office; if it restored its portal from a "
            "backup, it does: yz-portal registry publish --serial N, N above "
            "%" PRIu64,
            u64_of(group_of(v->root, "registry"), "known_serial"));
}

/* Of a probe that takes lists from the collector. */
static bool add_registry(struct view *v)
{
    const struct json_node *r = group_of(v->root, "registry");
    const struct json_node *refused = group_of(r, "refused");
    uint64_t serial = u64_of(r, "serial"), known = u64_of(r, "known_serial");
    struct wall_time time;
    if (serial == 0 && known == 0 && refused == NULL)
        return false;
    if (serial > 0)
        SAY(v, "第 %" PRIu64 " 号", "number %" PRIu64, serial);
    else
        SAY(v, "已知最新为第 %" PRIu64 " 号，本次运行尚未确认",
            "number %" PRIu64 " is the newest known, not confirmed in this run",
            known);
    if (serial > 0 && time_of(r, "issued", &time)) {
        SAY(v, "，签发于 ", ", issued ");
        moment(v, time);
    }
    if (serial > 0 && time_of(r, "confirmed", &time)) {
        SAY(v, "，采集方确认于 ", ", confirmed by the collector ");
        ago(v, time);
    }
    if (refused != NULL)
        blame_registry(v, refused);
    return true;
}

static bool add_challenge(struct view *v)
{
    const struct json_node *c = group_of(v->root, "challenge");
    struct wall_time time;
    if (c == NULL)
        return false;
    if (!time_of(c, "received", &time)) {
        SAY(v, "尚无", "none yet");
        return true;
    }
    SAY(v, "收到于 ", "received ");
    ago(v, time);
    if (time_of(c, "answered", &time)) {
        SAY(v, "，由批次 %" PRIu64 " 应答于 ",
            ", answered by batch %" PRIu64 " ", u64_of(c, "batch"));
        ago(v, time);
    } else {
        SAY(v, "，下一批次应答", ", the next batch answers");
    }
    return true;
}

static void add_measures(struct view *v, const struct json_node *p)
{
    static const struct {
        const char *key;
        struct bilingual name;
    } measures[] = {
        {"root_left", {{"已放弃root", "root left"}}},
        {"no_new_privileges", {{"不可再提权", "no new privileges"}}},
        {"seccomp_filter", {{"seccomp", "seccomp"}}},
        {"files_denied", {{"禁止打开文件", "files denied"}}},
        {"sockets_denied", {{"禁止新建套接字", "sockets denied"}}},
    };
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        const char *yes_no = bool_of(p, measures[i].key) ? "+" : "-";
        buffer_addf(v->out, " %s%s", yes_no,
                    measures[i].name.text[v->q->language]);
    }
}

static void add_process(struct view *v, const struct json_node *p)
{
    uint64_t abi = u64_of(p, "landlock_abi");
    foreign(v, text_of(p, "process"));
    SAY(v, " （进程 %" PRIu64 "，用户 ", " (process %" PRIu64 ", user ",
        u64_of(p, "pid"));
    foreign(v, text_of(p, "user"));
    buffer_addf(v->out, "):");
    add_measures(v, p);
    if (abi > 0)
        buffer_addf(v->out, " +Landlock %" PRIu64, abi);
    else
        buffer_add_text(v->out, " -Landlock");
    SAY(v, "，权能 0x%" PRIx64, ", capabilities 0x%" PRIx64,
        u64_of(p, "capabilities"));
    if (text_of(p, "note")[0] != '\0') {
        buffer_addf(v->out, "\n%*s  ", LABEL_WIDTH, "");
        foreign(v, text_of(p, "note"));
    }
    if (!bool_of(p, "root_left")) {
        fault(v);
        SAY(v, "仍以root运行；请在 %s 中设置 user = yz-probe 后重启",
            "still root; set user = yz-probe in %s, then restart",
            v->q->config);
    }
}

static bool add_sandbox(struct view *v)
{
    const struct json_node *list = group_of(v->root, "processes");
    for (const struct json_node *n = json_first(list); n; n = json_next(n)) {
        if (n != json_first(list))
            buffer_addf(v->out, "\n%*s", LABEL_WIDTH, "");
        add_process(v, n);
    }
    return json_first(list) != NULL;
}

static const struct {
    struct bilingual label;
    bool (*add)(
        struct view *v); /* false: nothing to say, the row is left out */
} rows[] = {
    {{{"启动时间", "Started"}}, add_since},
    {{{"网络接口", "Interface"}}, add_interfaces},
    {{{"内核过滤", "Kernel filter"}}, add_filter},
    {{{"数据包", "Packets"}}, add_packets},
    {{{"解析", "Decoding"}}, add_decoding},
    {{{"流", "Flows"}}, add_flows},
    {{{"内存", "Memory"}}, add_memory},
    {{{"批次", "Batches"}}, add_batches},
    {{{"损失", "Losses"}}, add_losses},
    {{{"采集方", "Collector"}}, add_uplink},
    {{{"最近回执", "Last receipt"}}, add_receipt},
    {{{"证书", "Certificate"}}, add_certificate},
    {{{"证书续期", "Renewal"}}, add_renewal},
    {{{"时钟", "Clock"}}, add_clock},
    {{{"登记表", "Registry"}}, add_registry},
    {{{"质询", "Challenge"}}, add_challenge},
    {{{"沙箱", "Sandbox"}}, add_sandbox},
};

/* --- the whole --- */

/* A probe that cannot write goes on, and delivers what it has in memory. */
static void add_silence(struct view *v)
{
    if (v->q->free_bytes < FREE_WARN_BYTES)
        SAY(v, " 没有写出状态，因为 %s 所在磁盘已满；请腾出空间\n",
            " has written no status, since the disk of %s is full; make room\n",
            v->q->state);
    else
        SAY(v,
            " 没有写出状态，但其进程仍在；请查看 %s 所在的磁盘和日志，必要时"
            "重启\n",
            " has written no status, although its process is there; look at "
            "the disk of %s and at the log, and restart it if need be\n",
            v->q->state);
}

static void add_headline(struct view *v)
{
    SAY(v, "云证探针 ", "Yunzheng probe ");
    foreign(v, text_of(v->root, "probe"));
    if (v->is_running) {
        SAY(v, "：运行中（数据为 %" PRId64 " 秒前）\n",
            ": running (as of %" PRId64 " s ago)\n", v->age_s);
        return;
    }
    if (v->is_alive && v->age_s >= 0) {
        SAY(v, "：", ": for ");
        span(v, v->age_s);
        add_silence(v);
        return;
    }
    SAY(v, "：没有运行；以下是它 ", ": NOT RUNNING; what follows is from ");
    if (v->age_s >= 0)
        span(v, v->age_s);
    SAY(v, "%s", "%s",
        v->q->language == LANGUAGE_ZH
            ? v->age_s >= 0 ? " 前" : "将来（时钟曾被回拨）"
        : v->age_s >= 0 ? " ago"
                        : "the future (the clock was set back)");
    SAY(v, "的情况。启动：%s\n", ". Start it: %s\n",
        "sudo systemctl start yz-probe");
}

static void add_row(struct view *v, size_t i)
{
    size_t before = v->out->length;
    const char *label = rows[i].label.text[v->q->language];
    language_add_column(v->out, slice_of_text(label), LABEL_WIDTH);
    if (rows[i].add(v))
        buffer_add_text(v->out, "\n");
    else if (!v->out->failed)
        v->out->length = before;
}

static void add_human(struct view *v)
{
    add_headline(v);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_row(v, i);
    if (v->faults == 0 && v->is_running)
        SAY(v, "一切正常。%s\n", "All is well.%s\n", "");
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
    bool is_zh = q->language == LANGUAGE_ZH;
    bool good = lstat(path, &info) == 0;
    if (good && !S_ISREG(info.st_mode))
        errno = EINVAL;
    if (good && S_ISREG(info.st_mode) &&
        buffer_read_file(content, path, FILE_MAX))
        return true;
    if (errno == ENOENT)
        log_error(is_zh ? "%s 不存在：探针还没有以 %s 运行过"
                        : "%s: not there: the probe has not run with %s yet",
                  path, q->config);
    else if (errno == EACCES)
        log_error(is_zh ? "%s：只有它的所有者可以读；请执行：sudo yz-probe "
                          "status -c %s"
                        : "%s: only its owner may read it; do: sudo yz-probe "
                          "status -c %s",
                  path, q->config);
    else
        log_error("%s: %s", path, strerror(errno));
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

int status_main(int argc, char **argv)
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
