/* See refusal.h. */
#include "portal/form/refusal.h"

enum { WORDS_MAX = 4096 };

bool refuse_list(struct refusal *out, const char *code, const char *field,
                 const char *key, const struct text_argument *arguments)
{
    if (out == NULL)
        return false;
    *out = (struct refusal){.code = code, .field = field, .key = key};
    for (size_t i = 0; i < REFUSAL_ARGUMENTS_MAX && arguments[i].name != NULL;
         i++)
        out->arguments[i] = arguments[i];
    return false;
}

const char *refusal_words(const struct refusal *refusal, enum language language,
                          struct arena *arena)
{
    struct buffer words;
    if (refusal->code == NULL)
        return "";
    buffer_init(&words, WORDS_MAX);
    text_fill_list(&words, language, refusal->key, refusal->arguments);
    const char *copy =
        words.failed ? NULL : arena_copy_text(arena, buffer_slice(&words));
    buffer_clear(&words);
    return copy != NULL ? copy : "";
}
