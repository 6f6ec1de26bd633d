/* The sample in deploy/, and the normal form that reads back the same. */
#include "collector/collector_config.h"

#include "tests/collector/collector_sample.h"

static void print(const struct collector_config *config, struct buffer *out)
{
    buffer_init(out, 1 << 16);
    config_print(collector_config_keys, collector_config_key_count, config,
                 out);
}

int main(void)
{
    struct sample_folder f;
    struct collector_config config;
    struct error_text error = {""};
    struct buffer out, again;
    char path[PATH_MAX];
    sample_folder_make(&f);
    sample_path(&f, "collector.conf", path);

    test_case("deploy/collector.conf is the printed sample");
    buffer_init(&out, 1 << 16);
    config_print_sample(collector_config_keys, collector_config_key_count,
                        &out);
    test_golden("deploy/collector.conf", out.data, out.length);
    buffer_clear(&out);

    test_case("the sample can be read");
    if (!CHECK(config_read("deploy/collector.conf", collector_config_keys,
                           collector_config_key_count, &config, &error)))
        printf("# %s\n", error.text);
    CHECK_TEXT(config.listen, "[::]:4740");
    CHECK_I64((int64_t)config.max_connections, 4096);
    CHECK(!config.accept_sample);

    test_case("the normal form reads back as the same normal form");
    config.accept_sample = true;
    config.max_connections = 17;
    print(&config, &out);
    sample_write_file(path, out.data, out.length);
    CHECK(config_read(path, collector_config_keys, collector_config_key_count,
                      &config, &error));
    print(&config, &again);
    CHECK(slice_equal(buffer_slice(&out), buffer_slice(&again)));
    buffer_clear(&out);
    buffer_clear(&again);

    sample_folder_remove(&f);
    return test_end();
}
