/*
 * Judging: examples of the requirements with facts made by hand, and whole
 * months of personas, several seeds each.
 */
#include "rules/judge.h"

#include "rules/rule/rule_table.h"
#include "tests/rules/persona.h"
#include "tests/test.h"

enum { MONTH = 30, FIRST_DAY = 20750 };

static struct parameters parameters;
static struct calendar calendar;
static struct client_list clients;

static struct day_fact facts[400];
static struct line_verdict verdict;

static struct judge_line month_line(size_t days)
{
    return (struct judge_line){
        .class = CLASS_A,
        .from = {FIRST_DAY},
        .cut_off = day_start((struct civil_day){FIRST_DAY + (int32_t)days}),
        .facts = facts,
        .fact_count = days,
    };
}

static void judge(const struct judge_line *line)
{
    struct judge_rules rules = {&parameters, &calendar, &clients, RULES};
    judge_line(line, &rules, &verdict);
}

static const struct finding *result_of(const char *rule)
{
    for (size_t i = 0; i < verdict.finding_count; i++) {
        if (strcmp(verdict.findings[i].rule, rule) == 0)
            return &verdict.findings[i];
    }
    return NULL;
}

static const char *decisive_rule(void)
{
    return verdict.decisive < verdict.finding_count
               ? verdict.findings[verdict.decisive].rule
               : "";
}

/* Days with one connection each where `active`, covered where `covered`. */
static void make_days(const char *pattern, size_t days)
{
    for (size_t i = 0; i < days; i++) {
        char c = pattern[i];
        facts[i] = (struct day_fact){
            .day = {FIRST_DAY + (int32_t)i},
            .coverage = {.minutes = c == 'x' || c == '-' ? 0 : 1440,
                         .batches = 288},
            .flows = c == 'a' || c == 'x',
            .residual_flows = c == 'a' || c == 'x',
            .beacon_permille = -1,
            .fano_permille = -1,
        };
    }
}

/* a: active and covered; .: covered; x: active, not covered; -: neither */
static const struct {
    const char *name, *pattern;
    uint32_t active, covered;
    enum verdict_word word;
    enum verdict_mark mark;
    const char *rule;
} DAYS[] = {
    {"VER-08: 10 active days are enough", "aaaaaaaaaa....................", 10,
     30, VERDICT_GENUINE, MARK_COMPLETE, ""},
    {"VER-08: 9 are not", "aaaaaaaaa.....................", 9, 30,
     VERDICT_INSUFFICIENT, MARK_NOT_COMPLETE, "VER-08"},
    {"VER-15: down 15 days, 6 active days: undetermined",
     "aaaaaa.........---------------", 6, 15, VERDICT_INSUFFICIENT,
     MARK_UNDETERMINED, "VER-15"},
    {"VER-15: down 15 days, 10 active days: complete",
     "aaaaaaaaaa.....---------------", 10, 15, VERDICT_GENUINE, MARK_COMPLETE,
     ""},
    {"VER-15: 24 covered days are 80 %", "aaaaaa..................------", 6,
     24, VERDICT_INSUFFICIENT, MARK_NOT_COMPLETE, "VER-08"},
    {"VER-15: 23 are not", "aaaaaa.................-------", 6, 23,
     VERDICT_INSUFFICIENT, MARK_UNDETERMINED, "VER-15"},
    {"VER-15: an active day counts without cover",
     "xxxxxxxxxx....................", 10, 20, VERDICT_GENUINE, MARK_COMPLETE,
     ""},
    {"VER-07: nothing was observed", "..............................", 0, 30,
     VERDICT_INSUFFICIENT, MARK_NOT_COMPLETE, "VER-07"},
    {"VER-15: nobody watched", "------------------------------", 0, 0,
     VERDICT_INSUFFICIENT, MARK_UNDETERMINED, "VER-15"},
};

static void test_days(void)
{
    for (size_t i = 0; i < sizeof(DAYS) / sizeof(DAYS[0]); i++) {
        struct judge_line line = month_line(MONTH);
        test_case(DAYS[i].name);
        make_days(DAYS[i].pattern, MONTH);
        judge(&line);
        CHECK_I64(verdict.window.active_days, DAYS[i].active);
        CHECK_I64(verdict.window.covered_days, DAYS[i].covered);
        CHECK_TEXT(verdict_word_text(verdict.word),
                   verdict_word_text(DAYS[i].word));
        CHECK_TEXT(verdict_mark_text(verdict.mark),
                   verdict_mark_text(DAYS[i].mark));
        CHECK_TEXT(decisive_rule(), DAYS[i].rule);
    }
}

static void test_window(void)
{
    struct judge_line line = month_line(90);
    test_case("VER-08: the best window of 90 days, not the last");
    make_days("......aaaaaaaaaa.............................................."
              "............................",
              90);
    judge(&line);
    CHECK_I64(verdict.window.active_days, 10);
    CHECK(verdict.window.start.number <= FIRST_DAY + 6);
    CHECK_I64(verdict.window.end.number - verdict.window.start.number, 30);
    test_case("VER-08: 300 connections on one day are one active day");
    make_days("a.............................", MONTH);
    facts[0].flows = 300;
    line = month_line(MONTH);
    judge(&line);
    CHECK_I64(verdict.window.active_days, 1);
    test_case("VER-08: days spread wider than the window");
    make_days("a..a..a..a..a..a..a..a..a..a..a..a..a..a..a..a..a..a..a..a.."
              "..............................",
              90);
    line = month_line(90);
    judge(&line);
    CHECK_I64(verdict.window.active_days, 10);
    test_case("VER-08: use before the contract does not count");
    make_days("aaaaaaaaaa....................", MONTH);
    line = month_line(MONTH);
    line.from.number += 5;
    line.facts += 5;
    line.fact_count -= 5;
    judge(&line);
    CHECK_I64(verdict.window.active_days, 5);
    test_case("VER-15: a contract of yesterday is undetermined, not refused");
    make_days("a.", 2);
    line = month_line(2);
    judge(&line);
    CHECK_I64(verdict.mark, MARK_UNDETERMINED);
    test_case("VER-15: without any fact at all");
    line.fact_count = 0;
    judge(&line);
    CHECK_I64(verdict.mark, MARK_UNDETERMINED);
    CHECK_I64(verdict.is_genuine, 0);
}

static void test_reason(void)
{
    struct judge_line line = month_line(MONTH);
    int line_no = 1;
    struct voucher_verdict v;
    test_case("VER-08: the reason names ACTIVE_DAYS 9<10");
    make_days("aaaaaaaaa.....................", MONTH);
    judge(&line);
    judge_voucher(&verdict, &line_no, 1, &parameters, &v);
    CHECK(strstr(v.reason[LANGUAGE_ZH], "ACTIVE_DAYS 9<10") != NULL);
    CHECK(strstr(v.reason[LANGUAGE_EN], "ACTIVE_DAYS 9<10") != NULL);
    CHECK(strstr(v.remedy[LANGUAGE_EN], "1 more active day") != NULL);
    test_case("DEAD-10: working days as explanation, provisional without data");
    CHECK_TEXT(result_of("DEAD-10")->case_name, "provisional");
}

static void test_devices(void)
{
    struct judge_line line = month_line(MONTH);
    test_case("VER-16: 12 sets, 5 seen: flagged, amount and mark unchanged");
    make_days("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", MONTH);
    facts[3].hosts_kept = 5;
    facts[3].host_count = 5;
    for (uint64_t h = 0; h < 5; h++)
        facts[3].hosts[h] = h + 1;
    line.class = CLASS_B;
    line.contract_sets = 12;
    judge(&line);
    CHECK_I64(verdict.devices_seen, 5);
    CHECK_TEXT(rule_outcome_text(result_of("VER-16")->outcome), "flag");
    CHECK_I64(verdict.mark, MARK_COMPLETE);
    CHECK_I64(verdict.is_flagged, 0);
    test_case("VER-16: hosts of different days add up");
    facts[4] = facts[3];
    facts[4].day.number++;
    facts[4].hosts[4] = 77;
    judge(&line);
    CHECK_I64(verdict.devices_seen, 6);
    test_case("VER-16: with `stop` too few are undetermined");
    parameters.device_count_mismatch = DEVICE_STOP;
    judge(&line);
    CHECK_I64(verdict.mark, MARK_UNDETERMINED);
    parameters_set_defaults(&parameters);
}

static void test_stops(void)
{
    struct judge_line line = month_line(MONTH);
    make_days("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", MONTH);
    test_case("VER-14: an identifier that another enterprise declared");
    line.shared_identifiers = 1;
    judge(&line);
    CHECK_I64(verdict.word, VERDICT_SUSPICIOUS);
    CHECK_I64(verdict.mark, MARK_UNDETERMINED);
    CHECK_I64(verdict.is_flagged, 1);
    CHECK_I64(verdict.is_genuine, 0);
    CHECK_I64(verdict.is_effective, 1);
    test_case("S10: one sequence with two contents");
    line = month_line(MONTH);
    line.sequence_conflicts = 1;
    judge(&line);
    CHECK_TEXT(decisive_rule(), "S10");
    test_case("S9: two repeated tokens may be a fault, three are not");
    line = month_line(MONTH);
    facts[0].tokens_repeated = 2;
    judge(&line);
    CHECK_I64(verdict.word, VERDICT_GENUINE);
    facts[5].tokens_elsewhere = 1;
    judge(&line);
    CHECK_TEXT(decisive_rule(), "S9");
    test_case("S11: days of another enterprise");
    make_days("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", MONTH);
    line.twin_days = 2;
    judge(&line);
    CHECK_TEXT(decisive_rule(), "S11");
    test_case("S11: not asked for machines");
    line.class = CLASS_B;
    judge(&line);
    CHECK_I64(verdict.word, VERDICT_GENUINE);
    test_case("TIER: the province asks for the supplier's side");
    line = month_line(MONTH);
    parameters.min_tier = 2;
    judge(&line);
    CHECK_I64(verdict.mark, MARK_UNDETERMINED);
    CHECK_TEXT(decisive_rule(), "TIER");
    parameters_set_defaults(&parameters);
}

static void test_voucher(void)
{
    static struct line_verdict lines[2];
    int numbers[] = {1, 2};
    struct judge_line line = month_line(MONTH);
    struct voucher_verdict v;
    make_days("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", MONTH);
    judge(&line);
    lines[0] = verdict;
    make_days("aaaaaa........................", MONTH);
    judge(&line);
    lines[1] = verdict;
    test_case("VER-09: one line of two in use: NOT_COMPLETE naming the line");
    judge_voucher(lines, numbers, 2, &parameters, &v);
    CHECK_I64(v.mark, MARK_NOT_COMPLETE);
    CHECK_I64(v.is_effective, 0);
    CHECK(strstr(v.reason[LANGUAGE_EN], "Line 2") != NULL);
    test_case("VER-09: with ver.require_each_line = false one is enough");
    parameters.require_each_line = 0;
    judge_voucher(lines, numbers, 2, &parameters, &v);
    CHECK_I64(v.mark, MARK_COMPLETE);
    CHECK_I64(v.is_effective, 1);
    parameters_set_defaults(&parameters);
    test_case("VER-09: a stop on one line stops the voucher");
    line.sequence_conflicts = 1;
    judge(&line);
    lines[0] = verdict;
    judge_voucher(lines, numbers, 2, &parameters, &v);
    CHECK_I64(v.word, VERDICT_SUSPICIOUS);
    CHECK_I64(v.is_genuine, 0);
    test_case("VER-09: a province that takes lack of data for not complete");
    make_days("aaaaaa.........---------------", MONTH);
    parameters.undetermined_policy = UNDETERMINED_NOT_COMPLETE;
    line = month_line(MONTH);
    judge(&line);
    CHECK_I64(verdict.mark, MARK_NOT_COMPLETE);
    parameters_set_defaults(&parameters);
}

/* --- months of personas --- */

enum habit {
    OFFICE,
    SMALL_OFFICE,
    SHIFTS,
    OFFICE_WITH_TAB,
    IDLE_TAB_AND_FEW,
    CRON,
    CRON_JITTER,
    CRON_HALF,
    RANDOM_OFFICE,
    REPLAY,
    MACHINES,
    FIXED_MACHINES,
    LATE_STARTER,
};

static void live_day(struct persona *p, enum habit habit, uint64_t seed,
                     struct civil_day day)
{
    bool is_workday = day_of_week(day) < DAY_SATURDAY;
    persona_begin(p, habit == REPLAY ? seed : seed + 17, day);
    if (habit == REPLAY) {
        /* The same recording every day. */
        struct civil_day first = {FIRST_DAY};
        persona_begin(p, seed, first);
        persona_office(p, 5);
        int64_t shift = (day.number - FIRST_DAY) * INT64_C(86400000);
        for (size_t i = 0; i < p->count; i++) {
            p->flows[i].start_ms += shift;
            p->flows[i].end_ms += shift;
        }
        return;
    }
    if (habit == SHIFTS)
        persona_shifts(p, 8);
    if (habit == OFFICE && is_workday)
        persona_office(p, 3 + (int)(seed % 9));
    if (habit == SMALL_OFFICE && is_workday)
        persona_office(p, 1);
    if (habit == OFFICE_WITH_TAB && is_workday)
        persona_office(p, 2);
    if (habit == IDLE_TAB_AND_FEW && is_workday)
        for (int i = 0; i < 7; i++)
            persona_add(p, 32400 + 3000 * i + persona_wait(p, 900), 100,
                        600 + persona_between(p, 0, 3000),
                        persona_between(p, 3000, 80000));
    if (habit == OFFICE_WITH_TAB || habit == IDLE_TAB_AND_FEW)
        persona_timer(p, 60, 0.01, 100);
    if (habit == CRON)
        persona_timer(p, 300, 0, 100);
    if (habit == CRON_JITTER)
        persona_timer(p, 300, 0.2, 100);
    if (habit == CRON_HALF)
        persona_timer(p, 120, 0.5, 100);
    if (habit == RANDOM_OFFICE)
        persona_random(p, 40, 5);
    if (habit == MACHINES || habit == FIXED_MACHINES)
        persona_machines(p, 6, habit == MACHINES);
    if (habit == LATE_STARTER && day.number >= FIRST_DAY + 24 && is_workday)
        persona_office(p, 4);
}

static void live_month(enum habit habit, uint64_t seed)
{
    static const struct fact_coverage coverage = {.minutes = 1440,
                                                  .batches = 288};
    struct persona p = {0};
    for (int32_t i = 0; i < MONTH; i++) {
        struct civil_day day = {FIRST_DAY + i};
        live_day(&p, habit, seed, day);
        CHECK(fact_compute(day, p.flows, p.count, &coverage, &parameters,
                           &facts[i]));
    }
    free(p.flows);
}

static const struct {
    const char *name;
    enum habit habit;
    enum service_class class;
    enum verdict_word word;
    const char *rule; /* that decides, when it is always the same */
} MONTHS[] = {
    {"VER-08: office staff on an ERP", OFFICE, CLASS_A, VERDICT_GENUINE, ""},
    {"VER-08: one person", SMALL_OFFICE, CLASS_A, VERDICT_GENUINE, ""},
    {"VER-08: three shifts on an MES", SHIFTS, CLASS_A, VERDICT_GENUINE, ""},
    {"S1: staff beside a polling tab", OFFICE_WITH_TAB, CLASS_A,
     VERDICT_GENUINE, ""},
    {"S1: a little use beside a polling tab", IDLE_TAB_AND_FEW, CLASS_A,
     VERDICT_GENUINE, ""},
    {"S1: a timer", CRON, CLASS_A, VERDICT_SUSPICIOUS, "S1"},
    {"S1: a timer with 20 % jitter", CRON_JITTER, CLASS_A, VERDICT_SUSPICIOUS,
     "S1"},
    {"S1: a timer with 50 % jitter", CRON_HALF, CLASS_A, VERDICT_SUSPICIOUS,
     "S1"},
    {"S2: a random generator in office hours", RANDOM_OFFICE, CLASS_A,
     VERDICT_SUSPICIOUS, "S2"},
    {"S3: the same recording every day", REPLAY, CLASS_A, VERDICT_SUSPICIOUS,
     "S3"},
    {"S4: machines", MACHINES, CLASS_B, VERDICT_GENUINE, ""},
    {"S4: machines that say the same thing", FIXED_MACHINES, CLASS_B,
     VERDICT_INSUFFICIENT, "S4"},
    {"VER-08: started six days ago", LATE_STARTER, CLASS_A,
     VERDICT_INSUFFICIENT, "VER-08"},
};

static void test_months(void)
{
    enum { SEEDS = 6 };
    for (size_t i = 0; i < sizeof(MONTHS) / sizeof(MONTHS[0]); i++) {
        test_case(MONTHS[i].name);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct judge_line line = month_line(MONTH);
            line.class = MONTHS[i].class;
            live_month(MONTHS[i].habit, seed * 1000003);
            judge(&line);
            bool good = CHECK_TEXT(verdict_word_text(verdict.word),
                                   verdict_word_text(MONTHS[i].word));
            good &= CHECK_TEXT(decisive_rule(), MONTHS[i].rule);
            if (!good)
                for (size_t k = 0; k < verdict.finding_count; k++)
                    printf("#   %s %s %s\n", verdict.findings[k].rule,
                           rule_outcome_text(verdict.findings[k].outcome),
                           verdict.findings[k].case_name);
        }
    }
}

static void test_browser(void)
{
    struct judge_line line = month_line(MONTH);
    test_case("S1: a browser left open is not taken for a script");
    clients.items[0] =
        (struct client){0x1122334455667788, CLIENT_BROWSER, "browser"};
    clients.count = 1;
    live_month(CRON, 5);
    judge(&line);
    CHECK_I64(verdict.word, VERDICT_INSUFFICIENT);
    CHECK_I64(verdict.mark, MARK_UNDETERMINED);
    test_case("S8: people's work by one tool that is no browser");
    clients.items[0].kind = CLIENT_TOOL;
    live_month(OFFICE, 5);
    judge(&line);
    CHECK_TEXT(decisive_rule(), "S8");
    clients.count = 0;
}

int main(void)
{
    parameters_set_defaults(&parameters);
    test_days();
    test_window();
    test_reason();
    test_devices();
    test_stops();
    test_voucher();
    test_months();
    test_browser();
    return test_end();
}
