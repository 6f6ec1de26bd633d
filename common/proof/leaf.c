#include "common/proof/leaf.h"

#include <string.h>

#include "common/cursor.h"

static struct slice take_bytes(struct cursor *c)
{
    uint32_t length = cursor_u32(c);
    const uint8_t *bytes = cursor_bytes(c, length);
    return bytes != NULL ? slice_of_bytes(bytes, length) : SLICE("");
}

bool leaf_read(struct slice data, struct leaf_view *view)
{
    struct cursor c = cursor_of(data.data, data.length);
    const uint8_t *prefix = cursor_bytes(&c, sizeof(LEAF_PREFIX) - 1);
    *view = (struct leaf_view){.index = cursor_u64(&c)};
    struct slice probe = take_bytes(&c), boot = take_bytes(&c);
    view->sequence = cursor_u64(&c);
    struct slice hash = take_bytes(&c), previous = take_bytes(&c);
    struct slice enterprise = take_bytes(&c), site = take_bytes(&c);
    return !c.failed &&
           memcmp(prefix, LEAF_PREFIX, sizeof(LEAF_PREFIX) - 1) == 0 &&
           boot.length == BOOT_ID_LEN && previous.length == DIGEST_LEN &&
           digest_read(hash, &view->hash) &&
           slice_copy(probe, view->probe_id, sizeof(view->probe_id)) &&
           slice_copy(enterprise, view->enterprise_id, LEAF_ID_LEN) &&
           slice_copy(site, view->site_id, LEAF_ID_LEN);
}
