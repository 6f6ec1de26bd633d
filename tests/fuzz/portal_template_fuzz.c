/*
 * Templates: any page and any values. Whatever the page, reading it ends, one
 * that is refused says where, and of one that is kept no '<' of a value comes
 * out unescaped.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "portal/show/template.h"
#include "tests/fuzz/fuzz.h"

enum { OUT_LIMIT = 1 << 20, ARENA_LIMIT = 1 << 20, PAGE_MAX = 4096 };

/* The page is everything up to the first zero byte, the value what follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char page[PAGE_MAX];
    size_t length = strnlen((const char *)data, size);
    if (length >= sizeof(page))
        return 0;
    memcpy(page, data, length);
    page[length] = '\0';
    size_t start = length < size ? length + 1 : size;
    struct slice value = slice_of_bytes(data + start, size - start);
    struct error_text error = {""};
    const struct template_page pages[] = {{"page", page}, {"part", "{{text}}"}};
    struct template_set *set = template_set_new(pages, 2, &error);
    if (set == NULL) {
        if (strncmp(error.text, "page.html:", strlen("page.html:")) != 0)
            abort();
        return 0;
    }
    struct arena *arena = arena_new(ARENA_LIMIT);
    struct model *model = model_new(arena);
    model_slice(model, "text", value);
    model_i64(model, "count", (int64_t)size);
    model_bool(model, "yes", true);
    for (int i = 0; i < 3; i++)
        model_slice(model_append(model, "rows"), "name", value);
    struct buffer out;
    buffer_init(&out, OUT_LIMIT);
    bool good = template_render(set, "page", LANGUAGE_ZH, model, &out, &error);
    if (good && memchr(page, '<', length) == NULL && out.length > 0 &&
        memchr(out.data, '<', out.length) != NULL)
        abort();
    buffer_clear(&out);
    arena_free(arena);
    template_set_free(set);
    return 0;
}
