/*
 * Configuration files: whatever is accepted must print a normal form that is
 * accepted again and prints the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config.h"
#include "tests/fuzz/fuzz.h"

struct sample {
    char listen[64];
    char folder[512];
    char note[48];
    uint64_t count;
    bool is_eager;
    int level;
};

#define MEMBER(m) offsetof(struct sample, m), sizeof(((struct sample *)0)->m)

static const struct config_key KEYS[] = {
    {"listen", CONFIG_ADDRESS, MEMBER(listen), 0, 0, NULL, NULL, ""},
    {"folder", CONFIG_PATH, MEMBER(folder), 0, 0, NULL, "spool", ""},
    {"note", CONFIG_TEXT, MEMBER(note), 0, 0, NULL, "", ""},
    {"count", CONFIG_U64, MEMBER(count), 1, 99, NULL, "9", ""},
    {"eager", CONFIG_BOOL, MEMBER(is_eager), 0, 0, NULL, "no", ""},
    {"level", CONFIG_CHOICE, MEMBER(level), 0, 0, "a|b|cc", "cc", ""},
};
enum { KEY_COUNT = sizeof(KEYS) / sizeof(KEYS[0]) };

static int file = -1;
static char path[64];

static bool read_bytes(const void *data, size_t size, struct sample *sample)
{
    struct error_text error;
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    return config_read(path, KEYS, KEY_COUNT, sample, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sample sample = {0}, again = {0};
    struct buffer first, second;
    if (file < 0) {
        file = memfd_create("config", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    if (!read_bytes(data, size, &sample))
        return 0;
    buffer_init(&first, 1 << 16);
    buffer_init(&second, 1 << 16);
    config_print(KEYS, KEY_COUNT, &sample, &first);
    if (!read_bytes(first.data, first.length, &again))
        abort();
    config_print(KEYS, KEY_COUNT, &again, &second);
    if (!slice_equal(buffer_slice(&first), buffer_slice(&second)))
        abort();
    buffer_clear(&first);
    buffer_clear(&second);
    return 0;
}
