/* Columns and lines that hold Latin and Chinese text; the choice of language. */
#include <stdlib.h>

#include "common/columns.h"
#include "tests/test.h"

static char text[4096];

static const char *taken(struct buffer *out)
{
    CHECK(slice_copy(buffer_slice(out), text, sizeof(text)));
    buffer_clear(out);
    return text;
}

static const char *column(const char *from, size_t width)
{
    struct buffer out;
    buffer_init(&out, sizeof(text));
    columns_add(&out, slice_of_text(from), width);
    return taken(&out);
}

static const char *wrapped(const char *from, size_t width, size_t indent)
{
    struct buffer out;
    buffer_init(&out, sizeof(text));
    columns_add_wrapped(&out, slice_of_text(from), width, indent);
    return taken(&out);
}

static void test_columns(void)
{
    test_case("columns are filled or cut to their width");
    CHECK_TEXT(column("ab", 4), "ab  ");
    CHECK_TEXT(column("abcdef", 4), "abcd");
    CHECK_TEXT(column("时钟", 6), "时钟  ");
    CHECK_TEXT(column("时钟", 3), "时 ");
    CHECK_TEXT(column("…", 2), "… ");
    CHECK_TEXT(column("\xff\xe6", 3), "\xff\xe6 ");
    CHECK_TEXT(column("a时b", 5), "a时b ");
}

static void test_wrapping(void)
{
    test_case("lines break at blanks and between Chinese characters");
    CHECK_TEXT(wrapped("one two three", 8, 0), "one two\nthree");
    CHECK_TEXT(wrapped("one two three", 9, 2), "one two\n  three");
    CHECK_TEXT(wrapped("abcdefghij", 4, 0), "abcd\nefgh\nij");
    CHECK_TEXT(wrapped("一二三四五", 6, 0), "一二三\n四五");
    CHECK_TEXT(wrapped("一二ab cd", 6, 0), "一二ab\ncd");
    CHECK_TEXT(wrapped("", 6, 0), "");
    CHECK_TEXT(wrapped("一二三", 1, 0), "一\n二\n三");
    test_case("punctuation neither starts a line nor is left at its end");
    CHECK_TEXT(wrapped("一二三。四", 6, 0), "一二\n三。四");
    CHECK_TEXT(wrapped("一二（三四", 6, 0), "一二\n（三四");
}

int main(void)
{
    test_columns();
    test_wrapping();
    return test_end();
}
