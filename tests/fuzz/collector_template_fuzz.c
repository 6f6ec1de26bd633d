/* One template and the records behind it: the first byte chooses protocol and
 * kind, the second says where the template ends. */
#include <stdlib.h>

#include "collector/netflow/netflow_template.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t length = data[1] * 4u < size - 2 ? data[1] * 4u : size - 2;
    struct cursor set = cursor_of(data + 2, length);
    struct cursor records = cursor_of(data + 2 + length, size - 2 - length);
    enum netflow_dialect dialect = data[0] & 1 ? NETFLOW_V9 : NETFLOW_IPFIX;
    struct netflow_template *t = NULL;
    const char *why = NULL;
    uint16_t id;
    if (netflow_template_read(&set, dialect, (data[0] & 2) != 0, &id, &t,
                              &why) != NETFLOW_TEMPLATE_OK)
        return 0;
    while (cursor_left(&records) >= t->minimum) {
        struct netflow_record record = {0};
        size_t before = records.offset;
        if (!netflow_template_run(t, &records, &record))
            break;
        if (records.offset <= before)
            abort(); /* would never end */
    }
    free(t);
    return 0;
}
