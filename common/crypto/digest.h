/* SHA-256, HMAC-SHA-256 and random bytes (OpenSSL). A failure inside the
 * library (no memory) ends the program. */
#ifndef COMMON_CRYPTO_DIGEST_H
#define COMMON_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

enum { DIGEST_LEN = 32, DIGEST_HEX_LEN = 65 };

struct digest {
    uint8_t bytes[DIGEST_LEN];
};

struct digest digest_of(const void *data, size_t length);
bool digest_of_file(const char *path, struct digest *digest);
/* From its bytes; false unless there are exactly so many. */
bool digest_read(struct slice bytes, struct digest *digest);
bool digest_equal(struct digest a, struct digest b);
void digest_to_hex(struct digest digest, char text[static DIGEST_HEX_LEN]);

/* Piece by piece. */
struct digest_stream;
struct digest_stream *digest_stream_new(void);
void digest_stream_add(struct digest_stream *s, const void *data,
                       size_t length);
/* The digest so far; more may be added afterwards. */
struct digest digest_stream_now(const struct digest_stream *s);
void digest_stream_free(struct digest_stream *s);

struct digest hmac_sha256(const void *key, size_t key_length, const void *data,
                          size_t length);
/* For what others have fixed so: HMAC-SHA-1 of RFC 4226. */
void hmac_sha1(const void *key, size_t key_length, const void *data,
               size_t length, uint8_t mac[static 20]);
void random_bytes(void *data, size_t length);
void hex_of(const void *data, size_t length, char *text); /* 2n+1 characters */

#endif
