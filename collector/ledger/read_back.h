/* Reading a batch of the ledger back from the archive, and holding it against
 * its row: what `check` and `rebuild` stand on. */
#ifndef COLLECTOR_LEDGER_READ_BACK_H
#define COLLECTOR_LEDGER_READ_BACK_H

#include <stdbool.h>

#include "collector/ledger/archive.h"
#include "collector/ledger/ledger.h"
#include "common/buffer.h"
#include "common/log.h"
#include "common/wire/batch.h"

struct read_back {
    struct archive *archive; /* borrowed */
    struct buffer bytes;
    struct batch_reader *reader; /* holds the batch read last */
    bool is_unsigned; /* it is whole, and not signed by the row's key */
};

/* False without memory. */
bool read_back_init(struct read_back *rb, struct archive *archive);
void read_back_clear(struct read_back *rb);
/* Reads, decodes and verifies the row's batch: its hash, its signature with
 * the key the ledger names, and every number the row repeats. False with a
 * reason. */
bool read_back_batch(struct read_back *rb, const struct ledger_row *row,
                     struct error_text *error);

#endif
