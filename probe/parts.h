/*
 * What a running probe is made of: opened in the right order, and closed.
 *
 * parts_open forks the readers and closes this process's sandbox; what it gives
 * back reads packets already.
 */
#ifndef PROBE_PARTS_H
#define PROBE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "common/crypto/tls.h"
#include "common/wire/endpoint.h"
#include "probe/capture/capture.h"
#include "probe/capture/filter.h"
#include "probe/process/exporter.h"
#include "probe/process/readers.h"
#include "probe/process/sandbox_report.h"
#include "probe/state/probe_config.h"
#include "probe/state/probe_metrics.h"
#include "probe/state/renewer.h"
#include "probe/uplink/receipts.h"
#include "probe/uplink/spool.h"
#include "probe/uplink/uplink.h"

enum { CAPTURES_MAX = READERS_MAX * READER_INTERFACES_MAX };

struct parts {
    struct probe_config config; /* read by the caller */
    struct wall_time started;
    struct endpoint_list *endpoints;
    int list_fd; /* its bytes */
    struct sign_key *key;
    enum sign_algorithm receipt_algorithm;
    uint8_t receipt_key[SIGN_PUBLIC_MAX];
    size_t receipt_key_length;
    enum sign_algorithm registry_algorithm;
    uint8_t registry_key[SIGN_PUBLIC_MAX];
    size_t registry_key_length; /* 0: no lists are taken */
    struct return_side *side;
    struct receipts *receipts;
    struct tls_context *tls;
    struct digest software_hash;
    struct capture *captures[CAPTURES_MAX]; /* by worker, then interface */
    size_t capture_count;
    struct capture_counters before; /* what came while the filter was proved */
    struct filter *filter;
    struct renewer *renewer; /* NULL: no portal is configured */
    struct readers *readers;
    struct exporter *exporter;
    struct spool *spool;
    struct uplink *uplink;
    struct metrics_server *metrics;
    int status_fd; /* process_open() */
    struct sandbox_report sandbox;
};

/* As struct readers_options has them. */
struct parts_callbacks {
    void (*flow)(void *context, const struct flow_record *record);
    void (*marked)(void *context, uint64_t mark);
    void (*taken)(void *context);
    void *context;
};

/* The exit status when something fails, which is logged; 0: all is open. */
int parts_open(struct parts *parts, const struct parts_callbacks *callbacks);
/* Also after parts_open failed. */
void parts_close(struct parts *parts);

/* After the certificate's file was exchanged: a context with what is there now,
 * and the key that we have or, when it is another one, its file. False with a
 * sentence: the one before stays. */
bool parts_renew_tls(struct parts *parts, struct error_text *error);

/* Which file has the list: with a registry key that of the state folder, once it
 * is there. `path` has room for DURABLE_PATH_LEN. */
const char *parts_list_path(const struct probe_config *config, char *path);
/* The same for text that is read already; `name` is for messages. */
bool parts_take_list(struct slice text, const char *name,
                     struct endpoint_list **list, int *fd,
                     struct error_text *error);
/* The list, and a descriptor of the very bytes it was parsed from, which the
 * readers cannot change for one another. Both become the caller's. */
bool parts_read_list(const char *path, struct endpoint_list **list, int *fd,
                     struct error_text *error);

#endif
