/* Numbers are compared modulo 2^32. */
#include "collector/netflow/sequence.h"

#include <string.h>

enum netflow_order netflow_sequence_note(struct netflow_sequence *sequence,
                                         uint32_t number, uint32_t units,
                                         bool is_certain, uint32_t *missing)
{
    struct netflow_sequence *s = sequence;
    uint32_t ahead = number - s->expected, behind = s->expected - number;
    enum netflow_order order = ORDER_RESET;
    *missing = 0;
    if (!s->is_known)
        order = ORDER_FIRST;
    else if (ahead == 0)
        order = ORDER_NEXT;
    else if (ahead <= SEQUENCE_JUMP)
        order = s->is_uncertain ? ORDER_UNREAD : ORDER_GAP;
    else if (behind <= SEQUENCE_JUMP && !s->is_uncertain &&
             s->late_run < SEQUENCE_LATE_MAX)
        order = ORDER_LATE;
    s->late_run = order == ORDER_LATE ? s->late_run + 1 : 0;
    if (order == ORDER_LATE)
        return order;
    if (order == ORDER_GAP || order == ORDER_UNREAD)
        *missing = ahead;
    s->expected = number + units;
    s->is_known = true;
    s->is_uncertain = !is_certain;
    return order;
}

uint64_t netflow_message_hash(const uint8_t *message, size_t length)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = length * factor, word;
    size_t i = 0;
    for (; i + sizeof(word) <= length; i += sizeof(word)) {
        memcpy(&word, message + i, sizeof(word));
        hash = (hash ^ word) * factor;
        hash ^= hash >> 29;
    }
    for (word = 0; i < length; i++)
        word = word << 8 | message[i];
    hash = (hash ^ word) * factor;
    return hash ^ hash >> 32;
}

bool netflow_window_has(struct netflow_window *window, uint32_t number,
                        uint64_t hash)
{
    struct netflow_window *w = window;
    for (size_t i = 0; i < w->count; i++)
        if (w->seen[i].hash == hash && w->seen[i].number == number)
            return true;
    w->seen[w->next].number = number;
    w->seen[w->next].hash = hash;
    w->next = (w->next + 1) % SEQUENCE_WINDOW;
    if (w->count < SEQUENCE_WINDOW)
        w->count++;
    return false;
}
