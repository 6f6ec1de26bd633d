/* Lists are read as on the wire; values reserved for GREASE (RFC 8701) never
 * count. At most LIST_MAX values of a list are looked at. */
#include "meter/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/digest.h"

enum {
    LIST_MAX = 256,
    COUNT_MAX = 99,
    HASH_DIGITS = 12,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
};

struct list {
    uint16_t values[LIST_MAX];
    size_t count;
};

static bool is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static void list_add(struct list *list, uint16_t value)
{
    if (!is_grease(value) && list->count < LIST_MAX)
        list->values[list->count++] = value;
}

static void list_of_pairs(struct slice bytes, struct list *list)
{
    struct cursor c = cursor_of(bytes.data, bytes.length);
    list->count = 0;
    while (cursor_left(&c) >= 2)
        list_add(list, cursor_u16(&c));
}

static void list_of_extensions(struct slice bytes, struct list *list)
{
    struct cursor c = cursor_of(bytes.data, bytes.length);
    list->count = 0;
    while (cursor_left(&c) >= 4) {
        uint16_t type = cursor_u16(&c);
        cursor_skip(&c, cursor_u16(&c));
        if (!c.failed)
            list_add(list, type);
    }
}

static int compare(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    return (x > y) - (x < y);
}

static void list_sort(struct list *list)
{
    qsort(list->values, list->count, sizeof(list->values[0]), compare);
}

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

static uint16_t highest_version(const struct hello *hello)
{
    struct list list;
    list_of_pairs(hello->versions, &list);
    uint16_t highest = 0;
    for (size_t i = 0; i < list.count; i++)
        if (list.values[i] > highest)
            highest = list.values[i];
    return highest != 0 ? highest : hello->legacy_version;
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* First and last character, or hex digit where either is not a letter or a
 * digit; "00" without ALPN. */
static void alpn_text(struct slice alpn, char text[static 3])
{
    static const char digits[] = "0123456789abcdef";
    struct cursor c = cursor_of(alpn.data, alpn.length);
    size_t length = cursor_u8(&c);
    const uint8_t *value = cursor_bytes(&c, length);
    memcpy(text, "00", 3);
    if (value == NULL || length == 0)
        return;
    uint8_t first = value[0], last = value[length - 1];
    bool is_text = is_alphanumeric(first) && is_alphanumeric(last);
    text[0] = is_text ? (char)first : digits[first >> 4];
    text[1] = is_text ? (char)last : digits[last & 15];
}

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

static void text_hash(const struct text *text,
                      char hash[static HASH_DIGITS + 1])
{
    char hex[DIGEST_HEX_LEN];
    if (text->length == 0) {
        memcpy(hash, "000000000000", HASH_DIGITS + 1);
        return;
    }
    digest_to_hex(digest_of(text->data, text->length), hex);
    memcpy(hash, hex, HASH_DIGITS);
    hash[HASH_DIGITS] = '\0';
}

/* Extensions sorted without those counted elsewhere, then the signature
 * algorithms in their own order. */
static void add_extension_part(const struct hello *hello, struct list *types,
                               struct text *text)
{
    struct list algorithms;
    size_t kept = 0;
    for (size_t i = 0; i < types->count; i++)
        if (types->values[i] != EXTENSION_SERVER_NAME &&
            types->values[i] != EXTENSION_ALPN)
            types->values[kept++] = types->values[i];
    types->count = kept;
    list_sort(types);
    text_add_list(text, types);
    list_of_pairs(hello->signature_algorithms, &algorithms);
    if (algorithms.count > 0) {
        text->data[text->length++] = '_';
        text_add_list(text, &algorithms);
    }
}

static unsigned two_digits(size_t count)
{
    return count > COUNT_MAX ? COUNT_MAX : (unsigned)count;
}

void fingerprint_of_hello(const struct hello *hello, bool is_quic,
                          char text[static FINGERPRINT_TEXT_LEN])
{
    struct list ciphers, types;
    struct text cipher_text = {.length = 0}, extension_text = {.length = 0};
    char cipher_hash[HASH_DIGITS + 1], extension_hash[HASH_DIGITS + 1];
    char alpn[3];
    list_of_pairs(hello->ciphers, &ciphers);
    list_sort(&ciphers);
    text_add_list(&cipher_text, &ciphers);
    text_hash(&cipher_text, cipher_hash);
    list_of_extensions(hello->extensions, &types);
    unsigned type_count = two_digits(types.count);
    add_extension_part(hello, &types, &extension_text);
    text_hash(&extension_text, extension_hash);
    alpn_text(hello->alpn, alpn);
    int n =
        snprintf(text, FINGERPRINT_TEXT_LEN, "%c%s%c%02u%02u%s_%s_%s",
                 is_quic ? 'q' : 't', version_text(highest_version(hello)),
                 hello->has_server_name ? 'd' : 'i', two_digits(ciphers.count),
                 type_count, alpn, cipher_hash, extension_hash);
    if (n < 0 || n >= FINGERPRINT_TEXT_LEN)
        text[0] = '\0';
}

void fingerprint_hash(const char *text, uint8_t hash[static FINGERPRINT_LEN])
{
    struct digest digest = digest_of(text, strlen(text));
    memcpy(hash, digest.bytes, FINGERPRINT_LEN);
}
