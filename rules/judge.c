/*
 * The rules, one row and one function each.
 *
 * A line's days are first gathered into a case: the best window (VER-08) and
 * sums and medians over it. Each rule then looks at the case only. A rule fills
 * its result; the order of the rows is the order of printing. The worst outcome
 * decides the line, the earliest row among equals explains it.
 *
 * Rules I1 to S11 are ours and carry their thresholds as parameters; the rules
 * of the programme carry its requirement ids. Behaviour is judged on the
 * residual, after automatic groups were taken out (rules/fact.c), and only with
 * enough data: a wrong suspicion hurts an honest factory.
 */
#include "rules/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/beacon.h"
#include "rules/coverage.h"

enum { HUMAN_DAY_FLOWS = 5 };

struct judge_case {
    const struct judge_line *line;
    const struct parameters *p;
    const struct judge_rules *rules;
    struct line_verdict *verdict;
    const struct day_fact *days; /* of the window */
    size_t day_count;
    size_t window_days;
    /* Sums over the window. */
    uint64_t flows, one_way, automated, residual, mismatched, sizes;
    uint64_t batches, late, uncounted, lost_batches, unsynchronised;
    uint64_t human;      /* residual of days that are not as regular as S1 */
    uint64_t human_days; /* with at least HUMAN_DAY_FLOWS of them */
    uint64_t largest_day;
    /* Sum over all days of the line. */
    uint64_t repeated, elsewhere;
};

struct rule_row {
    const char *rule;
    bool classes[CLASS_COUNT]; /* A, B, C */
    void (*ask)(const struct judge_case *c, struct rule_result *r);
    bool needs_second; /* alone it is a flag, see weigh_signs() */
};

const char *rule_outcome_text(enum rule_outcome outcome)
{
    static const char *const NAMES[] = {
        [RULE_NOT_APPLICABLE] = "not_applicable",
        [RULE_PASS] = "pass",
        [RULE_FLAG] = "flag",
        [RULE_OPEN] = "insufficient",
        [RULE_INSUFFICIENT] = "insufficient",
        [RULE_SUSPICIOUS] = "suspicious",
    };
    return NAMES[outcome];
}

const char *verdict_word_text(enum verdict_word word)
{
    static const char *const NAMES[] = {"genuine", "insufficient",
                                        "suspicious"};
    return NAMES[word];
}

/* --- saying things --- */

/* Takes back a character that was cut in its middle. */
static void end_whole(char *text)
{
    size_t length = strlen(text), start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xC0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (length - (start - 1) < want)
        text[start - 1] = '\0';
}

__attribute__((format(printf, 3, 4))) static void say(char *text, size_t size,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, size, format, args);
    va_end(args);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= size)
        end_whole(text);
}

#define SAY(member, ...) say(member, sizeof(member), __VA_ARGS__)
/* A short text in both languages, from the same arguments. */
#define SAY_BOTH(r, member, zh_format, en_format, ...)                         \
    (SAY((r)->member##_zh, zh_format __VA_OPT__(, ) __VA_ARGS__),              \
     SAY((r)->member, en_format __VA_OPT__(, ) __VA_ARGS__))

/* "37.5%" of permille. */
static const char *percent(uint64_t permille, char text[static 24])
{
    snprintf(text, 24, "%" PRIu64 ".%" PRIu64 "%%", permille / 10,
             permille % 10);
    return text;
}

static const char *decimal(int64_t permille, char text[static 24])
{
    snprintf(text, 24, "%" PRId64 ".%03" PRId64, permille / 1000,
             permille % 1000);
    return text;
}

/* Rounded down; of nothing it is zero. */
static uint64_t permille_of(uint64_t part, uint64_t whole)
{
    if (whole == 0)
        return 0;
    return part > UINT64_MAX / 1000 ? part / (whole / 1000 + 1)
                                    : part * 1000 / whole;
}

/* --- the case --- */

struct day_flags {
    bool is_active, is_covered;
};

static struct day_flags flags_of_day(const struct judge_line *line,
                                     const struct parameters *p,
                                     const struct day_fact *fact)
{
    return (struct day_flags){
        .is_active = fact->flows > 0,
        .is_covered =
            coverage_is_enough(fact->coverage.minutes, fact->day, line->cut_off,
                               p->covered_minutes_permille),
    };
}

struct window_count {
    int32_t start;
    uint32_t active, covered;
};

/* Active and covered days in [start, start + days). */
static struct window_count count_window(const struct judge_case *c,
                                        int32_t start, size_t days)
{
    struct window_count n = {.start = start};
    for (size_t i = 0; i < c->line->fact_count; i++) {
        const struct day_fact *fact = &c->line->facts[i];
        int64_t offset = (int64_t)fact->day.number - start;
        if (offset < 0 || offset >= (int64_t)days)
            continue;
        struct day_flags flags = flags_of_day(c->line, c->p, fact);
        n.active += flags.is_active;
        n.covered += flags.is_covered;
    }
    return n;
}

/* Most active days; of equals most covered days; of equals the latest. Only
 * windows that end on a day with facts, or at the cut-off, can be better than
 * their neighbours. */
static struct window_count best_window(const struct judge_case *c,
                                       int32_t first, int32_t last, size_t days)
{
    int32_t latest = last - (int32_t)days + 1;
    struct window_count best = count_window(c, latest, days);
    for (size_t i = c->line->fact_count; i-- > 0;) {
        int32_t start = c->line->facts[i].day.number - (int32_t)days + 1;
        start = start > latest ? latest : start < first ? first : start;
        struct window_count n = count_window(c, start, days);
        if (n.active > best.active ||
            (n.active == best.active && n.covered > best.covered))
            best = n;
        if (start == first)
            break;
    }
    return best;
}

static void choose_window(struct judge_case *c)
{
    struct line_verdict *v = c->verdict;
    int32_t last = day_of_wall(c->line->cut_off).number;
    int32_t first = c->line->from.number;
    first = first > last ? last : first;
    if (last - first >= JUDGE_PERIOD_DAYS_MAX)
        first = last - JUDGE_PERIOD_DAYS_MAX + 1;
    size_t days = parameters_window_days(c->p, c->line->class);
    if (days > (size_t)(last - first) + 1)
        days = (size_t)(last - first) + 1;
    struct window_count best = best_window(c, first, last, days);
    c->window_days = days;
    v->window_start.number = best.start;
    v->window_end.number = best.start + (int32_t)days;
    v->active_days = best.active;
    v->covered_days = best.covered;
}

static void add_day(struct judge_case *c, const struct day_fact *f)
{
    struct line_verdict *v = c->verdict;
    c->flows += f->flows;
    c->one_way += f->one_way_flows;
    c->automated += f->automated_flows;
    c->residual += f->residual_flows;
    c->mismatched += f->names_mismatched;
    c->sizes += f->sizes;
    c->batches += f->coverage.batches;
    c->late += f->coverage.late_batches;
    c->uncounted += f->coverage.uncounted_batches;
    c->lost_batches += f->coverage.batches_lost;
    c->unsynchronised += f->coverage.unsynchronised_batches;
    if (f->beacon_permille < (int32_t)c->p->s1_score_permille) {
        c->human += f->residual_flows;
        c->human_days += f->residual_flows >= HUMAN_DAY_FLOWS;
    }
    c->largest_day = f->flows > c->largest_day ? f->flows : c->largest_day;
    v->octets += f->octets + f->roctets;
    v->tier = f->tier > v->tier ? f->tier : v->tier;
}

static int compare_hosts(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Different hosts over the window. Days list at most FACT_HOSTS_MAX of them,
 * so the largest day's own count is a lower bound too. */
static uint64_t count_devices(const struct judge_case *c)
{
    size_t n = 0, room = c->day_count * FACT_HOSTS_MAX + 1;
    uint64_t largest = 0, seen = 0;
    uint64_t *hosts = malloc(room * sizeof(*hosts));
    for (size_t i = 0; i < c->day_count; i++) {
        const struct day_fact *f = &c->days[i];
        largest = f->host_count > largest ? f->host_count : largest;
        for (uint32_t h = 0; hosts != NULL && h < f->hosts_kept; h++)
            hosts[n++] = f->hosts[h];
    }
    if (n > 0)
        qsort(hosts, n, sizeof(hosts[0]), compare_hosts);
    for (size_t i = 0; i < n; i++)
        seen += i == 0 || hosts[i] != hosts[i - 1];
    free(hosts);
    return seen > largest ? seen : largest;
}

static void gather(struct judge_case *c)
{
    struct line_verdict *v = c->verdict;
    choose_window(c);
    for (size_t i = 0; i < c->line->fact_count; i++) {
        const struct day_fact *f = &c->line->facts[i];
        c->repeated += f->tokens_repeated;
        c->elsewhere += f->tokens_elsewhere;
        v->is_sample |= f->is_sample;
        if (f->day.number < v->window_start.number ||
            f->day.number >= v->window_end.number)
            continue;
        if (c->day_count++ == 0)
            c->days = f;
        add_day(c, f);
    }
    v->flows = c->flows;
    v->devices_seen = count_devices(c);
}

/* Median over the window's days of what `measure` gives; days with a negative
 * measure are left out. Gives the number of days. */
static size_t median_of_days(const struct judge_case *c,
                             int64_t (*measure)(const struct judge_case *c,
                                                const struct day_fact *f),
                             int64_t *median)
{
    int64_t values[JUDGE_PERIOD_DAYS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->day_count && n < JUDGE_PERIOD_DAYS_MAX; i++) {
        int64_t value = measure(c, &c->days[i]);
        if (value >= 0)
            values[n++] = value;
    }
    if (n > 0)
        *median = beacon_median(values, n);
    return n;
}

/* Too little to judge behaviour by; says so. */
static bool is_too_little(const struct judge_case *c, struct rule_result *r)
{
    SAY_BOTH(r, value, "%" PRIu64 "次连接", "%" PRIu64 " connections",
             c->flows);
    SAY_BOTH(r, threshold, "≥%" PRIu64 "次连接", ">= %" PRIu64 " connections",
             c->p->judge_min_flows);
    if (c->flows >= c->p->judge_min_flows)
        return false;
    SAY(r->zh, "连接共%" PRIu64 "次，不足%" PRIu64 "次，不作行为判断。",
        c->flows, c->p->judge_min_flows);
    SAY(r->en,
        "%" PRIu64 " connections are fewer than %" PRIu64
        ": behaviour is not judged.",
        c->flows, c->p->judge_min_flows);
    return true;
}

static bool is_too_few_days(const struct judge_case *c, size_t days,
                            struct rule_result *r)
{
    if (days >= c->p->judge_min_days)
        return false;
    SAY_BOTH(r, value, "可测量%zu天", "%zu days measured", days);
    SAY_BOTH(r, threshold, "≥%" PRIu64 "天", ">= %" PRIu64 " days",
             c->p->judge_min_days);
    SAY(r->zh, "可测量的天数为%zu天，不足%" PRIu64 "天，不作判断。", days,
        c->p->judge_min_days);
    SAY(r->en,
        "%zu days could be measured, fewer than %" PRIu64 ": not judged.", days,
        c->p->judge_min_days);
    return true;
}

static void ask_a_person(struct rule_result *r)
{
    r->outcome = RULE_SUSPICIOUS;
    SAY(r->remedy_zh, "由省级核查人员人工核实；企业可提交使用说明和佐证。");
    SAY(r->remedy_en,
        "The province looks at it; the enterprise may explain and "
        "hand in proof.");
}

/* --- rules of the programme --- */

static void ask_two_way(const struct judge_case *c, struct rule_result *r)
{
    SAY_BOTH(r, value, "双向连接%" PRIu64 "次",
             "%" PRIu64 " two-way connections", c->flows);
    SAY_BOTH(r, threshold, "≥1", ">= 1");
    if (c->flows > 0) {
        r->outcome = RULE_PASS;
        SAY(r->zh, "观察到企业与登记的应用端之间双向连接%" PRIu64 "次。",
            c->flows);
        SAY(r->en,
            "%" PRIu64 " two-way connections between the enterprise and the "
            "registered endpoints were observed.",
            c->flows);
        return;
    }
    r->outcome = RULE_INSUFFICIENT;
    SAY(r->zh, "未观察到与登记的应用端之间的双向连接（单向%" PRIu64 "次）。",
        c->one_way);
    SAY(r->en,
        "No two-way connection with a registered endpoint was observed "
        "(%" PRIu64 " one-way).",
        c->one_way);
    SAY(r->remedy_zh, "核对登记的应用端地址是否正确，并实际使用该服务。");
    SAY(r->remedy_en, "Check that the registered endpoints are right, and use "
                      "the service.");
}

static void ask_active_days(const struct judge_case *c, struct rule_result *r)
{
    uint64_t wanted = parameters_min_active_days(c->p, c->line->class);
    uint32_t active = c->verdict->active_days;
    SAY_BOTH(r, value, "%" PRIu32 "天", "%" PRIu32 " days", active);
    SAY_BOTH(r, threshold, "≥%" PRIu64 "天（%" PRIu64 "天内）",
             ">= %" PRIu64 " days in %" PRIu64, wanted,
             parameters_window_days(c->p, c->line->class));
    SAY(r->zh, "最佳时段内活跃%" PRIu32 "天，要求至少%" PRIu64 "天。", active,
        wanted);
    SAY(r->en,
        "%" PRIu32 " active days in the best window; at least %" PRIu64
        " are required.",
        active, wanted);
    r->outcome = active >= wanted ? RULE_PASS : RULE_INSUFFICIENT;
    if (r->outcome == RULE_PASS)
        return;
    SAY(r->zh,
        "最佳时段内活跃%" PRIu32 "天，要求至少%" PRIu64
        "天（ACTIVE_DAYS %" PRIu32 "<%" PRIu64 "）。",
        active, wanted, active, wanted);
    SAY(r->en,
        "%" PRIu32 " active days in the best window; at least %" PRIu64
        " are required (ACTIVE_DAYS %" PRIu32 "<%" PRIu64 ").",
        active, wanted, active, wanted);
    SAY(r->remedy_zh, "再有%" PRIu64 "个活跃日即达到要求。", wanted - active);
    SAY(r->remedy_en, "%" PRIu64 " more active days would do.",
        wanted - active);
}

/* Lack of use may be concluded only from days that were watched. */
static void ask_coverage(const struct judge_case *c, struct rule_result *r)
{
    uint64_t permille = c->p->covered_days_permille;
    uint64_t window = parameters_window_days(c->p, c->line->class);
    uint64_t wanted = (window * permille + 999) / 1000;
    uint32_t covered = c->verdict->covered_days;
    char late[24];
    percent(permille_of(c->late, c->batches), late);
    bool is_enough = covered >= wanted;
    bool is_used = c->verdict->active_days >=
                   parameters_min_active_days(c->p, c->line->class);
    SAY_BOTH(r, value, "%" PRIu32 "天", "%" PRIu32 " days", covered);
    SAY_BOTH(r, threshold, "≥%" PRIu64 "天（共%" PRIu64 "天）",
             ">= %" PRIu64 " of %" PRIu64 " days", wanted, window);
    SAY(r->zh,
        "%zu天时段内有效监测%" PRIu32 "天；批次%" PRIu64 "个，其中迟到%s，"
        "未计入%" PRIu64 "个，丢失%" PRIu64 "个，时钟未同步%" PRIu64 "个。",
        c->window_days, covered, c->batches, late, c->uncounted,
        c->lost_batches, c->unsynchronised);
    SAY(r->en,
        "%" PRIu32 " of the window's %zu days were covered; %" PRIu64
        " batches, %s late, %" PRIu64 " not counted, %" PRIu64 " lost, %" PRIu64
        " with an unsynchronised clock.",
        covered, c->window_days, c->batches, late, c->uncounted,
        c->lost_batches, c->unsynchronised);
    r->outcome = is_enough || is_used ? RULE_PASS : RULE_OPEN;
    if (r->outcome == RULE_PASS)
        return;
    SAY(r->remedy_zh, "补齐监测数据（至少%" PRIu64 "天），或由省级现场核查。",
        wanted);
    SAY(r->remedy_en,
        "Data for at least %" PRIu64 " days, or an on-site check by the "
        "province.",
        wanted);
}

/* Working days, as an explanation only. */
static void ask_working_days(const struct judge_case *c, struct rule_result *r)
{
    const struct calendar *calendar = c->rules->calendar;
    struct civil_day as_of = day_of_wall(c->line->cut_off);
    struct civil_day start = c->verdict->window_start;
    struct civil_day end = c->verdict->window_end;
    unsigned all = calendar_count_workdays(calendar, start, end, as_of);
    unsigned active = 0;
    for (size_t i = 0; i < c->day_count; i++)
        active += c->days[i].flows > 0 &&
                  calendar_is_workday(calendar, c->days[i].day, as_of);
    bool is_known =
        calendar_has_year(calendar, day_year(start), as_of) &&
        calendar_has_year(calendar,
                          day_year((struct civil_day){end.number - 1}), as_of);
    r->outcome = RULE_PASS;
    SAY_BOTH(r, value, "%u个工作日（共%u个）", "%u of %u working days", active,
             all);
    SAY_BOTH(r, threshold, "-", "-");
    SAY(r->zh, "时段内工作日%u天，其中活跃%u天%s。", all, active,
        is_known ? "" : "（该年放假安排未录入，按周末推算）");
    SAY(r->en, "%u of the window's %u working days were active%s.", active, all,
        is_known ? "" : " (provisional: no holiday calendar for the year)");
}

static void ask_devices(const struct judge_case *c, struct rule_result *r)
{
    uint64_t sets = c->line->contract_sets, seen = c->verdict->devices_seen;
    SAY_BOTH(r, value, "%" PRIu64 "台设备", "%" PRIu64 " devices", seen);
    if (sets == 0) {
        SAY_BOTH(r, threshold, "-", "-");
        SAY(r->zh, "该项目不按设备台套计算；见到终端%" PRIu64 "个。", seen);
        SAY(r->en,
            "The item is not counted by sets; %" PRIu64 " hosts were seen.",
            seen);
        return;
    }
    SAY_BOTH(r, threshold, "≥%" PRIu64 "台套", ">= %" PRIu64 " sets", sets);
    SAY(r->zh, "监测到设备%" PRIu64 "台，合同%" PRIu64 "台套。", seen, sets);
    SAY(r->en, "%" PRIu64 " devices seen, %" PRIu64 " sets in the contract.",
        seen, sets);
    r->outcome = RULE_PASS;
    if (seen >= sets || c->p->device_count_mismatch == DEVICE_IGNORE)
        return;
    r->outcome = RULE_FLAG;
    if (c->p->device_count_mismatch == DEVICE_STOP &&
        permille_of(seen, sets) < c->p->device_min_permille)
        r->outcome = RULE_OPEN;
    SAY(r->remedy_zh, "抽查联网设备；一个网关可能代理多台设备，不影响金额。");
    SAY(r->remedy_en, "Spot-check the devices; one gateway may stand for many, "
                      "and the amount does not change.");
}

static void ask_tier(const struct judge_case *c, struct rule_result *r)
{
    unsigned tier = c->verdict->tier;
    SAY_BOTH(r, value, "%u级", "tier %u", tier);
    SAY_BOTH(r, threshold, "≥%" PRIu64 "级", ">= tier %" PRIu64,
             c->p->min_tier);
    SAY(r->zh, "证据层级%u，要求%" PRIu64 "。", tier, c->p->min_tier);
    SAY(r->en, "Evidence is of tier %u, %" PRIu64 " is required.", tier,
        c->p->min_tier);
    r->outcome = tier >= c->p->min_tier ? RULE_PASS : RULE_OPEN;
    if (r->outcome == RULE_PASS)
        return;
    SAY(r->remedy_zh, "由供应商或运营商一侧提供对应的连接记录。");
    SAY(r->remedy_en, "Matching records from the supplier's or a carrier's "
                      "side.");
}

static void ask_shared_identifier(const struct judge_case *c,
                                  struct rule_result *r)
{
    uint64_t shared = c->line->shared_identifiers;
    SAY_BOTH(r, value, "%" PRIu64 "个共用", "%" PRIu64 " shared", shared);
    SAY_BOTH(r, threshold, "0", "0");
    r->outcome = RULE_PASS;
    SAY(r->zh, "申报的用户端标识没有被其他企业申报。");
    SAY(r->en, "No other enterprise declares the same user-side identifiers.");
    if (shared == 0)
        return;
    SAY(r->zh, "%" PRIu64 "个用户端标识也被其他企业申报。", shared);
    SAY(r->en,
        "%" PRIu64 " user-side identifiers are declared by another enterprise "
        "too.",
        shared);
    ask_a_person(r);
}

/* --- rules of our own --- */

static void ask_flows(const struct judge_case *c, struct rule_result *r)
{
    SAY_BOTH(r, value, "%" PRIu64 "次连接", "%" PRIu64 " connections",
             c->flows);
    SAY_BOTH(r, threshold, "≥%" PRIu64, ">= %" PRIu64, c->p->min_flows);
    SAY(r->zh, "时段内连接%" PRIu64 "次，要求%" PRIu64 "次。", c->flows,
        c->p->min_flows);
    SAY(r->en,
        "%" PRIu64 " connections in the window; %" PRIu64 " are required.",
        c->flows, c->p->min_flows);
    r->outcome = c->flows >= c->p->min_flows ? RULE_PASS : RULE_INSUFFICIENT;
    if (r->outcome == RULE_PASS)
        return;
    SAY(r->remedy_zh, "继续使用该服务。");
    SAY(r->remedy_en, "Use the service more.");
}

static int64_t beacon_of_day(const struct judge_case *c,
                             const struct day_fact *f)
{
    (void)c;
    return f->beacon_permille;
}

static enum client_kind most_used_client(const struct judge_case *c,
                                         uint64_t *share);

/* A browser left open polls like a script: then use is lacking, not feigned. */
static void settle_automation(const struct judge_case *c, struct rule_result *r)
{
    uint64_t share;
    if (most_used_client(c, &share) != CLIENT_BROWSER) {
        ask_a_person(r);
        return;
    }
    r->outcome = RULE_OPEN;
    SAY(r->remedy_zh,
        "连接来自长期打开的浏览器页面；请提供人员实际使用的佐证。");
    SAY(r->remedy_en, "The connections come from a browser left open; proof of "
                      "use by people would help.");
}

/* Timers are all there is, or what remains is as regular as a timer. A day
 * whose residual is that regular is a timer that escaped decomposition; days on
 * which others remain speak against the first. */
static void ask_automation(const struct judge_case *c, struct rule_result *r)
{
    char share[24], limit[24], score[24] = "-", highest[24];
    int64_t median = -1;
    if (is_too_little(c, r))
        return;
    uint64_t automated = permille_of(c->flows - c->human, c->flows);
    size_t days = median_of_days(c, beacon_of_day, &median);
    bool is_all =
        automated >= c->p->s1_automated_permille &&
        c->human < c->p->s1_residual_max &&
        c->human_days < parameters_min_active_days(c->p, c->line->class);
    bool is_regular = days >= c->p->judge_min_days &&
                      median >= (int64_t)c->p->s1_score_permille;
    percent(automated, share);
    percent(c->p->s1_automated_permille, limit);
    decimal((int64_t)c->p->s1_score_permille, highest);
    if (days > 0)
        decimal(median, score);
    SAY_BOTH(r, value, "自动%s，剩余%" PRIu64 "次，规律性%s",
             "automatic %s, residual %" PRIu64 ", regularity %s", share,
             c->human, score);
    SAY_BOTH(r, threshold, "<%s或≥%" PRIu64 "次；<%s",
             "< %s or >= %" PRIu64 "; < %s", limit, c->p->s1_residual_max,
             highest);
    SAY(r->zh,
        "定时自动连接占%s；去除后剩余%" PRIu64
        "次，其规律性中位数%s（上限%s）。",
        share, c->human, score, highest);
    SAY(r->en,
        "%s of connections are timers; %" PRIu64 " remain, with a median "
        "regularity of %s (limit %s).",
        share, c->human, score, highest);
    r->outcome = RULE_PASS;
    if (is_all || is_regular)
        settle_automation(c, r);
}

static int64_t fano_of_day(const struct judge_case *c, const struct day_fact *f)
{
    return f->residual_flows >= c->p->s2_min_day_flows ? f->fano_permille : -1;
}

static void ask_bursts(const struct judge_case *c, struct rule_result *r)
{
    char value[24], limit[24];
    int64_t median;
    if (is_too_little(c, r))
        return;
    size_t days = median_of_days(c, fano_of_day, &median);
    if (is_too_few_days(c, days, r))
        return;
    decimal(median, value);
    decimal((int64_t)c->p->s2_fano_max_permille, limit);
    SAY_BOTH(r, value, "%s", "%s", value);
    SAY_BOTH(r, threshold, "> %s", "> %s", limit);
    SAY(r->zh,
        "剩余连接的突发程度（方差/均值）中位数%s，随机发生器约为1，"
        "下限%s。",
        value, limit);
    SAY(r->en,
        "Burstiness (variance over mean) of what remains is %s in the median; "
        "a random generator has about 1, the limit is %s.",
        value, limit);
    r->outcome = RULE_PASS;
    if (median <= (int64_t)c->p->s2_fano_max_permille)
        ask_a_person(r);
}

static bool can_compare(const struct judge_case *c, const struct day_fact *f)
{
    return f->residual_flows >= c->p->s3_min_day_flows &&
           f->residual_sizes >= c->p->s3_min_sizes;
}

static bool has_like_day(const struct judge_case *c, size_t day,
                         uint32_t *likest)
{
    bool found = false;
    for (size_t i = 0; i < c->day_count; i++) {
        if (i == day || !can_compare(c, &c->days[i]))
            continue;
        uint32_t like = fact_shape_likeness(&c->days[day], &c->days[i]);
        *likest = like > *likest ? like : *likest;
        found |= like >= c->p->s3_same_permille;
    }
    return found;
}

static void ask_repeated_days(const struct judge_case *c, struct rule_result *r)
{
    uint64_t repeated = 0, compared = 0;
    uint32_t likest = 0;
    char like[24], limit[24];
    if (is_too_little(c, r))
        return;
    for (size_t i = 0; i < c->day_count; i++) {
        if (!can_compare(c, &c->days[i]))
            continue;
        compared++;
        repeated += has_like_day(c, i, &likest);
    }
    percent(likest, like);
    percent(c->p->s3_same_permille, limit);
    SAY_BOTH(r, value, "%" PRIu64 "天（共%" PRIu64 "天），最相似%s",
             "%" PRIu64 " of %" PRIu64 " days, likest %s", repeated, compared,
             like);
    SAY_BOTH(r, threshold, "<%" PRIu64 "天（相似%s）",
             "< %" PRIu64 " days at %s", c->p->s3_min_days, limit);
    SAY(r->zh,
        "比较%" PRIu64 "天，%" PRIu64 "天与另一天的时刻和大小雷同（最高%s，"
        "界限%s）。",
        compared, repeated, like, limit);
    SAY(r->en,
        "Of %" PRIu64 " days compared, %" PRIu64 " repeat another's times and "
        "sizes (at most %s alike, limit %s).",
        compared, repeated, like, limit);
    r->outcome = compared < 2 ? RULE_NOT_APPLICABLE : RULE_PASS;
    if (repeated >= c->p->s3_min_days)
        ask_a_person(r);
}

static void ask_payload(const struct judge_case *c, struct rule_result *r)
{
    char share[24], limit[24];
    if (is_too_little(c, r))
        return;
    uint64_t distinct = permille_of(c->sizes, c->flows);
    percent(distinct, share);
    percent(c->p->s4_distinct_permille, limit);
    SAY_BOTH(r, value, "%s各不相同", "%s different", share);
    SAY_BOTH(r, threshold, "≥%s", ">= %s", limit);
    SAY(r->zh, "上下行大小各不相同的连接占%s，下限%s。", share, limit);
    SAY(r->en, "%s of connections differ in size; the limit is %s.", share,
        limit);
    r->outcome = RULE_PASS;
    if (distinct >= c->p->s4_distinct_permille)
        return;
    r->outcome = RULE_OPEN;
    SAY(r->remedy_zh,
        "定长遥测可能是正常的：由供应商抽查设备应答，或现场核查。");
    SAY(r->remedy_en, "Telemetry of fixed length may be lawful: the supplier "
                      "polls devices, or an on-site check.");
}

static void ask_largest_day(const struct judge_case *c, struct rule_result *r)
{
    char share[24], limit[24];
    if (is_too_little(c, r))
        return;
    uint64_t largest = permille_of(c->largest_day, c->flows);
    percent(largest, share);
    percent(c->p->s5_day_permille, limit);
    SAY_BOTH(r, value, "%s", "%s", share);
    SAY_BOTH(r, threshold, "< %s", "< %s", limit);
    SAY(r->zh, "最多的一天占全部连接的%s，上限%s。", share, limit);
    SAY(r->en, "The largest day has %s of all connections; the limit is %s.",
        share, limit);
    r->outcome = RULE_PASS;
    if (c->verdict->active_days <
        parameters_min_active_days(c->p, c->line->class))
        return; /* few days are insufficient already, and no sign of more */
    if (largest >= c->p->s5_day_permille)
        ask_a_person(r);
}

/* Daily counts of people vary by more than chance: they are away, they hurry.
 * Deviation over mean alone shrinks with size, so the variance must also be no
 * more than that of counting independent events. */
static bool is_too_even(const struct parameters *p, double mean,
                        double variance)
{
    return sqrt(variance) * 1000 < (double)p->s6_variation_permille * mean &&
           variance * 1000 < (double)p->s6_dispersion_permille * mean;
}

static bool measure_variation(const struct judge_case *c, double *mean,
                              double *variance, uint64_t *days)
{
    double sum = 0, squares = 0;
    *days = 0;
    for (size_t i = 0; i < c->day_count; i++) {
        double n = (double)c->days[i].residual_flows;
        *days += n > 0;
        sum += n;
        squares += n * n;
    }
    if (*days < c->p->s6_min_days || c->residual < c->p->judge_min_flows)
        return false;
    *mean = sum / (double)*days;
    *variance = squares / (double)*days - *mean * *mean;
    *variance = *variance > 0 ? *variance : 0;
    return true;
}

static void ask_variation(const struct judge_case *c, struct rule_result *r)
{
    uint64_t days;
    double mean, variance;
    char value[24], limit[24], spread[24], counted[24];
    if (is_too_little(c, r))
        return;
    if (!measure_variation(c, &mean, &variance, &days)) {
        SAY(r->zh,
            "可比较的天数%" PRIu64 "天，不足%" PRIu64
            "天，或剩余连接太少，不作判断。",
            days, c->p->s6_min_days);
        SAY(r->en,
            "%" PRIu64 " days to compare (%" PRIu64
            " needed), or too few remaining connections: not judged.",
            days, c->p->s6_min_days);
        return;
    }
    decimal((int64_t)(sqrt(variance) / mean * 1000 + 0.5), value);
    decimal((int64_t)(variance / mean * 1000 + 0.5), spread);
    decimal((int64_t)c->p->s6_variation_permille, limit);
    decimal((int64_t)c->p->s6_dispersion_permille, counted);
    SAY_BOTH(r, value, "%s与%s（%" PRIu64 "天）",
             "%s and %s over %" PRIu64 " days", value, spread, days);
    SAY_BOTH(r, threshold, "≥%s或≥%s", ">= %s or >= %s", limit, counted);
    SAY(r->zh, "每日连接数的变异系数%s（下限%s），方差/均值%s（下限%s）。",
        value, limit, spread, counted);
    SAY(r->en,
        "Daily counts vary by %s (deviation over mean, limit %s) and %s "
        "(variance over mean, limit %s).",
        value, limit, spread, counted);
    r->outcome = RULE_PASS;
    if (is_too_even(c->p, mean, variance))
        ask_a_person(r);
}

static void ask_round_trip(const struct judge_case *c, struct rule_result *r)
{
    int64_t values[JUDGE_PERIOD_DAYS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->day_count && n < JUDGE_PERIOD_DAYS_MAX; i++) {
        if (c->days[i].rtt_median_us > 0)
            values[n++] = c->days[i].rtt_median_us;
    }
    int64_t median = n > 0 ? beacon_median(values, n) : 0;
    SAY_BOTH(r, value, "%" PRId64 "微秒", "%" PRId64 " us", median);
    SAY_BOTH(r, threshold, "供应商一侧测得值的一半",
             "half of the supplier's measurement");
    SAY(r->zh, "没有供应商一侧的时延可比；本侧中位数%" PRId64 "微秒。", median);
    SAY(r->en,
        "There is no round-trip time of the supplier's side to compare with; "
        "ours is %" PRId64 " us in the median.",
        median);
}

/* Fingerprints of the window's days, added up where a day lists them. */
static enum client_kind most_used_client(const struct judge_case *c,
                                         uint64_t *share)
{
    struct fact_program sums[64];
    size_t n = 0, best = 0;
    uint64_t all = 0;
    for (size_t i = 0; i < c->day_count; i++) {
        const struct day_fact *f = &c->days[i];
        all += f->program_flows;
        for (uint32_t k = 0; k < f->program_count; k++) {
            size_t j = 0;
            while (j < n && sums[j].fingerprint != f->programs[k].fingerprint)
                j++;
            if (j == n && n < sizeof(sums) / sizeof(sums[0]))
                sums[n++] =
                    (struct fact_program){f->programs[k].fingerprint, 0};
            if (j < n)
                sums[j].flows += f->programs[k].flows;
        }
    }
    for (size_t j = 1; j < n; j++)
        best = sums[j].flows > sums[best].flows ? j : best;
    *share = n > 0 ? permille_of(sums[best].flows, all) : 0;
    return n > 0 ? client_kind_of(c->rules->clients, sums[best].fingerprint)
                 : CLIENT_UNKNOWN;
}

static void ask_client(const struct judge_case *c, struct rule_result *r)
{
    static const char *const KINDS_ZH[] = {"未登记的程序", "浏览器",
                                           "工具程序"};
    static const char *const KINDS_EN[] = {"a program not in the list",
                                           "a browser", "a tool"};
    uint64_t share;
    char text[24], limit[24];
    if (is_too_little(c, r))
        return;
    enum client_kind kind = most_used_client(c, &share);
    percent(share, text);
    percent(c->p->s8_client_permille, limit);
    SAY(r->value_zh, "%s，占%s", KINDS_ZH[kind], text);
    SAY(r->value, "%s by %s", text, KINDS_EN[kind]);
    SAY_BOTH(r, threshold, "工具程序<%s", "< %s by a tool", limit);
    SAY(r->zh, "使用最多的客户端为%s，占%s。", KINDS_ZH[kind], text);
    SAY(r->en, "The most used client is %s, with %s.", KINDS_EN[kind], text);
    if (kind == CLIENT_UNKNOWN)
        return;
    r->outcome = RULE_PASS;
    if (kind == CLIENT_TOOL && share >= c->p->s8_client_permille)
        ask_a_person(r);
}

static void ask_tokens(const struct judge_case *c, struct rule_result *r)
{
    uint64_t all = c->repeated + c->elsewhere;
    SAY_BOTH(r, value, "本企业%" PRIu64 "次，其他企业%" PRIu64 "次",
             "%" PRIu64 " here, %" PRIu64 " elsewhere", c->repeated,
             c->elsewhere);
    SAY_BOTH(r, threshold, "< %" PRIu64, "< %" PRIu64, c->p->s9_min_repeats);
    SAY(r->zh,
        "连接标记在本企业重复%" PRIu64 "次，在其他企业出现%" PRIu64 "次。",
        c->repeated, c->elsewhere);
    SAY(r->en,
        "Connection tokens were repeated %" PRIu64 " times in this enterprise "
        "and seen %" PRIu64 " times in others.",
        c->repeated, c->elsewhere);
    r->outcome = RULE_PASS;
    if (all >= c->p->s9_min_repeats)
        ask_a_person(r);
}

static void ask_conflicts(const struct judge_case *c, struct rule_result *r)
{
    uint64_t n = c->line->sequence_conflicts;
    SAY_BOTH(r, value, "%" PRIu64, "%" PRIu64, n);
    SAY_BOTH(r, threshold, "0", "0");
    SAY(r->zh, "同一批次序号出现不同内容%" PRIu64 "次。", n);
    SAY(r->en, "%" PRIu64 " times one batch number came with two contents.", n);
    r->outcome = RULE_PASS;
    if (n > 0)
        ask_a_person(r);
}

static void ask_twins(const struct judge_case *c, struct rule_result *r)
{
    uint64_t n = c->line->twin_days;
    SAY_BOTH(r, value, "%" PRIu64 "天", "%" PRIu64 " days", n);
    SAY_BOTH(r, threshold, "<%" PRIu64 "天", "< %" PRIu64 " days",
             c->p->s11_min_days);
    SAY(r->zh, "%" PRIu64 "天的连接时刻和大小与同一供应商的其他企业完全相同。",
        n);
    SAY(r->en,
        "On %" PRIu64 " days times and sizes are exactly those of another "
        "enterprise of the same supplier.",
        n);
    r->outcome = RULE_PASS;
    if (n >= c->p->s11_min_days)
        ask_a_person(r);
}

/* --- the table --- */

#define ALL                                                                    \
    {                                                                          \
        true, true, true                                                       \
    }
#define PEOPLE                                                                 \
    {                                                                          \
        true, false, false                                                     \
    }
#define MACHINES                                                               \
    {                                                                          \
        false, true, false                                                     \
    }
#define NOT_C                                                                  \
    {                                                                          \
        true, true, false                                                      \
    }

static const struct rule_row ROWS[] = {
    /* Coverage first: it explains the two after it. */
    {"VER-15", ALL, ask_coverage},
    {"VER-07", ALL, ask_two_way},
    {"VER-08", ALL, ask_active_days},
    {"DEAD-10", ALL, ask_working_days},
    {"VER-16", ALL, ask_devices},
    {"VER-14", ALL, ask_shared_identifier},
    {"TIER", ALL, ask_tier},
    /* What cannot be chance, before what is statistics. */
    {"S9", ALL, ask_tokens},
    {"S10", ALL, ask_conflicts},
    {"I1", NOT_C, ask_flows},
    {"S1", PEOPLE, ask_automation},
    {"S2", PEOPLE, ask_bursts, .needs_second = true},
    {"S3", PEOPLE, ask_repeated_days},
    {"S4", MACHINES, ask_payload},
    {"S5", NOT_C, ask_largest_day, .needs_second = true},
    {"S6", PEOPLE, ask_variation, .needs_second = true},
    {"S7", ALL, ask_round_trip},
    {"S8", PEOPLE, ask_client},
    {"S11", PEOPLE, ask_twins},
};
/* clang-format on */
enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };
_Static_assert(ROW_COUNT <= (int)JUDGE_RULES_MAX, "results have room");

static void ask_row(const struct judge_case *c, const struct rule_row *row,
                    struct rule_result *r)
{
    char start[DAY_TEXT_LEN], end[DAY_TEXT_LEN];
    enum service_class class = c->line->class;
    day_to_text(c->verdict->window_start, start);
    /* People read the last day, not the first one after. */
    day_to_text((struct civil_day){c->verdict->window_end.number - 1}, end);
    r->rule = row->rule;
    r->outcome = RULE_NOT_APPLICABLE;
    SAY(r->window, "%s/%s", start, end);
    if (row->classes[class]) {
        row->ask(c, r);
        return;
    }
    SAY_BOTH(r, value, "-", "-");
    SAY_BOTH(r, threshold, "-", "-");
    SAY(r->zh, "本规则不用于%s类服务。", service_class_text(class));
    SAY(r->en, "This rule is not for services of class %s.",
        service_class_text(class));
}

static const struct rule_result *result_of(const struct line_verdict *v,
                                           const char *rule)
{
    for (size_t i = 0; i < v->result_count; i++) {
        if (strcmp(v->results[i].rule, rule) == 0)
            return &v->results[i];
    }
    return NULL;
}

/* Lack of use cannot be concluded from days that nobody watched. */
static void weigh_coverage(struct line_verdict *v)
{
    if (result_of(v, "VER-15")->outcome != RULE_OPEN)
        return;
    for (size_t i = 0; i < v->result_count; i++) {
        if (v->results[i].outcome == RULE_INSUFFICIENT)
            v->results[i].outcome = RULE_OPEN;
    }
}

/* Statistics that an honest factory can meet by chance (many visitors of one
 * page each, one storm of reconnections) hold a line only together with another
 * sign; alone they are shown as a flag. */
static void weigh_signs(struct line_verdict *v)
{
    size_t signs = 0;
    for (size_t i = 0; i < v->result_count; i++)
        signs += v->results[i].outcome == RULE_SUSPICIOUS;
    for (size_t i = 0; signs == 1 && i < v->result_count; i++) {
        if (v->results[i].outcome == RULE_SUSPICIOUS && ROWS[i].needs_second)
            v->results[i].outcome = RULE_FLAG;
    }
}

static void conclude(struct line_verdict *v, const struct parameters *p)
{
    enum rule_outcome worst = RULE_PASS;
    v->decisive = v->result_count;
    for (size_t i = 0; i < v->result_count; i++) {
        if (v->results[i].outcome > worst &&
            v->results[i].outcome != RULE_FLAG) {
            worst = v->results[i].outcome;
            v->decisive = i;
        }
    }
    v->is_flagged = worst == RULE_SUSPICIOUS;
    v->is_genuine = v->flows > 0 && !v->is_flagged;
    v->is_effective = result_of(v, "VER-08")->outcome == RULE_PASS;
    v->word = worst == RULE_SUSPICIOUS ? VERDICT_SUSPICIOUS
              : worst >= RULE_OPEN     ? VERDICT_INSUFFICIENT
                                       : VERDICT_GENUINE;
    v->mark = worst == RULE_SUSPICIOUS     ? MARK_UNDETERMINED
              : worst == RULE_INSUFFICIENT ? MARK_NOT_COMPLETE
              : worst == RULE_OPEN         ? MARK_UNDETERMINED
                                           : MARK_COMPLETE;
    if (worst == RULE_OPEN &&
        p->undetermined_policy == UNDETERMINED_NOT_COMPLETE)
        v->mark = MARK_NOT_COMPLETE;
}

void judge_line(const struct judge_line *line, const struct judge_rules *rules,
                struct line_verdict *verdict)
{
    *verdict = (struct line_verdict){0};
    struct judge_case c = {
        .line = line,
        .p = rules->parameters,
        .rules = rules,
        .verdict = verdict,
    };
    gather(&c);
    for (size_t i = 0; i < ROW_COUNT; i++)
        ask_row(&c, &ROWS[i], &verdict->results[i]);
    verdict->result_count = ROW_COUNT;
    weigh_coverage(verdict);
    weigh_signs(verdict);
    conclude(verdict, rules->parameters);
}

/* --- the voucher --- */

/* How much a line weighs: a stop, a lack of use, an open question, nothing. */
static int weight(const struct line_verdict *line)
{
    if (line->is_flagged)
        return 3;
    if (line->word == VERDICT_GENUINE)
        return 0;
    return line->mark == MARK_NOT_COMPLETE ? 2 : 1;
}

/* The line that decides. When one line in use is enough, a stop still stops;
 * else the lightest line speaks for the voucher. */
static size_t deciding_line(const struct line_verdict *lines, size_t count,
                            bool each)
{
    size_t heaviest = 0, lightest = 0;
    for (size_t i = 1; i < count; i++) {
        heaviest = weight(&lines[i]) > weight(&lines[heaviest]) ? i : heaviest;
        lightest = weight(&lines[i]) < weight(&lines[lightest]) ? i : lightest;
    }
    return each || lines[heaviest].is_flagged ? heaviest : lightest;
}

static void explain(const struct line_verdict *line, int line_no,
                    struct voucher_verdict *v)
{
    if (line->decisive == line->result_count) {
        SAY(v->reason_zh, "真实且持续使用：时段内活跃%" PRIu32 "天。",
            line->active_days);
        SAY(v->reason_en,
            "Use is real and sustained: %" PRIu32 " active days in the window.",
            line->active_days);
        return;
    }
    const struct rule_result *r = &line->results[line->decisive];
    SAY(v->reason_zh, "第%d行（%s）：%s", line_no, r->rule, r->zh);
    SAY(v->reason_en, "Line %d (%s): %s", line_no, r->rule, r->en);
    SAY(v->remedy_zh, "%s", r->remedy_zh);
    SAY(v->remedy_en, "%s", r->remedy_en);
}

void judge_voucher(const struct line_verdict *lines, const int *line_nos,
                   size_t count, const struct parameters *parameters,
                   struct voucher_verdict *v)
{
    bool each = parameters->require_each_line != 0;
    size_t decides = deciding_line(lines, count, each);
    *v = (struct voucher_verdict){
        .word = lines[decides].word,
        .mark = lines[decides].mark,
        .is_genuine = each,
        .is_effective = each,
    };
    for (size_t i = 0; i < count; i++) {
        const struct line_verdict *line = &lines[i];
        v->is_genuine = each ? v->is_genuine && line->is_genuine
                             : v->is_genuine || line->is_genuine;
        v->is_effective = each ? v->is_effective && line->is_effective
                               : v->is_effective || line->is_effective;
        v->is_flagged |= line->is_flagged;
        v->is_sample |= line->is_sample;
        v->tier = line->tier > v->tier ? line->tier : v->tier;
    }
    v->is_genuine &= !v->is_flagged;
    explain(&lines[decides], line_nos[decides], v);
}
