/* The configuration: the sample in deploy/ is what the table prints, the
 * normal form reads back as itself, wrong values are named. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/state/probe_config.h"
#include "tests/folder.h"
#include "tests/test.h"

static char folder[FOLDER_LEN], path[FOLDER_LEN + 16];

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    if (CHECK(f != NULL)) {
        fputs(text, f);
        fclose(f);
    }
}

#define NEEDED                                                                 \
    "interface = eth1\nprobe_id = probe-1\ncollector = c.example:4740\n"       \
    "collector_name = c.example\n"

static void test_refused(void)
{
    struct probe_config config;
    struct error_text error = {{0}};
    static const struct {
        const char *text, *error;
    } cases[] = {
        {NEEDED "colour = red\n", "probe.conf:5:"},
        {NEEDED "batch_period_s = 0\n", "probe.conf:5:"},
        {NEEDED "batch_period_s = 3601\n", "probe.conf:5:"},
        {NEEDED "kernel_filter = user\n", "probe.conf:5:"},
        {NEEDED "probe_id = x\n", "probe.conf:5:"},
        {"interface = eth1\ncollector = c.example:4740\n"
         "collector_name = c\nprobe_id = a b\n",
         "probe_id"},
        {"interface = eth1\n", "probe.conf"},
        {NEEDED "voucher_period =\n", "voucher_period"},
    };
    test_case("wrong values are named with file and line");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_file(cases[i].text);
        CHECK(!probe_config_read(path, &config, &error));
        if (!CHECK(strstr(error.text, cases[i].error) != NULL))
            printf("# %s\n", error.text);
    }
}

/* Each key has its line in the manual, with its default. */
static void test_manual(void)
{
    struct buffer manual;
    char line[512];
    test_case("the manual has every key, with its default");
    if (!CHECK(buffer_read_file(&manual, "doc/yz-probe.1", 1 << 20)))
        return;
    buffer_add_u8(&manual, 0);
    for (size_t i = 0; i < probe_config_key_count; i++) {
        const struct config_key *key = &probe_config_keys[i];
        const char *initial = key->initial == NULL   ? "required"
                              : key->initial[0] == 0 ? "empty"
                                                     : key->initial;
        snprintf(line, sizeof(line), "\n.BR %s \" (%s)\"\n", key->name,
                 initial);
        if (!CHECK(strstr((const char *)manual.data, line) != NULL))
            printf("# not in doc/yz-probe.1: %s", line + 1);
    }
    buffer_clear(&manual);
}

int main(void)
{
    struct buffer text, again;
    struct probe_config config;
    struct error_text error = {{0}};
    folder_make(folder);
    snprintf(path, sizeof(path), "%s/probe.conf", folder);

    test_case("deploy/probe.conf is the printed sample");
    buffer_init(&text, 1 << 20);
    buffer_init(&again, 1 << 20);
    config_print_sample(probe_config_keys, probe_config_key_count, &text);
    test_golden("deploy/probe.conf", text.data, text.length);

    test_case("defaults, and the normal form reads back as itself");
    write_file(NEEDED);
    if (!CHECK(probe_config_read(path, &config, &error)))
        printf("# %s\n", error.text);
    CHECK_I64(config.snap_length, 4096);
    CHECK_I64(config.batch_period_s, 300);
    CHECK_I64(config.idle_timeout_s, 30);
    CHECK_I64(config.flow_limit, 65536);
    CHECK_TEXT(config.voucher_period, "default");
    CHECK(!config.is_promiscuous && config.kernel_filter == 0);
    buffer_reset(&text);
    config_print(probe_config_keys, probe_config_key_count, &config, &text);
    buffer_add_u8(&text, 0);
    write_file((const char *)text.data);
    CHECK(probe_config_read(path, &config, &error));
    config_print(probe_config_keys, probe_config_key_count, &config, &again);
    buffer_add_u8(&again, 0);
    CHECK_TEXT((const char *)again.data, (const char *)text.data);

    test_refused();
    test_manual();
    unlink(path);
    CHECK(!probe_config_read(path, &config, &error));
    CHECK(strstr(error.text, path) != NULL);
    folder_remove(folder);
    buffer_clear(&text);
    buffer_clear(&again);
    return test_end();
}
