/*
 * The server: many peers, one thread, one epoll loop.
 *
 * No peer holds another up: sockets never block, a peer's batch is gathered in
 * its own session, and what is ready is stored in groups, one transaction a
 * round, after which the receipts leave. Bounds:
 *  - connections: max_connections; when full, the oldest one that has not
 *    proved who it is makes room;
 *  - handshake 10 s, silence idle_timeout_s, an unfinished batch 60 s without
 *    a byte and 10 minutes in all;
 *  - bytes of unfinished batches over all peers: past SERVER_PENDING_MAX only
 *    one peer is read on, until its batch is complete; the others wait unread;
 *  - receipts that a peer does not read: it is not read from either.
 */
#ifndef COLLECTOR_SERVER_H
#define COLLECTOR_SERVER_H

#include <stdbool.h>

#include "ledger/store.h"
#include "collector/collector_config.h"
#include "common/log.h"
#include "common/sign.h"
#include "common/tls.h"

enum { SERVER_PENDING_MAX = 128 * 1024 * 1024 };

struct server;

/* Opens the port; the context and the key are borrowed until server_close.
 * NULL with a reason, such as "127.0.0.1:4740: Address already in use". */
struct server *server_open(const struct collector_config *config,
                           struct tls_context *tls,
                           const struct sign_key *receipt_key,
                           struct error_text *error);
/* What probes are told beside receipts; borrowed until server_close. NULL, as
 * at the start: nothing. */
struct return_channel;
void server_set_return(struct server *server, struct return_channel *channel);
void server_close(struct server *server);
/* Serves until stop_requested(): then takes what is complete, sends the
 * receipts and closes. False when the loop itself failed. */
bool server_run(struct server *server, struct store *collector,
                struct error_text *error);

#endif
