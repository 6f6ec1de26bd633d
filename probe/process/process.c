#include "probe/process/process.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/slice.h"

enum { STATUS_MAX = 8192, KIB = 1024 };

int process_open(void)
{
    return open("/proc/self/status", O_RDONLY | O_CLOEXEC);
}

/* The words of "Name:\tword\tword..." after the name; empty without it. */
static struct slice find_line(struct slice text, const char *name)
{
    struct slice line, key;
    while (slice_next(&text, '\n', &line))
        if (slice_next(&line, ':', &key) && slice_equal_text(key, name))
            return slice_trim(line);
    return (struct slice){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes the next word off the line. */
static struct slice next_word(struct slice *line)
{
    size_t start = 0, end;
    while (start < line->length && is_blank(line->data[start]))
        start++;
    for (end = start; end < line->length && !is_blank(line->data[end]);)
        end++;
    struct slice word = slice_of_bytes(line->data + start, end - start);
    *line = slice_of_bytes(line->data + end, line->length - end);
    return word;
}

/* The number at a place of a line; 0 without it. */
static uint64_t number_of(struct slice text, const char *name, int place)
{
    struct slice line = find_line(text, name), word = {0};
    uint64_t value = 0;
    for (int i = 0; i <= place && line.data != NULL; i++)
        word = next_word(&line);
    return parse_u64(word, 0, UINT64_MAX, &value) ? value : 0;
}

/* A set of capabilities: 16 hex digits. */
static uint64_t set_of(struct slice text, const char *name)
{
    struct slice line = find_line(text, name);
    uint8_t bytes[8];
    uint64_t value = 0;
    if (line.data == NULL || !parse_hex(next_word(&line), bytes, sizeof(bytes)))
        return 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        value = value << 8 | bytes[i];
    return value;
}

bool process_read(int fd, struct process_facts *facts)
{
    char text[STATUS_MAX];
    *facts = (struct process_facts){0};
    ssize_t n = pread(fd, text, sizeof(text), 0);
    if (n <= 0)
        return false;
    struct slice all = slice_of_bytes(text, (size_t)n);
    facts->uid = (uint32_t)number_of(all, "Uid", 1);
    facts->capabilities =
        set_of(all, "CapEff") | set_of(all, "CapPrm") | set_of(all, "CapAmb");
    facts->no_new_privileges = number_of(all, "NoNewPrivs", 0) != 0;
    facts->has_seccomp_filter = number_of(all, "Seccomp", 0) == 2;
    facts->memory_bytes =
        (number_of(all, "RssAnon", 0) + number_of(all, "RssShmem", 0)) * KIB;
    return true;
}
