/*
 * The thread waits on a condition with the monotonic clock, so that a step of
 * the wall clock neither hurries nor delays it. Failing is logged once, until
 * it works again.
 */
#include "collector/log_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/ledger/ledger.h"
#include "collector/ledger/schema.h"
#include "collector/tlog/log_checkpoint.h"
#include "collector/tlog/log_tree.h"
#include "common/clock.h"

enum {
    RETRY_S = 60, /* after a failure that may go away */
    FIRST_S = 5,  /* the first batches of a log are signed so soon */
};

struct log_keeper {
    const struct collector_config *config;
    struct log_settings settings;
    char folder[PATH_MAX];
    struct db *db; /* of the thread */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool is_stopping;
    bool is_ill;
    struct error_text why;
};

void log_folder_of(const struct collector_config *config,
                   char folder[static PATH_MAX])
{
    int length =
        config->checkpoints[0] != '\0'
            ? snprintf(folder, PATH_MAX, "%s", config->checkpoints)
            : snprintf(folder, PATH_MAX, "%s.checkpoints", config->usage_db);
    if (length < 0 || length >= PATH_MAX)
        fatal(2, "checkpoints: too long a path");
}

struct sign_key *log_key_load(const struct collector_config *config,
                              struct error_text *error)
{
    if (!note_name_is_valid(config->log_origin)) {
        error_set(error,
                  "log_origin: '%s' is no name: visible ASCII without "
                  "blanks and '+'",
                  config->log_origin);
        return NULL;
    }
    return sign_key_load(config->log_key[0] != '\0' ? config->log_key
                                                    : config->receipt_key,
                         error);
}

/* A key that cannot be read is who signs' to complain about. */
static bool key_fits(const struct collector_config *config, struct db *db,
                     struct error_text *error)
{
    struct note_key log;
    struct error_text unused;
    struct sign_key *key = log_key_load(config, &unused);
    bool good = key == NULL ||
                !note_key_of(key, config->log_origin, false, &log, &unused) ||
                log_checkpoint_key_fits(db, &log, error);
    sign_key_free(key);
    return good;
}

bool log_guard(const struct collector_config *config, struct error_text *error)
{
    char folder[PATH_MAX];
    struct error_text why;
    struct db *db = NULL;
    log_folder_of(config, folder);
    /* One that cannot be opened is the store's to complain about. */
    if (access(config->usage_db, F_OK) == 0 &&
        (db = db_open(config->usage_db, DB_READ, ledger_migrations,
                      ledger_migration_count, &why)) == NULL)
        return true;
    bool is_same_log = db == NULL || key_fits(config, db, error);
    bool good = is_same_log &&
                log_checkpoint_guard(db, folder, config->log_origin, &why);
    db_close(db);
    if (!is_same_log)
        return false;
    return good || error_set(error,
                             "%s; if usage.db is from a backup, see FILES in "
                             "yz-collector(1)",
                             why.text);
}

static void note_rollback(struct log_keeper *k, const char *why)
{
    const struct ledger_event event = {
        .reason = REASON_ROLLBACK, .probe_id = "", .detail = why};
    bool is_new;
    if (!ledger_add_event(k->db, &event, wall_now(), &is_new))
        log_warn("the event could not be stored: %s", db_error(k->db));
}

static void set_health(struct log_keeper *k, bool is_ill, const char *why)
{
    pthread_mutex_lock(&k->lock);
    bool is_news = is_ill && !k->is_ill;
    k->is_ill = is_ill;
    error_set(&k->why, "%s", why);
    pthread_mutex_unlock(&k->lock);
    if (is_news)
        log_error("no checkpoint is signed: %s", why);
}

bool log_keeper_is_well(struct log_keeper *keeper, struct error_text *why)
{
    pthread_mutex_lock(&keeper->lock);
    bool is_well = !keeper->is_ill;
    *why = keeper->why;
    pthread_mutex_unlock(&keeper->lock);
    return is_well;
}

/* Seconds until the next attempt. */
static int64_t make_checkpoint(struct log_keeper *k)
{
    struct checkpoint made;
    struct error_text why = {""};
    int64_t period_s = (int64_t)k->config->checkpoint_minutes * 60;
    enum log_checkpoint_status status =
        log_checkpoint_make(k->db, &k->settings, wall_now(), &made, &why);
    set_health(k, status != LOG_CHECKPOINT_MADE, why.text);
    if (status == LOG_CHECKPOINT_MADE)
        log_info("checkpoint %llu signed over %llu batches",
                 (unsigned long long)made.number,
                 (unsigned long long)made.size);
    if (status == LOG_CHECKPOINT_ROLLBACK)
        note_rollback(k, why.text);
    return status == LOG_CHECKPOINT_FAILED ? RETRY_S : period_s;
}

/* Has anything come since the last checkpoint? */
static bool has_news(struct log_keeper *k)
{
    struct checkpoint last;
    uint64_t size;
    bool found;
    if (!log_tree_size(k->db, &size) ||
        !log_checkpoint_last(k->db, &last, &found))
        return true; /* making one says what is wrong */
    return size != (found ? last.size : 0);
}

/* A log without batches has nothing to sign, and no checkpoint: the start was
 * refused otherwise (log_guard). */
static bool is_empty(struct log_keeper *k)
{
    struct checkpoint last;
    bool found;
    return !has_news(k) && log_checkpoint_last(k->db, &last, &found) && !found;
}

/* Seconds from now to the first one: a period after the last. */
static int64_t first_wait_s(struct log_keeper *k)
{
    struct checkpoint last;
    bool found;
    int64_t period_s = (int64_t)k->config->checkpoint_minutes * 60;
    if (!log_checkpoint_last(k->db, &last, &found) || !found)
        return FIRST_S;
    if (!last.has_time)
        return period_s;
    int64_t left_s = wall_to_s(last.made) + period_s - wall_to_s(wall_now());
    if (left_s > period_s) /* the clock was set back */
        return period_s;
    return left_s > 0 ? left_s : 0;
}

/* False when it is time to stop. */
static bool wait_for(struct log_keeper *k, int64_t seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&k->lock);
    int result = 0;
    while (!k->is_stopping && result == 0)
        result = pthread_cond_timedwait(&k->wake, &k->lock, &until);
    bool go_on = !k->is_stopping;
    pthread_mutex_unlock(&k->lock);
    return go_on;
}

static void *keep(void *context)
{
    struct log_keeper *k = context;
    int64_t wait_s = first_wait_s(k);
    bool has_begun = wait_s != FIRST_S;
    while (wait_for(k, wait_s)) {
        has_begun = has_begun || !is_empty(k);
        wait_s = has_begun ? make_checkpoint(k) : FIRST_S;
    }
    if (has_news(k))
        make_checkpoint(k);
    return NULL;
}

static bool start_thread(struct log_keeper *k)
{
    pthread_condattr_t attributes;
    sigset_t all, before;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    /* Signals are for the thread that serves. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool good = pthread_create(&k->thread, NULL, keep, k) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

struct log_keeper *log_keeper_start(const struct collector_config *config,
                                    const struct sign_key *key,
                                    struct error_text *error)
{
    struct log_keeper *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    k->config = config;
    log_folder_of(config, k->folder);
    k->settings = (struct log_settings){k->folder, config->log_origin, key};
    k->db = db_open(config->usage_db, DB_WRITE, ledger_migrations,
                    ledger_migration_count, error);
    if (k->db != NULL && start_thread(k))
        return k;
    if (k->db != NULL)
        error_set(error, "no thread for the log: %s", strerror(errno));
    db_close(k->db);
    free(k);
    return NULL;
}

void log_keeper_stop(struct log_keeper *keeper)
{
    struct log_keeper *k = keeper;
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->lock);
    k->is_stopping = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    db_close(k->db);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k);
}
