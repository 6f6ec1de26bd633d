/* Spans are kept sorted; a new one swallows those it touches. */
#include "probe/meter/gather.h"

#include <string.h>

void gather_init(struct gather *gather, uint8_t *bytes, size_t size)
{
    gather->bytes = bytes;
    gather->size = (uint32_t)size;
    gather_reset(gather);
}

void gather_reset(struct gather *gather)
{
    gather->span_count = 0; /* bytes outside the spans are never read */
}

/* Copies only what is not there yet. */
static void copy_gaps(struct gather *g, size_t start, size_t end,
                      const uint8_t *data)
{
    size_t at = start;
    for (size_t i = 0; i < g->span_count && at < end; i++) {
        struct gather_span span = g->spans[i];
        if (span.end <= at)
            continue;
        size_t stop = span.start < end ? span.start : end;
        if (at < stop)
            memcpy(g->bytes + at, data + (at - start), stop - at);
        if (at < span.end)
            at = span.end;
    }
    if (at < end)
        memcpy(g->bytes + at, data + (at - start), end - at);
}

void gather_add(struct gather *g, uint64_t offset, const uint8_t *data,
                size_t length)
{
    if (offset >= g->size || length == 0)
        return;
    size_t start = (size_t)offset;
    size_t end = length < g->size - start ? start + length : g->size;
    size_t first = 0, last;
    while (first < g->span_count && g->spans[first].end < start)
        first++;
    for (last = first; last < g->span_count && g->spans[last].start <= end;)
        last++;
    if (first == last && g->span_count == GATHER_SPANS)
        return;
    copy_gaps(g, start, end, data);
    struct gather_span merged = {(uint32_t)start, (uint32_t)end};
    if (first < last) {
        if (g->spans[first].start < merged.start)
            merged.start = g->spans[first].start;
        if (g->spans[last - 1].end > merged.end)
            merged.end = g->spans[last - 1].end;
    }
    memmove(g->spans + first + 1, g->spans + last,
            (g->span_count - last) * sizeof(g->spans[0]));
    g->spans[first] = merged;
    g->span_count = (uint32_t)(g->span_count - (last - first) + 1);
}

size_t gather_prefix(const struct gather *g)
{
    return g->span_count > 0 && g->spans[0].start == 0 ? g->spans[0].end : 0;
}
