#include "collector/source_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct source_queue {
    struct committer *committer;
    pthread_mutex_t lock;
    pthread_cond_t has_room;
    size_t bytes; /* on their way */
    bool is_wide;
    uint64_t lost;
};

/* One batch on its way. */
struct errand {
    struct commit_job job;
    struct source_queue *queue;
    struct registry_probe own;
    struct batch_reader *reader;
    size_t bytes;
};

struct source_queue *source_queue_new(struct committer *committer)
{
    struct source_queue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    q->committer = committer;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->has_room, NULL);
    return q;
}

void source_queue_free(struct source_queue *queue)
{
    if (queue == NULL)
        return;
    if (queue->lost > 0)
        log_warn("%llu batches of routers could not be stored",
                 (unsigned long long)queue->lost);
    pthread_cond_destroy(&queue->has_room);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* In the committer's thread, or in the producer's when nothing was sent. */
static void come_back(struct commit_job *job)
{
    struct errand *e = job->owner;
    struct source_queue *q = e->queue;
    pthread_mutex_lock(&q->lock);
    q->bytes -= e->bytes;
    q->lost += job->status != TAKE_DONE;
    pthread_cond_broadcast(&q->has_room);
    pthread_mutex_unlock(&q->lock);
    prepared_clear(&job->prepared);
    batch_reader_free(e->reader);
    free(e);
}

static struct errand *errand_new(struct source_queue *q,
                                 const struct registry_probe *own,
                                 struct slice batch)
{
    struct errand *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return NULL;
    e->queue = q;
    e->own = *own;
    e->bytes = batch.length;
    prepared_init(&e->job.prepared);
    e->job.owner = e;
    e->job.done = come_back;
    e->job.status = TAKE_GROUP_FAILED;
    e->reader = batch_reader_new();
    return e;
}

bool source_queue_push(void *queue, const struct registry_probe *own,
                       struct slice batch)
{
    struct source_queue *q = queue;
    struct errand *e = errand_new(q, own, batch);
    if (e == NULL)
        return false;
    pthread_mutex_lock(&q->lock);
    while (q->bytes > SOURCE_QUEUE_BYTES && !q->is_wide)
        pthread_cond_wait(&q->has_room, &q->lock);
    q->bytes += e->bytes;
    pthread_mutex_unlock(&q->lock);
    if (e->reader == NULL || !source_read(e->reader, batch, &e->job.content)) {
        come_back(&e->job);
        return false;
    }
    e->job.origin = source_origin(&e->own);
    e->job.reader = e->reader;
    committer_submit(q->committer, &e->job);
    return true;
}

void source_queue_open_wide(struct source_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_wide = true;
    pthread_cond_broadcast(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}
