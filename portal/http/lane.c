#include "portal/http/lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lane_job *first, *last;
    bool is_ending;
    unsigned count;
    pthread_t threads[];
};

/* The next job, NULL when there will be none. */
static struct lane_job *take(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    while (lane->first == NULL && !lane->is_ending)
        pthread_cond_wait(&lane->changed, &lane->lock);
    struct lane_job *job = lane->first;
    if (job != NULL)
        lane->first = job->next;
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *work(void *context)
{
    struct lane *lane = context;
    struct lane_job *job;
    while ((job = take(lane)) != NULL)
        job->run(job);
    return NULL;
}

struct lane *lane_start(unsigned threads, struct error_text *error)
{
    struct lane *lane =
        calloc(1, sizeof(*lane) + threads * sizeof(lane->threads[0]));
    if (lane == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->changed, NULL);
    while (lane->count < threads) {
        int problem =
            pthread_create(&lane->threads[lane->count], NULL, work, lane);
        if (problem != 0) {
            error_set(error, "no thread: %s", strerror(problem));
            lane_stop(lane);
            return NULL;
        }
        lane->count++;
    }
    return lane;
}

void lane_put(struct lane *lane, struct lane_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&lane->lock);
    if (lane->first == NULL)
        lane->first = job;
    else
        lane->last->next = job;
    lane->last = job;
    pthread_cond_signal(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
}

void lane_stop(struct lane *lane)
{
    if (lane == NULL)
        return;
    pthread_mutex_lock(&lane->lock);
    lane->is_ending = true;
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    for (unsigned i = 0; i < lane->count; i++)
        pthread_join(lane->threads[i], NULL);
    pthread_cond_destroy(&lane->changed);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}
