/*
 * ENDPOINTS.csv: any bytes are a list or an error with a line; a list answers
 * for any address and name, agrees with its own rules, and fits both kernel
 * filters or is refused by them.
 *
 *   offset size meaning
 *   0      1    4 or 6: family of the address asked for (low bit)
 *   1      16   address
 *   17     1    protocol
 *   18     2    port
 *   20     1    length of the name n
 *   21     n    name
 *   21+n   ...  the file
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/wire/endpoint.h"
#include "probe/capture/filter_classic.h"
#include "probe/capture/filter_plan.h"
#include "tests/fuzz/fuzz.h"

/* Some rule must be the reason when an endpoint is found. */
static bool has_rule(const struct endpoint_list *list, const struct address *a,
                     uint8_t protocol, uint16_t port)
{
    for (size_t i = 0; i < endpoint_rule_count(list); i++) {
        struct endpoint_rule r = endpoint_rule_at(list, i);
        if (prefix_contains(&r.prefix, a) &&
            (r.protocol == 0 || r.protocol == protocol) && r.port_low <= port &&
            port <= r.port_high)
            return true;
    }
    return false;
}

static void ask(const struct endpoint_list *list, const struct address *a,
                uint8_t protocol, uint16_t port, struct slice name)
{
    struct wall_time when = wall_from_s(1800000000);
    int index = endpoint_find(list, a, protocol, port, when);
    if (index >= 0 && !has_rule(list, a, protocol, port))
        abort();
    if (index >= 0)
        (void)endpoint_host_matches(list, index, name);
    int named = endpoint_find_by_name(list, a, protocol, port, when, name);
    if (named >= 0 && (index < 0 || !endpoint_host_matches(list, named, name)))
        abort();
}

static void make_filters(const struct endpoint_list *list)
{
    struct filter_plan *plan =
        filter_plan_new(list, wall_from_s(1800000000), NULL);
    if (plan == NULL)
        return;
    filter_classic_free(
        filter_classic_new(plan, FILTER_LINK_ETHERNET, 2048, NULL));
    filter_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(data, size);
    struct address a = {.version = cursor_u8(&c) & 1 ? 6 : 4};
    const uint8_t *bytes = cursor_bytes(&c, 16);
    uint8_t protocol = cursor_u8(&c);
    uint16_t port = cursor_u16(&c);
    size_t name_length = cursor_u8(&c);
    const uint8_t *name = cursor_bytes(&c, name_length);
    if (c.failed)
        return 0;
    memcpy(a.bytes, bytes, a.version == 4 ? 4 : 16);
    struct slice text = slice_of_bytes(data + c.offset, cursor_left(&c));
    struct error_text error = {{0}};
    struct endpoint_list *list = endpoint_list_parse(text, "fuzz.csv", &error);
    if (list == NULL) {
        if (strncmp(error.text, "fuzz.csv:", 9) != 0)
            abort();
        return 0;
    }
    ask(list, &a, protocol, port, slice_of_bytes(name, name_length));
    make_filters(list);
    endpoint_list_free(list);
    return 0;
}
