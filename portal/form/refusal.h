/*
 * Why an act is refused: a code that stays the same for ever (E_FIELD_REQUIRED,
 * requirements 4.3; its HTTP status: portal/show/refused.h), the field that it is about, and a sentence that names what
 * was given and the way out.
 *
 *   return refuse(out, "E_COMPANY_AGE", "established", "refusal.company_age",
 *                 text_day("day", first));
 *
 * The sentence is filled when it is shown, in the reader's language. What its
 * arguments borrow has to live as long; texts from outside lie in the request's
 * arena.
 */
#ifndef PORTAL_FORM_REFUSAL_H
#define PORTAL_FORM_REFUSAL_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/text.h"

enum { REFUSAL_ARGUMENTS_MAX = 6 };

struct refusal {
    const char *code;  /* NULL: nothing is refused */
    const char *field; /* its name; NULL: the whole */
    const char *key;   /* of the sentence */
    struct text_argument arguments[REFUSAL_ARGUMENTS_MAX + 1];
};

/* Sets the refusal; always false, so that it can be returned. With out NULL
 * nothing is set. */
#define refuse(out, code, field, key, ...)                                     \
    refuse_list(out, code, field, key, TEXT_ARGUMENTS(__VA_ARGS__))
bool refuse_list(struct refusal *out, const char *code, const char *field,
                 const char *key, const struct text_argument *arguments);
/* The sentence; "" without memory. */
const char *refusal_words(const struct refusal *refusal, enum language language,
                          struct arena *arena);
/* Members code, error, error_zh and field of an object that is open: the same
 * bytes in whichever language the asker reads. */
struct json_writer;
void refusal_write_json(const struct refusal *refusal, struct json_writer *json,
                        struct arena *arena);

#endif
