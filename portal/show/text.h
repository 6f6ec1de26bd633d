/*
 * Every word that people read, in one table: key, Chinese, English.
 *
 * Pages name the keys (`{{=key}}`), handlers ask for the words behind codes
 * such as "mark.COMPLETE". A key that is not in the table is a mistake that the
 * tests find; at run time it shows as the key itself.
 */
#ifndef PORTAL_SHOW_TEXT_H
#define PORTAL_SHOW_TEXT_H

#include <stddef.h>

#include "common/slice.h"

enum text_language { TEXT_ZH, TEXT_EN, TEXT_LANGUAGE_COUNT };

/* "zh-CN" and "en", as in HTML's lang; "zh" and "en" as in ?lang=. */
const char *text_language_tag(enum text_language language);
const char *text_language_code(enum text_language language);
/* The language of a code; `otherwise` for any other text. */
enum text_language text_language_from(const char *code,
                                      enum text_language otherwise);

/* NULL when there is no such key. */
const char *text_find(enum text_language language, struct slice key);
/* The words for prefix followed by code, "mark." "COMPLETE"; the code itself
 * when there are none. */
const char *text_word(enum text_language language, const char *prefix,
                      const char *code);

/* For the tests: the table's rows, in its order. */
size_t text_count(void);
const char *text_key(size_t index);

#endif
