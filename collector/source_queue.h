/*
 * Finished batches of the collector's own on their way from the threads that
 * make them to the one that stores them. Bounded: a producer waits while the
 * queue is full, and what it then does not read the kernel drops and counts.
 */
#ifndef COLLECTOR_SOURCE_QUEUE_H
#define COLLECTOR_SOURCE_QUEUE_H

#include <stdbool.h>

#include "collector/source_batch.h"

enum { SOURCE_QUEUE_BYTES = 64 * 1024 * 1024 };

struct source_queue;

struct source_queue *source_queue_new(void); /* NULL without memory */
void source_queue_free(struct source_queue *queue);

/* A source_batch_fn, its context the queue; copies. From any thread. */
bool source_queue_push(void *queue, const struct registry_probe *own,
                       struct slice batch);
/* From now on no producer waits: the consumer is about to join them. */
void source_queue_open_wide(struct source_queue *queue);
bool source_queue_is_empty(struct source_queue *queue);
/* Takes what waits in one transaction; what could not be stored stays. False
 * when nothing can be stored now. From the storing thread. */
bool source_queue_store(struct source_queue *queue, struct store *store);

#endif
