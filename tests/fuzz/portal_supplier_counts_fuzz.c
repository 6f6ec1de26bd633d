/* The body of a supplier's request: what is taken has ids that are texts, days
 * and counts within bounds; what is not has a reason. */
#include <stdlib.h>
#include <string.h>

#include "portal/access/api_token.h"
#include "portal/record/supplier_counts.h"
#include "tests/fuzz/fuzz.h"

static void check_row(const struct supplier_row *row)
{
    if (row->connections < 0 || row->octets_up < 0 || row->octets_down < 0 ||
        row->enterprise_id[0] == '\0' || row->service_id[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct supplier_counts counts;
    struct error_text error = {""};
    struct wall_time now = wall_from_s(1795420800);
    if (!supplier_counts_parse(slice_of_bytes(data, size), now, &counts,
                               &error)) {
        if (error.text[0] == '\0')
            abort();
        return 0;
    }
    if (counts.count > COUNTS_ROWS_MAX)
        abort();
    for (size_t i = 0; i < counts.count; i++)
        check_row(&counts.rows[i]);
    return 0;
}
