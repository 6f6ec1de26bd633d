/* Memory of one batch. */
#include "common/arena.h"

#include <stdint.h>

#include "tests/test.h"

static void test_pieces(void)
{
    struct arena *arena = arena_new(1 << 20);
    test_case("pieces are zeroed, aligned and apart");
    for (size_t size = 0; size < 300; size++) {
        unsigned char *piece = arena_take(arena, size);
        if (!CHECK(piece != NULL))
            break;
        CHECK((uintptr_t)piece % _Alignof(max_align_t) == 0);
        for (size_t i = 0; i < size; i++)
            CHECK(piece[i] == 0);
        if (size > 0)
            memset(piece, 0xff, size);
    }
    test_case("a piece larger than a block");
    char *large = arena_take(arena, 100000);
    CHECK(large != NULL && large[99999] == 0);
    CHECK(arena_used(arena) >= 100000);

    test_case("texts");
    CHECK_TEXT(arena_copy_text(arena, slice_of_bytes("abcd", 2)), "ab");
    CHECK_TEXT(arena_copy_text(arena, (struct slice){NULL, 0}), "");
    CHECK_TEXT(arena_format(arena, "%d/%s", 7, "x"), "7/x");

    test_case("after a reset memory is zeroed again");
    arena_reset(arena);
    CHECK_I64((int64_t)arena_used(arena), 0);
    unsigned char *piece = arena_take(arena, 64);
    for (size_t i = 0; i < 64; i++)
        CHECK(piece[i] == 0);
    arena_free(arena);
    arena_free(NULL);
}

static void test_ceiling(void)
{
    struct arena *arena = arena_new(1024);
    test_case("the ceiling holds");
    size_t taken = 0;
    while (arena_take(arena, 64) != NULL)
        taken += 64;
    CHECK_I64((int64_t)taken, 1024);
    CHECK(arena_take(arena, 1) == NULL);
    CHECK(arena_copy_text(arena, SLICE("x")) == NULL);
    CHECK(arena_format(arena, "x") == NULL);
    arena_reset(arena);
    CHECK(arena_take(arena, 1024) != NULL);

    test_case("sizes that overflow are refused");
    arena_reset(arena);
    CHECK(arena_take(arena, SIZE_MAX) == NULL);
    CHECK(arena_take_array(arena, SIZE_MAX / 2, 3) == NULL);
    CHECK(arena_take_array(arena, 1ull << 32, 1ull << 32) == NULL);
    CHECK(arena_take_array(arena, 10, 10) != NULL);
    arena_free(arena);
}

int main(void)
{
    test_pieces();
    test_ceiling();
    return test_end();
}
