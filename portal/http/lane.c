#include "portal/http/lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lane_job *first, *last;
    struct lane_job *later; /* the next due first */
    bool is_ending;
    int nice;
    unsigned count;
    pthread_t threads[];
};

/* With the lock: a job that is due, or the next in order; else NULL. */
static struct lane_job *next_of(struct lane *lane)
{
    struct lane_job *job = lane->later;
    if (job != NULL && (lane->is_ending || job->due.us <= mono_now().us)) {
        lane->later = job->next;
        return job;
    }
    job = lane->first;
    if (job != NULL)
        lane->first = job->next;
    return job;
}

/* With the lock, until something has changed or the next one is due. */
static void wait_for_change(struct lane *lane)
{
    if (lane->later == NULL) {
        pthread_cond_wait(&lane->changed, &lane->lock);
        return;
    }
    int64_t us = lane->later->due.us;
    struct timespec until = {.tv_sec = us / 1000000,
                             .tv_nsec = us % 1000000 * 1000};
    pthread_cond_timedwait(&lane->changed, &lane->lock, &until);
}

/* The next job, NULL when there will be none. */
static struct lane_job *take(struct lane *lane)
{
    struct lane_job *job;
    pthread_mutex_lock(&lane->lock);
    while ((job = next_of(lane)) == NULL && !lane->is_ending)
        wait_for_change(lane);
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *work(void *context)
{
    struct lane *lane = context;
    struct lane_job *job;
    /* Linux has it for each thread. Without it things are only slower. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), lane->nice);
    while ((job = take(lane)) != NULL)
        job->run(job);
    return NULL;
}

struct lane *lane_start(unsigned threads, int nice, struct error_text *error)
{
    struct lane *lane =
        calloc(1, sizeof(*lane) + threads * sizeof(lane->threads[0]));
    pthread_condattr_t clock;
    if (lane == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    lane->nice = nice;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->changed, &clock);
    pthread_condattr_destroy(&clock);
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

void lane_put_later(struct lane *lane, struct lane_job *job, unsigned wait_ms)
{
    job->due = mono_later(mono_now(), wait_ms);
    pthread_mutex_lock(&lane->lock);
    struct lane_job **place = &lane->later;
    while (*place != NULL && (*place)->due.us <= job->due.us)
        place = &(*place)->next;
    job->next = *place;
    *place = job;
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
