/*
 * All times are compared in milliseconds; the batch's are checked to be near
 * the clock before anything is subtracted from them.
 */
#include "collector/ledger/intake.h"

#include <string.h>

static const struct {
    const char *kind;
    const char *text;
} REASONS[REASON_COUNT] = {
    [REASON_NONE] = {"none", "nothing is wrong"},
    [REASON_IDENTITY] = {"identity", "the certificate names another probe"},
    [REASON_UNKNOWN] = {"unknown", "the probe is not registered"},
    [REASON_DENIED] = {"denied", "the probe is on the deny list"},
    [REASON_INACTIVE] = {"inactive", "the enterprise's agreement to this probe "
                                     "is not in force yet"},
    [REASON_SAMPLE] = {"sample", "demo data is not accepted here "
                                 "(accept_sample = no)"},
    [REASON_REPEATED] = {"repeated",
                         "batches came again; they are not counted twice"},
    [REASON_LATE] = {"late",
                     "batches came more than 10 minutes late; they are counted "
                     "and marked"},
    [REASON_KEPT] = {"kept",
                     "batches came more than 72 hours late; they are kept and "
                     "not counted"},
    [REASON_SIGNATURE] = {"signature", "the signature is wrong"},
    [REASON_FUTURE] = {"future", "it is dated more than 5 minutes in the "
                                 "future"},
    [REASON_RANGE] = {"range", "a time or a count is impossible"},
    [REASON_CONFLICT] = {"conflict", "another batch with this sequence is in "
                                     "the ledger"},
    [REASON_GAP] = {"gap", "batches before this one are missing"},
    [REASON_FORK] = {"fork", "it does not follow the batch before it"},
    [REASON_STALE] = {"stale", "its times reach too far beyond its period; "
                               "kept, not counted"},
    [REASON_FIELDS] = {"fields", "records or fields outside the closed list "
                                 "were dropped"},
    [REASON_REORDER] = {"reorder", "it came after a later one of its chain"},
    [REASON_CHALLENGE] = {"challenge", "its challenge is forged, or another "
                                       "probe's"},
    [REASON_STALE_CHALLENGE] = {"stale-challenge",
                                "its challenge is older than that of the batch "
                                "before it"},
    [REASON_BACKDATED] = {"backdated", "it was made more than 10 minutes after "
                                       "the period it claims"},
    [REASON_CLOCK] = {"clock",
                      "the probe's clock is off by more than a minute"},
    [REASON_REGISTRY_UNKNOWN] = {"registry", "its list of endpoints was never "
                                             "published"},
    [REASON_REGISTRY_OLD] = {"registry-old",
                             "its list of endpoints was replaced "
                             "more than 24 hours before"},
    [REASON_CONTENT] = {"content", "its records are not what was signed"},
    [REASON_MALFORMED] = {"malformed", "the data is not a batch"},
    [REASON_CELLS] = {"cells", "its records reach into more 5 minutes than one "
                               "batch may"},
    [REASON_OVERLAP] = {"overlap", "another start of this probe reported "
                                   "about the same time"},
    [REASON_CLONE] = {"clone", "a start of this probe that was over goes on: "
                               "two machines use its key"},
    [REASON_ROLLBACK] = {"rollback", "the log is not the one that was signed"},
    [REASON_UNATTRIBUTED] = {"unattributed", "records of a carrier belong to "
                                             "nobody that is known"},
    [REASON_FOREIGN] = {"foreign", "a supplier's probe reports about endpoints "
                                   "of others"},
};

const char *intake_reason_kind(enum intake_reason reason)
{
    return REASONS[reason].kind;
}

const char *intake_reason_text(enum intake_reason reason)
{
    return REASONS[reason].text;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct intake_span intake_span_of(const struct batch_reader *reader)
{
    struct intake_span span = {0};
    for (size_t i = 0; i < batch_reader_count(reader); i++) {
        const struct flow_record *r = batch_reader_record(reader, i);
        if (i == 0 || r->start_ms < span.oldest_start_ms)
            span.oldest_start_ms = r->start_ms;
        if (i == 0 || r->end_ms > span.newest_end_ms)
            span.newest_end_ms = r->end_ms;
        const uint64_t counts[] = {r->octets,  r->packets,  r->payload,
                                   r->roctets, r->rpackets, r->rpayload};
        for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
            span.largest = larger(span.largest, counts[k]);
    }
    return span;
}

/* Demo data may be of any past, never of the future either. */
static bool is_in_future(const struct intake_facts *f)
{
    int64_t limit_ms = wall_to_ms(f->now) + INTAKE_FUTURE_S * INT64_C(1000);
    return f->info->period_end_ms > limit_ms ||
           f->info->period_start_ms > limit_ms ||
           f->span.newest_end_ms > limit_ms;
}

static bool is_impossible(const struct intake_facts *f)
{
    const struct batch_info *i = f->info;
    const uint64_t counts[] = {
        i->sequence,     i->packets_seen, i->packets_dropped, i->flows_evicted,
        i->batches_lost, i->octets,       i->packets};
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
        if (counts[k] > INT64_MAX)
            return true;
    return i->period_start_ms < 0 || i->period_end_ms < i->period_start_ms ||
           i->sequence == 0 || f->span.oldest_start_ms < 0 ||
           f->span.largest > INTAKE_RECORD_OCTETS_MAX;
}

enum intake_reason intake_admit(const struct intake_facts *facts)
{
    const struct intake_facts *f = facts;
    if (f->peer_name != NULL && strcmp(f->peer_name, f->info->probe_id) != 0)
        return REASON_IDENTITY;
    if (f->probe == NULL)
        return REASON_UNKNOWN;
    if (f->probe->has_denied_at && f->now.us >= f->probe->denied_at.us)
        return REASON_DENIED;
    if (f->now.us < f->probe->agreed_at.us)
        return REASON_INACTIVE;
    if (f->probe->is_sample && !f->accept_sample)
        return REASON_SAMPLE;
    if (f->signature != BATCH_OK)
        return REASON_SIGNATURE;
    if (is_impossible(f))
        return REASON_RANGE;
    return is_in_future(f) ? REASON_FUTURE : REASON_NONE;
}

static bool is_stale(const struct intake_facts *f)
{
    const int64_t reach_ms = INTAKE_REACH_S * INT64_C(1000);
    int64_t start_ms = f->info->period_start_ms;
    return f->info->period_end_ms - start_ms > reach_ms ||
           (f->span.newest_end_ms > 0 &&
            (f->span.oldest_start_ms < start_ms - reach_ms ||
             f->span.newest_end_ms > f->info->period_end_ms + reach_ms));
}

static bool is_fork(const struct intake_facts *f,
                    const struct intake_neighbours *near)
{
    static const struct digest none = {{0}};
    if (f->info->sequence == 1 && !digest_equal(f->info->previous_hash, none))
        return true;
    if (near->has_before &&
        !digest_equal(near->before_hash, f->info->previous_hash))
        return true;
    return near->has_after && !digest_equal(near->after_previous, f->hash);
}

static bool is_off(int64_t offset_ms)
{
    const int64_t limit_ms = INTAKE_CLOCK_S * INT64_C(1000);
    return offset_ms != CLOCK_OFFSET_UNKNOWN &&
           (offset_ms > limit_ms || offset_ms < -limit_ms);
}

/* A probe names the latest challenge that it has, so within a chain they never
 * get older, offline or not; and none is younger than the end of its period. */
static enum intake_reason
look_at_challenge(const struct intake_facts *f,
                  const struct intake_neighbours *near)
{
    if (f->is_challenge_forged)
        return REASON_CHALLENGE;
    if (f->challenge_ms == 0)
        return REASON_NONE;
    if (f->challenge_ms - f->info->period_end_ms >
        INTAKE_LATE_S * INT64_C(1000))
        return REASON_BACKDATED;
    return near->has_before && f->challenge_ms < near->before_challenge_ms
               ? REASON_STALE_CHALLENGE
               : REASON_NONE;
}

static enum intake_reason look_at_registry(const struct intake_facts *f)
{
    if (f->registry_age == REGISTRY_NO_VERSION)
        return REASON_REGISTRY_UNKNOWN;
    bool is_old = f->registry_age == REGISTRY_REPLACED &&
                  f->info->period_start_ms - f->registry_replaced_ms >
                      INTAKE_REGISTRY_S * INT64_C(1000);
    return is_old ? REASON_REGISTRY_OLD : REASON_NONE;
}

static void add_notes(const struct intake_facts *f,
                      const struct intake_neighbours *near,
                      struct intake_decision *d)
{
    const enum intake_reason found[] = {
        look_at_challenge(f, near),
        look_at_registry(f),
        is_off(f->info->clock_offset_ms) && near->has_before &&
                is_off(near->before_clock_offset_ms)
            ? REASON_CLOCK
            : REASON_NONE,
        near->is_return ? REASON_CLONE : REASON_NONE,
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
        if (found[i] != REASON_NONE)
            d->notes[count++] = found[i];
}

struct intake_decision intake_place(const struct intake_facts *facts,
                                    const struct intake_neighbours *near)
{
    const struct intake_facts *f = facts;
    struct intake_decision d = {
        .verdict = INTAKE_COUNT,
        .received =
            f->probe->is_sample ? wall_from_ms(f->info->period_end_ms) : f->now,
    };
    if (near->has_same) {
        bool is_equal = digest_equal(near->same_hash, f->hash);
        d.verdict = is_equal ? INTAKE_REPEATED : INTAKE_REFUSE;
        d.reason = is_equal ? REASON_NONE : REASON_CONFLICT;
        return d;
    }
    d.is_gap = f->info->sequence > near->highest + 1;
    d.is_fork = is_fork(f, near);
    d.is_overlap = near->overlap_ms > INTAKE_OVERLAP_S * INT64_C(1000);
    d.is_reorder = f->info->sequence < near->highest;
    if (!f->probe->is_sample)
        add_notes(f, near, &d);
    /* Files of carriers come when they come; nobody waits for them. */
    int64_t late_ms = f->probe->source == SOURCE_CARRIER
                          ? 0
                          : wall_to_ms(d.received) - f->info->period_end_ms;
    d.is_late = late_ms > INTAKE_LATE_S * INT64_C(1000);
    if (is_stale(f)) {
        d.verdict = INTAKE_KEEP;
        d.reason = REASON_STALE;
    } else if (late_ms > INTAKE_KEPT_S * INT64_C(1000)) {
        d.verdict = INTAKE_KEEP;
    } else if (d.is_late) {
        d.verdict = INTAKE_LATE;
    }
    return d;
}
