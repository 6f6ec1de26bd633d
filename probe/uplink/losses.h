/*
 * Batches that were given up, until a batch that says so is in the spool.
 *
 * STATE/losses has a line for each range, rewritten whole and durably before
 * the file of a lost batch is removed: a loss is never forgotten. A range is
 * taken out when the batch that carries it is on disk itself. After a crash in
 * between both are there; the spool finds the range in its newest batch then
 * and takes it out, so that it is not reported as new again.
 *
 * Ranges that follow each other are one. Past BATCH_LOSS_MAX ranges are joined
 * with what lies between them; the number of batches stays exact.
 */
#ifndef PROBE_UPLINK_LOSSES_H
#define PROBE_UPLINK_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/batch.h"

struct losses;

/* Reads STATE/losses. Lines that are none are logged and dropped. NULL without
 * memory, or when the file is there and cannot be read (errno). */
struct losses *losses_open(const char *state);
void losses_free(struct losses *losses);

/* `number` is the spool file's. False (errno) when it is in memory only for
 * now; the next change, or losses_flush(), tries again. */
bool losses_add(struct losses *losses, const struct batch_loss *loss,
                uint64_t number);
bool losses_flush(struct losses *losses);
/* The ranges that no batch carries yet, oldest first; gives their number. */
size_t losses_pending(const struct losses *losses,
                      struct batch_loss out[static BATCH_LOSS_MAX]);

/* The batch in file `number` carries these; they are not pending any more. */
void losses_carried(struct losses *losses, const struct batch_loss *carried,
                    size_t count, uint64_t number);
/* That batch is on disk: what it carries is forgotten here. */
void losses_told(struct losses *losses, uint64_t number);
/* That batch was given up: what it carried is pending again. */
void losses_untold(struct losses *losses, uint64_t number);
/* The last batch that was added with this file number? Then its file may be
 * there still, after a crash. */
bool losses_has_number(const struct losses *losses, uint64_t number);

struct losses_totals {
    uint64_t told;    /* loss records in batches on disk, since the start */
    uint64_t waiting; /* ranges for the next batch, or in one not on disk */
    uint64_t waiting_batches; /* that these ranges stand for */
};
struct losses_totals losses_totals(const struct losses *losses);

#endif
