/* Carriers' tables, both kinds: any bytes are rows or faults, in bounds. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/carrier/carrier_form.h"
#include "collector/carrier/number_import.h"
#include "tests/fuzz/fuzz.h"

static void read_rows(struct csv_file *file, bool is_carrier)
{
    const struct wall_time now = wall_from_s(1795420800);
    struct carrier_record record;
    struct number_interval interval = {0};
    struct number number;
    enum csv_status status;
    while ((status = csv_file_next(file)) != CSV_END && status != CSV_FAILED) {
        if (status != CSV_ROW)
            continue;
        if (is_carrier && carrier_row_read(file, now, &record) == NULL &&
            (record.end_ms < record.start_ms || record.connections == 0 ||
             (record.number_count == 0 && record.user_count == 0)))
            abort();
        if (!is_carrier &&
            number_row_read(file, now, &number, &interval) == NULL &&
            (interval.to_ms <= interval.from_ms ||
             interval.port_to < interval.port_from || interval.length > 128))
            abort();
    }
}

/* The first byte says which kind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error_text error;
    if (size < 1)
        return 0;
    bool is_carrier = (data[0] & 1) != 0;
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
        abort();
    struct csv_file *file = csv_file_of(
        fd, "fuzz", is_carrier ? CARRIER_COLUMNS : NUMBER_COLUMNS,
        is_carrier ? CARRIER_COLUMN_COUNT : NUMBER_COLUMN_COUNT, &error);
    if (file != NULL)
        read_rows(file, is_carrier);
    csv_file_close(file);
    return 0;
}
