/*
 * The decision about one batch: pure, from facts to a verdict.
 *
 * Two questions in a row. intake_admit() asks whether the batch may be looked
 * at: who sends it, is it theirs, is the signature right, are its times and
 * sums possible (VER-18, VER-19). intake_place() asks where it belongs: seen
 * before, other content under a known sequence, late, too late, a gap or a
 * fork in its chain.
 *
 * The receive time decides about late and too late. For a probe registered as
 * demo data the receive time is its batch's period end.
 */
#ifndef COLLECTOR_LEDGER_INTAKE_H
#define COLLECTOR_LEDGER_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/probe_directory.h"
#include "collector/ledger/published_version.h"
#include "common/clock.h"
#include "common/wire/batch.h"

enum {
    INTAKE_LATE_S = 10 * 60,       /* after the period's end: late */
    INTAKE_KEPT_S = 72 * 3600,     /* kept, not counted */
    INTAKE_FUTURE_S = 5 * 60,      /* refused (VER-19) */
    INTAKE_OVERLAP_S = 10,         /* of two boots of a probe: noted */
    INTAKE_REACH_S = 24 * 3600,    /* longest period, and how far outside of
                                      it a record may reach */
    INTAKE_CLOCK_S = 60,           /* an offset to be told, twice in a row */
    INTAKE_REGISTRY_S = 24 * 3600, /* a list may be used after a newer one */
};
/* No line of today moves as much in one record, and no sum of such records
 * of one batch leaves 62 bits. */
static const uint64_t INTAKE_RECORD_OCTETS_MAX = UINT64_C(1) << 42;

/* What of the records matters to the decision; gathered in one pass. */
struct intake_span {
    int64_t oldest_start_ms, newest_end_ms; /* 0, 0 without records */
    uint64_t largest; /* largest of all octet, packet and payload counts */
};
struct intake_span intake_span_of(const struct batch_reader *reader);

/* What the ledger knows around this batch's place in its chain. */
struct intake_neighbours {
    bool has_same; /* a batch with this probe, boot and sequence */
    struct digest same_hash;
    uint64_t same_index;
    struct wall_time same_received;
    bool has_before; /* the one with sequence - 1 */
    struct digest before_hash;
    int64_t before_challenge_ms;    /* 0: none */
    int64_t before_clock_offset_ms; /* or CLOCK_OFFSET_UNKNOWN */
    bool has_after;                 /* the one with sequence + 1 */
    struct digest after_previous;   /* what it names as previous */
    uint64_t highest;               /* highest sequence of this boot, 0: none */
    /* For how long a batch of another boot of this probe covers the same
     * time. */
    int64_t overlap_ms;
    /* Its boot was over: another had begun, and was alive since (boot.h). */
    bool is_return;
};

struct intake_facts {
    const struct batch_info *info;
    struct digest hash;
    const char *peer_name; /* of the certificate; NULL: from a file */
    const struct registry_probe *probe; /* NULL: not registered */
    enum batch_status signature;
    struct intake_span span;
    bool accept_sample;
    bool is_challenge_forged;
    int64_t challenge_ms; /* when it was made; 0: none, or not looked at */
    enum registry_age registry_age;
    int64_t registry_replaced_ms;
    struct wall_time now;
};

enum intake_verdict {
    INTAKE_COUNT,
    INTAKE_LATE,     /* counted, marked */
    INTAKE_KEEP,     /* in ledger and archive, not counted */
    INTAKE_REPEATED, /* had it; nothing happens */
    INTAKE_REFUSE,
};

/* Why, each with a word for the event's kind and a sentence. Up to
 * REASON_SIGNATURE they are about the sender, behind it about one batch. */
enum intake_reason {
    REASON_NONE,
    REASON_IDENTITY, /* the certificate names another probe */
    REASON_UNKNOWN,
    REASON_DENIED,
    REASON_INACTIVE, /* the enterprise's agreement is not in force yet */
    REASON_SAMPLE,
    REASON_REPEATED, /* had it; so far one event a day is enough */
    REASON_LATE,     /* more than 10 minutes: counted, marked */
    REASON_KEPT,     /* more than 72 hours: kept, not counted */
    REASON_SIGNATURE,
    REASON_FUTURE,
    REASON_RANGE,
    REASON_CONFLICT,
    REASON_GAP,
    REASON_FORK,
    REASON_STALE,
    REASON_FIELDS,
    REASON_REORDER,         /* it came after a later one of its chain */
    REASON_CHALLENGE,       /* forged, or of another probe */
    REASON_STALE_CHALLENGE, /* older than the one of an earlier batch */
    REASON_BACKDATED,       /* its challenge was made after its period */
    REASON_CLOCK,
    REASON_REGISTRY_UNKNOWN,
    REASON_REGISTRY_OLD,
    REASON_CONTENT,
    REASON_CELLS,
    REASON_OVERLAP,
    REASON_CLONE, /* two boots of a probe are alive in turns */
    REASON_MALFORMED,
    REASON_ROLLBACK, /* of usage.db; checkpoint.h */
    /* Not of batches: */
    REASON_UNATTRIBUTED, /* carriers' records that are nobody's */
    REASON_FOREIGN,      /* a supplier's probe about others' endpoints */
    REASON_COUNT,
};
const char *intake_reason_kind(enum intake_reason reason);
const char *intake_reason_text(enum intake_reason reason);

/* REASON_NONE: admitted. Looks at nothing that the signature covers before
 * the signature is known to be right, except the probe's name. */
enum intake_reason intake_admit(const struct intake_facts *facts);

struct intake_decision {
    enum intake_verdict verdict;
    enum intake_reason reason; /* of a refusal, or of keeping; else NONE */
    bool is_late;              /* more than 10 minutes */
    /* To be noted; the batch counts all the same. */
    bool is_gap, is_fork, is_overlap, is_reorder;
    enum intake_reason notes[5]; /* further ones, REASON_NONE behind the last */
    struct wall_time received;
};
/* For an admitted batch. */
struct intake_decision intake_place(const struct intake_facts *facts,
                                    const struct intake_neighbours *near);

#endif
