/*
 * What people read, in their language.
 *
 * The sentences stand in text/<name>.po, where a translator's tools open them:
 *
 *   #, python-brace-format
 *   msgctxt "probe.check.port"              our key
 *   msgid "端口 {port} 已被 {program} 占用"   the Chinese sentence
 *   msgstr "port {port} is taken by {program}"
 *
 * To add one: write these four lines (the first when it has {names}) into the
 * file of the program, and name the key in the code or on a page:
 *
 *   text_fill(out, language, "probe.check.port", text_number("port", port),
 *             text_foreign("program", name));
 *
 * A sentence is whole: nothing is put before or behind it, and no word of it
 * comes from another one, because another language has another order. What a
 * code means ("mark.COMPLETE") is an entry of its own. Where a key stands in a
 * table of C it is written TEXT_KEY("..."). deploy/check-texts holds all this
 * together: each key that is named is there and has the {names} it is given,
 * each that is there is named, in both languages.
 *
 * The build makes one sorted table of all files. Filling adds to a buffer and
 * escapes nothing: that is the work of the page's or file's writer.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/slice.h"

enum language { LANGUAGE_ZH, LANGUAGE_EN, LANGUAGE_COUNT };

/* "zh-CN" and "en", as in HTML's lang; "zh" and "en" as in --lang and ?lang=. */
const char *language_tag(enum language language);
const char *language_code(enum language language);
/* False, with *language untouched, when it is the code of none. */
bool language_from_code(const char *code, enum language *language);
/* Of LC_ALL, LC_MESSAGES, LANG, the first that is set; English without any. */
enum language language_of_environment(void);

/* Marks a key in a table. */
#define TEXT_KEY(key) key

/* NULL when there is no such key. */
const char *text_find(enum language language, struct slice key);
/* The words of prefix followed by code, "mark." "COMPLETE"; the code itself
 * when there are none. */
const char *text_word(enum language language, const char *prefix,
                      const char *code);

/* One argument of a sentence: the {name} that it is for, its value, and what
 * adds that value in the language of the sentence. */
struct text_argument {
    const char *name; /* NULL ends a list */
    void (*add)(struct buffer *out, enum language language,
                const struct text_argument *argument);
    struct slice text;
    const char *prefix;
    int64_t number;
    uint64_t count;
};

/* Our own words, ids and paths, as they are. */
struct text_argument text_plain(const char *name, const char *text);
struct text_argument text_slice(const char *name, struct slice text);
/* From a file or a stranger: printable ASCII as it is, every other character as
 * '?', so that nothing of it can steer a terminal. */
struct text_argument text_foreign(const char *name, const char *text);
struct text_argument text_number(const char *name, int64_t number); /* 8443 */
struct text_argument text_count(const char *name, uint64_t count);  /* 12,345 */
/* 123 is "12.3%". */
struct text_argument text_permille(const char *name, uint64_t permille);
/* The words of another key that can stand for themselves: "mark.COMPLETE". */
struct text_argument text_words(const char *name, const char *key);
/* As text_word; a code without words as text_foreign. */
struct text_argument text_code(const char *name, const char *prefix,
                               const char *code);
/* Times, spans, sizes, money: common/shown.h. */

/* Adds the sentence of the key; the key itself when there is no such one. */
void text_add(struct buffer *out, enum language language, const char *key);
/* Adds it with its {names} filled: text_fill(out, language, key, arguments...),
 * in any order. One that is not given stays to be seen, as {name}. */
#define text_fill(out, language, key, ...)                                     \
    text_fill_list(out, language, key, TEXT_ARGUMENTS(__VA_ARGS__))
/* A list of arguments, also of none. */
#define TEXT_ARGUMENTS(...)                                                    \
    ((const struct text_argument[]){__VA_ARGS__ __VA_OPT__(, ){0}})
void text_fill_list(struct buffer *out, enum language language, const char *key,
                    const struct text_argument *arguments);

/* For the tests: the table's rows, in its order. */
size_t text_row_count(void);
const char *text_row_key(size_t index);

/* As text_foreign, into a buffer. */
void text_add_foreign(struct buffer *out, const char *text);

#endif
