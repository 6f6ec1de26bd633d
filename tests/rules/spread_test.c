/* Deviation and variance over mean in whole numbers: the results that the
 * formula in floating point gives, and exact where that one rounds. */
#include "rules/spread.h"

#include <math.h>

#include "tests/test.h"

enum { VALUES = 30, LIMIT = 80, LIMIT_DISPERSION = 2000 };

static uint64_t state = 88172645463325252;

static uint64_t below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

static struct spread spread_of(const uint64_t *values, size_t count)
{
    struct spread spread = {0};
    for (size_t i = 0; i < count; i++)
        spread_add(&spread, values[i]);
    return spread;
}

/* Days of a service just below, at and just above the limits that S6 has as
 * shipped: variation 0.080, dispersion 2.000. */
static const struct {
    const char *name;
    uint64_t values[4];
    size_t count;
    uint64_t variation, dispersion;
    bool varies_less, disperses_less;
} CASES[] = {
    {"S6: every day the same", {300, 300, 300}, 3, 0, 0, true, true},
    {"S6: a deviation of 7.9 %", {921, 1079}, 2, 79, 6241, true, false},
    {"S6: of 8.0 % is not below 8.0 %", {920, 1080}, 2, 80, 6400, false, false},
    {"S6: of 8.1 %", {919, 1081}, 2, 81, 6561, false, false},
    {"S6: what rounds to 8.0 % from below",
     {9201, 10799},
     2,
     80,
     63840,
     true,
     false},
    {"S6: both below", {1957, 2043}, 2, 22, 925, true, true},
    {"S6: both above", {48, 72}, 2, 200, 2400, false, false},
    {"S6: a variance of the mean itself",
     {2, 6, 2, 6},
     4,
     500,
     1000,
     false,
     true},
    {"S6: a variance of twice the mean is not below it",
     {0, 4},
     2,
     1000,
     2000,
     false,
     false},
    {"S6: a half is rounded up", {0, 0, 1, 1}, 4, 1000, 500, false, true},
    {"S6: nothing at all", {0, 0}, 2, 0, 0, false, false},
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct spread s = spread_of(CASES[i].values, CASES[i].count);
        test_case(CASES[i].name);
        CHECK_I64(spread_variation(&s), CASES[i].variation);
        CHECK_I64(spread_dispersion(&s), CASES[i].dispersion);
        CHECK_I64(spread_varies_less(&s, LIMIT), CASES[i].varies_less);
        CHECK_I64(spread_disperses_less(&s, LIMIT_DISPERSION),
                  CASES[i].disperses_less);
    }
}

/* How S6 was reckoned before, in floating point. */
struct old {
    double variation, dispersion;
    bool is_too_even;
};

static struct old old_of(const struct spread *s, double limit,
                         double dispersion_limit)
{
    double mean = (double)s->sum / (double)s->count;
    double variance = (double)s->squares / (double)s->count - mean * mean;
    variance = variance > 0 ? variance : 0;
    return (struct old){
        .variation = sqrt(variance) / mean * 1000,
        .dispersion = variance / mean * 1000,
        .is_too_even = sqrt(variance) * 1000 < limit * mean &&
                       variance * 1000 < dispersion_limit * mean,
    };
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-6 * (1 + fabs(b));
}

static void test_agrees(void)
{
    test_case("VER-17: decides as the formula in floating point, for many "
              "months; only an exact tie may fall otherwise");
    for (int i = 0; i < 200000; i++) {
        uint64_t values[VALUES], base = 1 + below(3000), width = below(60) + 1;
        size_t count = 15 + below(VALUES - 14);
        for (size_t k = 0; k < count; k++)
            values[k] = base + below(width * base / 100 + 1);
        struct spread s = spread_of(values, count);
        uint64_t limit = below(200), most = below(5000);
        struct old old = old_of(&s, (double)limit, (double)most);
        bool is_even =
            spread_varies_less(&s, limit) && spread_disperses_less(&s, most);
        if (is_near(old.variation, (double)limit) ||
            is_near(old.dispersion, (double)most))
            continue;
        if (!CHECK(is_even == old.is_too_even) ||
            !CHECK(fabs((double)spread_variation(&s) - old.variation) <=
                   0.5 + 1e-6) ||
            !CHECK(fabs((double)spread_dispersion(&s) - old.dispersion) <=
                   0.5 + 1e-3))
            return;
    }
}

static void test_largest(void)
{
    struct spread s = {0};
    test_case("no count of any size overflows");
    for (int i = 0; i < SPREAD_VALUES_MAX; i++)
        spread_add(&s, i % 2 == 0 ? UINT64_MAX : 0);
    CHECK_I64(spread_variation(&s), 1000);
    CHECK_I64(spread_evenness(&s), 0);
    CHECK(!spread_varies_less(&s, 1000));
    CHECK(spread_varies_less(&s, 1001));
}

int main(void)
{
    test_cases();
    test_agrees();
    test_largest();
    return test_end();
}
