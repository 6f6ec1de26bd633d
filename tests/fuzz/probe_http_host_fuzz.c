/* The Host of an HTTP request: only a name ever comes out, and more bytes never
 * change an answer that was not MORE. */
#include <stdlib.h>
#include <string.h>

#include "probe/meter/hello.h"
#include "probe/meter/http_host.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice host, later;
    if (size < 2 || data[0] == 0)
        return 0;
    size_t part = data[0] < size - 1 ? data[0] : size - 1;
    enum http_status early =
        http_host_find(slice_of_bytes(data + 1, part), &host);
    enum http_status whole =
        http_host_find(slice_of_bytes(data + 1, size - 1), &later);
    if (early != HTTP_MORE && (early != whole || !slice_equal(host, later)))
        abort();
    /* What is not a name must not be there to be taken for one. */
    if (whole == HTTP_HOST ? !hello_is_name(later) : later.length != 0)
        abort();
    return 0;
}
