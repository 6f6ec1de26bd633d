#include "portal/store/later.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "portal/store/portal.h"

struct entry {
    struct wall_time now;
    act_fn *fn;
    alignas(max_align_t) char context[LATER_CONTEXT_MAX];
};

/* A ring. */
struct later {
    struct portal *portal;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct entry entries[LATER_MAX];
    size_t first, count;
    bool is_ending;
    pthread_t thread;
};

static bool take(struct later *later, struct entry *entry)
{
    pthread_mutex_lock(&later->lock);
    while (later->count == 0 && !later->is_ending)
        pthread_cond_wait(&later->changed, &later->lock);
    bool is_there = later->count > 0;
    if (is_there) {
        *entry = later->entries[later->first];
        later->first = (later->first + 1) % LATER_MAX;
        later->count--;
    }
    pthread_mutex_unlock(&later->lock);
    return is_there;
}

static void *work(void *context)
{
    struct later *later = context;
    struct entry entry;
    struct error_text why;
    while (take(later, &entry))
        portal_act(later->portal, entry.now, NULL, entry.fn, entry.context,
                   &why);
    return NULL;
}

struct later *later_start(struct portal *portal, struct error_text *error)
{
    struct later *later = calloc(1, sizeof(*later));
    if (later == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    later->portal = portal;
    pthread_mutex_init(&later->lock, NULL);
    pthread_cond_init(&later->changed, NULL);
    int problem = pthread_create(&later->thread, NULL, work, later);
    if (problem == 0)
        return later;
    error_set(error, "no thread: %s", strerror(problem));
    pthread_cond_destroy(&later->changed);
    pthread_mutex_destroy(&later->lock);
    free(later);
    return NULL;
}

void later_add(struct later *later, struct wall_time now, act_fn *fn,
               const void *context, size_t size)
{
    assert(size <= LATER_CONTEXT_MAX);
    pthread_mutex_lock(&later->lock);
    if (later->count < LATER_MAX) {
        struct entry *entry =
            &later->entries[(later->first + later->count++) % LATER_MAX];
        entry->now = now;
        entry->fn = fn;
        memcpy(entry->context, context, size);
        pthread_cond_signal(&later->changed);
    }
    pthread_mutex_unlock(&later->lock);
}

void later_stop(struct later *later)
{
    if (later == NULL)
        return;
    pthread_mutex_lock(&later->lock);
    later->is_ending = true;
    pthread_cond_broadcast(&later->changed);
    pthread_mutex_unlock(&later->lock);
    pthread_join(later->thread, NULL);
    pthread_cond_destroy(&later->changed);
    pthread_mutex_destroy(&later->lock);
    free(later);
}
