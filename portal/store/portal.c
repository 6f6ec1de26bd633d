#include "portal/store/portal.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "portal/store/later.h"
#include "portal/store/portal_db.h"
#include "portal/store/rules_parameters.h"

enum { ARENA_LIMIT = 96 * 1024 * 1024 };

struct portal_export {
    struct portal *portal;
    char account[65]; /* "": free */
};

struct portal {
    const struct portal_config *config;
    struct parameters parameters;
    struct calendar calendar;
    struct due_terms terms; /* of the two above */
    struct portal_keys keys;
    struct proxies proxies;
    struct db *write;
    struct later *later;
    struct memo memo;
    struct attachments *attachments;
    pthread_mutex_t write_lock;
    pthread_mutex_t worker_lock;
    struct portal_worker workers[PORTAL_WORKERS];
    pthread_mutex_t export_lock;
    struct portal_export exports[PORTAL_EXPORTS_MAX];
};

static bool open_worker(struct portal_worker *worker, const char *path,
                        struct error_text *error)
{
    worker->db = db_open(path, DB_READ, NULL, 0, error);
    worker->arena = arena_new(ARENA_LIMIT);
    if (worker->db == NULL)
        return false;
    if (worker->arena == NULL)
        return error_set(error, "no memory");
    return others_open(worker->db, error);
}

struct portal *portal_open(const struct portal_config *config,
                           struct error_text *error)
{
    struct portal *portal = calloc(1, sizeof(*portal));
    if (portal == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    portal->config = config;
    pthread_mutex_init(&portal->write_lock, NULL);
    pthread_mutex_init(&portal->worker_lock, NULL);
    pthread_mutex_init(&portal->export_lock, NULL);
    memo_init(&portal->memo);
    bool good =
        rules_parameters_read(config->rules, &portal->parameters, error) &&
        rules_calendar_read(config->rules, &portal->calendar, error);
    portal->terms = (struct due_terms){&portal->parameters, &portal->calendar};
    portal->proxies.header = (enum proxy_header)config->proxy_header;
    good =
        good && proxies_read(config->trusted_proxies, &portal->proxies, error);
    if (good)
        portal->write = portal_db_open(config->portal_db, error);
    good = good && portal->write != NULL &&
           portal_keys_load(config, &portal->keys, error);
    if (good)
        portal->attachments = attachments_open(config, error);
    good = good && portal->attachments != NULL;
    for (size_t i = 0; good && i < PORTAL_WORKERS; i++)
        good = open_worker(&portal->workers[i], config->portal_db, error);
    if (good)
        portal->later = later_start(portal, error);
    if (portal->later != NULL) {
        attachments_clean(portal->attachments);
        return portal;
    }
    portal_close(portal);
    return NULL;
}

void portal_close(struct portal *portal)
{
    if (portal == NULL)
        return;
    later_stop(portal->later);
    for (size_t i = 0; i < PORTAL_WORKERS; i++) {
        db_close(portal->workers[i].db);
        arena_free(portal->workers[i].arena);
    }
    db_close(portal->write);
    attachments_close(portal->attachments);
    pthread_mutex_destroy(&portal->write_lock);
    pthread_mutex_destroy(&portal->worker_lock);
    pthread_mutex_destroy(&portal->export_lock);
    memo_clear(&portal->memo);
    free(portal);
}

const struct portal_config *portal_config_of(const struct portal *portal)
{
    return portal->config;
}

const struct parameters *portal_parameters(const struct portal *portal)
{
    return &portal->parameters;
}

const struct due_terms *portal_due_terms(const struct portal *portal)
{
    return &portal->terms;
}

const struct portal_keys *portal_keys(const struct portal *portal)
{
    return &portal->keys;
}

const struct proxies *portal_proxies(const struct portal *portal)
{
    return &portal->proxies;
}

struct attachments *portal_attachments(const struct portal *portal)
{
    return portal->attachments;
}

struct memo *portal_memo(struct portal *portal)
{
    return &portal->memo;
}

struct portal_worker *portal_take_worker(struct portal *portal)
{
    struct portal_worker *worker = NULL;
    pthread_mutex_lock(&portal->worker_lock);
    for (size_t i = 0; worker == NULL && i < PORTAL_WORKERS; i++)
        if (!portal->workers[i].is_taken)
            worker = &portal->workers[i];
    assert(worker != NULL);
    worker->is_taken = true;
    pthread_mutex_unlock(&portal->worker_lock);
    if (!others_look(worker->db, portal->config, &worker->others) ||
        !db_begin_reading(worker->db))
        log_error("%s", db_error(worker->db));
    return worker;
}

void portal_return_worker(struct portal *portal, struct portal_worker *worker)
{
    db_end_reading(worker->db);
    arena_reset(worker->arena);
    pthread_mutex_lock(&portal->worker_lock);
    worker->is_taken = false;
    pthread_mutex_unlock(&portal->worker_lock);
}

struct portal_export *portal_export_begin(struct portal *portal,
                                          const char *account)
{
    struct portal_export *export = NULL;
    bool has_one = false;
    pthread_mutex_lock(&portal->export_lock);
    for (size_t i = 0; i < PORTAL_EXPORTS_MAX; i++) {
        has_one |= strcmp(portal->exports[i].account, account) == 0;
        if (portal->exports[i].account[0] == '\0')
            export = &portal->exports[i];
    }
    if (has_one)
        export = NULL;
    if (export != NULL) {
        export->portal = portal;
        snprintf(export->account, sizeof(export->account), "%s", account);
    }
    pthread_mutex_unlock(&portal->export_lock);
    return export;
}

void portal_export_end(void *of)
{
    struct portal_export *export = of;
    struct portal *portal = export->portal;
    pthread_mutex_lock(&portal->export_lock);
    export->account[0] = '\0';
    pthread_mutex_unlock(&portal->export_lock);
}

enum act_end portal_act(struct portal *portal, struct wall_time now,
                        const struct audit_entry *entry, act_fn *fn,
                        void *context, struct error_text *error)
{
    pthread_mutex_lock(&portal->write_lock);
    enum act_end end = act_on(portal->write, now, entry, fn, context, error);
    pthread_mutex_unlock(&portal->write_lock);
    if (end == ACT_FAILED)
        log_error("%s", error->text);
    return end;
}

void portal_act_later(struct portal *portal, struct wall_time now, act_fn *fn,
                      const void *context, size_t size)
{
    later_add(portal->later, now, fn, context, size);
}
