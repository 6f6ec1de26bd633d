/*
 * People: a personal account with one role, bound to one organisation (ORG-12).
 *
 * After ACCOUNT_FAILURES_MAX wrong passwords the account is locked for
 * ACCOUNT_LOCK_MINUTES; while it is locked the right password is refused like a
 * wrong one. Nobody learns from the answer whether a name exists.
 */
#ifndef PORTAL_ACCESS_ACCOUNT_H
#define PORTAL_ACCESS_ACCOUNT_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"

enum {
    ACCOUNT_NAME_LEN = 65,
    ACCOUNT_TEXT_LEN = 129,
    ACCOUNT_FAILURES_MAX = 5,
    ACCOUNT_LOCK_MINUTES = 15,
};

/* Bits, so that a route can name several. */
enum account_role {
    ROLE_PROV = 1,  /* province: everything */
    ROLE_CITY = 2,  /* city bureau: its city (ORG-02) */
    ROLE_SUPP = 4,  /* supplier: its own vouchers */
    ROLE_ENT = 8,   /* enterprise: its own */
    ROLE_AUDT = 16, /* auditor: reads everything */
    ROLE_ANY = 31,
};

struct account {
    char name[ACCOUNT_NAME_LEN];
    enum account_role role;
    char organisation[ACCOUNT_TEXT_LEN]; /* "" for PROV and AUDT */
    char display_name[ACCOUNT_TEXT_LEN];
};

const char *account_role_text(enum account_role role); /* "PROV" */
bool account_role_from(const char *text, enum account_role *role);

/* What of the registry an account may see: "" does not restrict. Bound to
 * every query that reads vouchers or tables. */
struct account_scope {
    const char *city, *supplier, *enterprise;
};
struct account_scope account_scope_of(const struct account *account);

/* Letters, digits, '.', '-', '_'; 1 to 64. */
bool account_name_is_good(const char *name);
/* Checks the fields against the registry, hashes, writes, audits; in its own
 * transaction. False with a reason. */
bool account_add(struct db *db, struct wall_time now,
                 const struct account *account, const char *password,
                 struct error_text *error);
bool account_find(struct db *db, const char *name, struct account *account);

enum account_login { LOGIN_OK, LOGIN_REFUSED, LOGIN_BUSY, LOGIN_FAILED };

/* First step, on any connection and outside a transaction, because it is slow:
 * is this the name's password? */
enum account_login account_check_password(struct db *db, const char *name,
                                          const char *password);
/* Second step, inside a transaction of the caller: counts a failure or clears
 * them, honours the lock, audits. LOGIN_OK only if the first step said so. */
enum account_login account_note_login(struct db *db, struct wall_time now,
                                      const char *name,
                                      enum account_login checked);

#endif
