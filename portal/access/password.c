/* See password.h. */
#include "portal/access/password.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/slice.h"
#include "common/text.h"

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

static size_t count_characters(struct slice text)
{
    size_t characters = 0;
    for (size_t i = 0; i < text.length; i++)
        characters += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return characters;
}

static enum password_fault judge_form(struct slice text)
{
    if (!slice_is_clean_utf8(text))
        return PASSWORD_UNREADABLE;
    if (count_characters(text) < PASSWORD_MIN_CHARACTERS)
        return PASSWORD_SHORT;
    return text.length > PASSWORD_MAX_BYTES ? PASSWORD_LONG : PASSWORD_FINE;
}

bool password_is_acceptable(const char *password, struct error_text *error)
{
    switch (judge_form(slice_of_text(password))) {
    case PASSWORD_UNREADABLE:
        return error_set(error, "the password is not clean UTF-8 text");
    case PASSWORD_SHORT:
        return error_set(error, "the password needs at least %d characters",
                         PASSWORD_MIN_CHARACTERS);
    case PASSWORD_LONG:
        return error_set(error, "the password is longer than %d bytes",
                         PASSWORD_MAX_BYTES);
    default:
        return true;
    }
}

/* --- what others try first --- */

static const char *const COMMON[] = {
    "password",
    "passwort",
    "passwd",
    "mima",
    "admin",
    "root",
    "qwerty",
    "qwertz",
    "azerty",
    "asdf",
    "zxcv",
    "letmein",
    "welcome",
    "iloveyou",
    "woaini",
    "5201314",
    "1314520",
    "monkey",
    "dragon",
    "football",
    "abc",
    "test",
    "guest",
    "login",
    "user",
    "changeme",
    "secret",
    "master",
    "hello",
    "nihao",
    "china",
    "zhongguo",
    "beijing",
    "guangzhou",
    "shenzhen",
    "guangdong",
    "p@ssw0rd",
    "passw0rd",
    "qazwsx",
    "1qaz2wsx",
    "yunzheng",
    "portal",
    "voucher",
    "fuwuquan",
    "shangyun",
    "\xe5\xaf\x86\xe7\xa0\x81",
    "\xe4\xba\x91\xe8\xaf\x81",
    "\xe6\x9c\x8d\xe5\x8a\xa1\xe5\x88\xb8",
    "\xe4\xb8\x8a\xe4\xba\x91",
};

/* A password in small letters, and which bytes of it others would try. */
struct guessing {
    char text[PASSWORD_MAX_BYTES + 1];
    bool is_known[PASSWORD_MAX_BYTES + 1];
    size_t length;
};

static void take_word(struct guessing *g, struct slice word)
{
    enum { SHORTEST = 3 };
    for (size_t at = 0;
         word.length >= SHORTEST && at + word.length <= g->length; at++) {
        bool is_there =
            slice_equal_nocase(slice_of_bytes(g->text + at, word.length), word);
        for (size_t i = 0; is_there && i < word.length; i++)
            g->is_known[at + i] = true;
    }
}

static bool is_part_of_word(char c)
{
    return (c >= '0' && c <= '9') ||
           (slice_lower(c) >= 'a' && slice_lower(c) <= 'z') || (c & 0x80) != 0;
}

/* "anna.wang@example.org": anna, wang, example, org. */
static void take_parts(struct guessing *g, const char *words)
{
    const char *start = words;
    for (const char *c = words;; c++) {
        if (*c != '\0' && is_part_of_word(*c))
            continue;
        take_word(g, slice_of_bytes(start, (size_t)(c - start)));
        if (*c == '\0')
            return;
        start = c + 1;
    }
}

/* "4567", "aaaa", "9876": three or more. */
static void take_rows(struct guessing *g)
{
    for (size_t i = 2; i < g->length; i++) {
        int step = g->text[i] - g->text[i - 1];
        if (step >= -1 && step <= 1 && step == g->text[i - 1] - g->text[i - 2])
            g->is_known[i] = g->is_known[i - 1] = g->is_known[i - 2] = true;
    }
}

static void take_years(struct guessing *g)
{
    for (size_t i = 0; i + 4 <= g->length; i++) {
        const char *c = g->text + i;
        if ((memcmp(c, "19", 2) == 0 || memcmp(c, "20", 2) == 0) &&
            c[2] >= '0' && c[2] <= '9' && c[3] >= '0' && c[3] <= '9')
            memset(g->is_known + i, true, 4);
    }
}

enum password_fault password_judge(const char *password,
                                   const char *const *words)
{
    struct guessing g = {.length = strlen(password)};
    enum password_fault fault = judge_form(slice_of_text(password));
    size_t own = 0;
    if (fault != PASSWORD_FINE)
        return fault;
    for (size_t i = 0; i < g.length; i++)
        g.text[i] = slice_lower(password[i]);
    for (size_t i = 0; i < sizeof(COMMON) / sizeof(COMMON[0]); i++)
        take_word(&g, slice_of_text(COMMON[i]));
    for (; *words != NULL; words++)
        take_parts(&g, *words);
    take_rows(&g);
    take_years(&g);
    for (size_t i = 0; i < g.length; i++)
        own += !g.is_known[i] && ((unsigned char)g.text[i] & 0xc0) != 0x80;
    return own < PASSWORD_OWN_CHARACTERS ? PASSWORD_KNOWN : PASSWORD_FINE;
}

const char *password_fault_text(enum password_fault fault)
{
    static const char *const TEXTS[] = {
        [PASSWORD_FINE] = "",
        [PASSWORD_UNREADABLE] = TEXT_KEY("password.fault.UNREADABLE"),
        [PASSWORD_SHORT] = TEXT_KEY("password.fault.SHORT"),
        [PASSWORD_LONG] = TEXT_KEY("password.fault.LONG"),
        [PASSWORD_KNOWN] = TEXT_KEY("password.fault.KNOWN"),
    };
    return TEXTS[fault];
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
