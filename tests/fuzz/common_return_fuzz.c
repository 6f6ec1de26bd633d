/* The return channel's messages, as either end reads them, and changes to a
 * list of endpoints. */
#include <stdlib.h>

#include "common/wire/return_channel.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct return_message m;
    struct buffer list;
    if (return_channel_decode(data, size, &m) == RETURN_OK &&
        m.chunk.length > RETURN_CHUNK_MAX)
        abort();
    (void)return_channel_is_ours(data, size);
    (void)registry_apply(SLICE("id\na\nb\nc\n"), slice_of_bytes(data, size),
                         &list);
    buffer_clear(&list);
    return 0;
}
