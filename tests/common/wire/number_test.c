/* VER-03 and PRIV-04: forms of numbers, their hash and their mask. */
#include "common/wire/number.h"

#include "tests/test.h"

static const struct {
    enum number_kind kind;
    const char *text;
    const char *normal; /* NULL: refused */
    const char *mask;
} CASES[] = {
    {NUMBER_MOBILE, "13800138000", "13800138000", "138****8000"},
    {NUMBER_MOBILE, "+8613800138000", "13800138000", "138****8000"},
    {NUMBER_MOBILE, "8613800138000", "13800138000", "138****8000"},
    {NUMBER_MOBILE, "12800138000", NULL, NULL},
    {NUMBER_MOBILE, "1380013800", NULL, NULL},
    {NUMBER_MOBILE, "138001380001", NULL, NULL},
    {NUMBER_MOBILE, "1380013800a", NULL, NULL},
    {NUMBER_MOBILE, "138 0013800", NULL, NULL},
    {NUMBER_MOBILE, "+86", NULL, NULL},
    {NUMBER_MOBILE, "", NULL, NULL},
    {NUMBER_SIM, "1064812345678", "1064812345678", "106******5678"},
    {NUMBER_SIM, "14712345678", "14712345678", "147****5678"},
    {NUMBER_SIM, "1664812345678", NULL, NULL},
    {NUMBER_SIM, "8986000000000000003", NULL, NULL},
    {NUMBER_SIM, "8986000000000000002", "8986000000000000002",
     "898************0002"},
    {NUMBER_SIM, "89860000000000000021", NULL, NULL},
    {NUMBER_SIM, "7986000000000000002", NULL, NULL},
    {NUMBER_SIM, "106481234567", NULL, NULL},
    {NUMBER_SIM, "460001234567890", "460001234567890", "460********7890"},
    {NUMBER_SIM, "450001234567890", NULL, NULL},
    {NUMBER_BROADBAND, "GZ20260001@163.gd", "gz20260001@163.gd",
     "gz2**********3.gd"},
    {NUMBER_BROADBAND, "abcd", "abcd", "a**d"},
    {NUMBER_BROADBAND, "abc", NULL, NULL},
    {NUMBER_BROADBAND, "ab cd", NULL, NULL},
    {NUMBER_BROADBAND, "ab,cd", NULL, NULL},
    {NUMBER_BROADBAND,
     "0123456789012345678901234567890123456789012345678901234567890123", NULL,
     NULL},
};

static void test_forms(void)
{
    test_case("VER-03: what is a number of its kind");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct number n;
        char mask[NUMBER_LEN];
        const char *fault =
            number_read(CASES[i].kind, slice_of_text(CASES[i].text), &n);
        if (!CHECK((fault == NULL) == (CASES[i].normal != NULL)))
            printf("# %s: %s\n", CASES[i].text, fault ? fault : "accepted");
        if (fault != NULL || CASES[i].normal == NULL)
            continue;
        number_mask(&n, mask);
        CHECK_TEXT(n.text, CASES[i].normal);
        CHECK_TEXT(mask, CASES[i].mask);
    }
}

static void test_hash(void)
{
    struct secret key = {{1}}, other = {{2}};
    struct number mobile, spelled, sim;
    test_case("PRIV-04: one number has one hash under one key, by its kind");
    CHECK(number_read(NUMBER_MOBILE, SLICE("13800138000"), &mobile) == NULL);
    CHECK(number_read(NUMBER_MOBILE, SLICE("+8613800138000"), &spelled) ==
          NULL);
    CHECK(number_read(NUMBER_SIM, SLICE("13800138000"), &sim) == NULL);
    struct digest hash = number_hash(&key, &mobile);
    CHECK(digest_equal(hash, number_hash(&key, &spelled)));
    CHECK(!digest_equal(hash, number_hash(&key, &sim)));
    CHECK(!digest_equal(hash, number_hash(&other, &mobile)));
}

int main(void)
{
    test_forms();
    test_hash();
    return test_end();
}
