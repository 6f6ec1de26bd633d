/*
 * The running portal: its databases, and what its request threads share.
 *
 * A worker is what one request uses: a read-only connection that sees all three
 * databases (portal's own as main, `usage`, `verdict`) and an arena. There is
 * one for each thread of the server. Pages read through it, in one read
 * transaction from take to return, and cannot write. The few writes (logins,
 * audit rows) go through one connection behind a lock.
 */
#ifndef PORTAL_STORE_PORTAL_H
#define PORTAL_STORE_PORTAL_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/db.h"
#include "portal/store/act.h"
#include "portal/store/attachment_file.h"
#include "portal/store/memo.h"
#include "portal/store/others.h"
#include "portal/store/portal_config.h"
#include "portal/store/portal_keys.h"
#include "portal/store/proxies.h"
#include "rules/due.h"
#include "rules/parameter.h"

/* Those that read requests and send answers, and all that may need a worker at
 * once: with those of the lanes. */
enum { PORTAL_THREADS = 2, PORTAL_WORKERS = 18 };
/* Files being made or sent. */
enum { PORTAL_EXPORTS_MAX = 64 };

struct portal;
struct portal_export;

struct portal_worker {
    struct db *db;
    struct arena *arena;
    struct others others; /* for the notice of what is not there yet */
    bool is_taken;
};

/* NULL with a reason. The configuration is borrowed. */
struct portal *portal_open(const struct portal_config *config,
                           struct error_text *error);
void portal_close(struct portal *portal);
const struct portal_config *portal_config_of(const struct portal *portal);
/* Of the rules folder, as read when the portal was opened. */
const struct parameters *portal_parameters(const struct portal *portal);
/* The same with the calendar: by what deadlines are counted. */
const struct due_terms *portal_due_terms(const struct portal *portal);

const struct portal_keys *portal_keys(const struct portal *portal);
const struct proxies *portal_proxies(const struct portal *portal);
/* The folder of the files that people hand in. */
struct attachments *portal_attachments(const struct portal *portal);

/* Numbers that may be a minute old (memo.h). */
struct memo *portal_memo(struct portal *portal);

/* There is always one free: no more threads ask than there are workers. */
struct portal_worker *portal_take_worker(struct portal *portal);
void portal_return_worker(struct portal *portal, struct portal_worker *worker);

/* One at a time an account: NULL while it has one under way, or all do. */
struct portal_export *portal_export_begin(struct portal *portal,
                                          const char *account);
void portal_export_end(void *of); /* a struct portal_export */

/* An act on the writing connection, one at a time (act.h); a failure is logged.
 */
enum act_end portal_act(struct portal *portal, struct wall_time now,
                        const struct audit_entry *entry, act_fn *fn,
                        void *context, struct error_text *error);
/* The same, but nobody waits for it, and it may be lost (later.h). */
void portal_act_later(struct portal *portal, struct wall_time now, act_fn *fn,
                      const void *context, size_t size);

#endif
