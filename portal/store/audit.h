/*
 * The audit log: what was done, by whom, with what result (AUD-01, AUD-02).
 *
 * A row is written in the transaction of the act itself, so there is no act
 * without its row. Each row's hash covers the row and the hash before it:
 *
 *   hash = SHA-256(previous hash || seq || at || actor || action || object ||
 *          result || record), integers as 8 bytes big-endian, texts with their
 *          length in front of them as 4 bytes. `record` is empty for an act
 *          that changes none; else 'B' and the hash of the record before, if
 *          it was there, 'A' and the hash of it after, if it still is
 *
 * so that a changed, removed or inserted row is found by audit_check(). The
 * first row's previous hash is zero.
 */
#ifndef PORTAL_STORE_AUDIT_H
#define PORTAL_STORE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/db.h"

struct audit_entry {
    const char *actor;  /* account, or "SYS" */
    const char *action; /* "login", "voucher.open" */
    const char *object; /* number, file, path; may be "" */
    const char *result; /* "OK", "DENIED", or an E_ code */
    /* The record that was changed, in a form its module defines; or NULL. */
    const struct digest *before, *after;
};

/* Inside a transaction of the caller. */
bool audit_add(struct db *db, struct wall_time now,
               const struct audit_entry *entry);

/* Reads the whole chain. *count is the number of good rows from the start;
 * false with a reason that names the first broken one. */
bool audit_check(struct db *db, uint64_t *count, struct error_text *error);

#endif
