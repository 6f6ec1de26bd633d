/* The connection records of a counted batch, read from usage.db: the one place
 * for those who need them again (matching, usage by number). */
#ifndef COLLECTOR_LEDGER_DETAIL_READ_H
#define COLLECTOR_LEDGER_DETAIL_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/db.h"
#include "common/wire/flow_record.h"

struct detail_reader;
struct detail_reader *detail_reader_new(struct db *db); /* NULL: no memory */
void detail_reader_free(struct detail_reader *reader);
/* The records, until the next call; none when their time is over (PRIV-05).
 * False when they cannot be read, or are not what was written. */
bool detail_reader_batch(struct detail_reader *reader, uint64_t ledger_index,
                         const struct flow_record **records, size_t *count);

#endif
