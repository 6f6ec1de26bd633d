/* Money: yuan text, fen, overflow. */
#include "common/money.h"

#include "tests/test.h"

static const struct {
    const char *text;
    enum money_status status;
    int64_t fen;
} READINGS[] = {
    {"0", MONEY_OK, 0},
    {"0.01", MONEY_OK, 1},
    {"0.1", MONEY_OK, 10},
    {"80,000.5", MONEY_OK, 8000050},
    {"80000.50", MONEY_OK, 8000050},
    {"1,234,567.89", MONEY_OK, 123456789},
    {"999", MONEY_OK, 99900},
    {"1,000", MONEY_OK, 100000},
    {"007", MONEY_OK, 700},
    {"92,233,720,368,547,758.07", MONEY_OK, INT64_MAX},
    {"92233720368547758.08", MONEY_OVERFLOW, 0},
    {"99999999999999999999999999", MONEY_OVERFLOW, 0},
    {"-0.01", MONEY_NEGATIVE, 0},
    {"-80,000", MONEY_NEGATIVE, 0},
    {"", MONEY_FORMAT, 0},
    {"-", MONEY_FORMAT, 0},
    {"+1", MONEY_FORMAT, 0},
    {"1.", MONEY_FORMAT, 0},
    {".5", MONEY_FORMAT, 0},
    {"1.234", MONEY_FORMAT, 0},
    {"1.2.3", MONEY_FORMAT, 0},
    {"1.2,", MONEY_FORMAT, 0},
    {"1e3", MONEY_FORMAT, 0},
    {"1 000", MONEY_FORMAT, 0},
    {" 1", MONEY_FORMAT, 0},
    {"1,00", MONEY_FORMAT, 0},
    {"1,0000", MONEY_FORMAT, 0},
    {"1234,567", MONEY_FORMAT, 0},
    {",123", MONEY_FORMAT, 0},
    {"1,,234", MONEY_FORMAT, 0},
    {"123,", MONEY_FORMAT, 0},
    {"12,34,567", MONEY_FORMAT, 0},
    {"1,234567", MONEY_FORMAT, 0},
    {"1.0,00", MONEY_FORMAT, 0},
    {"--1", MONEY_FORMAT, 0},
    {"\xc2\xa5"
     "5",
     MONEY_FORMAT, 0}, /* a currency sign */
};

static void test_reading(void)
{
    test_case("1.4: yuan text is digits with at most two decimals");
    for (size_t i = 0; i < sizeof(READINGS) / sizeof(READINGS[0]); i++) {
        struct money money = {-42};
        enum money_status status =
            money_from_yuan_text(slice_of_text(READINGS[i].text), &money);
        bool is_good =
            status == READINGS[i].status &&
            money.fen == (status == MONEY_OK ? READINGS[i].fen : -42);
        if (!CHECK(is_good))
            printf("# '%s': %d, %" PRId64 "\n", READINGS[i].text, (int)status,
                   money.fen);
    }
}

static void test_writing(void)
{
    static const struct {
        int64_t fen;
        const char *text;
    } CASES[] = {
        {0, "0.00"},
        {1, "0.01"},
        {-1, "-0.01"},
        {99999, "999.99"},
        {100000, "1,000.00"},
        {8000050, "80,000.50"},
        {-123456789, "-1,234,567.89"},
        {INT64_MAX, "92,233,720,368,547,758.07"},
        {INT64_MIN, "-92,233,720,368,547,758.08"},
    };
    char plain[MONEY_TEXT_LEN];
    money_to_plain_text((struct money){INT64_MIN}, plain);
    CHECK_TEXT(plain, "-92233720368547758.08");
    money_to_plain_text((struct money){8000050}, plain);
    CHECK_TEXT(plain, "80000.50");
    test_case("1.4: fen as yuan text, and back");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char text[MONEY_TEXT_LEN];
        struct money again = {0};
        money_to_yuan_text((struct money){CASES[i].fen}, text);
        CHECK_TEXT(text, CASES[i].text);
        if (CASES[i].fen >= 0) {
            CHECK(money_from_yuan_text(slice_of_text(text), &again) ==
                  MONEY_OK);
            CHECK(again.fen == CASES[i].fen);
        }
    }
}

static void test_arithmetic(void)
{
    struct money result = {42};
    const struct money most = {INT64_MAX}, least = {INT64_MIN};
    test_case("overflow is a status and leaves the result");
    CHECK(money_add(most, (struct money){1}, &result) == MONEY_OVERFLOW);
    CHECK(money_multiply(most, 2, &result) == MONEY_OVERFLOW);
    CHECK(money_multiply((struct money){1}, UINT64_MAX, &result) ==
          MONEY_OVERFLOW);
    CHECK(money_multiply(least, 2, &result) == MONEY_OVERFLOW);
    CHECK_I64(result.fen, 42);
    test_case("sums, products, the smaller one");
    CHECK(money_add((struct money){5}, (struct money){-7}, &result) ==
          MONEY_OK);
    CHECK_I64(result.fen, -2);
    CHECK(money_multiply((struct money){800}, 12, &result) == MONEY_OK);
    CHECK_I64(result.fen, 9600);
    CHECK(money_multiply((struct money){0}, UINT64_MAX, &result) == MONEY_OK);
    CHECK_I64(result.fen, 0);
    CHECK_I64(money_min(most, (struct money){3}).fen, 3);
    CHECK(money_min(least, most).fen == INT64_MIN);
}

int main(void)
{
    test_reading();
    test_writing();
    test_arithmetic();
    return test_end();
}
