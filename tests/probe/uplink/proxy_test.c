/* What is said to a proxy and what its answers mean. */
#include "probe/uplink/proxy.h"
#include "tests/test.h"

int main(void)
{
    static const struct {
        const char *text;
        bool good;
    } addresses[] = {{"proxy:3128", true},      {"u:p@proxy:3128", true},
                     {"u:p@ss@[::1]:80", true}, {"proxy", false},
                     {"@proxy:1", false},       {"u@proxy:1", false},
                     {"u:p@:1", false}};
    static const struct {
        const char *text;
        enum proxy_answer want;
    } answers[] = {
        {"", PROXY_MORE},
        {"HTTP/1.1 200", PROXY_MORE},
        {"HTTP/1.1 200 OK\r\n\r\n", PROXY_OPEN},
        {"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", PROXY_OPEN},
        {"HTTP/1.1 407 Who?\r\n\r\n", PROXY_REFUSED},
        {"HTTP/1.1 503 No\r\n\r\n", PROXY_REFUSED},
        {"HTTP/1.1 200 OK\r\n\r\nx", PROXY_REFUSED},
        {"\x16\x03\x01", PROXY_REFUSED},
        {"HTTP/1.1 abc\r\n\r\n", PROXY_REFUSED}};
    struct proxy proxy;
    char reason[160];
    test_case("addresses of a proxy, with and without a user");
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        CHECK(proxy_parse(addresses[i].text, &proxy) == addresses[i].good);
    test_case("the request names the collector and the user (RFC 7617)");
    struct buffer out;
    buffer_init(&out, 1024);
    CHECK(proxy_parse("Aladdin:open sesame@p:1", &proxy));
    proxy_request(&proxy, "c:4740", &out);
    CHECK(slice_equal_text(
        buffer_slice(&out),
        "CONNECT c:4740 HTTP/1.1\r\nHost: c:4740\r\nProxy-Authorization: "
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"));
    buffer_clear(&out);
    test_case("answers of a proxy");
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        CHECK_I64(proxy_answer(slice_of_text(answers[i].text), reason),
                  answers[i].want);
    return test_end();
}
