/*
 * Batches that wait for their receipt, on disk.
 *
 *   STATE/spool/     waiting; sent in the order of their numbers
 *   STATE/sent/      acknowledged: exact copies of what left (the glass box)
 *   STATE/refused/   the collector will never count these, or they were found
 *                    damaged; kept aside
 *
 * A file is named NUMBER-HASH.ipfix: twelve digits that only grow, and the
 * batch hash. It is written, synced and renamed before it is sent, and leaves
 * spool/ only on a receipt, a refusal, for lack of room, or damaged. Of these
 * last two a loss record is kept (losses.h) before the file goes, for the next
 * batch to carry; what a lost batch itself carried is told again. What is found
 * at start was left by an earlier run and goes first.
 *
 * When the disk does not take a batch (full, broken), it is held in memory and
 * tried again; it can be sent and acknowledged meanwhile.
 */
#ifndef PROBE_UPLINK_SPOOL_H
#define PROBE_UPLINK_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/wire/batch.h"
#include "probe/uplink/losses.h"

struct spool;

struct spool_entry {
    uint64_t number;
    struct digest hash;
    uint64_t size;
    bool is_in_memory; /* not on disk yet */
};

enum { SPOOL_MEMORY_MAX = 64 * 1024 * 1024 }; /* held while the disk is full */

/* Opens or makes the three folders. NULL with a sentence naming the folder. */
struct spool *spool_open(const char *state, uint64_t spool_bytes,
                         uint64_t sent_bytes, struct error_text *error);
void spool_close(struct spool *spool);

/* Takes the content of *batch, which is empty afterwards, and notes the loss
 * records in it as carried. False when it is in
 * memory only, for now; spool_error() has the reason. */
bool spool_add(struct spool *spool, struct buffer *batch, struct digest hash);
/* Tries again to write what is in memory only. True when nothing is left. */
bool spool_flush(struct spool *spool);
/* The last batch that was to be written could not be, even if it was delivered
 * from memory since. */
bool spool_is_failing(const struct spool *spool);
const char *spool_error(const struct spool *spool);

size_t spool_count(const struct spool *spool); /* waiting */
/* The first waiting entry with a number >= number, or NULL; valid until the
 * spool changes. */
const struct spool_entry *spool_from(const struct spool *spool,
                                     uint64_t number);
const struct spool_entry *spool_find(const struct spool *spool,
                                     struct digest hash);
enum spool_read {
    SPOOL_READ,      /* the batch as it was written */
    SPOOL_NOT_NOW,   /* no memory, no descriptor, an error of the disk: waits */
    SPOOL_SET_ASIDE, /* it was damaged or gone: in refused/, a loss */
};

/* The bytes; *batch is initialised here and checked (batch_check.h), since a
 * file that is no batch would end every connection. Faults are logged. */
enum spool_read spool_read(struct spool *spool, uint64_t number,
                           struct buffer *batch);

/* The receipt came: into sent/. */
void spool_acknowledge(struct spool *spool, uint64_t number);
/* The collector will not count it: into refused/. */
void spool_refuse(struct spool *spool, uint64_t number);
/* Losses that no batch carries yet, for the next one; gives their number. */
size_t spool_losses(const struct spool *spool,
                    struct batch_loss out[static BATCH_LOSS_MAX]);

struct spool_totals {
    uint64_t waiting, waiting_bytes, acknowledged, refused, lost;
    uint64_t bound_bytes;     /* of what waits */
    uint64_t in_memory_bytes; /* of it, since the disk does not take it */
    struct losses_totals losses;
};
struct spool_totals spool_totals(const struct spool *spool);

#endif
