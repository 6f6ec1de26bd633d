/* Base64: the vectors of RFC 4648, section 10, and what is refused. */
#include "common/base64.h"
#include "tests/test.h"

static const struct {
    const char *plain, *text;
} vectors[] = {
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"", ""},
    {"\xff\xff\xff", "////"},
};

static const struct {
    const char *text, *why;
} refused[] = {
    {"Zg=", "too little padding"},    {"Zg", "no padding"},
    {"Z", "a lonely character"},      {"Zg==Zg==", "bytes behind padding"},
    {"Zh==", "bits behind the byte"}, {"Zm9=", "bits behind two bytes"},
    {"Zm9v=", "padding too much"},    {"Z!==", "a strange character"},
    {"Zg===", "three signs"},         {"====", "padding alone"},
    {"-----BEGIN", "another armour"},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct buffer text, plain;
        test_case(vectors[i].plain);
        buffer_init(&text, 1000);
        buffer_init(&plain, 1000);
        base64_add(&text, slice_of_text(vectors[i].plain));
        CHECK(
            slice_equal_text(slice_trim(buffer_slice(&text)), vectors[i].text));
        CHECK(base64_read(buffer_slice(&text), &plain));
        CHECK(slice_equal_text(buffer_slice(&plain), vectors[i].plain));
        buffer_clear(&text);
        buffer_clear(&plain);
    }
}

static void test_lines(void)
{
    struct buffer text, plain;
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        size_t column = 0, longest = 0;
        buffer_init(&text, 1000);
        buffer_init(&plain, 1000);
        base64_add(&text, slice_of_bytes(bytes, n));
        for (size_t i = 0; i < text.length; i++) {
            column = text.data[i] == '\n' ? 0 : column + 1;
            longest = column > longest ? column : longest;
        }
        CHECK(longest <= 64 && column == 0);
        CHECK(base64_read(buffer_slice(&text), &plain));
        CHECK(slice_equal(buffer_slice(&plain), slice_of_bytes(bytes, n)));
        buffer_clear(&text);
        buffer_clear(&plain);
    }
}

static void test_word(void)
{
    struct buffer lines, word;
    char bytes[200];
    memset(bytes, 'x', sizeof(bytes));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        buffer_init(&lines, 1024);
        buffer_init(&word, 1024);
        base64_add(&lines, slice_of_bytes(bytes, n));
        base64_add_word(&word, slice_of_bytes(bytes, n));
        size_t kept = 0;
        for (size_t i = 0; i < lines.length; i++)
            if (lines.data[i] != '\n')
                lines.data[kept++] = lines.data[i];
        lines.length = kept;
        CHECK(slice_equal(buffer_slice(&lines), buffer_slice(&word)));
        buffer_clear(&lines);
        buffer_clear(&word);
    }
}

int main(void)
{
    test_vectors();
    test_case("in one word: the same without the line ends");
    test_word();
    test_case("any length there and back, in lines of 64");
    test_lines();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct buffer out;
        test_case(refused[i].why);
        buffer_init(&out, 100);
        CHECK(!base64_read(slice_of_text(refused[i].text), &out));
        buffer_clear(&out);
    }
    return test_end();
}
