/*
 * Finished batches of the collector's own on their way from the threads that
 * make them to the one that stores them (committer.h). Bounded: a producer
 * waits while too much is on its way, and what it then does not read the kernel
 * drops and counts.
 */
#ifndef COLLECTOR_SOURCE_QUEUE_H
#define COLLECTOR_SOURCE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/committer.h"
#include "collector/ledger/source_batch.h"

enum { SOURCE_QUEUE_BYTES = 64 * 1024 * 1024 };

struct source_queue;

/* The committer is borrowed. NULL without memory. */
struct source_queue *source_queue_new(struct committer *committer);
/* All batches must be back, as they are after committer_free. Says how many
 * could not be stored: in the end the store was tried once more, no longer. */
void source_queue_free(struct source_queue *queue);

/* A source_batch_fn, its context the queue; copies. From any thread. */
bool source_queue_push(void *queue, const struct registry_probe *own,
                       struct slice batch);
/* From now on no producer waits: who stores is about to end. */
void source_queue_open_wide(struct source_queue *queue);

#endif
