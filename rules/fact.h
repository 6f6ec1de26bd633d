/*
 * The facts of one (enterprise, service, day): all that judging needs, and
 * little enough to keep when the connection records are gone (PRIV-05).
 *
 * Computed once from the day's connection records. Automated groups are found
 * first (a host's connections of like upload size that come like clockwork);
 * what remains is the residual, and only that is asked whether people made it.
 * The canonical form in bytes is versioned, big-endian, and the same for the
 * same facts: equal facts have equal bytes.
 */
#ifndef RULES_FACT_H
#define RULES_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/slice.h"
#include "rules/parameter.h"

enum {
    FACT_VERSION = 2,
    FACT_HOSTS_MAX = 512,
    FACT_SHAPE_MAX = 64,
    FACT_PROGRAMS_MAX = 4,
};

/* A connection record as far as facts need it. */
struct fact_flow {
    int64_t start_ms, end_ms;
    uint64_t host; /* pseudonym */
    uint64_t octets, packets, roctets, rpackets;
    uint64_t fingerprint; /* of the client program; 0: none */
    uint8_t token[16];    /* zero: none */
    uint32_t endpoint;    /* any number that tells endpoints apart */
    uint32_t rtt_us;      /* 0: unknown */
    uint8_t name_evidence, end_reason, tier;
    bool is_sample;
    bool is_shared;  /* the endpoint is: a wrong name is then no observation */
    bool is_refused; /* see flow_is_refused: no observation either */
};

/* What is known of the probes' reporting on that day. */
struct fact_coverage {
    uint32_t minutes; /* of the day, under batches that count */
    uint32_t batches, late_batches, uncounted_batches, unsynchronised_batches;
    uint64_t batches_lost, packets_dropped, flows_evicted;
    uint8_t tier; /* highest among the batches */
    bool is_sample;
};

/* One connection of a day's shape: the residual's connections with the
 * smallest hashes of (octets up, octets down), so that the same connections on
 * two days are picked on both. */
struct fact_mark {
    uint32_t size_hash;
    uint16_t minute;
};

struct fact_program {
    uint64_t fingerprint, flows;
};

struct day_fact {
    struct civil_day day;
    struct fact_coverage coverage;
    /* Two-way connections (VER-07, VER-08); continued ones count once. */
    uint64_t flows, octets, roctets;
    uint64_t one_way_flows; /* not counted anywhere else */
    uint64_t names_confirmed, names_mismatched;
    uint32_t active_minutes; /* minutes touched by a connection */
    uint32_t rtt_median_us;  /* 0: unknown */
    uint8_t tier;            /* highest among the connections */
    bool is_sample;          /* any demo data, coverage included */

    uint64_t automated_flows, automated_groups;
    uint64_t residual_flows;
    uint64_t sizes, residual_sizes; /* different (up, down) */
    int32_t beacon_permille; /* median host's score in the residual; -1: none */
    int32_t fano_permille;   /* of the residual; -1: none */
    uint32_t shape_count;
    struct fact_mark shape[FACT_SHAPE_MAX]; /* by hash, minute */
    uint64_t shape_hash; /* over the whole residual: equal days, equal hash */

    uint64_t host_count; /* exact */
    uint32_t hosts_kept;
    uint64_t hosts[FACT_HOSTS_MAX]; /* the smallest ones, ascending */
    uint64_t program_flows;         /* connections with a fingerprint */
    uint32_t program_count;
    struct fact_program programs[FACT_PROGRAMS_MAX]; /* most used first */

    uint64_t token_flows;      /* connections with a token */
    uint64_t tokens_repeated;  /* seen again in this enterprise (S9) */
    uint64_t tokens_elsewhere; /* seen in another enterprise (S9) */
};

/* `flows` are the day's, in any order, and are reordered. Token repeats are
 * left zero: they need other days. False only without memory. */
bool fact_compute(struct civil_day day, struct fact_flow *flows, size_t count,
                  const struct fact_coverage *coverage,
                  const struct parameters *parameters, struct day_fact *fact);

void fact_encode(const struct day_fact *fact, struct buffer *out);
/* False unless it is the canonical form of a fact of this version. */
bool fact_decode(struct slice data, struct day_fact *fact);

/* Share, in permille, of the smaller day's marks that the other has within one
 * minute; 0 when either has none. */
uint32_t fact_shape_likeness(const struct day_fact *a,
                             const struct day_fact *b);

#endif
