/*
 * Logins that are under way.
 *
 * The browser holds 32 random bytes as hex in a cookie; the database holds
 * their SHA-256, so that who reads the database cannot use what is in it. A
 * session ends by logout, after idle minutes without a request, and in any case
 * SESSION_HOURS_MAX hours after it began. Logging in always makes a new one.
 */
#ifndef PORTAL_ACCESS_SESSION_H
#define PORTAL_ACCESS_SESSION_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"
#include "common/db.h"

enum {
    SESSION_TOKEN_LEN = 65,
    SESSION_CSRF_LEN = 33,
    SESSION_MASKED_LEN = 65,
    SESSION_HOURS_MAX = 12,
    SESSION_AGENT_MAX = 200,
};

/* What its owner has shown: with SESSION_PASSWORD a code still lacks, and
 * nothing is open but the page that asks for it. */
enum session_stage { SESSION_PASSWORD, SESSION_FULL };

struct session {
    char account_name[65];
    char csrf[SESSION_CSRF_LEN]; /* forms of this session carry it */
    enum session_stage stage;
    struct digest token_hash;
    struct wall_time used_at;
};

struct session_start {
    const char *account_name;
    const char *old_token;       /* of the cookie that came; may be "" */
    const char *address, *agent; /* from where, with what */
    enum session_stage stage;
    unsigned idle_minutes;
};

/* Inside a transaction. Also ends the session of `old_token` (rotation) and
 * forgets those that are over. */
bool session_begin(struct db *db, struct wall_time now,
                   const struct session_start *start,
                   char token[static SESSION_TOKEN_LEN]);
/* False when the token is not that of a live session. */
bool session_find(struct db *db, struct wall_time now, unsigned idle_minutes,
                  const char *token, struct session *session);
/* Whether used_at is old enough to be worth writing: the idle time is then
 * short by a sixteenth at most, and not every request writes. */
bool session_wants_touch(const struct session *session, struct wall_time now,
                         unsigned idle_minutes);
bool session_touch(struct db *db, struct wall_time now,
                   const struct session *session);
bool session_end(struct db *db, const char *token);

/* All of the account but the one with this hash; NULL: all. */
bool session_end_others(struct db *db, const char *account_name,
                        const struct digest *but);
/* One of the account's, by the start of its hash in hex (16 digits); true also
 * when there is none. */
bool session_end_one(struct db *db, const char *account_name,
                     const char *handle);

/* What a page carries in place of a form's token: fresh random bytes and the
 * token combined with them. A page that is compressed tells by its length whether
 * it repeats something; of a token that is other bytes each time it tells nothing
 * (BREACH). */
void session_csrf_mask(const char *token,
                       char masked[static SESSION_MASKED_LEN]);
/* `given` is masked. Compared without telling where they differ. */
bool session_csrf_matches(const char *wanted, const char *given);
/* A form before there is a session: the token belongs to a cookie that only
 * this site's pages have set, and nobody makes it without the server's key. */
void session_form_token(const struct secret *key, const char *cookie,
                        char token[static SESSION_CSRF_LEN]);

#endif
