/*
 * What is inside QUIC Initials. The seal of a packet keeps mutations out, so
 * here the input is the plaintext and the packets are sealed for it, as any
 * client can: every one must open, whatever frames are in it.
 *
 *   offset size meaning, again and again
 *   0      1    low two bits: length of the packet number - 1; 4: version 2;
 *               8: another connection id from here on; 16: same datagram
 *   1      2    length of the frames
 *   3      ..   frames
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/cursor.h"
#include "probe/meter/fingerprint.h"
#include "probe/meter/quic.h"
#include "tests/fuzz/fuzz.h"

enum { PLAIN_MAX = 1400, DATAGRAM_MAX = 8 * 1024, ID_LEN = 8, HEADER_LEN = 18 };

struct sealer {
    EVP_CIPHER_CTX *gcm;
    struct quic_opener *opener;
    struct fingerprinter *fingerprinter;
    uint8_t id[ID_LEN];
    uint8_t datagram[DATAGRAM_MAX];
    size_t length;
};

/* As probe/meter/quic.c has them; written anew, so that a change there shows. */
static struct quic_keys keys_of(bool is_v2, const uint8_t *id)
{
    static const uint8_t salts[2][QUIC_SALT_LEN] = {
        {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
         0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
        {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
         0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}};
    return quic_keys_of_client(salts[is_v2], is_v2 ? "quicv2" : "quic", id,
                               ID_LEN);
}

static void encrypt(struct sealer *s, const struct quic_keys *keys,
                    uint8_t number, const uint8_t *header, size_t header_length,
                    const uint8_t *plain, size_t length, uint8_t *out)
{
    uint8_t nonce[QUIC_IV_LEN];
    int n;
    memcpy(nonce, keys->iv, sizeof(nonce));
    nonce[QUIC_IV_LEN - 1] ^= number;
    if (EVP_EncryptInit_ex(s->gcm, EVP_aes_128_gcm(), NULL, keys->key, nonce) !=
            1 ||
        EVP_EncryptUpdate(s->gcm, NULL, &n, header, (int)header_length) != 1 ||
        EVP_EncryptUpdate(s->gcm, out, &n, plain, (int)length) != 1 ||
        EVP_EncryptFinal_ex(s->gcm, out + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(s->gcm, EVP_CTRL_GCM_GET_TAG, QUIC_TAG_LEN,
                            out + length) != 1)
        abort();
}

/* Appends one sealed Initial to the datagram. */
static void seal(struct sealer *s, uint8_t kind, const uint8_t *plain,
                 size_t length)
{
    bool is_v2 = kind & 4;
    size_t width = (size_t)(kind & 3) + 1;
    uint8_t *p = s->datagram + s->length, mask[QUIC_MASK_LEN];
    static const uint8_t versions[2][4] = {{0, 0, 0, 1},
                                           {0x6b, 0x33, 0x43, 0xcf}};
    struct quic_keys keys = keys_of(is_v2, s->id);
    size_t rest = width + length + QUIC_TAG_LEN;
    p[0] = (uint8_t)((is_v2 ? 0xd0 : 0xc0) | (kind & 3));
    memcpy(p + 1, versions[is_v2], 4);
    p[5] = ID_LEN;
    memcpy(p + 6, s->id, ID_LEN);
    p[14] = p[15] = 0; /* no source id, no token */
    p[16] = (uint8_t)(0x40 | rest >> 8);
    p[17] = (uint8_t)rest;
    memset(p + HEADER_LEN, 0, width);
    p[HEADER_LEN + width - 1] = 7;
    encrypt(s, &keys, 7, p, HEADER_LEN + width, plain, length,
            p + HEADER_LEN + width);
    if (!quic_opener_mask(s->opener, &keys, p + HEADER_LEN + 4, mask))
        abort();
    p[0] ^= mask[0] & 0x0f;
    for (size_t i = 0; i < width; i++)
        p[HEADER_LEN + i] ^= mask[1 + i];
    s->length += HEADER_LEN + rest;
}

static void read_datagram(struct sealer *s, struct quic_client *client,
                          struct gather *gather)
{
    static uint8_t scratch[QUIC_SCRATCH_LEN];
    char text[FINGERPRINT_TEXT_LEN];
    struct hello hello;
    if (s->length == 0)
        return;
    if (!quic_is_long_header(s->datagram, s->length) ||
        quic_read_datagram(s->opener, s->datagram, s->length, scratch, client,
                           gather) != QUIC_CLIENT)
        abort();
    s->length = 0;
    if (hello_from_handshake(gather->bytes, gather_prefix(gather), &hello) !=
        HELLO_CLIENT)
        return;
    struct fingerprint fingerprint;
    fingerprint_of_hello(s->fingerprinter, &hello, true, &fingerprint);
    fingerprint_to_text(&fingerprint, text);
    if (strlen(text) != 36 ||
        (hello.name.length > 0 && !hello_is_name(hello.name)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sealer s;
    static uint8_t bytes[8192];
    struct gather gather;
    uint8_t plain[PLAIN_MAX];
    struct quic_client client = {0};
    struct cursor c = cursor_of(data, size);
    if (s.gcm == NULL) {
        s.gcm = EVP_CIPHER_CTX_new();
        s.opener = quic_opener_new();
        s.fingerprinter = fingerprinter_new();
    }
    s.length = 0;
    memset(s.id, 1, sizeof(s.id));
    gather_init(&gather, bytes, sizeof(bytes));
    while (cursor_left(&c) > 3) {
        uint8_t kind = cursor_u8(&c);
        size_t length = cursor_u16(&c) % PLAIN_MAX;
        if (length > cursor_left(&c))
            length = cursor_left(&c);
        memset(plain, 0, sizeof(plain)); /* PADDING, enough for the sample */
        memcpy(plain, cursor_bytes(&c, length), length);
        s.id[0] = kind & 8 ? (uint8_t)(s.id[0] + 1) : s.id[0];
        if (!(kind & 16) || s.length + PLAIN_MAX + 64 > DATAGRAM_MAX)
            read_datagram(&s, &client, &gather);
        seal(&s, kind, plain, length < 20 ? 20 : length);
    }
    read_datagram(&s, &client, &gather);
    return 0;
}
