/*
 * Ports on which routers and other exporters are received: NetFlow v5, v9 and
 * IPFIX over UDP, IPFIX over plain TCP (RFC 7011 10.3, 10.4).
 *
 * One thread of its own reads the sockets, decodes and aggregates; what it
 * hands over are finished batches (source_queue.h). Bounds:
 *  - an address that is not registered: nothing is kept of it, its connections
 *    are closed at once;
 *  - connections: NETFLOW_CONNECTIONS_MAX, of one exporter
 *    NETFLOW_CONNECTIONS_EACH; a message that does not get on for 60 s, or
 *    silence of 30 minutes, closes one; so does malformed data;
 *  - the queue is full: nothing is read; what the kernel then drops is counted.
 */
#ifndef COLLECTOR_NETFLOW_LISTENER_H
#define COLLECTOR_NETFLOW_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/collector_config.h"
#include "collector/source_queue.h"
#include "common/buffer.h"
#include "common/log.h"

enum {
    NETFLOW_SOCKETS_MAX = 8, /* listening, of each kind */
    NETFLOW_CONNECTIONS_MAX = 256,
    NETFLOW_CONNECTIONS_EACH = 8,
    NETFLOW_RECEIVE_BYTES = 32 * 1024 * 1024, /* asked for, of the kernel */
};

struct netflow_listener;

/* Whether the configuration asks for one. */
bool netflow_is_wanted(const struct collector_config *config);
/* Opens the ports and reads the keys; receives nothing yet. The configuration is borrowed. NULL with
 * a reason. */
struct netflow_listener *
netflow_listener_open(const struct collector_config *config,
                      struct error_text *error);
/* Reads registry and endpoints and starts the thread. */
bool netflow_listener_start(struct netflow_listener *listener,
                            struct source_queue *queue,
                            struct error_text *error);
/* What was received becomes batches, then the thread ends. The queue must take
 * all that comes (source_queue_open_wide). Then closes. NULL does nothing. */
void netflow_listener_close(struct netflow_listener *listener);

/* Adds the metrics, at most a second old, as text; from any thread. Their names
 * begin with yunzheng_collector_netflow_. */
void netflow_listener_print(struct netflow_listener *listener,
                            struct buffer *out);

#endif
