#include "collector/daily.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "collector/ledger/schema.h"
#include "collector/report/match_day.h"
#include "common/db.h"

enum { MATCH_BACK_DAYS = 4, LOOK_S = 60, RETENTION_HOUR = 3 };

struct daily {
    const struct collector_config *config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_ending; /* under the lock, as the next */
    struct daily_status status;
    struct civil_day retention_day; /* the day it was last run for */
};

void daily_read(struct daily *d, struct daily_status *status)
{
    pthread_mutex_lock(&d->lock);
    *status = d->status;
    pthread_mutex_unlock(&d->lock);
}

/* --- silent probes --- */

static bool has_reported(struct db *usage, const char *probe_id,
                         struct wall_time since, bool *has)
{
    struct db_statement *s = db_prepare(
        usage, "SELECT EXISTS (SELECT 1 FROM ledger INDEXED BY "
               "ledger_by_probe WHERE probe_id = :probe AND "
               "period_start_ms >= :near AND received_us >= :since)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", probe_id);
    /* Batches that came now are of the last days (intake.h). */
    db_bind_i64(s, ":near", wall_to_ms(since) - INT64_C(4) * 86400000);
    db_bind_i64(s, ":since", since.us);
    bool good = db_step(s) == DB_ROW;
    *has = good && db_i64(s, 0) != 0;
    db_reset(s);
    return good;
}

static bool count_silent(struct db *registry, struct db *usage,
                         struct wall_time now, struct daily_status *status)
{
    struct wall_time since = {now.us - DAILY_SILENT_S * INT64_C(1000000)};
    struct db_statement *s = db_prepare(
        registry, "SELECT id FROM probe WHERE is_sample = 0 AND agreed_at < "
                  ":since AND (denied_at IS NULL OR denied_at > :now)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":since", since.us);
    db_bind_i64(s, ":now", now.us);
    enum db_step step;
    bool good = true;
    status->probes = status->silent_probes = 0;
    while (good && (step = db_step(s)) == DB_ROW) {
        bool has = false;
        good = has_reported(usage, db_text(s, 0), since, &has);
        status->probes++;
        status->silent_probes += good && !has;
    }
    db_reset(s);
    return good && step == DB_DONE;
}

static void look(struct daily *d, struct wall_time now)
{
    struct error_text error;
    struct statvfs fs;
    struct daily_status fresh;
    daily_read(d, &fresh);
    struct db *registry =
        db_open(d->config->registry, DB_READ, NULL, 0, &error);
    struct db *usage = db_open(d->config->usage_db, DB_READ, ledger_migrations,
                               ledger_migration_count, &error);
    fresh.is_registry_readable = registry != NULL;
    if (registry != NULL && usage != NULL)
        fresh.is_registry_readable = count_silent(registry, usage, now, &fresh);
    db_close(registry);
    db_close(usage);
    if (statvfs(d->config->archive, &fs) == 0)
        fresh.free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    pthread_mutex_lock(&d->lock);
    d->status = fresh;
    pthread_mutex_unlock(&d->lock);
}

/* --- retention --- */

static void log_retention(const struct retention_result *r)
{
    if (r->batches + r->segments + r->intervals > 0)
        log_info("retention: detail of %llu batches (%llu records), %llu "
                 "archive segments (%llu batches), %llu bytes, and %llu "
                 "periods of numbers deleted",
                 (unsigned long long)r->batches, (unsigned long long)r->records,
                 (unsigned long long)r->segments,
                 (unsigned long long)r->segment_batches,
                 (unsigned long long)r->bytes,
                 (unsigned long long)r->intervals);
}

static void retain(struct daily *d, struct wall_time now)
{
    const struct ledger_paths paths = {d->config->registry, d->config->usage_db,
                                       d->config->archive};
    const struct retention_plan plan = {day_of_wall(now),
                                        d->config->detail_days,
                                        d->config->archive_days, false};
    struct retention_result result;
    struct error_text error;
    bool good = retention_apply(&paths, &plan, now, &result, &error);
    if (good)
        log_retention(&result);
    else
        log_error("retention: %s", error.text);
    pthread_mutex_lock(&d->lock);
    d->status.retention_at = now;
    d->status.has_retention_failed = !good;
    d->status.retention = result;
    pthread_mutex_unlock(&d->lock);
    d->retention_day = plan.today;
}

/* At night, in Asia/Shanghai, and after a start that was late for it. */
static bool is_due(const struct daily *d, struct wall_time now)
{
    struct wall_time night = {now.us - RETENTION_HOUR * INT64_C(3600000000)};
    return day_of_wall(night).number >= d->retention_day.number + 1 ||
           (d->retention_day.number == 0);
}

static bool wait_or_end(struct daily *d)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_S;
    pthread_mutex_lock(&d->lock);
    int waited = 0;
    while (!d->is_ending && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&d->changed, &d->lock, &until);
    bool is_ending = d->is_ending;
    pthread_mutex_unlock(&d->lock);
    return is_ending;
}

/* The days that batches may still come for (72 h), and the one before: those
 * without anything new are skipped. */
static void match(struct daily *d, struct wall_time now)
{
    struct match_day_result result = {0};
    struct error_text error;
    const struct civil_day today = day_of_wall(now);
    const struct match_days days = {.from = {today.number - MATCH_BACK_DAYS},
                                    .to = today};
    struct db *db = db_open(d->config->usage_db, DB_WRITE, ledger_migrations,
                            ledger_migration_count, &error);
    if (db != NULL &&
        match_days_run(db, d->config->registry, &days, now, &result, &error)) {
        if (result.days > 0)
            log_info("suppliers' probes: %llu days matched, %llu of %llu "
                     "connections",
                     (unsigned long long)result.days,
                     (unsigned long long)result.matched,
                     (unsigned long long)result.flows);
    } else {
        log_error("suppliers' probes are not matched: %s", error.text);
    }
    db_close(db);
}

static void *run(void *context)
{
    struct daily *d = context;
    do {
        struct wall_time now = wall_now();
        look(d, now);
        if (is_due(d, now)) {
            retain(d, now);
            match(d, now);
        }
    } while (!wait_or_end(d));
    return NULL;
}

struct daily *daily_start(const struct collector_config *config,
                          struct error_text *error)
{
    struct daily *d = calloc(1, sizeof(*d));
    pthread_condattr_t attributes;
    if (d == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    d->config = config;
    d->status.is_registry_readable = true; /* it was when we started */
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int failed = pthread_create(&d->thread, NULL, run, d);
    if (failed == 0)
        return d;
    error_set(error, "no thread for retention: %s", strerror(failed));
    free(d);
    return NULL;
}

void daily_free(struct daily *d)
{
    if (d == NULL)
        return;
    pthread_mutex_lock(&d->lock);
    d->is_ending = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
