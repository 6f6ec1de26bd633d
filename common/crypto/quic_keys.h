/*
 * Opening QUIC Initial packets (RFC 9001 section 5, RFC 9369 section 3.3).
 *
 * Initial packets are protected by keys that everybody on the path can derive:
 * HKDF-SHA-256 over the client's first Destination Connection ID with a salt
 * per version, then AES-128-GCM for the payload and AES-128-ECB for the mask
 * over the header. The protection guards against accidents, not readers.
 */
#ifndef COMMON_CRYPTO_QUIC_KEYS_H
#define COMMON_CRYPTO_QUIC_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    QUIC_KEY_LEN = 16,
    QUIC_IV_LEN = 12,
    QUIC_SALT_LEN = 20,
    QUIC_SAMPLE_LEN = 16,
    QUIC_MASK_LEN = 5,
    QUIC_TAG_LEN = 16,
    QUIC_ID_MAX = 20, /* bytes of a connection id */
};

struct quic_keys {
    uint8_t key[QUIC_KEY_LEN];
    uint8_t iv[QUIC_IV_LEN];
    uint8_t header_key[QUIC_KEY_LEN];
};

/* What the client protects its Initials with. label is "quic" (RFC 9001) or
 * "quicv2" (RFC 9369); id_length is at most QUIC_ID_MAX. */
struct quic_keys quic_keys_of_client(const uint8_t salt[static QUIC_SALT_LEN],
                                     const char *label, const uint8_t *id,
                                     size_t id_length);

/* The cipher contexts, made once; opening allocates nothing. */
struct quic_opener;
struct quic_opener *quic_opener_new(void);
void quic_opener_free(struct quic_opener *opener);
bool quic_opener_mask(struct quic_opener *opener, const struct quic_keys *keys,
                      const uint8_t sample[static QUIC_SAMPLE_LEN],
                      uint8_t mask[static QUIC_MASK_LEN]);
/* `sealed` is ciphertext and tag, `header` the header without its mask; writes
 * length - QUIC_TAG_LEN bytes to out. False unless the tag is right. */
bool quic_opener_open(struct quic_opener *opener, const struct quic_keys *keys,
                      uint64_t packet_number, const uint8_t *header,
                      size_t header_length, const uint8_t *sealed,
                      size_t length, uint8_t *out);

#endif
