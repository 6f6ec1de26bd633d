/* The configuration: the sample in deploy/ is the printed one, and the normal
 * form reads back as itself. */
#include <errno.h>

#include "portal/store/portal_config.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static void test_sample(void)
{
    struct buffer out;
    buffer_init(&out, 65536);
    config_print_sample(PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT, &out);
    test_case("deploy/portal.conf is the printed sample");
    test_golden("deploy/portal.conf", out.data, out.length);
    buffer_clear(&out);
}

static void test_normal_form(const struct scratch *scratch)
{
    struct portal_config config = {0}, again = {0};
    struct buffer first, second;
    struct error_text error = {""};
    char path[512];
    buffer_init(&first, 65536);
    buffer_init(&second, 65536);
    test_case("the normal form reads back as itself");
    CHECK(config_read("deploy/portal.conf", PORTAL_CONFIG_KEYS,
                      PORTAL_CONFIG_KEY_COUNT, &config, &error));
    config_print(PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT, &config, &first);
    buffer_add_u8(&first, 0);
    scratch_write(scratch, "again.conf", (const char *)first.data);
    snprintf(path, sizeof(path), "%s/again.conf", scratch->folder);
    CHECK(config_read(path, PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT, &again,
                      &error));
    config_print(PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT, &again, &second);
    buffer_add_u8(&second, 0);
    CHECK_TEXT((const char *)second.data, (const char *)first.data);
    CHECK_I64(config.session_idle_minutes, 15);
    CHECK(config.secure_cookie && !config.demo_banner);
    buffer_clear(&first);
    buffer_clear(&second);
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    test_sample();
    test_normal_form(&scratch);
    scratch_close(&scratch);
    return test_end();
}
