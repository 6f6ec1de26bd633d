/* Forms, queries and cookies as strangers send them. */
#include "common/buffer.h"
#include "portal/http/request.h"
#include "tests/test.h"

struct form_case {
    const char *name, *text;
    enum form_reading reading;
    const char *value; /* of "a" */
};

static const struct form_case CASES[] = {
    {"one field", "a=1", FORM_GOOD, "1"},
    {"blank and escapes", "b=2&a=x+y%20z%2B", FORM_GOOD, "x y z+"},
    {"Chinese", "a=%E4%BA%91", FORM_GOOD, "\xe4\xba\x91"},
    {"the first of two", "a=1&a=2", FORM_GOOD, "1"},
    {"no value", "a", FORM_GOOD, ""},
    {"nothing", "", FORM_GOOD, ""},
    {"empty parts", "&&a=1&", FORM_GOOD, "1"},
    {"an escape cut short", "a=%2", FORM_MALFORMED, ""},
    {"an escape that is none", "a=%zz", FORM_MALFORMED, ""},
    {"a zero byte", "a=%00", FORM_MALFORMED, ""},
    {"not UTF-8", "a=%ff", FORM_NOT_UTF8, ""},
    {"GBK", "a=%D4%C6%D6%A4", FORM_NOT_UTF8, ""},
    {"a control character", "a=%07", FORM_MALFORMED, ""},
};

static void test_limits(struct arena *arena)
{
    static char text[FORM_FIELDS_MAX * 8];
    struct form_data form;
    size_t length = 0;
    for (int i = 0; i <= FORM_FIELDS_MAX; i++)
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "f%d=1&", i);
    test_case("too many fields are refused");
    CHECK_I64(form_parse(&form, slice_of_text(text), arena), FORM_TOO_MANY);
    CHECK_I64(form.count, 0);
    test_case("as many as there may be are read");
    text[length - 1 - strlen("f512=1")] = '\0';
    CHECK_I64(form_parse(&form, slice_of_text(text), arena), FORM_GOOD);
    CHECK_I64(form.count, FORM_FIELDS_MAX);
    test_case("more text than memory");
    struct arena *small = arena_new(256);
    CHECK_I64(form_parse(&form, slice_of_text(text), small), FORM_OUT_OF_ROOM);
    CHECK_I64(form.count, 0);
    arena_free(small);
}

static void test_cookies(struct arena *arena)
{
    struct form_data form;
    test_case("cookies; those that are not clean are left out");
    form_parse_cookies(
        &form, SLICE("yz_a=1; yz_b = x%20 ;yz_c=\x01; =4;yz_d;yz_=5;yz"), false,
        arena);
    CHECK_TEXT(form_get(&form, "yz_a"), "1");
    CHECK_TEXT(form_get(&form, "yz_b "), " x%20");
    CHECK_TEXT(form_get(&form, "yz_c"), "");
    CHECK_I64(form.count, 3);
    test_case("over HTTPS those alone that no other host can have set");
    form_parse_cookies(&form, SLICE("yz_a=1; __Host-yz_b=2; __Host-c=3"), true,
                       arena);
    CHECK_TEXT(form_get(&form, "yz_a"), "");
    CHECK_TEXT(form_get(&form, "yz_b"), "2");
    CHECK_I64(form.count, 1);
    test_case("cookies of other programs on the host crowd ours not out");
    struct buffer many;
    buffer_init(&many, 32 * FORM_FIELDS_MAX);
    for (int i = 0; i < 2 * FORM_FIELDS_MAX; i++)
        buffer_addf(&many, "other%d=v; ", i);
    buffer_add_text(&many, "yz_session=s");
    form_parse_cookies(&form, buffer_slice(&many), false, arena);
    CHECK_TEXT(form_get(&form, "yz_session"), "s");
    CHECK_I64(form.count, 1);
    buffer_clear(&many);
}

static void test_encode(struct arena *arena)
{
    test_case("encoding for links is undone by decoding");
    const char *text = "a b&c=\xe4\xba\x91/?#%";
    const char *encoded = form_encode(text, arena);
    CHECK_TEXT(encoded, "a%20b%26c%3D%E4%BA%91%2F%3F%23%25");
    const char *decoded;
    form_decode(slice_of_text(encoded), false, arena, &decoded);
    CHECK_TEXT(decoded, text);
    form_decode(SLICE("a+b"), false, arena, &decoded);
    CHECK_TEXT(decoded, "a+b");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct form_data form;
        test_case(CASES[i].name);
        CHECK_I64(form_parse(&form, slice_of_text(CASES[i].text), arena),
                  CASES[i].reading);
        CHECK_TEXT(form_get(&form, "a"), CASES[i].value);
    }
    test_limits(arena);
    test_cookies(arena);
    test_encode(arena);
    arena_free(arena);
    return test_end();
}
