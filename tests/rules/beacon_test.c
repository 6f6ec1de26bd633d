/* Scores of regularity against values worked out by hand. */
#include "rules/beacon.h"

#include "tests/test.h"

static void test_regularity(void)
{
    int64_t same[] = {60, 60, 60, 60, 60};
    int64_t spread[] = {1, 2, 3, 4, 100};
    int64_t few[] = {1, 2};
    test_case("S1: equal intervals are wholly regular");
    CHECK_I64(beacon_regularity(same, 5, 10), 1000);
    test_case("S1: median 3, spread 1, quartiles close: (1 + 2/3) / 2");
    CHECK_I64(beacon_regularity(spread, 5, 10), 833);
    test_case("S1: too few values");
    CHECK_I64(beacon_regularity(few, 2, 10), BEACON_NONE);
    test_case("S1: a skewed list: quartiles 10, 20, 110");
    /* 1 - |(10 + 110 - 40) / 100| = 0.2; deviations 10 19 0 90 980: 19 */
    int64_t skewed[] = {10, 1, 20, 110, 1000};
    CHECK_I64(beacon_regularity(skewed, 5, 10), 125);
    int64_t zeros[] = {0, 0, 0, 0};
    test_case("S1: a median of zero halves the score");
    CHECK_I64(beacon_regularity(zeros, 4, 10), 500);
}

static void test_starts(void)
{
    int64_t work[8];
    int64_t starts[] = {0, 500, 60000, 120000, 180000, 240000};
    test_case("S1: intervals of zero seconds are left out");
    CHECK_I64(beacon_of_starts(starts, 6, work), 1000);
    test_case("S1: one connection has no interval");
    CHECK_I64(beacon_of_starts(starts, 1, work), BEACON_NONE);
}

static void test_hours(void)
{
    uint32_t hours[DAY_HOURS] = {0};
    test_case("S1: an empty day");
    CHECK_I64(beacon_of_hours(hours), 0);
    CHECK_I64(beacon_of_duration(hours, 0, 0), 0);
    for (int h = 0; h < DAY_HOURS; h++)
        hours[h] = 12;
    test_case("S1: every hour alike");
    CHECK_I64(beacon_of_hours(hours), 1000);
    CHECK_I64(beacon_of_duration(hours, 0, 86000000), 1000);
    test_case("S1: five busy hours are no duration");
    memset(hours, 0, sizeof(hours));
    for (int h = 9; h < 14; h++)
        hours[h] = 5;
    CHECK_I64(beacon_of_duration(hours, 0, 18000000), 0);
    test_case("S1: six hours in a row are half of twelve");
    hours[14] = 5;
    CHECK_I64(beacon_of_duration(hours, 0, 21600000), 500);
    test_case("S1: two heights over twelve hours, one odd hour forgiven");
    memset(hours, 0, sizeof(hours));
    for (int h = 0; h < 12; h++)
        hours[h] = h % 2 ? 100 : 20;
    CHECK_I64(beacon_of_hours(hours), 1000);
}

static void test_fano(void)
{
    uint32_t bins[DAY_BINS] = {0};
    test_case("S2: nothing to measure");
    CHECK_I64(beacon_fano(bins), BEACON_NONE);
    test_case("S2: equal counts have no variance");
    for (int b = 60; b < 72; b++)
        bins[b] = 7;
    CHECK_I64(beacon_fano(bins), 0);
    test_case("S2: 0 and 10 by turns: variance 25 over mean 5");
    for (int b = 60; b < 72; b++)
        bins[b] = b % 2 ? 10 : 0;
    bins[60] = 10;
    bins[61] = 0;
    bins[71] = 10;
    bins[70] = 0;
    /* six tens in twelve bins, both ends busy */
    CHECK_I64(beacon_fano(bins), 5000);
}

int main(void)
{
    test_regularity();
    test_starts();
    test_hours();
    test_fano();
    return test_end();
}
