/* The bounded reader. */
#include "common/cursor.h"

#include "tests/test.h"

static const uint8_t BYTES[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

int main(void)
{
    struct cursor c = cursor_of(BYTES, sizeof(BYTES));
    test_case("integers are big-endian and move on");
    CHECK_I64(cursor_u8(&c), 1);
    CHECK_I64(cursor_u16(&c), 0x0203);
    CHECK_I64(cursor_u24(&c), 0x040506);
    CHECK_I64(cursor_u32(&c), 0x0708090a);
    CHECK(!c.failed && cursor_left(&c) == 0);

    test_case("the first failure stays and nothing moves after it");
    c = cursor_of(BYTES, 3);
    CHECK_I64((int64_t)cursor_u64(&c), 0);
    CHECK(c.failed && c.offset == 0);
    CHECK_I64(cursor_u8(&c), 0);
    CHECK(cursor_bytes(&c, 0) == NULL);
    CHECK(c.offset == 0 && cursor_left(&c) == 0);

    test_case("every width from 1 to 8");
    for (size_t width = 1; width <= 8; width++) {
        uint64_t want = 0;
        c = cursor_of(BYTES, sizeof(BYTES));
        for (size_t i = 0; i < width; i++)
            want = want << 8 | BYTES[i];
        CHECK(cursor_uint(&c, width) == want);
        CHECK(c.offset == width);
    }

    test_case("lengths near SIZE_MAX do not wrap");
    c = cursor_of(BYTES, sizeof(BYTES));
    cursor_skip(&c, 2);
    CHECK(cursor_bytes(&c, SIZE_MAX) == NULL);
    c = cursor_of(BYTES, sizeof(BYTES));
    cursor_skip(&c, SIZE_MAX - 1);
    CHECK(c.failed && c.offset == 0);

    test_case("a sub-cursor is passed and cannot leave its part");
    c = cursor_of(BYTES, sizeof(BYTES));
    struct cursor sub = cursor_sub(&c, 4);
    CHECK_I64(cursor_u32(&sub), 0x01020304);
    CHECK_I64(cursor_u8(&sub), 0);
    CHECK(sub.failed && !c.failed);
    CHECK_I64(cursor_u8(&c), 5);
    sub = cursor_sub(&c, 100);
    CHECK(sub.failed && c.failed);

    test_case("an empty cursor without data");
    c = cursor_of(NULL, 0);
    CHECK(cursor_bytes(&c, 0) != NULL && !c.failed);
    CHECK_I64(cursor_u8(&c), 0);
    CHECK(c.failed);
    return test_end();
}
