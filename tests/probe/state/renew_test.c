/* When a certificate is renewed, how failures are paced, and which addresses a
 * portal and a proxy may have. */
#include "probe/state/renew.h"
#include "tests/test.h"

enum { DAY = 86400 };

static int64_t due_after_days(int64_t life_days, uint32_t chance)
{
    struct pki_certificate c = {.begins = wall_from_s(0),
                                .ends = wall_from_s(life_days * DAY)};
    return wall_to_s(renew_due(&c, chance)) * 100 / DAY;
}

static void test_due(void)
{
    test_case("at two thirds, and a twentieth later at most");
    CHECK_I64(due_after_days(30, 0), 2000);
    CHECK_I64(due_after_days(30, 1000), 2150);
    CHECK_I64(due_after_days(397, 0), 26466);
    for (uint32_t i = 0; i < 100; i++) {
        int64_t due = due_after_days(30, i * 0x9e3779b9u);
        CHECK(due >= 2000 && due <= 2150);
    }
    test_case("a certificate of minutes, too");
    struct pki_certificate c = {.begins = wall_from_s(1000),
                                .ends = wall_from_s(1600)};
    CHECK_I64(wall_to_s(renew_due(&c, 0)), 1400);
}

static void test_pause(void)
{
    test_case("failures: from a minute to six hours, by chance");
    CHECK_I64(renew_pause_s(1, 0), 30);
    CHECK_I64(renew_pause_s(1, 60), 90);
    CHECK_I64(renew_pause_s(3, 0), 120);
    CHECK_I64(renew_pause_s(9, 0), 7680);
    CHECK_I64(renew_pause_s(10, 0), 3 * 3600);
    CHECK_I64(renew_pause_s(4000000000u, 0), 3 * 3600);
    CHECK(renew_pause_s(4000000000u, UINT32_MAX) <= 9 * 3600);
}

static const struct {
    const char *text;
    bool is_portal, is_proxy;
    uint16_t port;
} addresses[] = {
    {"https://portal.example:8443", true, false, 8443},
    {"https://portal.example", true, false, 443},
    {"https://portal.example:8443/", true, false, 8443},
    {"HTTPS://[2001:db8::1]:8443", true, false, 8443},
    {"https://[2001:db8::1]", true, false, 443},
    {"http://portal.example", false, true, 1080},
    {"https://portal.example/path", false, false, 0},
    {"https://portal.example:0", false, false, 0},
    {"https://portal.example:65536", false, false, 0},
    {"https://user@portal.example", false, false, 0},
    {"https://", false, false, 0},
    {"", false, false, 0},
    {"proxy.example:3128", false, true, 3128},
    {"http://worker:se@cret@proxy.example:3128", false, true, 3128},
    {"proxy.example:3128x", false, false, 0},
    {"ftp://proxy.example:3128", false, false, 0},
};

static void test_addresses(void)
{
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct slice host;
        uint16_t port = 0;
        test_case(addresses[i].text[0] ? addresses[i].text : "nothing");
        CHECK_I64(est_client_portal(addresses[i].text, &host, &port),
                  addresses[i].is_portal);
        if (addresses[i].is_portal)
            CHECK_I64(port, addresses[i].port);
        if (addresses[i].is_portal)
            continue;
        CHECK_I64(est_client_proxy(addresses[i].text, &port),
                  addresses[i].is_proxy);
        if (addresses[i].is_proxy)
            CHECK_I64(port, addresses[i].port);
    }
}

int main(void)
{
    test_due();
    test_pause();
    test_addresses();
    return test_end();
}
