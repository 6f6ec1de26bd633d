/*
 * Links that let their holder choose a password, once, within LINK_HOURS: the
 * invitation of a new account (ORG-07), and the way back for who has forgotten.
 *
 * A link is 32 random bytes in hex; its SHA-256 is kept. A new one ends those that
 * the account had before.
 */
#ifndef PORTAL_ACCESS_ACCOUNT_LINK_H
#define PORTAL_ACCESS_ACCOUNT_LINK_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/db.h"

enum { LINK_TOKEN_LEN = 65, LINK_HOURS = 24 };

enum link_kind { LINK_ACTIVATE, LINK_RESET };

/* Inside a transaction. */
bool account_link_make(struct db *db, struct wall_time now, const char *account,
                       enum link_kind kind, char token[static LINK_TOKEN_LEN]);
/* Whose it is, for the page that asks for the password; false: used, over, or
 * none of ours. */
bool account_link_find(struct db *db, struct wall_time now, const char *token,
                       char account[static 65]);
/* Inside a transaction: true once. */
bool account_link_take(struct db *db, struct wall_time now, const char *token,
                       char account[static 65]);
/* Inside a transaction: none of the account's works any more. */
bool account_link_end(struct db *db, const char *account);

#endif
