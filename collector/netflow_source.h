/*
 * The routers' source: messages of registered exporters to batches.
 *
 *   message -> its exporter's session (collector/netflow/netflow_session.h) -> records
 *           -> aggregation (collector/netflow/aggregate.h) -> flows of one period
 *           -> source batches of (router, exporter, enterprise, site)
 *
 * Who may speak stands in the registry, by address; from others nothing is
 * kept, and nothing grows. A denial works at the next reload, before anything
 * more of that exporter is batched. No sockets here, no clock; for one thread.
 *
 * Sessions over UDP are kept by address and port for IPFIX (RFC 7011 8: a
 * transport session), by address alone for v5 and v9: there the source id is
 * what tells streams of one device apart (RFC 3954 5.1), and devices change the
 * port they send from.
 */
#ifndef COLLECTOR_NETFLOW_SOURCE_H
#define COLLECTOR_NETFLOW_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/probe_directory.h"
#include "collector/ledger/source_batch.h"
#include "collector/netflow/aggregate.h"
#include "collector/netflow/netflow_session.h"
#include "common/crypto/secret.h"

enum {
    NETFLOW_PORTS_MAX = 8,                  /* UDP sessions of one exporter */
    NETFLOW_MEMORY_MAX = 256 * 1024 * 1024, /* templates, all exporters */
    NETFLOW_LIFETIME_S = 1800, /* of templates over UDP, by default */
    NETFLOW_NOBODY = -1,       /* an address that is not registered */
};

/* The purpose for which the pseudonyms' key is derived (secret.h). */
#define NETFLOW_PSEUDONYM_LABEL "router host pseudonyms"

struct netflow_source_options {
    const char *registry;           /* portal.db */
    const char *endpoints;          /* ENDPOINTS.csv */
    const struct sign_key *key;     /* borrowed */
    const struct secret *pseudonym; /* for inside addresses, copied */
    struct digest software_hash;
    const uint8_t *boot_id; /* see source_batch.h; NULL: random */
    int64_t template_lifetime_ms;
    bool accept_sample;
    bool is_file; /* records of any age are batched; the ledger judges */
    source_batch_fn *finished; /* false: the batch is lost */
    void *context;
};

struct netflow_source;

/* NULL with a reason when registry or endpoints cannot be read. */
struct netflow_source *
netflow_source_new(const struct netflow_source_options *options,
                   struct wall_time now, struct error_text *error);
void netflow_source_free(struct netflow_source *source);
/* Reads exporters, and endpoints when the file is another; keeps the old ones
 * and logs when that fails. */
void netflow_source_reload(struct netflow_source *source, struct wall_time now);

/* An exporter's number; stays for as long as the process. */
int netflow_source_find(struct netflow_source *source,
                        const struct address *address);
int netflow_source_find_id(const struct netflow_source *source, const char *id);
/* Something came from an address that is nobody's: counted, and named in the
 * log once a day. */
void netflow_source_refuse(struct netflow_source *source,
                           const struct address *address, struct wall_time now);

void netflow_source_datagram(struct netflow_source *source, int exporter,
                             uint16_t port, const uint8_t *message,
                             size_t length, struct wall_time now);
/* A stream (TCP, a file): its session, taken back by _close_stream. */
struct netflow_session *netflow_source_open_stream(struct netflow_source *s);
enum netflow_status netflow_source_message(struct netflow_source *source,
                                           int exporter,
                                           struct netflow_session *session,
                                           const uint8_t *message,
                                           size_t length, struct wall_time now);
void netflow_source_close_stream(struct netflow_source *source, int exporter,
                                 struct netflow_session *session);

/* In place of a period: each flow goes to five minutes of its own start, and
 * what was seen and lost is not told, which depends on when it came. */
#define NETFLOW_OWN_PERIOD ((struct source_period){INT64_MAX, INT64_MAX})
/* Ends the period: flows and what was seen and lost become batches. With
 * `is_all` also flows that wait for their other direction. */
void netflow_source_close(struct netflow_source *source,
                          struct source_period period, struct wall_time now,
                          bool is_all);

/* Sums over all exporters; `refused` are messages from unregistered
 * addresses. */
struct netflow_totals {
    struct netflow_counters counters;
    struct netflow_tally tally;
    uint64_t refused, batches_lost;
};
void netflow_source_totals(const struct netflow_source *source,
                           struct netflow_totals *totals);
const char *netflow_source_id(const struct netflow_source *source,
                              int exporter);

#endif
