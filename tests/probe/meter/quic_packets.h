/* QUIC packets of a client, made and sealed here: what a sender may do with its
 * ClientHello. */
#ifndef TESTS_PROBE_METER_QUIC_PACKETS_H
#define TESTS_PROBE_METER_QUIC_PACKETS_H

#include <stdlib.h>

#include <openssl/evp.h>

#include "common/crypto/quic_keys.h"
#include "tests/probe/meter/packets.h"

/* RFC 9001 and 9369; versions kept to force negotiation; draft 29 and T051 have the salts of their time, and T051
 * another number for CRYPTO frames. */
struct quic_kind {
    uint32_t version;
    uint8_t initial, zero_rtt, retry; /* packet types, in their place */
    const char *label;
    uint8_t salt[QUIC_SALT_LEN];
    uint8_t crypto; /* frame type */
};

static const struct quic_kind quic_kinds[] = {
    {1,
     0x00,
     0x10,
     0x30,
     "quic",
     {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
     6},
    {0x6b3343cf,
     0x10,
     0x20,
     0x00,
     "quicv2",
     {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
     6},
    {0xff00001d,
     0x00,
     0x10,
     0x30,
     "quic",
     {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
      0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
     6},
    {0x1a2a3a4a,
     0x00,
     0x10,
     0x30,
     "quic",
     {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
      0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
     6},
    {0x54303531,
     0x00,
     0x10,
     0x30,
     "quic",
     {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
      0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d},
     8},
};
enum { QUIC_IETF_KINDS = 4 }; /* the first of them */
enum { QUIC_KINDS = sizeof(quic_kinds) / sizeof(quic_kinds[0]) };

struct quic_id {
    uint8_t length;
    uint8_t bytes[QUIC_ID_MAX];
};

static inline void quic_must(int good)
{
    if (good != 1)
        abort();
}

/* CRYPTO frame; lengths and offsets as two-byte integers. */
static inline void quic_add_crypto(struct frame *f,
                                   const struct quic_kind *kind,
                                   const struct frame *message, size_t offset,
                                   size_t length)
{
    if (length > message->length - offset)
        length = message->length - offset;
    frame_u8(f, kind->crypto);
    frame_u16(f, 0x4000 | (unsigned)offset);
    frame_u16(f, 0x4000 | (unsigned)length);
    frame_add(f, message->bytes + offset, length);
}

static inline void quic_add_padding(struct frame *f, size_t length)
{
    memset(f->bytes + f->length, 0, length);
    f->length += length;
}

static inline void quic_encrypt(const struct quic_keys *keys, uint64_t number,
                                const struct frame *header,
                                const struct frame *plain, uint8_t *out)
{
    uint8_t nonce[QUIC_IV_LEN];
    int n = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    memcpy(nonce, keys->iv, sizeof(nonce));
    for (size_t i = 0; i < 8; i++)
        nonce[QUIC_IV_LEN - 1 - i] ^= (uint8_t)(number >> (8 * i));
    quic_must(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, keys->key, nonce));
    quic_must(
        EVP_EncryptUpdate(c, NULL, &n, header->bytes, (int)header->length));
    quic_must(EVP_EncryptUpdate(c, out, &n, plain->bytes, (int)plain->length));
    quic_must(EVP_EncryptFinal_ex(c, out + n, &n));
    quic_must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, QUIC_TAG_LEN,
                                  out + plain->length));
    EVP_CIPHER_CTX_free(c);
}

static inline void quic_mask(const struct quic_keys *keys,
                             const uint8_t *sample, uint8_t mask[static 16])
{
    int n = 0;
    uint8_t block[32];
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    quic_must(
        EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, keys->header_key, NULL));
    quic_must(EVP_EncryptUpdate(c, block, &n, sample, QUIC_SAMPLE_LEN));
    memcpy(mask, block, 16);
    EVP_CIPHER_CTX_free(c);
}

static inline void quic_add_ids(struct frame *f, const struct quic_kind *kind,
                                unsigned type, struct quic_id to)
{
    frame_u8(f, 0xc0 | type);
    frame_u32(f, kind->version);
    frame_u8(f, to.length);
    frame_add(f, to.bytes, to.length);
    frame_u8(f, 5); /* source connection id */
    frame_add(f, "\x01\x02\x03\x04\x05", 5);
}

/* Appends an Initial to `to` with keys of `secret`, the first id the client
 * used (another one after a Retry). Packet numbers have two bytes. */
static inline void quic_add_initial(struct frame *datagram,
                                    const struct quic_kind *kind,
                                    struct quic_id secret, struct quic_id to,
                                    size_t token, unsigned number,
                                    const struct frame *plain)
{
    struct frame header = {.length = 0};
    uint8_t mask[16];
    struct quic_keys keys = quic_keys_of_client(kind->salt, kind->label,
                                                secret.bytes, secret.length);
    quic_add_ids(&header, kind, kind->initial | 1, to);
    frame_u16(&header, 0x4000 | (unsigned)token);
    quic_add_padding(&header, token);
    frame_u16(&header, 0x4000 | (unsigned)(2 + plain->length + QUIC_TAG_LEN));
    size_t number_at = header.length;
    frame_u16(&header, number);
    uint8_t *at = datagram->bytes + datagram->length;
    quic_encrypt(&keys, number, &header, plain, at + header.length);
    quic_mask(&keys, at + number_at + 4, mask);
    header.bytes[0] ^= mask[0] & 0x0f;
    header.bytes[number_at] ^= mask[1];
    header.bytes[number_at + 1] ^= mask[2];
    memcpy(at, header.bytes, header.length);
    datagram->length += header.length + plain->length + QUIC_TAG_LEN;
}

/* A 0-RTT packet: sealed with keys that nobody on the path has. */
static inline void quic_add_zero_rtt(struct frame *datagram,
                                     const struct quic_kind *kind,
                                     struct quic_id to, size_t length)
{
    quic_add_ids(datagram, kind, kind->zero_rtt | 1, to);
    frame_u16(datagram, 0x4000 | (unsigned)length);
    memset(datagram->bytes + datagram->length, 0xa5, length);
    datagram->length += length;
}

#endif
