/* See refusal.h. */
#include "portal/form/refusal.h"

#include "common/writer.h"

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

void refusal_write_json(const struct refusal *refusal, struct json_writer *json,
                        struct arena *arena)
{
    json_text(json, "code", refusal->code);
    json_text(json, "error", refusal_words(refusal, LANGUAGE_EN, arena));
    json_text(json, "error_zh", refusal_words(refusal, LANGUAGE_ZH, arena));
    if (refusal->field != NULL)
        json_text(json, "field", refusal->field);
    else
        json_no_value(json, "field");
}
