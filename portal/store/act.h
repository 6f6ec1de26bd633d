/*
 * The one runner of what writes to portal.db: begins, acts, audits, commits; or
 * rolls everything back. There is no act without its audit row and no row
 * without its act. Nobody else begins a transaction that writes.
 */
#ifndef PORTAL_STORE_ACT_H
#define PORTAL_STORE_ACT_H

#include "common/clock.h"
#include "common/db.h"
#include "portal/store/audit.h"

enum act_end {
    ACT_KEPT,    /* done, audited and committed */
    ACT_REFUSED, /* the act said no; nothing has changed */
    ACT_FAILED,  /* the store did not work; nothing has changed */
};

/* One act, inside the transaction. ACT_KEPT asks to keep what it did; with the
 * others *error says why. */
typedef enum act_end act_fn(struct db *db, struct wall_time now, void *context,
                            struct error_text *error);

/* `entry` NULL: the act writes its rows itself, or is none (a session's last
 * use). `fn` NULL: the audit row alone. For a command, which owns its
 * connection; the running portal has portal_act(). */
enum act_end act_on(struct db *db, struct wall_time now,
                    const struct audit_entry *entry, act_fn *fn, void *context,
                    struct error_text *error);

#endif
