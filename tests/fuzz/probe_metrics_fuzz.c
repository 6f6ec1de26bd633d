/*
 * Requests to the metrics server: what is decided stays decided when more bytes
 * come, and a full request buffer is always decided.
 */
#include <stdlib.h>

#include "probe/state/probe_metrics.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum metrics_request decided = METRICS_MORE;
    if (size > METRICS_REQUEST_MAX)
        size = METRICS_REQUEST_MAX;
    for (size_t length = 0; length <= size; length++) {
        enum metrics_request now =
            metrics_parse_request(slice_of_bytes(data, length));
        if (decided != METRICS_MORE && now != decided)
            abort();
        decided = now;
    }
    if (size == METRICS_REQUEST_MAX && decided == METRICS_MORE)
        abort();
    return 0;
}
