/* Whose word about a visitor's address counts, and what it says. */
#include "portal/store/proxies.h"
#include "tests/test.h"

static struct proxies proxies;

static const char *visitor(const char *peer, const char *x_forwarded_for,
                           const char *forwarded)
{
    static char text[ADDRESS_TEXT_LEN];
    struct address from;
    const struct proxy_words words = {
        .x_forwarded_for = slice_of_text(x_forwarded_for),
        .forwarded = slice_of_text(forwarded),
    };
    CHECK(address_from_text(slice_of_text(peer), &from));
    from = proxies_visitor(&proxies, &from, &words);
    address_to_text(&from, text);
    return text;
}

static void test_read(void)
{
    struct error_text error;
    test_case("addresses and networks, with commas");
    CHECK(proxies_read("", &proxies, &error) && proxies.count == 0);
    CHECK(!proxies_read("proxy.example", &proxies, &error));
    CHECK(!proxies_read("10.0.0.1/8", &proxies, &error));
    CHECK(proxies_read("127.0.0.1, 10.0.0.0/8,2001:db8::1", &proxies, &error));
    CHECK_I64(proxies.count, 3);
}

static void test_visitor(void)
{
    test_case("a stranger's header counts for nothing");
    proxies.header = PROXY_X_FORWARDED_FOR;
    CHECK_TEXT(visitor("203.0.113.7", "192.0.2.1", ""), "203.0.113.7");
    test_case("a proxy's counts: the nearest hop that is none of ours");
    CHECK_TEXT(visitor("127.0.0.1", "203.0.113.7", ""), "203.0.113.7");
    CHECK_TEXT(visitor("127.0.0.1", "192.0.2.1, 203.0.113.7", ""),
               "203.0.113.7");
    CHECK_TEXT(visitor("127.0.0.1", "192.0.2.1, 203.0.113.7, 10.1.1.1", ""),
               "203.0.113.7");
    CHECK_TEXT(visitor("2001:db8::1", "2001:db8::7", ""), "2001:db8::7");
    test_case("what is no address stops there");
    CHECK_TEXT(visitor("127.0.0.1", "", ""), "127.0.0.1");
    CHECK_TEXT(visitor("127.0.0.1", "unknown", ""), "127.0.0.1");
    CHECK_TEXT(visitor("127.0.0.1", "203.0.113.7, <b>, 10.1.1.1", ""),
               "10.1.1.1");
    test_case("the header that is not named is a stranger's");
    CHECK_TEXT(visitor("127.0.0.1", "", "for=192.0.2.1"), "127.0.0.1");
    proxies.header = PROXY_FORWARDED;
    CHECK_TEXT(visitor("127.0.0.1", "192.0.2.1", ""), "127.0.0.1");
    test_case("RFC 7239: for=, with ports and quotes");
    CHECK_TEXT(visitor("127.0.0.1", "",
                       "for=192.0.2.1, For=\"[2001:db8::7]:4711\";proto=https"),
               "2001:db8::7");
    CHECK_TEXT(visitor("127.0.0.1", "", "by=10.1.1.1;for=203.0.113.7:80"),
               "203.0.113.7");
}

static void test_way(void)
{
    const struct proxy_words words = {
        .x_forwarded_proto = SLICE("http"),
        .forwarded = SLICE("for=192.0.2.1;proto=https"),
    };
    struct address ours = {4, {127, 0, 0, 1}}, other = {4, {192, 0, 2, 1}};
    test_case("over which way the visitor came");
    CHECK(proxies_way(&proxies, &ours, &words) == WAY_HTTPS);
    CHECK(proxies_way(&proxies, &other, &words) == WAY_UNKNOWN);
    proxies.header = PROXY_X_FORWARDED_FOR;
    CHECK(proxies_way(&proxies, &ours, &words) == WAY_HTTP);
}

int main(void)
{
    test_read();
    test_visitor();
    test_way();
    return test_end();
}
