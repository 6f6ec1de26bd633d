/*
 * The server: takes connections and spreads them over workers (worker.h), whose
 * batches one thread stores (committer.h).
 *
 * One acceptor hands connections over, each to the worker with the fewest:
 * probes connect once and stay for weeks, so what matters is that workers have
 * equally many, which the kernel's hash over SO_REUSEPORT sockets does not
 * give; and one place holds max_connections. When that is reached, the oldest
 * connection of a worker that has not proved who it is makes room.
 */
#ifndef COLLECTOR_SERVER_H
#define COLLECTOR_SERVER_H

#include <stdbool.h>

#include "collector/collector_config.h"
#include "collector/collector_metrics.h"
#include "collector/ledger/store.h"
#include "collector/worker.h"
#include "common/crypto/sign.h"
#include "common/crypto/tls.h"
#include "common/log.h"

struct server;

/* Called when a reload is asked for. Gives the context for new connections,
 * which the server then owns, or NULL to go on with the old one. */
typedef struct tls_context *server_reload_fn(void *context);

/* Opens the port (and that for metrics); context, key and hooks are borrowed
 * until server_close, hooks may be NULL. NULL with a reason, such as
 * "127.0.0.1:4740: Address already in use". */
struct server *server_open(const struct collector_config *config,
                           struct tls_context *tls,
                           const struct sign_key *receipt_key,
                           struct peer_hooks *hooks, struct error_text *error);
void server_close(struct server *server);
/* Others in this program that make batches. Started once there is a thread that
 * stores, stopped before it ends: what they still hand over is stored. */
struct server_sources {
    void *context;
    bool (*start)(void *context, struct committer *committer,
                  struct error_text *error);
    void (*stop)(void *context);
    void (*print_metrics)(void *context, struct buffer *out);
};
/* Borrowed; before server_run. */
void server_set_sources(struct server *server,
                        const struct server_sources *sources);
/* Health and metrics tell how the log's keeper does; borrowed for the run. */
struct log_keeper;
void server_watch_log(struct server *server, struct log_keeper *keeper);
/* Serves until stop_requested(): then takes what is complete, sends the
 * receipts and closes. False when it could not start or the loop failed. */
bool server_run(struct server *server, struct store *store,
                server_reload_fn *reload, void *context,
                struct error_text *error);

#endif
