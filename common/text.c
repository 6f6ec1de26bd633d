/*
 * The table is made by deploy/compile-texts, in the order of its keys (strcmp),
 * and is searched by halving.
 *
 * A {name} in a sentence is a brace, letters, digits and underscores, a brace;
 * any other brace stands for itself. What was filled in is not looked at again:
 * an argument cannot name another one.
 */
#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text_row {
    const char *key;
    const char *text[LANGUAGE_COUNT]; /* index: enum language */
};

static const struct text_row TEXTS[] = {
#include "text/table.inc"
};
enum { TEXTS_COUNT = sizeof(TEXTS) / sizeof(TEXTS[0]) };

/* ---- languages ---- */

static const struct {
    const char *code, *tag;
} LANGUAGES[LANGUAGE_COUNT] = {
    [LANGUAGE_ZH] = {"zh", "zh-CN"},
    [LANGUAGE_EN] = {"en", "en"},
};

const char *language_tag(enum language language)
{
    return LANGUAGES[language].tag;
}

const char *language_code(enum language language)
{
    return LANGUAGES[language].code;
}

bool language_from_code(const char *code, enum language *language)
{
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        if (strcmp(code, LANGUAGES[i].code) == 0) {
            *language = (enum language)i;
            return true;
        }
    }
    return false;
}

enum language language_of_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (locale == NULL || locale[0] == '\0')
            locale = getenv(variables[i]);
    }
    return locale != NULL && strncmp(locale, "zh", 2) == 0 ? LANGUAGE_ZH
                                                           : LANGUAGE_EN;
}

/* ---- the table ---- */

static int compare(struct slice key, const char *row)
{
    size_t length = strlen(row);
    size_t common = key.length < length ? key.length : length;
    int order = common > 0 ? memcmp(key.data, row, common) : 0;
    if (order != 0)
        return order;
    return (key.length > length) - (key.length < length);
}

const char *text_find(enum language language, struct slice key)
{
    size_t low = 0, high = TEXTS_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(key, TEXTS[middle].key);
        if (order == 0)
            return TEXTS[middle].text[language];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *text_word(enum language language, const char *prefix,
                      const char *code)
{
    char key[80];
    int length = snprintf(key, sizeof(key), "%s%s", prefix, code);
    if (length < 0 || (size_t)length >= sizeof(key))
        return code;
    const char *words = text_find(language, slice_of_text(key));
    return words != NULL ? words : code;
}

size_t text_row_count(void)
{
    return TEXTS_COUNT;
}

const char *text_row_key(size_t index)
{
    return TEXTS[index].key;
}

/* ---- arguments ---- */

void text_add_foreign(struct buffer *out, const char *text)
{
    struct slice rest = slice_of_text(text);
    while (rest.length > 0) {
        size_t length = slice_utf8_length(rest);
        bool is_plain = rest.data[0] >= ' ' && rest.data[0] <= '~';
        buffer_add_u8(out, is_plain ? (uint8_t)rest.data[0] : '?');
        length = length == 0 ? 1 : length;
        rest.data += length;
        rest.length -= length;
    }
}

static void add_slice(struct buffer *out, enum language language,
                      const struct text_argument *argument)
{
    (void)language;
    buffer_add_slice(out, argument->text);
}

static void add_foreign(struct buffer *out, enum language language,
                        const struct text_argument *argument)
{
    (void)language;
    text_add_foreign(out, argument->text.data);
}

static void add_number(struct buffer *out, enum language language,
                       const struct text_argument *argument)
{
    (void)language;
    buffer_addf(out, "%" PRId64, argument->number);
}

static void add_count(struct buffer *out, enum language language,
                      const struct text_argument *argument)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, argument->count);
    (void)language;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer_add_u8(out, ',');
        buffer_add_u8(out, (uint8_t)digits[i]);
    }
}

static void add_permille(struct buffer *out, enum language language,
                         const struct text_argument *argument)
{
    (void)language;
    buffer_addf(out, "%" PRIu64 ".%" PRIu64 "%%", argument->count / 10,
                argument->count % 10);
}

static void add_words(struct buffer *out, enum language language,
                      const struct text_argument *argument)
{
    text_add(out, language, argument->text.data);
}

static void add_code(struct buffer *out, enum language language,
                     const struct text_argument *argument)
{
    const char *code = argument->text.data;
    const char *words = text_word(language, argument->prefix, code);
    if (words != code)
        buffer_add_text(out, words);
    else
        text_add_foreign(out, code);
}

struct text_argument text_slice(const char *name, struct slice text)
{
    return (struct text_argument){.name = name, .add = add_slice, .text = text};
}

struct text_argument text_plain(const char *name, const char *text)
{
    return text_slice(name, slice_of_text(text));
}

struct text_argument text_foreign(const char *name, const char *text)
{
    return (struct text_argument){
        .name = name, .add = add_foreign, .text = slice_of_text(text)};
}

struct text_argument text_number(const char *name, int64_t number)
{
    return (struct text_argument){
        .name = name, .add = add_number, .number = number};
}

struct text_argument text_count(const char *name, uint64_t count)
{
    return (struct text_argument){
        .name = name, .add = add_count, .count = count};
}

struct text_argument text_permille(const char *name, uint64_t permille)
{
    return (struct text_argument){
        .name = name, .add = add_permille, .count = permille};
}

struct text_argument text_words(const char *name, const char *key)
{
    return (struct text_argument){
        .name = name, .add = add_words, .text = slice_of_text(key)};
}

struct text_argument text_code(const char *name, const char *prefix,
                               const char *code)
{
    return (struct text_argument){.name = name,
                                  .add = add_code,
                                  .text = slice_of_text(code),
                                  .prefix = prefix};
}

/* ---- sentences ---- */

static bool is_name_character(char c)
{
    return (slice_is_letter_or_digit(c) && c == slice_lower(c)) || c == '_';
}

/* The {name} that the text starts with; empty when it does not. */
static struct slice name_at(const char *text)
{
    size_t length = 1;
    while (is_name_character(text[length]))
        length++;
    if (text[length] != '}')
        length = 1;
    return (struct slice){text + 1, length - 1};
}

static const struct text_argument *
find_argument(const struct text_argument *arguments, struct slice name)
{
    while (arguments->name != NULL && !slice_equal_text(name, arguments->name))
        arguments++;
    return arguments->name != NULL ? arguments : NULL;
}

static const char *sentence_of(enum language language, const char *key)
{
    const char *text = text_find(language, slice_of_text(key));
    return text != NULL ? text : key;
}

void text_add(struct buffer *out, enum language language, const char *key)
{
    buffer_add_text(out, sentence_of(language, key));
}

void text_fill_list(struct buffer *out, enum language language, const char *key,
                    const struct text_argument *arguments)
{
    const char *text = sentence_of(language, key);
    for (;;) {
        size_t plain = strcspn(text, "{");
        buffer_add(out, text, plain);
        text += plain;
        if (*text == '\0')
            return;
        struct slice name = name_at(text);
        const struct text_argument *found = find_argument(arguments, name);
        if (found != NULL) {
            found->add(out, language, found);
            text += name.length + 2;
        } else {
            buffer_add(out, text++, 1);
        }
    }
}
