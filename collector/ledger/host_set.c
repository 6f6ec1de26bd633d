#include "collector/ledger/host_set.h"

bool host_set_next(struct host_set_walk *walk)
{
    uint64_t difference = 0;
    size_t n = 0;
    if (walk->rest.length == 0 || walk->failed)
        return false;
    for (unsigned shift = 0; shift < 56; shift += 7) {
        uint8_t byte =
            n < walk->rest.length ? (uint8_t)walk->rest.data[n] : 0x80;
        n++;
        difference |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    walk->failed = n > walk->rest.length || difference == 0 ||
                   difference > (uint64_t)(INT64_MAX - walk->number);
    if (walk->failed)
        return false;
    walk->number += (int64_t)difference;
    walk->rest.data += n;
    walk->rest.length -= n;
    return true;
}

static void add_number(struct buffer *out, int64_t *last, int64_t number)
{
    uint64_t difference = (uint64_t)(number - *last);
    for (; difference >= 0x80; difference >>= 7)
        buffer_add_u8(out, (uint8_t)(difference | 0x80));
    buffer_add_u8(out, (uint8_t)difference);
    *last = number;
}

bool host_set_merge(struct slice known, const int64_t *numbers, size_t count,
                    struct buffer *out, size_t *added)
{
    struct host_set_walk walk = {known, 0, false};
    int64_t last = 0;
    size_t i = 0;
    bool has = host_set_next(&walk);
    *added = 0;
    while (has || i < count) {
        bool is_known = has && (i == count || walk.number <= numbers[i]);
        int64_t number = is_known ? walk.number : numbers[i];
        if (i < count && numbers[i] == number)
            i++;
        *added += !is_known;
        add_number(out, &last, number);
        if (is_known)
            has = host_set_next(&walk);
    }
    return !walk.failed && !out->failed;
}
