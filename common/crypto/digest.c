/*
 * SHA-256 and its keyed form through OpenSSL's EVP layer.
 *
 * The functions cannot fail towards their callers: with arguments of ours the
 * library only fails without memory, or in a build without SHA-256, and neither
 * leaves a way to go on. A digest that silently was not one would be worse.
 */
#include "common/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

enum { HMAC_BLOCK = 64, HMAC_SHORT = 128 }; /* bytes */

struct digest_stream {
    EVP_MD_CTX *context;
};

static void must(bool good, const char *what)
{
    if (!good)
        fatal(1, "%s failed in the crypto library", what);
}

/* EVP_sha256() is looked up again by name in every use, and a context made for
 * it, which takes longer than the hashing of short texts. So both are kept, the
 * context by each thread for itself. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MD *sha256_method;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void prepare(void)
{
    sha256_method = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256_method != NULL, "finding SHA-256");
    must(pthread_key_create(&context_key, free_context) == 0,
         "keeping a digest");
}

static const EVP_MD *sha256(void)
{
    pthread_once(&once, prepare);
    return sha256_method;
}

static EVP_MD_CTX *own_context(void)
{
    pthread_once(&once, prepare);
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (context != NULL)
        return context;
    context = EVP_MD_CTX_new();
    must(context != NULL && pthread_setspecific(context_key, context) == 0,
         "allocating a digest");
    return context;
}

struct digest digest_of(const void *data, size_t length)
{
    struct digest digest = {0};
    EVP_MD_CTX *context = own_context();
    must(EVP_DigestInit_ex(context, sha256_method, NULL) == 1 &&
             EVP_DigestUpdate(context, data, length) == 1 &&
             EVP_DigestFinal_ex(context, digest.bytes, NULL) == 1,
         "SHA-256");
    return digest;
}

struct digest_stream *digest_stream_new(void)
{
    struct digest_stream *s = OPENSSL_zalloc(sizeof(*s));
    must(s != NULL, "allocating a digest");
    s->context = EVP_MD_CTX_new();
    must(s->context != NULL &&
             EVP_DigestInit_ex(s->context, sha256(), NULL) == 1,
         "SHA-256");
    return s;
}

void digest_stream_add(struct digest_stream *s, const void *data, size_t length)
{
    must(EVP_DigestUpdate(s->context, data, length) == 1, "SHA-256");
}

struct digest digest_stream_now(const struct digest_stream *s)
{
    struct digest digest = {0};
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    must(copy != NULL && EVP_MD_CTX_copy_ex(copy, s->context) == 1 &&
             EVP_DigestFinal_ex(copy, digest.bytes, NULL) == 1,
         "SHA-256");
    EVP_MD_CTX_free(copy);
    return digest;
}

void digest_stream_free(struct digest_stream *s)
{
    if (s == NULL)
        return;
    EVP_MD_CTX_free(s->context);
    OPENSSL_free(s);
}

bool digest_of_file(const char *path, struct digest *digest)
{
    uint8_t block[16384];
    size_t got;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return false;
    struct digest_stream *s = digest_stream_new();
    while ((got = fread(block, 1, sizeof(block), f)) > 0)
        digest_stream_add(s, block, got);
    bool good = ferror(f) == 0;
    if (good)
        *digest = digest_stream_now(s);
    digest_stream_free(s);
    fclose(f);
    return good;
}

bool digest_read(struct slice bytes, struct digest *digest)
{
    if (bytes.length != DIGEST_LEN)
        return false;
    memcpy(digest->bytes, bytes.data, DIGEST_LEN);
    return true;
}

bool digest_equal(struct digest a, struct digest b)
{
    return CRYPTO_memcmp(a.bytes, b.bytes, DIGEST_LEN) == 0;
}

void digest_to_hex(struct digest digest, char text[static DIGEST_HEX_LEN])
{
    hex_of(digest.bytes, DIGEST_LEN, text);
}

/* RFC 2104 by hand for short keys and texts, which are most: the library's HMAC
 * costs several times as much in preparations. */
static struct digest hmac_short(const uint8_t *key, size_t key_length,
                                const void *data, size_t length)
{
    uint8_t inner[HMAC_BLOCK + HMAC_SHORT], outer[HMAC_BLOCK + DIGEST_LEN];
    memset(inner, 0x36, HMAC_BLOCK);
    memset(outer, 0x5c, HMAC_BLOCK);
    for (size_t i = 0; i < key_length; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    if (length > 0)
        memcpy(inner + HMAC_BLOCK, data, length);
    struct digest digest = digest_of(inner, HMAC_BLOCK + length);
    memcpy(outer + HMAC_BLOCK, digest.bytes, DIGEST_LEN);
    digest = digest_of(outer, sizeof(outer));
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
    return digest;
}

struct digest hmac_sha256(const void *key, size_t key_length, const void *data,
                          size_t length)
{
    struct digest digest = {0};
    if (key_length <= HMAC_BLOCK && length <= HMAC_SHORT)
        return hmac_short(key, key_length, data, length);
    /* HMAC() takes the key's length as an int; ours are short. */
    must(key_length <= 4096 && HMAC(EVP_sha256(), key, (int)key_length, data,
                                    length, digest.bytes, NULL) != NULL,
         "HMAC-SHA-256");
    return digest;
}

void hmac_sha1(const void *key, size_t key_length, const void *data,
               size_t length, uint8_t mac[static 20])
{
    must(key_length <= 4096 && HMAC(EVP_sha1(), key, (int)key_length, data,
                                    length, mac, NULL) != NULL,
         "HMAC-SHA-1");
}

void random_bytes(void *data, size_t length)
{
    must(length <= 1u << 20 && RAND_bytes(data, (int)length) == 1,
         "the random generator");
}

void hex_of(const void *data, size_t length, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * length] = '\0';
}
