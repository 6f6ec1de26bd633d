/*
 * Forms, queries, cookies, path segments, and what encodings are accepted. What
 * comes out is clean UTF-8 without zero bytes, and encoding it for a link and
 * decoding that again gives the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "portal/http/gzip.h"
#include "portal/http/request.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_LIMIT = 1 << 22 };

static void check(const char *text, struct arena *arena)
{
    if (!slice_is_clean_utf8(slice_of_text(text)))
        abort();
    const char *encoded = form_encode(text, arena);
    const char *again;
    enum form_reading reading =
        form_decode(slice_of_text(encoded), true, arena, &again);
    if (encoded[0] != '\0' &&
        (reading != FORM_GOOD || strcmp(again, text) != 0))
        abort();
}

static void check_form(const struct form_data *form, struct arena *arena)
{
    for (size_t i = 0; i < form->count; i++) {
        check(form->fields[i].name, arena);
        check(form->fields[i].value, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of_bytes(data, size);
    struct arena *arena = arena_new(ARENA_LIMIT);
    struct form_data form;
    if (form_parse(&form, text, arena) == FORM_GOOD)
        check_form(&form, arena);
    else if (form.count != 0)
        abort();
    form_parse_cookies(&form, text, text.length % 2 == 0, arena);
    check_form(&form, arena);
    const char *segment;
    form_decode(text, false, arena, &segment);
    check(segment, arena);
    gzip_is_accepted(text);
    arena_free(arena);
    return 0;
}
