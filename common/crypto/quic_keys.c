/*
 * Keys and ciphers of QUIC Initial packets.
 *
 * HKDF-Expand-Label (RFC 8446 section 7.1) for at most 32 bytes is one HMAC:
 *
 *   HMAC(secret, length(2) | label length(1) | "tls13 " label | 0(1) | 1(1))
 *
 * so nothing but HMAC-SHA-256 is needed for the keys.
 */
#include "common/crypto/quic_keys.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/crypto/digest.h"

struct quic_opener {
    EVP_CIPHER *gcm, *ecb;
    EVP_CIPHER_CTX *payload, *header;
};

static void expand(struct digest secret, const char *label, uint8_t *out,
                   size_t length)
{
    uint8_t info[64];
    char full[48];
    int n = snprintf(full, sizeof(full), "tls13 %s", label);
    assert(n > 0 && (size_t)n < sizeof(full) && length <= DIGEST_LEN);
    size_t at = 0;
    info[at++] = 0;
    info[at++] = (uint8_t)length;
    info[at++] = (uint8_t)n;
    memcpy(info + at, full, (size_t)n);
    at += (size_t)n;
    info[at++] = 0;
    info[at++] = 1;
    struct digest block = hmac_sha256(secret.bytes, DIGEST_LEN, info, at);
    memcpy(out, block.bytes, length);
}

static void expand_part(struct digest secret, const char *label,
                        const char *part, uint8_t *out, size_t length)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%s %s", label, part);
    assert(n > 0 && (size_t)n < sizeof(text));
    expand(secret, text, out, length);
}

struct quic_keys quic_keys_of_client(const uint8_t salt[static QUIC_SALT_LEN],
                                     const char *label, const uint8_t *id,
                                     size_t id_length)
{
    struct quic_keys keys = {0};
    struct digest initial = hmac_sha256(salt, QUIC_SALT_LEN, id, id_length);
    struct digest client;
    expand(initial, "client in", client.bytes, DIGEST_LEN);
    expand_part(client, label, "key", keys.key, sizeof(keys.key));
    expand_part(client, label, "iv", keys.iv, sizeof(keys.iv));
    expand_part(client, label, "hp", keys.header_key, sizeof(keys.header_key));
    return keys;
}

struct quic_opener *quic_opener_new(void)
{
    struct quic_opener *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return NULL;
    o->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    o->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    o->payload = EVP_CIPHER_CTX_new();
    o->header = EVP_CIPHER_CTX_new();
    if (o->gcm == NULL || o->ecb == NULL || o->payload == NULL ||
        o->header == NULL ||
        EVP_DecryptInit_ex2(o->payload, o->gcm, NULL, NULL, NULL) != 1 ||
        EVP_EncryptInit_ex2(o->header, o->ecb, NULL, NULL, NULL) != 1) {
        quic_opener_free(o);
        return NULL;
    }
    return o;
}

void quic_opener_free(struct quic_opener *o)
{
    if (o == NULL)
        return;
    EVP_CIPHER_CTX_free(o->payload);
    EVP_CIPHER_CTX_free(o->header);
    EVP_CIPHER_free(o->gcm);
    EVP_CIPHER_free(o->ecb);
    free(o);
}

bool quic_opener_mask(struct quic_opener *o, const struct quic_keys *keys,
                      const uint8_t sample[static QUIC_SAMPLE_LEN],
                      uint8_t mask[static QUIC_MASK_LEN])
{
    uint8_t block[QUIC_SAMPLE_LEN + 16];
    int n = 0;
    if (EVP_EncryptInit_ex2(o->header, NULL, keys->header_key, NULL, NULL) !=
            1 ||
        EVP_EncryptUpdate(o->header, block, &n, sample, QUIC_SAMPLE_LEN) != 1 ||
        n < QUIC_MASK_LEN)
        return false;
    memcpy(mask, block, QUIC_MASK_LEN);
    return true;
}

bool quic_opener_open(struct quic_opener *o, const struct quic_keys *keys,
                      uint64_t packet_number, const uint8_t *header,
                      size_t header_length, const uint8_t *sealed,
                      size_t length, uint8_t *out)
{
    uint8_t nonce[QUIC_IV_LEN], tag[QUIC_TAG_LEN];
    int n = 0;
    if (length < QUIC_TAG_LEN || length > INT32_MAX ||
        header_length > INT32_MAX)
        return false;
    memcpy(nonce, keys->iv, sizeof(nonce));
    for (size_t i = 0; i < 8; i++)
        nonce[QUIC_IV_LEN - 1 - i] ^= (uint8_t)(packet_number >> (8 * i));
    size_t plain = length - QUIC_TAG_LEN;
    memcpy(tag, sealed + plain, sizeof(tag));
    return EVP_DecryptInit_ex2(o->payload, NULL, keys->key, nonce, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(o->payload, EVP_CTRL_AEAD_SET_TAG, QUIC_TAG_LEN,
                               tag) == 1 &&
           EVP_DecryptUpdate(o->payload, NULL, &n, header,
                             (int)header_length) == 1 &&
           EVP_DecryptUpdate(o->payload, out, &n, sealed, (int)plain) == 1 &&
           EVP_DecryptFinal_ex(o->payload, out + n, &n) == 1;
}
