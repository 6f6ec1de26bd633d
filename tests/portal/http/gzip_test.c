/* What is taken compressed; that it is what it was is read in
 * tests/portal/portal_test.sh by other programs. */
#include "portal/http/gzip.h"

#include <unistd.h>

#include "tests/test.h"

static const struct {
    const char *name, *header;
    bool wanted;
} CASES[] = {
    {"none", "", false},
    {"alone", "gzip", true},
    {"as browsers ask", "gzip, deflate, br, zstd", true},
    {"last, with blanks", "br , GZIP", true},
    {"with a weight", "br;q=1.0, gzip; q=0.5", true},
    {"refused", "gzip;q=0", false},
    {"refused at length", "deflate, gzip; Q=0.000, *", false},
    {"any", "*", true},
    {"any but this", "*, gzip;q=0", false},
    {"none but as it is", "identity, *;q=0", false},
    {"another that begins so", "gzipped", false},
    {"signs alone", ";,;q=,,", false},
};

static void test_buffer(void)
{
    struct buffer buffer;
    test_case("a page becomes shorter");
    buffer_init(&buffer, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buffer_addf(&buffer, "<td>row %d</td>\n", i);
    size_t length = buffer.length;
    CHECK(gzip_buffer(&buffer));
    CHECK(buffer.length < length / 3);
    CHECK(buffer.data[0] == 0x1f && buffer.data[1] == 0x8b);
    test_case("what would pass the limit stays as it is");
    buffer_clear(&buffer);
    buffer_init(&buffer, 10);
    buffer_add_text(&buffer, "0123456789");
    CHECK(!gzip_buffer(&buffer));
    CHECK(slice_equal_text(buffer_slice(&buffer), "0123456789"));
    buffer_clear(&buffer);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        test_case(CASES[i].name);
        CHECK_I64(gzip_is_accepted(slice_of_text(CASES[i].header)),
                  CASES[i].wanted);
    }
    test_buffer();
    test_case("a file that cannot be read");
    CHECK_I64(gzip_file(-1), -1);
    return test_end();
}
