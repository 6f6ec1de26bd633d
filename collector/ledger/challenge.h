/*
 * Challenges: numbers that a collector sends to a probe, and that the probe's
 * next batch carries. A batch with one was signed after the number was made; a
 * batch that is made up later for an earlier time would need a number of that
 * time.
 *
 *   offset 0  8  milliseconds since 1970, big-endian
 *          8  8  first bytes of HMAC-SHA-256(secret, probe id || the first 8)
 *
 * Nothing is remembered about what was sent: the secret, made of the receipt
 * key (sign_key_secret), recognises it. 64 bits are enough, since each guess
 * costs a whole signed batch.
 */
#ifndef COLLECTOR_LEDGER_CHALLENGE_H
#define COLLECTOR_LEDGER_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "common/wire/batch.h"

struct digest challenge_secret(const struct sign_key *receipt_key);
void challenge_make(struct digest secret, const char *probe_id,
                    struct wall_time now, uint8_t nonce[static CHALLENGE_LEN]);

enum challenge_status {
    CHALLENGE_NONE, /* zeros */
    CHALLENGE_RIGHT,
    CHALLENGE_FORGED, /* not ours, or of another probe */
};
/* *made_ms is 0 unless it is right. */
enum challenge_status challenge_check(struct digest secret,
                                      const char *probe_id,
                                      const uint8_t nonce[static CHALLENGE_LEN],
                                      int64_t *made_ms);

#endif
