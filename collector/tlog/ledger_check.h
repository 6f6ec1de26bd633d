/*
 * `yz-collector check`: do ledger, chains, archive, Merkle tree, checkpoints,
 * flow detail and usage agree? Everything is computed again from the archived
 * batches; the first disagreement is named, its class in front ("edit: ",
 * "delete: ", ...; log_check.h). Only reads, also beside a running collector.
 */
#ifndef COLLECTOR_TLOG_LEDGER_CHECK_H
#define COLLECTOR_TLOG_LEDGER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/schema.h"
#include "collector/tlog/log_check.h"
#include "common/crypto/digest.h"
#include "common/log.h"

struct check_options {
    bool is_quick; /* the archive is not read, nothing is added up */
    bool has_since;
    struct wall_time since; /* only batches received since then are read */
    /* What retention may have deleted by now; 0: that is not asked. */
    struct wall_time now;
    const struct log_check_options *log; /* NULL: usage.db's own only */
};

struct check_result {
    uint64_t batches, kept, records, probes, bytes;
    uint64_t missing; /* sequence numbers that never came */
    uint64_t forks;
    uint64_t gone;        /* of the batches: their bytes went with retention */
    uint64_t loose_bytes; /* in the archive behind the last known batch: what
                             a crash left, or what is being written now */
    uint64_t read_back;   /* batches read from the archive */
    struct digest root;
    struct log_check_result log;
};

/* False with the first disagreement, or with what could not be read. */
bool ledger_check_run(const struct ledger_paths *paths,
                      const struct check_options *options,
                      struct check_result *result, struct error_text *error);
/* The whole of usage.db and the archive. */
bool ledger_check_all(const struct ledger_paths *paths,
                      struct check_result *result, struct error_text *error);

#endif
