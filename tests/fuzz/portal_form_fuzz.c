/*
 * Answers as strangers send them: JSON, and typed into a form. Whatever comes,
 * what was read is written as canonical JSON that reads back to the same, and
 * each refusal has its words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "portal/http/request.h"
#include "portal/record/enterprise_form.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_LIMIT = 1 << 24, JSON_LIMIT = 1 << 22 };

static void write(const struct answers *answers, struct buffer *json)
{
    buffer_init(json, JSON_LIMIT);
    answers_write_json(answers, true, json);
}

static void check_words(const struct answers *answers, struct arena *arena)
{
    const struct refusal *refusal = answers_refusal(answers);
    if (refusal != NULL &&
        refusal_words(refusal, LANGUAGE_ZH, arena)[0] == '\0')
        abort();
}

static void check(struct answers *answers, struct arena *arena)
{
    struct form_context context = {.now = {1543622400000000}};
    struct refusal refusal = {0};
    struct buffer first, second;
    form_check(&ENTERPRISE_FORM, answers, true, &context);
    check_words(answers, arena);
    write(answers, &first);
    struct answers again = form_answers(&ENTERPRISE_FORM, arena);
    if (!first.failed && !again.failed) {
        if (!answers_read_json(&again, buffer_slice(&first), &refusal))
            abort();
        form_check(&ENTERPRISE_FORM, &again, true, &context);
        write(&again, &second);
        if (!second.failed &&
            !slice_equal(buffer_slice(&first), buffer_slice(&second)))
            abort();
        buffer_clear(&second);
    }
    buffer_clear(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of_bytes(data, size);
    struct arena *arena = arena_new(ARENA_LIMIT);
    struct refusal refusal = {0};
    struct form_data form;
    struct answers answers = form_answers(&ENTERPRISE_FORM, arena);
    if (answers_read_json(&answers, text, &refusal))
        check(&answers, arena);
    else if (refusal.code == NULL && size < 1024)
        abort();
    if (form_parse(&form, text, arena) == FORM_GOOD) {
        answers = form_answers(&ENTERPRISE_FORM, arena);
        answers_read(&answers, form_typed, &form);
        check(&answers, arena);
    }
    arena_free(arena);
    return 0;
}
