/*
 * A secret of 32 bytes in a file of its own, made when it is not there yet, and
 * keys derived from it: one file a program, one label a purpose.
 */
#ifndef COMMON_CRYPTO_SECRET_H
#define COMMON_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "common/log.h"

enum { SECRET_LEN = 32 };

struct secret {
    uint8_t bytes[SECRET_LEN];
};

/* The file has 64 hex digits and a newline, mode 0600; one that others may
 * read, or of another form, is refused and never replaced. */
bool secret_load(const char *path, struct secret *secret,
                 struct error_text *error);
/* HMAC-SHA-256 of the label under the secret. */
struct secret secret_derive(const struct secret *secret, const char *label);
/* First 8 bytes of HMAC-SHA-256 over the data, as a number. */
uint64_t secret_pseudonym(const struct secret *secret, const void *data,
                          size_t length);

#endif
