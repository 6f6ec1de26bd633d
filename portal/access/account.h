/*
 * People: a personal account with one role, bound to one organisation (ORG-12).
 *
 * It is INVITED until its owner has chosen a password, ACTIVE, or DISABLED, when
 * nobody logs in with it and its entries keep their name. How it goes from one
 * to the other: account_life.h. Who may try to log in: login.h.
 */
#ifndef PORTAL_ACCESS_ACCOUNT_H
#define PORTAL_ACCESS_ACCOUNT_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "portal/store/mail_address.h"

enum {
    ACCOUNT_NAME_LEN = 65,
    ACCOUNT_TEXT_LEN = 129,
};

enum account_state { ACCOUNT_INVITED, ACCOUNT_ACTIVE, ACCOUNT_DISABLED };

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
    struct mail_address mail; /* empty: none, or no more (PRIV-09) */
    struct mobile_number mobile;
    enum account_state state;
    bool has_second_factor;
    bool has_begin;
    struct wall_time begin; /* a mandate's (ORG-04) */
    bool has_end;
    struct wall_time end; /* sees nothing and may nothing from then on */
};

/* From its end on it does not log in, and its sessions are over. A role with a
 * mandate has no account without an end. */
bool account_has_ended(const struct account *account, struct wall_time now);

const char *account_role_text(enum account_role role); /* "PROV" */
/* False for a name that no account can have. */
bool account_role_from(const char *text, enum account_role *role);
/* Whether its accounts must have an end. */
bool account_role_is_dated(enum account_role role);
/* Whether they log in with a second factor: those who review, advise or
 * release money. */
bool account_role_needs_factor(enum account_role role);
const char *account_state_text(enum account_state state); /* "ACTIVE" */
/* Name, role, organisation and end as the schema wants them; else false with a
 * sentence. */
bool account_fits(struct db *db, const struct account *account,
                  struct error_text *error);
/* The row, inside a transaction; an empty hash needs ACCOUNT_INVITED. */
bool account_insert(struct db *db, struct wall_time now,
                    const struct account *account, const char *hash,
                    const char *made_by);
/* An active account with a password that somebody else knows: for the server's
 * owner. Checks, hashes, writes, audits; in its own transaction. False with a
 * reason. */
bool account_add(struct db *db, struct wall_time now,
                 const struct account *account, const char *password,
                 struct error_text *error);
bool account_find(struct db *db, const char *name, struct account *account);

#endif
