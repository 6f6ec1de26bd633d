/* The decision about a batch: a table of one change each to a good batch. */
#include "collector/ledger/intake.h"

#include "tests/collector/ledger/store_sample.h"

enum { S = 1000, MINUTE = 60 * S, HOUR = 60 * MINUTE };
static const int64_t NOW_MS = SAMPLE_NOW_S * 1000;

struct good {
    struct batch_info info;
    struct registry_probe probe;
    struct intake_facts facts;
    struct intake_neighbours near;
};

static const struct digest HASH = {{1}}, OTHER = {{2}}, PREVIOUS = {{3}};

/* Batch 5 of its chain, just ended, its records inside the period. */
static void make_good(struct good *g)
{
    *g = (struct good){
        .info = {.probe_id = "P-1",
                 .sequence = 5,
                 .previous_hash = PREVIOUS,
                 .period_start_ms = NOW_MS - 5 * MINUTE,
                 .period_end_ms = NOW_MS},
        .facts = {.hash = HASH,
                  .peer_name = "P-1",
                  .signature = BATCH_OK,
                  .span = {NOW_MS - 4 * MINUTE, NOW_MS - MINUTE, 1000},
                  .now = SAMPLE_NOW},
        .near = {.has_before = true, .before_hash = PREVIOUS, .highest = 4},
    };
    g->facts.info = &g->info;
    g->facts.probe = &g->probe;
}

static void shift_period(struct good *g, int64_t by_ms)
{
    g->info.period_start_ms += by_ms;
    g->info.period_end_ms += by_ms;
    g->facts.span.oldest_start_ms += by_ms;
    g->facts.span.newest_end_ms += by_ms;
}

static void nothing(struct good *g)
{
    (void)g;
}
static void from_file(struct good *g)
{
    g->facts.peer_name = NULL;
}
static void other_name(struct good *g)
{
    g->facts.peer_name = "P-2";
}
static void unregistered(struct good *g)
{
    g->facts.probe = NULL;
    g->facts.signature = BATCH_UNKNOWN_PROBE;
}
static void denied(struct good *g)
{
    g->probe.has_denied_at = true;
    g->probe.denied_at = SAMPLE_NOW;
}
static void denied_later(struct good *g)
{
    denied(g);
    g->probe.denied_at.us++;
}
static void not_agreed(struct good *g)
{
    g->probe.agreed_at.us = SAMPLE_NOW.us + 1;
}
static void sample_refused(struct good *g)
{
    g->probe.is_sample = true;
}
static void sample_old(struct good *g)
{
    g->probe.is_sample = true;
    g->facts.accept_sample = true;
    shift_period(g, -400 * 24 * (int64_t)HOUR);
}
static void sample_future(struct good *g)
{
    g->probe.is_sample = true;
    g->facts.accept_sample = true;
    shift_period(g, 5 * MINUTE + 1);
}
static void bad_signature(struct good *g)
{
    g->facts.signature = BATCH_BAD_SIGNATURE;
}
static void future_5_min(struct good *g)
{
    g->facts.span.newest_end_ms = NOW_MS + 5 * MINUTE;
}
static void future_record(struct good *g)
{
    g->facts.span.newest_end_ms = NOW_MS + 5 * MINUTE + 1;
}
static void future_period(struct good *g)
{
    g->info.period_end_ms = NOW_MS + 5 * MINUTE + 1;
}
static void huge_count(struct good *g)
{
    g->facts.span.largest = INTAKE_RECORD_OCTETS_MAX + 1;
}
static void huge_time(struct good *g)
{
    g->info.period_end_ms = INT64_MAX;
}
static void negative_time(struct good *g)
{
    g->facts.span.oldest_start_ms = -1;
}
static void late_10_min(struct good *g)
{
    shift_period(g, -10 * MINUTE);
}
static void late_more(struct good *g)
{
    shift_period(g, -10 * MINUTE - 1);
}
static void late_72_h(struct good *g)
{
    shift_period(g, -72 * (int64_t)HOUR);
}
static void late_too_much(struct good *g)
{
    shift_period(g, -72 * (int64_t)HOUR - 1);
}
static void long_period(struct good *g)
{
    g->info.period_start_ms = NOW_MS - 24 * (int64_t)HOUR - 1;
}
static void old_record(struct good *g)
{
    g->facts.span.oldest_start_ms =
        g->info.period_start_ms - 24 * (int64_t)HOUR - 1;
}
static void no_records(struct good *g)
{
    g->facts.span = (struct intake_span){0};
}
static void same(struct good *g)
{
    g->near.has_same = true;
    g->near.same_hash = HASH;
}
static void conflict(struct good *g)
{
    g->near.has_same = true;
    g->near.same_hash = OTHER;
}
static void gap(struct good *g)
{
    g->near.has_before = false;
    g->near.highest = 3;
}
static void filled_later(struct good *g)
{
    g->near.has_before = false;
    g->near.highest = 9;
}
static void fork_before(struct good *g)
{
    g->near.before_hash = OTHER;
}
static void fork_after(struct good *g)
{
    g->near.has_after = true;
    g->near.after_previous = OTHER;
    g->near.highest = 6;
}
static void fits_after(struct good *g)
{
    fork_after(g);
    g->near.after_previous = HASH;
}
static void first(struct good *g)
{
    g->info.sequence = 1;
    g->info.previous_hash = (struct digest){{0}};
    g->near = (struct intake_neighbours){0};
}
static void first_with_previous(struct good *g)
{
    first(g);
    g->info.previous_hash = PREVIOUS;
}

enum { LATE = 1, GAP = 2, FORK = 4 };

static const struct {
    const char *name;
    void (*change)(struct good *);
    enum intake_reason admit;
    enum intake_verdict verdict;
    enum intake_reason reason;
    int flags;
} CASES[] = {
    {"a good batch counts", nothing},
    {"a file has no certificate to hold it against", from_file},
    {"VER-18: another name in the certificate", other_name, REASON_IDENTITY},
    {"VER-18: unknown probe", unregistered, REASON_UNKNOWN},
    {"VER-18: a denial works from its moment on", denied, REASON_DENIED},
    {"a denial in the future does not work yet", denied_later},
    {"no agreement yet", not_agreed, REASON_INACTIVE},
    {"demo data is refused by default", sample_refused, REASON_SAMPLE},
    {"demo data is taken at its own time", sample_old},
    {"demo data from the future is refused", sample_future, REASON_FUTURE},
    {"VER-18: wrong signature", bad_signature, REASON_SIGNATURE},
    {"VER-19: 5 minutes ahead is a clock", future_5_min},
    {"VER-19: a record from the future", future_record, REASON_FUTURE},
    {"VER-19: a period from the future", future_period, REASON_FUTURE},
    {"a count that no line can carry", huge_count, REASON_RANGE},
    {"the largest time there is", huge_time, REASON_FUTURE},
    {"a time before 1970", negative_time, REASON_RANGE},
    {"10 minutes are not late", late_10_min},
    {"more is late, and counted", late_more, 0, INTAKE_LATE, 0, LATE},
    {"72 hours are late", late_72_h, 0, INTAKE_LATE, 0, LATE},
    {"more is kept, not counted", late_too_much, 0, INTAKE_KEEP, 0, LATE},
    {"a period over a day is kept", long_period, 0, INTAKE_KEEP, REASON_STALE},
    {"a record from before is kept", old_record, 0, INTAKE_KEEP, REASON_STALE},
    {"an empty batch counts: silence would be a gap", no_records},
    {"VER-18: the same again is a repetition", same, 0, INTAKE_REPEATED},
    {"VER-18: other content, same sequence", conflict, 0, INTAKE_REFUSE,
     REASON_CONFLICT},
    {"VER-18: a gap is noted and counts", gap, 0, INTAKE_COUNT, 0, GAP},
    {"VER-18: what fills a gap is no gap", filled_later},
    {"a fork to the batch before", fork_before, 0, INTAKE_COUNT, 0, FORK},
    {"a fork to the batch after", fork_after, 0, INTAKE_COUNT, 0, FORK},
    {"the batch after names this one", fits_after},
    {"the first of a chain", first},
    {"a first one that names another", first_with_previous, 0, INTAKE_COUNT, 0,
     FORK},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct good g;
        test_case(CASES[i].name);
        make_good(&g);
        CASES[i].change(&g);
        enum intake_reason reason = intake_admit(&g.facts);
        CHECK_TEXT(intake_reason_kind(reason),
                   intake_reason_kind(CASES[i].admit));
        if (reason != REASON_NONE)
            continue;
        struct intake_decision d = intake_place(&g.facts, &g.near);
        CHECK_I64(d.verdict, CASES[i].verdict);
        CHECK_TEXT(intake_reason_kind(d.reason),
                   intake_reason_kind(CASES[i].reason));
        CHECK_I64(d.is_late * LATE + d.is_gap * GAP + d.is_fork * FORK,
                  CASES[i].flags);
    }

    test_case("demo data is received at its period's end");
    struct good g;
    make_good(&g);
    sample_old(&g);
    CHECK_I64(wall_to_ms(intake_place(&g.facts, &g.near).received),
              g.info.period_end_ms);
    test_case("every reason has a word and a sentence");
    for (int i = 0; i < REASON_COUNT; i++)
        CHECK(intake_reason_kind(i) != NULL && intake_reason_text(i) != NULL);
    return test_end();
}
