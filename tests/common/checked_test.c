/* Arithmetic that says when it does not fit. */
#include "common/checked.h"

#include "tests/test.h"

int main(void)
{
    uint64_t u = 42;
    int64_t i = 42;
    size_t s = 42;
    test_case("results that fit");
    CHECK(checked_add_u64(UINT64_MAX - 1, 1, &u) && u == UINT64_MAX);
    CHECK(checked_mul_u64(1ull << 32, (1ull << 32) - 1, &u) &&
          u == 0xffffffff00000000ull);
    CHECK(checked_add_i64(INT64_MAX, INT64_MIN, &i) && i == -1);
    CHECK(checked_mul_i64(INT64_MIN, 1, &i) && i == INT64_MIN);
    CHECK(checked_add_size(1, 2, &s) && s == 3);

    test_case("results that do not fit leave the old value");
    u = 42, i = 42, s = 42;
    CHECK(!checked_add_u64(UINT64_MAX, 1, &u));
    CHECK(!checked_mul_u64(1ull << 32, 1ull << 32, &u));
    CHECK(!checked_add_i64(INT64_MAX, 1, &i));
    CHECK(!checked_add_i64(INT64_MIN, -1, &i));
    CHECK(!checked_mul_i64(INT64_MIN, -1, &i));
    CHECK(!checked_add_size(SIZE_MAX, 1, &s));
    CHECK(u == 42 && i == 42 && s == 42);
    return test_end();
}
