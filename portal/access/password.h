/*
 * Passwords: argon2id (libsodium, which stops here).
 *
 * A check takes tens of milliseconds and 32 MiB by design: who calls it has
 * threads for it, few of them (HTTP_LOGINS in portal/http/http_server.h). OWASP's
 * password storage cheat sheet asks for 19 MiB and two passes at least; 32 MiB
 * lets twenty people log in within a second on two cores, beside everybody
 * else's pages. A hash says its parameters itself, so those of older ones stay
 * good; they are made anew when their owners log in. Until then a check of theirs
 * takes as long as it took, which tells that the name is there.
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
