/*
 * Who may try to log in, and how often (ORG-12).
 *
 * A stranger must not be able to shut anybody out. So a name is locked for the
 * network (LOGIN_BITS_4, LOGIN_BITS_6) that sent LOGIN_FAILURES wrong passwords,
 * and for no other. Where guesses come from many networks, every answer for that
 * name waits, the owner's too, longer with each guess of the last hour, but never
 * for more than LOGIN_SLOW_SECONDS. A network that has failed with many names has
 * one attempt every LOGIN_PACE_SECONDS, so that a hash, which is slow by design, is
 * not to be had for nothing. All of it is looked at before the hash.
 *
 * Names that nobody has are counted as others are, under a keyed hash: neither
 * the answer nor its time tells which names there are. What is kept is an hour of
 * failures, as many as hashes can be computed, and LOGIN_ROWS_MAX at most.
 *
 *   switch (login_ask(db, now, &try, &wait_s))    on any connection
 *   login_check_password(db, &try, password)      slow
 *   login_note(db, now, &try, checked)            in a transaction
 *   login_wait_ms(db, now, &try)                  how long the answer waits
 *
 * The numbers are those of the parameters sec.login_*.
 */
#ifndef PORTAL_ACCESS_LOGIN_H
#define PORTAL_ACCESS_LOGIN_H

#include "common/address.h"
#include "common/clock.h"
#include "common/crypto/secret.h"
#include "common/db.h"
#include "portal/access/password.h"

enum {
    LOGIN_FAILURES = 5, /* for a name from a network */
    LOGIN_LOCK_MINUTES = 15,
    LOGIN_BITS_4 = 24,
    LOGIN_BITS_6 = 56,
    LOGIN_SLOW_FAILURES = 10, /* for a name from everywhere, in an hour */
    LOGIN_SLOW_SECONDS = 8,
    LOGIN_PACE_FAILURES = 20, /* from a network for all names */
    LOGIN_PACE_SECONDS = 2,
    LOGIN_ROWS_MAX = 200000,
    LOGIN_NETWORK_LEN = 64,
};

/* One attempt. */
struct login_try {
    const char *name; /* as it was typed */
    struct digest name_hash;
    char address[ADDRESS_TEXT_LEN];
    char network[LOGIN_NETWORK_LEN]; /* '203.0.113.0/24' */
};

/* `key` is the server's for names; `from` version 0: not known. */
void login_try_set(struct login_try *try, const struct secret *key,
                   const char *name, const struct address *from);
enum login_gate {
    LOGIN_OPEN,
    LOGIN_LOCKED, /* this name, from there: answered like a wrong password */
    LOGIN_PACED,  /* that network: *wait_s seconds from now */
    LOGIN_UNREAD, /* the database failed */
};
enum login_gate login_ask(struct db *db, struct wall_time now,
                          const struct login_try *try, unsigned *wait_s);

/* LOGIN_ENDED: the password is right, and the account's time is over. */
enum login_result { LOGIN_OK, LOGIN_REFUSED, LOGIN_ENDED, LOGIN_FAILED };

/* On any connection and outside a transaction, because it is slow: is this the
 * password of an active account of that name? */
enum login_result login_check_password(struct db *db,
                                       const struct login_try *try,
                                       const char *password);
/* In a transaction: counts what the check said, locks, audits. LOGIN_OK only if
 * the check said so, there is no lock, and the account has not ended. */
enum login_result login_note(struct db *db, struct wall_time now,
                             const struct login_try *try,
                             enum login_result checked);
/* In a transaction, in place of login_note: an attempt at a locked name. */
bool login_note_locked(struct db *db, struct wall_time now,
                       const struct login_try *try);
/* 0 while few have failed with the name in the last hour. */
unsigned login_wait_ms(struct db *db, struct wall_time now,
                       const struct login_try *try);
/* In a transaction: whatever holds the name back is over. */
bool login_unlock(struct db *db, const struct secret *key, const char *name);

/* After a log-in, as slow as the check: the password's hash with today's
 * parameters, when the kept one has others; false when there is none. */
struct login_hash {
    const char *name;
    char text[PASSWORD_HASH_LEN];
};
bool login_renew_hash(struct db *db, const char *name, const char *password,
                      struct login_hash *renewed);
bool login_keep_hash(struct db *db, const struct login_hash *renewed);

#endif
