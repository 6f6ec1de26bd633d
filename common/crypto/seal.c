#include "common/crypto/seal.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/log.h"

enum { NONCE_LEN = 12, TAG_LEN = 16 };

void seal(const struct secret *key, const char *whose, const void *plain,
          size_t length, uint8_t *sealed)
{
    uint8_t *text = sealed + NONCE_LEN;
    int done = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    random_bytes(sealed, NONCE_LEN);
    bool good = c != NULL && length < 4096 &&
                EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes,
                                   sealed) == 1 &&
                EVP_EncryptUpdate(c, NULL, &done, (const uint8_t *)whose,
                                  (int)strlen(whose)) == 1 &&
                EVP_EncryptUpdate(c, text, &done, plain, (int)length) == 1 &&
                EVP_EncryptFinal_ex(c, text + length, &done) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
                                    text + length) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!good)
        fatal(1, "AES-256-GCM: no memory");
}

bool seal_open(const struct secret *key, const char *whose, struct slice sealed,
               uint8_t *plain)
{
    uint8_t tag[TAG_LEN];
    int done = 0;
    if (sealed.length < SEAL_EXTRA || sealed.length > 4096)
        return false;
    const uint8_t *nonce = (const uint8_t *)sealed.data;
    int length = (int)(sealed.length - SEAL_EXTRA);
    memcpy(tag, nonce + NONCE_LEN + length, TAG_LEN);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool good =
        c != NULL &&
        EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, nonce) ==
            1 &&
        EVP_DecryptUpdate(c, NULL, &done, (const uint8_t *)whose,
                          (int)strlen(whose)) == 1 &&
        EVP_DecryptUpdate(c, plain, &done, nonce + NONCE_LEN, length) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
        EVP_DecryptFinal_ex(c, plain + length, &done) == 1;
    EVP_CIPHER_CTX_free(c);
    return good;
}
