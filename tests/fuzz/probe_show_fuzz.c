/* A file of what left: any bytes are shown as lines without control
 * characters, and the check of a spooled batch finds only that batch whole. */
#include <stdlib.h>
#include <string.h>

#include "probe/admin/show_command.h"
#include "probe/uplink/batch_check.h"
#include "tests/fuzz/fuzz.h"

enum { OUT_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct show_key key = {
        .is_given = size % 2 == 1, .algorithm = SIGN_ED25519, .length = 32};
    struct slice content = slice_of_bytes(data, size);
    struct buffer out;
    buffer_init(&out, OUT_MAX);
    show_content(content, "fuzz", &key, &out, NULL);
    for (size_t i = 0; i < out.length; i++)
        if (out.data[i] < ' ' && out.data[i] != '\n')
            abort();
    if (!out.failed && (out.length == 0 || out.data[out.length - 1] != '\n'))
        abort();
    buffer_clear(&out);
    /* No bytes have this hash. */
    if (batch_check(content, (struct digest){0}) == BATCH_CHECK_INTACT)
        abort();
    return 0;
}
