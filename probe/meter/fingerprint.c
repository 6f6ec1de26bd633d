/*
 * Lists are read as on the wire; values reserved for GREASE (RFC 8701) never
 * count. At most LIST_MAX values of a list are looked at.
 *
 * A hash is remembered under the values that it was made of, sorted where the
 * form sorts them; the whole key is compared, and its place found under a
 * secret, so that no client can make another's hash be taken for its own.
 */
#include "probe/meter/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "common/cursor.h"
#include "probe/meter/keyed_hash.h"

enum {
    LIST_MAX = 256,
    COUNT_MAX = 99,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    MEMORIES = 128, /* power of two */
    MEMORY_KEY_MAX = 214,
};

/* Kinds of key. */
enum { KEY_CIPHERS, KEY_EXTENSIONS, KEY_TEXT };

struct list {
    uint16_t values[LIST_MAX];
    size_t count;
};

struct key {
    uint8_t bytes[2 + 2 * 2 * LIST_MAX];
    size_t length;
};

struct memory {
    uint16_t length; /* of the key; 0: empty */
    uint8_t hash[FINGERPRINT_LEN];
    uint8_t key[MEMORY_KEY_MAX];
};

struct fingerprinter {
    struct hash_key secret;
    struct memory memories[MEMORIES];
};

struct fingerprinter *fingerprinter_new(void)
{
    struct fingerprinter *f = calloc(1, sizeof(*f));
    if (f != NULL)
        f->secret = hash_key_random();
    return f;
}

void fingerprinter_free(struct fingerprinter *f)
{
    free(f);
}

/* --- lists --- */

static void list_add(struct list *list, uint16_t value)
{
    if (!hello_is_grease(value) && list->count < LIST_MAX)
        list->values[list->count++] = value;
}

static uint16_t pair_at(struct slice bytes, size_t offset)
{
    const uint8_t *p = (const uint8_t *)bytes.data + offset;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void list_of_pairs(struct slice bytes, struct list *list)
{
    list->count = 0;
    for (size_t at = 0; at + 2 <= bytes.length; at += 2)
        list_add(list, pair_at(bytes, at));
}

static void list_of_extensions(struct slice bytes, struct list *list)
{
    size_t at = 0;
    list->count = 0;
    while (at + 4 <= bytes.length) {
        size_t length = pair_at(bytes, at + 2);
        if (length > bytes.length - at - 4)
            return;
        list_add(list, pair_at(bytes, at));
        at += 4 + length;
    }
}

static int compare(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    return (x > y) - (x < y);
}

/* The usual lists are short and nearly in order. */
static void list_sort(struct list *list)
{
    enum { SHORT = 48 };
    uint16_t *v = list->values;
    if (list->count > SHORT) {
        qsort(v, list->count, sizeof(v[0]), compare);
        return;
    }
    for (size_t i = 1; i < list->count; i++) {
        uint16_t value = v[i];
        size_t k = i;
        for (; k > 0 && v[k - 1] > value; k--)
            v[k] = v[k - 1];
        v[k] = value;
    }
}

/* Without the extensions that are counted elsewhere. */
static void list_drop_named(struct list *types)
{
    size_t kept = 0;
    for (size_t i = 0; i < types->count; i++)
        if (types->values[i] != EXTENSION_SERVER_NAME &&
            types->values[i] != EXTENSION_ALPN)
            types->values[kept++] = types->values[i];
    types->count = kept;
}

/* --- hashes --- */

struct text {
    char data[(2 * LIST_MAX + 1) * 5];
    size_t length;
};

static void text_add_list(struct text *text, const struct list *list)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < list->count; i++) {
        uint16_t v = list->values[i];
        if (i > 0)
            text->data[text->length++] = ',';
        for (int shift = 12; shift >= 0; shift -= 4)
            text->data[text->length++] = digits[v >> shift & 15];
    }
}

static void key_add_list(struct key *key, const struct list *list)
{
    memcpy(key->bytes + key->length, list->values, 2 * list->count);
    key->length += 2 * list->count;
}

/* Where the key is remembered; NULL when it is too long to be. */
static struct memory *memory_of(struct fingerprinter *f, const struct key *key)
{
    if (key->length > MEMORY_KEY_MAX)
        return NULL;
    uint64_t hash = keyed_hash(&f->secret, key->bytes, key->length);
    return &f->memories[hash % MEMORIES];
}

static bool memory_holds(const struct memory *memory, const struct key *key)
{
    return memory != NULL && memory->length == key->length &&
           memcmp(memory->key, key->bytes, key->length) == 0;
}

static void hash_text(struct memory *memory, const struct key *key,
                      const char *text, size_t length,
                      uint8_t hash[static FINGERPRINT_LEN])
{
    struct digest digest = digest_of(text, length);
    memcpy(hash, digest.bytes, FINGERPRINT_LEN);
    if (memory == NULL)
        return;
    memory->length = (uint16_t)key->length;
    memcpy(memory->key, key->bytes, key->length);
    memcpy(memory->hash, hash, FINGERPRINT_LEN);
}

/* The hash of two lists, the second of which may be empty; zero of nothing. */
static void hash_lists(struct fingerprinter *f, int kind,
                       const struct list *first, const struct list *second,
                       uint8_t part[static FINGERPRINT_PART_LEN])
{
    uint8_t hash[FINGERPRINT_LEN];
    struct key key = {.bytes = {(uint8_t)kind, (uint8_t)first->count},
                      .length = 2};
    memset(part, 0, FINGERPRINT_PART_LEN);
    if (first->count + second->count == 0)
        return;
    key_add_list(&key, first);
    key_add_list(&key, second);
    struct memory *memory = memory_of(f, &key);
    if (memory_holds(memory, &key)) {
        memcpy(part, memory->hash, FINGERPRINT_PART_LEN);
        return;
    }
    struct text text;
    text.length = 0;
    text_add_list(&text, first);
    if (second->count > 0)
        text.data[text.length++] = '_';
    text_add_list(&text, second);
    hash_text(memory, &key, text.data, text.length, hash);
    memcpy(part, hash, FINGERPRINT_PART_LEN);
}

/* --- the head --- */

static const char *version_text(uint16_t version)
{
    static const struct {
        uint16_t version;
        const char *text;
    } versions[] = {
        {0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"},
        {0x0301, "10"}, {0x0300, "s3"},
    };
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (versions[i].version == version)
            return versions[i].text;
    return "00";
}

/* First and last character, or hex digit where either is not a letter or a
 * digit; "00" without ALPN. */
static void alpn_text(struct slice alpn, char text[static 2])
{
    static const char digits[] = "0123456789abcdef";
    struct slice value = hello_first_alpn(alpn);
    memcpy(text, "00", 2);
    if (value.length == 0)
        return;
    char first = value.data[0], last = value.data[value.length - 1];
    bool is_text =
        slice_is_letter_or_digit(first) && slice_is_letter_or_digit(last);
    text[0] = is_text ? first : digits[(uint8_t)first >> 4];
    text[1] = is_text ? last : digits[(uint8_t)last & 15];
}

static void put_two_digits(char text[static 2], size_t count)
{
    size_t n = count > COUNT_MAX ? COUNT_MAX : count;
    text[0] = (char)('0' + n / 10);
    text[1] = (char)('0' + n % 10);
}

/* --- all --- */

void fingerprint_of_hello(struct fingerprinter *f, const struct hello *hello,
                          bool is_quic, struct fingerprint *out)
{
    struct list ciphers, types, algorithms, none;
    none.count = 0;
    list_of_pairs(hello->ciphers, &ciphers);
    list_of_extensions(hello->extensions, &types);
    list_of_pairs(hello->signature_algorithms, &algorithms);
    out->head[0] = is_quic ? 'q' : 't';
    memcpy(out->head + 1, version_text(hello_highest_version(hello)), 2);
    out->head[3] = hello->has_server_name ? 'd' : 'i';
    put_two_digits(out->head + 4, ciphers.count);
    put_two_digits(out->head + 6, types.count);
    alpn_text(hello->alpn, out->head + 8);
    list_sort(&ciphers);
    list_drop_named(&types);
    list_sort(&types);
    hash_lists(f, KEY_CIPHERS, &ciphers, &none, out->ciphers);
    hash_lists(f, KEY_EXTENSIONS, &types, &algorithms, out->extensions);
}

bool fingerprint_is_none(const struct fingerprint *fingerprint)
{
    return fingerprint->head[0] == '\0';
}

void fingerprint_to_text(const struct fingerprint *fingerprint,
                         char text[static FINGERPRINT_TEXT_LEN])
{
    _Static_assert(FINGERPRINT_TEXT_LEN >
                       FINGERPRINT_HEAD_LEN + 2 + 4 * FINGERPRINT_PART_LEN,
                   "a fingerprint has room");
    char *at = text + FINGERPRINT_HEAD_LEN;
    text[0] = '\0';
    if (fingerprint_is_none(fingerprint))
        return;
    memcpy(text, fingerprint->head, FINGERPRINT_HEAD_LEN);
    *at++ = '_';
    hex_of(fingerprint->ciphers, FINGERPRINT_PART_LEN, at);
    at += 2 * FINGERPRINT_PART_LEN;
    *at++ = '_';
    hex_of(fingerprint->extensions, FINGERPRINT_PART_LEN, at);
}

void fingerprint_hash(struct fingerprinter *f,
                      const struct fingerprint *fingerprint,
                      uint8_t hash[static FINGERPRINT_LEN])
{
    char text[FINGERPRINT_TEXT_LEN];
    struct key key = {.bytes = {KEY_TEXT}, .length = 1 + sizeof(*fingerprint)};
    memcpy(key.bytes + 1, fingerprint, sizeof(*fingerprint));
    struct memory *memory = memory_of(f, &key);
    if (memory_holds(memory, &key)) {
        memcpy(hash, memory->hash, FINGERPRINT_LEN);
        return;
    }
    fingerprint_to_text(fingerprint, text);
    hash_text(memory, &key, text, strlen(text), hash);
}
