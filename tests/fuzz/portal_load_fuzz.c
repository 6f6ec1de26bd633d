/*
 * Files that people load, CSV and workbooks: whatever they hold, rows come out
 * or the file is refused with a reason; fields of a row are text of the file's
 * size at most. The first byte says which of the two it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "portal/load/load_sheet.h"
#include "portal/load/load_xlsx.h"
#include "tests/fuzz/fuzz.h"

enum { FIELDS_MAX = 64, CSV_MAX = 1 << 22 };

static void read_workbook(struct slice file)
{
    struct buffer csv;
    const char *wrong = NULL;
    buffer_init(&csv, CSV_MAX);
    if (load_xlsx_read(file, &csv, &wrong) != (wrong == NULL))
        abort();
    buffer_clear(&csv);
}

static void check_fields(const struct slice *fields, int count, size_t most)
{
    for (int i = 0; i < count; i++)
        if (fields[i].length > most)
            abort();
}

static void read_csv(struct slice text)
{
    struct load_sheet sheet;
    struct slice fields[FIELDS_MAX];
    char path[64];
    int count = 0, fd = memfd_create("rows", 0);
    if (fd < 0 || write(fd, text.data, text.length) != (ssize_t)text.length)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (load_sheet_open(&sheet, path))
        while ((count = load_sheet_next(&sheet, fields, FIELDS_MAX)) > 0)
            check_fields(fields, count, sheet.text.length);
    else
        count = -1;
    if (count < 0 && sheet.wrong == NULL)
        abort();
    load_sheet_close(&sheet);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice rest = slice_of_bytes(data + 1, size - 1);
    if (data[0] == 'P')
        read_workbook(slice_of_bytes(data, size));
    else
        read_csv(rest);
    return 0;
}
