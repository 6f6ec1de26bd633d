/*
 * Signatures: Ed25519 (RFC 8032), or SM2 with SM3 (GB/T 32918, GB/T 32905,
 * user id "1234567812345678").
 *
 * The algorithm number is part of what is signed wherever we sign (batch,
 * receipt, table), so it cannot be exchanged afterwards. Signatures are always
 * 64 bytes: Ed25519 as it is, SM2 as r || s, 32 bytes each.
 */
#ifndef COMMON_CRYPTO_SIGN_H
#define COMMON_CRYPTO_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/slice.h"

enum sign_algorithm { SIGN_NONE = 0, SIGN_ED25519 = 1, SIGN_SM2_SM3 = 2 };
enum { SIGN_LEN = 64, SIGN_PUBLIC_MAX = 65 };

struct sign_key;

struct sign_key *sign_key_generate(enum sign_algorithm algorithm);
/* PKCS#8 PEM. Refused when others than the owner may read it. */
struct sign_key *sign_key_load(const char *path, struct error_text *error);
/* Written with mode 0600; an existing file is refused. */
bool sign_key_save(const struct sign_key *key, const char *path,
                   struct error_text *error);
void sign_key_free(struct sign_key *key);
enum sign_algorithm sign_key_algorithm(const struct sign_key *key);
/* Raw public key: 32 bytes (Ed25519), 65 bytes 04 || x || y (SM2). Gives the
 * length. */
size_t sign_key_public(const struct sign_key *key,
                       uint8_t public_key[static SIGN_PUBLIC_MAX]);
/* A public key from a PEM file (SubjectPublicKeyInfo), in the raw form above.
 * Gives its length, 0 on failure. */
size_t sign_public_load(const char *path, enum sign_algorithm *algorithm,
                        uint8_t public_key[static SIGN_PUBLIC_MAX],
                        struct error_text *error);

/* A secret that only the holder of the private key can make, the same at every
 * call: HMAC-SHA-256 of the label under the key's private bytes. */
struct digest sign_key_secret(const struct sign_key *key, const char *label);

bool sign_make(const struct sign_key *key, const void *data, size_t length,
               uint8_t signature[static SIGN_LEN]);
/* False for a wrong signature, an unknown algorithm, a malformed key, or one of
 * small order, with which anybody could sign. */
bool sign_verify(enum sign_algorithm algorithm, struct slice public_key,
                 const void *data, size_t length,
                 const uint8_t signature[static SIGN_LEN]);
/* ed25519, sm2 */
const char *sign_algorithm_name(enum sign_algorithm algorithm);
enum sign_algorithm sign_algorithm_from(struct slice name);

#endif
