/* Attempts: how many, how soon again, and that sources do not disturb each
 * other. */
#include "portal/enrol/est_limit.h"
#include "tests/test.h"

static struct est_limit limit;

static struct address host(const char *text)
{
    struct address address = {0};
    CHECK(address_from_text(slice_of_text(text), &address));
    return address;
}

static int attempts(const char *from, struct mono_time now, int wanted)
{
    struct address address = host(from);
    unsigned wait_s;
    int taken = 0;
    for (int i = 0; i < wanted; i++)
        taken += est_limit_take(&limit, &address, now, &wait_s);
    return taken;
}

static struct mono_time after(int64_t seconds)
{
    return (struct mono_time){1000000000 + seconds * 1000000};
}

static void test_source(void)
{
    struct address a = host("192.0.2.1");
    unsigned wait_s = 0;
    test_case("a burst, then one each period");
    est_limit_init(&limit, after(0));
    CHECK_I64(attempts("192.0.2.1", after(0), 100), EST_LIMIT_BURST);
    CHECK(!est_limit_take(&limit, &a, after(10), &wait_s));
    CHECK_I64(wait_s, EST_LIMIT_PERIOD_S - 10);
    CHECK_I64(attempts("192.0.2.1", after(EST_LIMIT_PERIOD_S), 5), 1);
    CHECK_I64(attempts("192.0.2.1", after(100000), 100), EST_LIMIT_BURST);
    test_case("another source is not disturbed");
    CHECK_I64(attempts("192.0.2.2", after(0), 1), 1);
    test_case("a network of IPv6 is one source, the next is another");
    CHECK_I64(attempts("2001:db8:0:1::1", after(0), 100), EST_LIMIT_BURST);
    CHECK_I64(attempts("2001:db8:0:1:ffff::2", after(0), 100), 0);
    CHECK_I64(attempts("2001:db8:0:2::1", after(0), 1), 1);
    test_case("IPv4 written as IPv6 is the same source");
    est_limit_init(&limit, after(0));
    CHECK_I64(attempts("192.0.2.9", after(0), 100), EST_LIMIT_BURST);
    CHECK_I64(attempts("::ffff:192.0.2.9", after(0), 100), 0);
    test_case("a clock that goes back gives nothing and takes nothing");
    CHECK_I64(attempts("192.0.2.9", after(-500), 5), 0);
}

static void test_all(void)
{
    char text[64];
    int taken = 0;
    test_case("all sources together have a bound");
    est_limit_init(&limit, after(0));
    for (int i = 0; i < 250; i++) {
        snprintf(text, sizeof(text), "198.51.100.%d", i);
        taken += attempts(text, after(0), 10);
    }
    CHECK_I64(taken, EST_LIMIT_ALL_BURST);
    test_case("holders of a certificate are held up by their own source alone");
    struct address holder = host("192.0.2.7");
    unsigned wait_s;
    CHECK(!est_limit_take(&limit, &holder, after(0), &wait_s));
    for (taken = 0; est_limit_take_known(&limit, &holder, after(0), &wait_s);)
        taken++;
    CHECK_I64(taken, EST_LIMIT_BURST);
    test_case("the table has room for newcomers, the quietest goes");
    for (int i = 0; i < 3 * EST_LIMIT_SOURCES; i++) {
        snprintf(text, sizeof(text), "10.%d.%d.1", i / 256, i % 256);
        CHECK_I64(attempts(text, after(1000 + i), 1), 1);
    }
}

static void test_audit(void)
{
    uint64_t missed = 9;
    int rows = 0;
    test_case("failures are written up to a bound, then counted");
    est_limit_init(&limit, after(0));
    for (int i = 0; i < 150; i++)
        rows += est_limit_audit(&limit, after(0), &missed);
    CHECK_I64(rows, EST_LIMIT_AUDIT_BURST);
    CHECK(est_limit_audit(&limit, after(EST_LIMIT_AUDIT_PERIOD_S), &missed));
    CHECK_I64((int64_t)missed, 150 - EST_LIMIT_AUDIT_BURST);
}

int main(void)
{
    test_source();
    test_all();
    test_audit();
    return test_end();
}
