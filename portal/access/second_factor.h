/*
 * The second factor: codes of six digits that change every 30 seconds, from an
 * app on a telephone (TOTP, RFC 6238 with HMAC-SHA-1, as the apps have it).
 *
 * A code holds for its own step and one before and after, and each step once: a
 * code that was looked over somebody's shoulder lets nobody in. The secret stands
 * in portal.db under a key of the server. For the day when the telephone is gone
 * there are FACTOR_CODES codes on paper, each good once; of them a keyed hash is
 * kept. A secret that was shown and not confirmed by a code asks for nothing yet.
 */
#ifndef PORTAL_ACCESS_SECOND_FACTOR_H
#define PORTAL_ACCESS_SECOND_FACTOR_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/db.h"
#include "portal/store/portal_keys.h"

enum {
    FACTOR_SECRET_BYTES = 20,
    FACTOR_SECRET_LEN = 33, /* base32 */
    FACTOR_STEP_S = 30,
    FACTOR_CODES = 10,
    FACTOR_CODE_LEN = 12, /* "xxxxx-xxxxx" */
};

/* The code of a step, 6 digits (RFC 4226, 5.3). */
unsigned second_factor_code(const uint8_t secret[static FACTOR_SECRET_BYTES],
                            int64_t step);

/* In a transaction: a new secret, not confirmed yet, in place of one that was not
 * either; false also when the account has a confirmed one. */
bool second_factor_begin(struct db *db, const struct portal_keys *keys,
                         struct wall_time now, const char *account);
/* The secret to be shown, in base32, while it is not confirmed. */
bool second_factor_shown(struct db *db, const struct portal_keys *keys,
                         const char *account,
                         char text[static FACTOR_SECRET_LEN]);

enum factor_result { FACTOR_RIGHT, FACTOR_WRONG, FACTOR_FAILED };

/* In a transaction: the first code confirms it, and makes the codes on paper. */
enum factor_result
second_factor_confirm(struct db *db, const struct portal_keys *keys,
                      struct wall_time now, const char *account,
                      const char *code,
                      char paper[FACTOR_CODES][FACTOR_CODE_LEN]);
/* In a transaction: a code of the app, or one on paper, which is used up. */
enum factor_result second_factor_check(struct db *db,
                                       const struct portal_keys *keys,
                                       struct wall_time now,
                                       const char *account, const char *code);
/* Codes on paper that are left. */
int64_t second_factor_left(struct db *db, const char *account);
/* In a transaction. */
bool second_factor_end(struct db *db, const char *account);

#endif
