/* A list under a lock. Storing works on a list of its own, so producers wait
 * for no disk. */
#include "collector/source_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct waiting {
    struct waiting *next;
    struct registry_probe own;
    size_t length;
    uint8_t bytes[];
};

struct source_queue {
    pthread_mutex_t lock;
    pthread_cond_t has_room;
    struct waiting *first, **end;
    size_t bytes;
    bool is_wide;
    struct batch_reader *reader; /* the storing thread's */
    struct waiting *storing;     /* taken out and not stored yet */
};

struct source_queue *source_queue_new(void)
{
    struct source_queue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    q->reader = batch_reader_new();
    if (q->reader == NULL) {
        free(q);
        return NULL;
    }
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->has_room, NULL);
    q->end = &q->first;
    return q;
}

static void free_list(struct waiting *first)
{
    for (struct waiting *w = first, *next; w != NULL; w = next) {
        next = w->next;
        free(w);
    }
}

void source_queue_free(struct source_queue *queue)
{
    if (queue == NULL)
        return;
    free_list(queue->storing);
    free_list(queue->first);
    batch_reader_free(queue->reader);
    pthread_cond_destroy(&queue->has_room);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

bool source_queue_push(void *queue, const struct registry_probe *own,
                       struct slice batch)
{
    struct source_queue *q = queue;
    struct waiting *w = malloc(sizeof(*w) + batch.length);
    if (w == NULL)
        return false;
    w->next = NULL;
    w->own = *own;
    w->length = batch.length;
    memcpy(w->bytes, batch.data, batch.length);
    pthread_mutex_lock(&q->lock);
    while (q->bytes > SOURCE_QUEUE_BYTES && !q->is_wide)
        pthread_cond_wait(&q->has_room, &q->lock);
    *q->end = w;
    q->end = &w->next;
    q->bytes += w->length;
    pthread_mutex_unlock(&q->lock);
    return true;
}

void source_queue_open_wide(struct source_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_wide = true;
    pthread_cond_broadcast(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

/* What waits is taken out; it is the storing thread's until it is stored. */
static void take_out(struct source_queue *q)
{
    if (q->storing != NULL)
        return;
    pthread_mutex_lock(&q->lock);
    q->storing = q->first;
    q->first = NULL;
    q->end = &q->first;
    q->bytes = 0;
    pthread_cond_broadcast(&q->has_room);
    pthread_mutex_unlock(&q->lock);
}

bool source_queue_is_empty(struct source_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool is_empty = queue->first == NULL && queue->storing == NULL;
    pthread_mutex_unlock(&queue->lock);
    return is_empty;
}

bool source_queue_store(struct source_queue *queue, struct store *store)
{
    struct source_queue *q = queue;
    take_out(q);
    if (q->storing == NULL)
        return true;
    if (!store_begin(store))
        return false;
    for (struct waiting *w = q->storing; w != NULL; w = w->next) {
        struct receipt receipt;
        if (source_take(store, q->reader, &w->own,
                        slice_of_bytes(w->bytes, w->length), wall_now(),
                        &receipt) == TAKE_GROUP_FAILED) {
            store_rollback(store);
            return false;
        }
    }
    if (!store_commit(store))
        return false;
    free_list(q->storing);
    q->storing = NULL;
    return true;
}
