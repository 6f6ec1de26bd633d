/* See password.h. */
#include "portal/access/password.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/slice.h"

/* PASSES over MEMORY_BYTES. */
enum { PASSES = 2, MEMORY_BYTES = 32 * 1024 * 1024 };

/* Of no password: its salt and key are fixed text. It has the parameters of
 * password_hash(), so that checking against it costs the same. */
static const char NOBODY[] =
    "$argon2id$v=19$m=32768,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw"
    "$bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm8";

bool password_init(void)
{
    return sodium_init() >= 0;
}

bool password_is_acceptable(const char *password, struct error_text *error)
{
    struct slice text = slice_of_text(password);
    size_t characters = 0;
    if (!slice_is_clean_utf8(text))
        return error_set(error, "the password is not clean UTF-8 text");
    for (size_t i = 0; i < text.length; i++)
        characters += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    if (characters < PASSWORD_MIN_CHARACTERS)
        return error_set(error, "the password needs at least %d characters",
                         PASSWORD_MIN_CHARACTERS);
    if (text.length > PASSWORD_MAX_BYTES)
        return error_set(error, "the password is longer than %d bytes",
                         PASSWORD_MAX_BYTES);
    return true;
}

bool password_hash(const char *password, char hash[static PASSWORD_HASH_LEN])
{
    _Static_assert(PASSWORD_HASH_LEN >= crypto_pwhash_STRBYTES, "hash fits");
    return crypto_pwhash_str_alg(hash, password, strlen(password), PASSES,
                                 MEMORY_BYTES,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool password_check(const char *hash, const char *password)
{
    char stored[PASSWORD_HASH_LEN] = "";
    bool known = hash[0] != '\0';
    snprintf(stored, sizeof(stored), "%s", known ? hash : NOBODY);
    bool right =
        crypto_pwhash_str_verify(stored, password, strlen(password)) == 0;
    return right && known;
}

bool password_is_outdated(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, PASSES, MEMORY_BYTES) != 0;
}
