/* The probe's configuration: what is accepted holds what the rest relies on,
 * and its normal form is accepted and prints the same again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/state/probe_config.h"
#include "tests/fuzz/fuzz.h"

static int file = -1;
static char path[32];

static bool read_bytes(const void *data, size_t size, struct probe_config *c)
{
    struct error_text error = {{0}};
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    if (probe_config_read(path, c, &error))
        return true;
    if (strncmp(error.text, path, strlen(path)) != 0)
        abort(); /* an error names its file */
    return false;
}

static void print(const struct probe_config *c, struct buffer *out)
{
    buffer_init(out, 1 << 16);
    config_print(probe_config_keys, probe_config_key_count, c, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_config config, again;
    struct buffer first, second;
    if (file < 0) {
        file = memfd_create("config", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    if (!read_bytes(data, size, &config))
        return 0;
    if (!probe_config_is_id(config.probe_id) || config.interface[0] == '\0' ||
        config.flow_limit == 0 || config.idle_timeout_s == 0)
        abort();
    print(&config, &first);
    if (!read_bytes(first.data, first.length, &again))
        abort();
    print(&again, &second);
    if (!slice_equal(buffer_slice(&first), buffer_slice(&second)))
        abort();
    buffer_clear(&first);
    buffer_clear(&second);
    return 0;
}
