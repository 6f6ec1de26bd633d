/*
 * CSV: records that were read, written and read again have the same fields,
 * but for the apostrophe that the writer puts before a formula.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/writer.h"
#include "tests/fuzz/fuzz.h"

enum { FIELD_MAX = 6, TEXT_MAX = 4096 };

static void write_record(struct csv_writer *csv, const struct slice *fields,
                         int count)
{
    char text[TEXT_MAX + 1];
    for (int i = 0; i < count; i++) {
        if (!slice_copy(fields[i], text, sizeof(text)))
            abort();
        csv_text(csv, text);
    }
    csv_row_end(csv);
}

static bool is_same(struct slice before, struct slice after)
{
    /* csv_text() takes C strings: a field ends at its first NUL. */
    const char *nul =
        before.length > 0 ? memchr(before.data, 0, before.length) : NULL;
    if (nul != NULL)
        before.length = (size_t)(nul - before.data);
    if (slice_equal(before, after))
        return true;
    return after.length == before.length + 1 && after.data[0] == '\'' &&
           memcmp(after.data + 1, before.data, before.length) == 0;
}

static void check_record(const struct slice *fields, int count)
{
    struct buffer out, scratch;
    struct csv_writer csv;
    struct slice again[FIELD_MAX];
    unsigned line = 1; /* not the start of a file: no byte order mark */
    buffer_init(&out, 16 * TEXT_MAX);
    buffer_init(&scratch, 16 * TEXT_MAX);
    csv_start(&csv, &out);
    write_record(&csv, fields, count);
    struct slice rest = buffer_slice(&out);
    if (csv_read(&rest, &scratch, again, FIELD_MAX, &line) != count ||
        rest.length != 0)
        abort();
    for (int i = 0; i < count; i++) {
        if (!is_same(fields[i], again[i]))
            abort();
    }
    buffer_clear(&out);
    buffer_clear(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of_bytes(data, size), fields[FIELD_MAX];
    struct buffer scratch;
    unsigned line = 0;
    int count;
    buffer_init(&scratch, TEXT_MAX);
    while ((count = csv_read(&rest, &scratch, fields, FIELD_MAX, &line)) > 0)
        check_record(fields, count);
    buffer_clear(&scratch);
    return 0;
}
