/*
 * The gather beside a model that keeps a mark for each byte.
 *
 * The input is a run of additions: offset (2), length (2), then that many
 * bytes or as many as are left. An offset of 0xffff empties both.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "probe/meter/gather.h"
#include "tests/fuzz/fuzz.h"

enum { GATHER_SIZE = 8192 };

struct model {
    bool is_there[GATHER_SIZE + 1]; /* the last one stays false */
    uint8_t bytes[GATHER_SIZE];
};

static size_t count_spans(const struct model *m)
{
    size_t count = 0;
    for (size_t i = 0; i < GATHER_SIZE; i++)
        count += m->is_there[i] && !m->is_there[i + 1];
    return count;
}

/* A span that stands alone is left out when there are too many. */
static void model_add(struct model *m, size_t start, const uint8_t *data,
                      size_t length)
{
    if (start >= GATHER_SIZE || length == 0)
        return;
    size_t end = length < GATHER_SIZE - start ? start + length : GATHER_SIZE;
    bool is_alone =
        !m->is_there[end] && (start == 0 || !m->is_there[start - 1]);
    for (size_t i = start; i < end; i++)
        is_alone = is_alone && !m->is_there[i];
    if (is_alone && count_spans(m) == GATHER_SPANS)
        return;
    for (size_t i = start; i < end; i++) {
        if (!m->is_there[i])
            m->bytes[i] = data[i - start];
        m->is_there[i] = true;
    }
}

static void compare(const struct model *m, const struct gather *g)
{
    size_t prefix = 0;
    while (m->is_there[prefix])
        prefix++;
    if (prefix != gather_prefix(g) || count_spans(m) != g->span_count ||
        memcmp(m->bytes, g->bytes, prefix) != 0)
        abort();
    for (size_t i = 0; i < g->span_count; i++) {
        struct gather_span s = g->spans[i];
        if (s.start >= s.end || s.end > GATHER_SIZE || !m->is_there[s.start] ||
            m->is_there[s.end] ||
            memcmp(m->bytes + s.start, g->bytes + s.start,
                   (size_t)(s.end - s.start)) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { EMPTY = 0xffff };
    static struct model model;
    static uint8_t room[GATHER_SIZE];
    struct gather gather;
    struct cursor c = cursor_of(data, size);
    memset(&model, 0, sizeof(model));
    gather_init(&gather, room, sizeof(room));
    for (int i = 0; i < 100 && cursor_left(&c) > 4; i++) {
        uint16_t offset = cursor_u16(&c);
        size_t length = cursor_u16(&c);
        if (length > cursor_left(&c))
            length = cursor_left(&c);
        const uint8_t *bytes = cursor_bytes(&c, length);
        if (offset == EMPTY) {
            memset(&model, 0, sizeof(model));
            gather_reset(&gather);
        }
        model_add(&model, offset, bytes, length);
        gather_add(&gather, offset, bytes, length);
        compare(&model, &gather);
    }
    return 0;
}
