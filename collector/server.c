/*
 * The thread that accepts also answers for metrics, sees to reload and stop,
 * and once a day has what is old enough deleted, by a thread of its own.
 * Signals come to it alone.
 */
#include "collector/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/daily.h"
#include "collector/log_keeper.h"

enum {
    WORKERS_MAX = 64,
    ACCEPTS_A_ROUND = 256,
    OVER_MAX = 256, /* connections above the most, while others are closed */
    TICK_MS = 1000,
    PAUSE_MS = 20, /* without accepting */
    POLL_MAX = METRICS_FDS + 1,
};

struct server {
    const struct collector_config *config;
    int listener;
    struct metrics_server *metrics;
    struct worker_shared shared;
    struct worker *workers[WORKERS_MAX];
    size_t worker_count;
    struct tls_context *owned; /* of the last reload; the first is borrowed */
    struct daily *daily;
    const struct server_sources *sources; /* NULL: none */
    bool has_sources;                     /* they run */
    struct log_keeper *keeper;            /* borrowed; may be NULL */
    bool is_full;                         /* of connections; logged once */
    bool is_accepting;                    /* there are descriptors */
    struct wall_time started;
};

void server_watch_log(struct server *server, struct log_keeper *keeper)
{
    server->keeper = keeper;
}

static size_t wanted_workers(const struct collector_config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t count = config->workers;
    if (count == 0)
        count = processors > 0 ? (uint64_t)processors : 1;
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    return count;
}

struct server *server_open(const struct collector_config *config,
                           struct tls_context *tls,
                           const struct sign_key *receipt_key,
                           struct peer_hooks *hooks, struct error_text *error)
{
    struct server *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    s->config = config;
    s->is_accepting = true;
    s->started = wall_now();
    s->shared.receipt_key = receipt_key;
    s->shared.registry = config->registry;
    s->shared.hooks = hooks;
    s->shared.idle_us = (int64_t)config->idle_timeout_s * INT64_C(1000000);
    s->worker_count = wanted_workers(config);
    s->shared.pending_max = SERVER_PENDING_MAX / s->worker_count;
    pthread_mutex_init(&s->shared.tls_lock, NULL);
    s->shared.tls = tls;
    s->listener = listener_open(config->listen, error);
    if (s->listener < 0 ||
        (s->metrics = metrics_open(config->metrics, error)) == NULL)
        goto fail;
    s->shared.presences = presence_table_new(config->connections_per_probe);
    if (s->shared.presences != NULL) {
        listener_raise_limit(config->max_connections);
        return s;
    }
    error_set(error, "out of memory");
fail:
    server_close(s);
    return NULL;
}

void server_close(struct server *server)
{
    struct server *s = server;
    if (s == NULL)
        return;
    presence_table_free(s->shared.presences);
    metrics_close(s->metrics);
    if (s->listener >= 0)
        close(s->listener);
    tls_context_free(s->owned);
    pthread_mutex_destroy(&s->shared.tls_lock);
    free(s);
}

void server_set_sources(struct server *server,
                        const struct server_sources *sources)
{
    server->sources = sources;
}

/* --- accepting --- */

static uint64_t count_peers(const struct server *s)
{
    uint64_t count = 0;
    for (size_t i = 0; i < s->worker_count; i++)
        count += worker_peers(s->workers[i]);
    return count;
}

static void log_full(struct server *s, bool is_full)
{
    if (is_full && !s->is_full)
        log_warn("%llu connections, all that max_connections allows",
                 (unsigned long long)s->config->max_connections);
    s->is_full = is_full;
}

/* With the fewest connections; when there is no room, of those that can make
 * some. NULL: nobody can. */
static struct worker *choose_worker(struct server *s, bool is_full)
{
    struct worker *best = NULL;
    for (size_t i = 0; i < s->worker_count; i++) {
        struct worker *w = s->workers[i];
        if ((!is_full || worker_strangers(w) > 0) &&
            (best == NULL || worker_peers(w) < worker_peers(best)))
            best = w;
    }
    return best;
}

static void accept_peers(struct server *s)
{
    char label[LISTENER_LABEL_LEN];
    for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
        uint64_t before = count_peers(s);
        if (before >= s->config->max_connections + OVER_MAX) {
            s->is_accepting = false; /* workers come first */
            return;
        }
        int fd = listener_accept(s->listener, label);
        if (fd < 0) {
            /* Out of descriptors: the waiting connection would wake us
             * without end; it is asked for again after a pause. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                s->is_accepting = false;
            return;
        }
        bool is_full = before >= s->config->max_connections;
        struct worker *w = choose_worker(s, is_full);
        log_full(s, before + 1 >= s->config->max_connections);
        if (w == NULL)
            close(fd);
        else
            worker_add(w, fd, label, is_full);
    }
}

/* --- reload --- */

/* Connections keep the context they were made with, which lives as long as one
 * of them does. */
static void reload(struct server *s, server_reload_fn *fn, void *context)
{
    struct tls_context *fresh = fn(context);
    if (fresh == NULL)
        return;
    pthread_mutex_lock(&s->shared.tls_lock);
    s->shared.tls = fresh;
    pthread_mutex_unlock(&s->shared.tls_lock);
    tls_context_free(s->owned);
    s->owned = fresh;
}

/* --- metrics --- */

static void read_status(struct server *s, struct collector_status *status)
{
    *status = (struct collector_status){
        .started = s->started,
        .now = wall_now(),
        .max_connections = s->config->max_connections,
        .workers = s->worker_count,
        .handshakes = atomic_load(&s->shared.handshakes),
        .failed_handshakes = atomic_load(&s->shared.failed_handshakes),
        .superseded = atomic_load(&s->shared.superseded),
        .overdue = atomic_load(&s->shared.overdue),
        .batches = atomic_load(&s->shared.batches),
        .received_bytes = atomic_load(&s->shared.received_bytes),
    };
    for (size_t i = 0; i < s->worker_count; i++) {
        status->connections += worker_peers(s->workers[i]);
        status->strangers += worker_strangers(s->workers[i]);
        status->pending_bytes += worker_pending(s->workers[i]);
    }
    committer_read(s->shared.committer, &status->commits);
    daily_read(s->daily, &status->daily);
    status->is_log_ill =
        s->keeper != NULL && !log_keeper_is_well(s->keeper, &status->log_why);
}

static void serve_metrics(struct server *s, const struct pollfd *fds,
                          size_t count)
{
    struct buffer text, health;
    struct collector_status status;
    buffer_init(&text, METRICS_TEXT_MAX);
    buffer_init(&health, METRICS_TEXT_MAX);
    bool is_asked = false;
    for (size_t i = 0; i < count; i++)
        is_asked = is_asked || fds[i].revents != 0;
    bool is_healthy = true;
    if (is_asked) {
        read_status(s, &status);
        collector_metrics_print(&status, &text);
        if (s->has_sources)
            s->sources->print_metrics(s->sources->context, &text);
        is_healthy = collector_metrics_health(&status, &health);
    }
    const struct metrics_pages pages = {"yz-collector", &text, &health,
                                        is_healthy};
    metrics_step(s->metrics, fds, count, &pages, mono_now());
    buffer_clear(&text);
    buffer_clear(&health);
}

/* --- the loop --- */

static bool serve_round(struct server *s)
{
    struct pollfd fds[POLL_MAX];
    size_t count = (size_t)metrics_fds(s->metrics, fds, METRICS_FDS);
    size_t metrics_count = count;
    if (s->is_accepting)
        fds[count++] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    int ready = poll(fds, count, s->is_accepting ? TICK_MS : PAUSE_MS);
    if (ready < 0 && errno != EINTR)
        return false;
    if (ready <= 0)
        for (size_t i = 0; i < count; i++)
            fds[i].revents = 0;
    if (s->is_accepting && fds[count - 1].revents != 0)
        accept_peers(s);
    if (ready <= 0)
        s->is_accepting = true;
    serve_metrics(s, fds, metrics_count);
    return true;
}

static bool start_workers(struct server *s, struct store *store,
                          struct error_text *error)
{
    size_t count = s->worker_count;
    s->worker_count = 0;
    s->shared.committer = committer_start(store, error);
    if (s->shared.committer == NULL)
        return false;
    while (s->worker_count < count) {
        struct worker *w = worker_start(&s->shared, error);
        if (w == NULL)
            return false;
        s->workers[s->worker_count++] = w;
    }
    s->daily = daily_start(s->config, error);
    if (s->daily != NULL && s->sources != NULL)
        s->has_sources =
            s->sources->start(s->sources->context, s->shared.committer, error);
    return s->daily != NULL && s->has_sources == (s->sources != NULL);
}

/* Signals are this thread's: the others start with them blocked. */
static bool start(struct server *s, struct store *store,
                  struct error_text *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = start_workers(s, store, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

static void finish(struct server *s)
{
    uint64_t count = count_peers(s);
    if (s->has_sources)
        s->sources->stop(s->sources->context);
    s->has_sources = false;
    if (s->shared.committer != NULL)
        committer_finish(s->shared.committer);
    for (size_t i = 0; i < s->worker_count; i++)
        worker_finish(s->workers[i]);
    for (size_t i = 0; i < s->worker_count; i++)
        worker_join(s->workers[i]);
    committer_free(s->shared.committer);
    s->shared.committer = NULL;
    for (size_t i = 0; i < s->worker_count; i++)
        worker_free(s->workers[i]);
    s->worker_count = 0;
    daily_free(s->daily);
    s->daily = NULL;
    log_info("stopping, %llu connections closed", (unsigned long long)count);
}

bool server_run(struct server *server, struct store *store,
                server_reload_fn *reload_fn, void *context,
                struct error_text *error)
{
    struct server *s = server;
    bool good = start(s, store, error);
    if (good)
        listener_log(s->listener);
    while (good && !stop_requested()) {
        if (reload_requested())
            reload(s, reload_fn, context);
        if (!serve_round(s))
            good = error_set(error, "poll: %s", strerror(errno));
    }
    finish(s);
    return good;
}
