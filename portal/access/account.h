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

/* Those of the workflow; a new account has one of them, SYS is the platform. */
enum account_role {
    ROLE_NONE = 0, /* may nothing, sees nothing */
    ROLE_PROV,     /* province */
    ROLE_EXP,      /* provincial expert: what is assigned */
    ROLE_CITY,     /* city bureau: its city (ORG-02) */
    ROLE_COUNTY,   /* county contact: its county */
    ROLE_SUPP,     /* supplier: its own vouchers */
    ROLE_ENT,      /* enterprise: its own */
    ROLE_OPP,      /* the province's third-party operator: sums */
    ROLE_OPC,      /* a city's third-party operator, until the mandate ends */
    ROLE_ALLI,     /* alliance desk: pilot applications */
    ROLE_AUDT,     /* auditor: reads everything */
    ROLE_PUBLIC,   /* visitor, also without a login */
    ROLE_SYS,      /* automatic steps; no account */
    ROLE_COUNT
};

struct account {
    char name[ACCOUNT_NAME_LEN];
    enum account_role role;
    char organisation[ACCOUNT_TEXT_LEN]; /* "" where the role has none */
    char display_name[ACCOUNT_TEXT_LEN];
    bool has_end;
    struct wall_time end; /* sees nothing and may nothing from then on */
};

const char *account_role_text(enum account_role role); /* "PROV" */
/* False for a name that no account can have. */
bool account_role_from(const char *text, enum account_role *role);
/* Whether its accounts must have an end. */
bool account_role_is_dated(enum account_role role);
/* Checks the fields against the registry, hashes, writes, audits; in its own
 * transaction. False with a reason. */
bool account_add(struct db *db, struct wall_time now,
                 const struct account *account, const char *password,
                 struct error_text *error);
bool account_find(struct db *db, const char *name, struct account *account);

enum account_login { LOGIN_OK, LOGIN_REFUSED, LOGIN_FAILED };

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
