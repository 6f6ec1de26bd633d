/* Flow blocks out of a usage.db that somebody tampered with: what decodes is
 * valid, and packed again and decoded it is the same. The columns are also
 * given without their compression, so that mutations reach them. */
#include <stdlib.h>
#include <string.h>

#include "common/pack.h"
#include "common/wire/batch.h"
#include "common/wire/flow_block.h"
#include "tests/fuzz/fuzz.h"

static void check_round(struct flow_block *b)
{
    struct flow_packer *p = flow_packer_new();
    struct flow_block *again = flow_block_new();
    struct buffer out;
    size_t count = flow_block_count(b);
    buffer_init(&out, FLOW_BLOCK_MAX);
    if (!flow_packer_encode(p, flow_block_records(b), count, &out) ||
        !flow_block_decode(again, buffer_slice(&out)) ||
        flow_block_count(again) != count)
        abort();
    for (size_t i = 0; i < count; i++)
        if (!flow_record_equal(&flow_block_records(b)[i],
                               &flow_block_records(again)[i]))
            abort();
    buffer_clear(&out);
    flow_packer_free(p);
    flow_block_free(again);
}

static void try_block(struct slice data)
{
    struct flow_block *b = flow_block_new();
    const uint8_t *tokens;
    size_t count;
    bool has_tokens = flow_block_tokens(data, &tokens, &count);
    if (flow_block_decode(b, data)) {
        if (!has_tokens || count > flow_block_count(b))
            abort();
        check_round(b);
    }
    flow_block_free(b);
}

/* The first byte says how many bytes of head and tokens there are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_block(slice_of_bytes(data, size));
    size_t head = size > 0 ? data[0] : 0;
    if (head + 1 > size)
        return 0;
    struct packer *p = packer_new(1);
    struct buffer out;
    buffer_init(&out, FLOW_BLOCK_MAX);
    buffer_add(&out, data + 1, head);
    if (packer_pack(p, slice_of_bytes(data + 1 + head, size - 1 - head), &out))
        try_block(buffer_slice(&out));
    buffer_clear(&out);
    packer_free(p);
    return 0;
}
