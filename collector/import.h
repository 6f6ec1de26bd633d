/*
 * Import: signed batches from files, through the same intake as those from the
 * network. A file holds one batch or many in a row; a folder is read with
 * everything in it, in the order of names. Many batches make one transaction.
 */
#ifndef COLLECTOR_IMPORT_H
#define COLLECTOR_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/store.h"
#include "common/log.h"

/* What a file is. Whom a batch speaks for is said by the registry alone. */
enum import_form {
    IMPORT_BATCHES,     /* signed, of probes */
    IMPORT_ROUTER,      /* messages of an exporter (import_router.h) */
    IMPORT_CARRIER_CSV, /* a carrier's records (carrier.h) */
    IMPORT_CARRIER_IPFIX,
    IMPORT_NUMBERS, /* a carrier's numbers over time (number_import.h) */
};

/* A kind of source, named with --as. */
struct import_source {
    const char *name;
    enum import_form form;
};
extern const struct import_source import_sources[];
extern const size_t import_source_count;
/* NULL when there is none of that name. */
const struct import_source *import_source_find(const char *name);

struct import_result {
    uint64_t files, bad_files; /* bad: unreadable, or not batches to the end */
    uint64_t batches;
};

/* Takes all files. False when it had to stop (the store failed); what was
 * committed until then stays and is not counted again by another import. */
bool import_files(struct store *store, char *const *paths, size_t count,
                  struct import_result *result, struct error_text *error);

#endif
