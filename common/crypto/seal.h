/*
 * Small secrets at rest: AES-256-GCM under a key of ours, with a fresh random
 * nonce. What it belongs to ("account anna") is sealed in: moved to another
 * row it does not open.
 *
 *   offset  size  meaning
 *        0    12  nonce
 *       12     n  the secret, encrypted
 *   12 + n    16  tag
 */
#ifndef COMMON_CRYPTO_SEAL_H
#define COMMON_CRYPTO_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/crypto/secret.h"

enum { SEAL_EXTRA = 28 };

/* `sealed` has room for SEAL_EXTRA bytes more. */
void seal(const struct secret *key, const char *whose, const void *plain,
          size_t length, uint8_t *sealed);
/* False when it is not of this key and owner, or was changed; `plain` has room
 * for sealed.length - SEAL_EXTRA. */
bool seal_open(const struct secret *key, const char *whose, struct slice sealed,
               uint8_t *plain);

#endif
