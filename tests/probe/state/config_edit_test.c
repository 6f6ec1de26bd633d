/* One key of a configuration changes, everything else stays as it was. */
#include "probe/state/config_edit.h"
#include "tests/test.h"

static const struct {
    const char *name, *text, *key, *value, *wanted;
} rows[] = {
    {"an empty key is filled in", "a = 1\nkey =\nb = 2\n", "key", "x",
     "a = 1\nkey = x\nb = 2\n"},
    {"another value goes", "key = old # no\n", "key", "x", "key = x\n"},
    {"blanks around the name", "  key\t= old\n", "key", "x", "key = x\n"},
    {"a comment is no key", "# key = 7\n", "key", "x", "# key = 7\nkey = x\n"},
    {"a longer name is another key", "key_b = 1\n", "key", "x",
     "key_b = 1\nkey = x\n"},
    {"the first of two, so that reading complains as before",
     "key = 1\nkey = 2\n", "key", "x", "key = x\nkey = 2\n"},
    {"no end of line behind the last", "a = 1", "key", "x", "a = 1\nkey = x\n"},
    {"an empty file", "", "key", "x", "key = x\n"},
    {"empty lines stay", "\n\na = 1\n\n", "key", "x", "\n\na = 1\n\nkey = x\n"},
    {"an equals sign in a value", "a = key = 3\n", "key", "x",
     "a = key = 3\nkey = x\n"},
};

static const char *const refused[] = {"x\ny = 1", "x\r", "\x1b[2J", "\xff"};

int main(void)
{
    struct buffer out;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_case(rows[i].name);
        buffer_init(&out, 1000);
        CHECK(config_edit_set(slice_of_text(rows[i].text), rows[i].key,
                              rows[i].value, &out));
        buffer_add_u8(&out, 0);
        CHECK_TEXT((const char *)out.data, rows[i].wanted);
        buffer_clear(&out);
    }
    test_case("values that would be more than one line of text");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        buffer_init(&out, 1000);
        CHECK(!config_edit_set(SLICE("a = 1\n"), "key", refused[i], &out));
        buffer_clear(&out);
    }
    test_case("no room");
    buffer_init(&out, 4);
    CHECK(!config_edit_set(SLICE("a = 1\n"), "key", "x", &out));
    buffer_clear(&out);
    return test_end();
}
