/*
 * Two lists under one lock: what was submitted, and notes. The thread takes as
 * much as a group holds, works without the lock, and gives back. A group that
 * failed stays in its hands and goes first the next time, so order is kept.
 */
#include "collector/committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    GROUP_JOBS = 1024,
    GROUP_BYTES = 32 * 1024 * 1024,
    NOTES_MAX = 256,
    RETRY_S = 2,
};

const uint32_t commit_cell_ms[COMMIT_CELLS - 1] = {1,   2,   5,   10,   20,  50,
                                                   100, 200, 500, 1000, 5000};

struct note {
    struct note *next;
    enum ledger_transport transport;
    enum intake_reason reason;
    char peer_name[PROBE_ID_LEN * 2], label[80], detail[200];
};

struct job_list {
    struct commit_job *first, **end;
    size_t count;
};

struct committer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct store *store;
    struct job_list queue; /* under the lock, as all below */
    struct note *notes, **notes_end;
    size_t note_count;
    bool is_finishing, is_ending;
    struct commit_status status;
};

static void list_init(struct job_list *list)
{
    *list = (struct job_list){NULL, &list->first, 0};
}

static void list_add(struct job_list *list, struct commit_job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
    list->count++;
}

static struct commit_job *list_take(struct job_list *list)
{
    struct commit_job *job = list->first;
    list->first = job->next;
    if (list->first == NULL)
        list->end = &list->first;
    list->count--;
    return job;
}

/* --- submitting --- */

void committer_submit(struct committer *c, struct commit_job *job)
{
    pthread_mutex_lock(&c->lock);
    list_add(&c->queue, job);
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void committer_note(struct committer *c, const struct batch_origin *origin,
                    enum intake_reason reason, const char *detail)
{
    struct note *note = calloc(1, sizeof(*note));
    bool is_dropped = true;
    pthread_mutex_lock(&c->lock);
    if (note != NULL && c->note_count < NOTES_MAX) {
        note->transport = origin->transport;
        note->reason = reason;
        snprintf(note->peer_name, sizeof(note->peer_name), "%s",
                 origin->peer_name ? origin->peer_name : "");
        snprintf(note->label, sizeof(note->label), "%s", origin->label);
        snprintf(note->detail, sizeof(note->detail), "%s", detail);
        *c->notes_end = note;
        c->notes_end = &note->next;
        c->note_count++;
        is_dropped = false;
        pthread_cond_signal(&c->changed);
    }
    c->status.notes_dropped += is_dropped;
    pthread_mutex_unlock(&c->lock);
    if (is_dropped)
        free(note);
}

void committer_finish(struct committer *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_finishing = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void committer_read(struct committer *c, struct commit_status *status)
{
    pthread_mutex_lock(&c->lock);
    *status = c->status;
    status->waiting += c->queue.count;
    pthread_mutex_unlock(&c->lock);
}

/* --- the thread --- */

static void count_time(struct commit_status *s, int64_t us)
{
    size_t i = 0;
    while (i < COMMIT_CELLS - 1 && us > (int64_t)commit_cell_ms[i] * 1000)
        i++;
    s->took[i]++;
    s->took_us += (uint64_t)us;
}

static bool take_all(struct committer *c, struct job_list *group)
{
    struct wall_time now = wall_now();
    for (struct commit_job *job = group->first; job != NULL; job = job->next) {
        job->status = store_take_prepared(c->store, &job->origin, job->reader,
                                          job->content, &job->prepared, now,
                                          &job->receipt);
        if (job->status == TAKE_GROUP_FAILED)
            return false;
    }
    return true;
}

static bool store_group(struct committer *c, struct job_list *group)
{
    struct mono_time start = mono_now();
    bool good = store_begin(c->store);
    if (good && !take_all(c, group)) {
        store_rollback(c->store);
        good = false;
    }
    good = good && store_commit(c->store);
    pthread_mutex_lock(&c->lock);
    struct commit_status *s = &c->status;
    if (good) {
        s->groups++;
        s->totals = store_totals(c->store);
        s->last_group = wall_now();
        count_time(s, mono_now().us - start.us);
    } else {
        s->failed_groups++;
        if (!s->is_failing)
            s->failing_since = wall_now();
    }
    s->is_failing = !good;
    pthread_mutex_unlock(&c->lock);
    return good;
}

static void give_back(struct job_list *group, bool is_stored)
{
    while (group->count > 0) {
        struct commit_job *job = list_take(group);
        if (!is_stored)
            job->status = TAKE_GROUP_FAILED;
        job->done(job); /* the job may be gone now */
    }
}

static void write_notes(struct committer *c, struct note *notes)
{
    while (notes != NULL) {
        struct note *note = notes;
        struct batch_origin origin = {
            note->transport, note->peer_name[0] ? note->peer_name : NULL,
            note->label, NULL};
        store_note(c->store, &origin, note->reason, note->detail, wall_now());
        notes = note->next;
        free(note);
    }
    struct store_totals totals = store_totals(c->store);
    pthread_mutex_lock(&c->lock);
    c->status.totals = totals;
    pthread_mutex_unlock(&c->lock);
}

/* Waits for work; until the retry when a group failed. */
static void wait_for_work(struct committer *c, bool is_retrying)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RETRY_S;
    while (!c->is_ending && !c->is_finishing) {
        if (!is_retrying && (c->queue.count > 0 || c->notes != NULL))
            return;
        if (!is_retrying)
            pthread_cond_wait(&c->changed, &c->lock);
        else if (pthread_cond_timedwait(&c->changed, &c->lock, &until) ==
                 ETIMEDOUT)
            return;
    }
    /* Finishing: sleep only when there is nothing at all. */
    while (!c->is_ending && !is_retrying && c->queue.count == 0 &&
           c->notes == NULL)
        pthread_cond_wait(&c->changed, &c->lock);
}

static void fill_group(struct committer *c, struct job_list *group)
{
    size_t bytes = 0;
    for (struct commit_job *job = group->first; job != NULL; job = job->next)
        bytes += batch_reader_bytes(job->reader).length;
    while (c->queue.count > 0 && group->count < GROUP_JOBS &&
           bytes < GROUP_BYTES) {
        bytes += batch_reader_bytes(c->queue.first->reader).length;
        list_add(group, list_take(&c->queue));
    }
    c->status.waiting = group->count;
}

static void *run(void *context)
{
    struct committer *c = context;
    struct job_list group;
    list_init(&group);
    pthread_mutex_lock(&c->lock);
    for (;;) {
        wait_for_work(c, group.count > 0);
        if (c->is_ending && c->queue.count + group.count == 0 &&
            c->notes == NULL)
            break;
        struct note *notes = c->notes;
        c->notes = NULL;
        c->notes_end = &c->notes;
        c->note_count = 0;
        fill_group(c, &group);
        bool is_last_try = c->is_finishing || c->is_ending;
        pthread_mutex_unlock(&c->lock);
        if (notes != NULL)
            write_notes(c, notes);
        if (group.count > 0) {
            bool good = store_group(c, &group);
            if (good || is_last_try)
                give_back(&group, good);
        }
        pthread_mutex_lock(&c->lock);
        c->status.waiting = group.count;
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct committer *committer_start(struct store *store, struct error_text *error)
{
    struct committer *c = calloc(1, sizeof(*c));
    pthread_condattr_t attributes;
    if (c == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    c->store = store;
    c->notes_end = &c->notes;
    list_init(&c->queue);
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int failed = pthread_create(&c->thread, NULL, run, c);
    if (failed == 0)
        return c;
    error_set(error, "no thread for storing: %s", strerror(failed));
    free(c);
    return NULL;
}

void committer_free(struct committer *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->is_ending = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
