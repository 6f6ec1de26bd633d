/*
 * `yz-collector check`: do ledger, chains, archive, Merkle leaves, flow detail
 * and usage agree? Everything is computed again from the archived batches; the
 * first disagreement is named. Only reads, also beside a running collector.
 */
#ifndef LEDGER_CHECK_H
#define LEDGER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/schema.h"
#include "common/digest.h"
#include "common/log.h"

struct check_result {
    uint64_t batches, kept, records, probes, bytes;
    uint64_t missing; /* sequence numbers that never came */
    uint64_t forks;
    uint64_t loose_bytes; /* in the archive behind the last known batch: what
                             a crash left, or what is being written now */
    struct digest root;
};

/* False with the first disagreement, or with what could not be read. */
bool check_all(const struct ledger_paths *paths, struct check_result *result,
               struct error_text *error);

#endif
