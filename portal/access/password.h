/*
 * Passwords: argon2id (libsodium, which stops here).
 *
 * A check takes tens of milliseconds and 32 MiB by design: who calls it has
 * threads for it, few of them (HTTP_LOGINS in portal/http/http_server.h). OWASP's
 * password storage cheat sheet asks for 19 MiB and two passes at least; 32 MiB
 * let twenty people log in within a second on one of two cores, while the other
 * shows everybody else's pages. A hash says its parameters itself, so those of
 * older ones stay good; they are made anew when their owners log in. Until then a
 * check of theirs takes as long as it took, which tells that the name is there.
 */
#ifndef PORTAL_ACCESS_PASSWORD_H
#define PORTAL_ACCESS_PASSWORD_H

#include <stdbool.h>

#include "common/log.h"

enum {
    PASSWORD_HASH_LEN = 128,
    PASSWORD_MIN_CHARACTERS = 10,
    PASSWORD_MAX_BYTES = 256,
};

/* Call once before the others; false when the library does not start. */
bool password_init(void);
/*
 * What people choose for themselves. Beside its length a password is held against
 * what others try first: common words of a small list of ours, words of its
 * owner and of the body he belongs to, rows of neighbouring or equal characters,
 * years. What is left without these must be PASSWORD_OWN_CHARACTERS or more. No
 * rule asks for capitals or signs, and none lets a password grow old.
 */
enum password_fault {
    PASSWORD_FINE,
    PASSWORD_UNREADABLE, /* not clean UTF-8 */
    PASSWORD_SHORT,
    PASSWORD_LONG,
    PASSWORD_KNOWN, /* easily guessed */
};
enum { PASSWORD_OWN_CHARACTERS = 6 };
/* `words` are names, ids, addresses: their parts count; ends with NULL. */
enum password_fault password_judge(const char *password,
                                   const char *const *words);
/* A text key: "password.fault.SHORT". */
const char *password_fault_text(enum password_fault fault);
/* Long enough, not too long, clean UTF-8; else false with a reason. */
bool password_is_acceptable(const char *password, struct error_text *error);
/* False without memory. */
bool password_hash(const char *password, char hash[static PASSWORD_HASH_LEN]);
/* Whether it is the right one. With an empty hash the same work is done and the
 * answer is no, so that an unknown name takes as long as a known one. */
bool password_check(const char *hash, const char *password);
/* Whether it has other parameters than password_hash() gives now. */
bool password_is_outdated(const char *hash);

#endif
