#include "collector/peer_budget.h"

void peer_budget_init(struct peer_budget *b, size_t most)
{
    *b = (struct peer_budget){.most = most};
}

void peer_budget_set(struct peer_budget *b, struct peer_share *share,
                     size_t bytes)
{
    b->used = b->used - share->bytes + bytes;
    share->bytes = bytes;
    if (bytes == 0)
        peer_budget_end_favour(b, share);
    atomic_store(&b->seen, b->used);
}

bool peer_budget_ask(struct peer_budget *b, struct peer_share *share)
{
    share->is_waiting = false;
    if (b->used < b->most || b->favoured == share)
        return true;
    if (b->favoured != NULL || share->bytes == 0) {
        share->is_waiting = b->has_waiting = true;
        return false;
    }
    b->favoured = share;
    b->favoured_since = mono_now();
    return true;
}

void peer_budget_end_favour(struct peer_budget *b,
                            const struct peer_share *share)
{
    if (b->favoured == share)
        b->favoured = NULL;
}

bool peer_budget_is_overdue(const struct peer_budget *b,
                            const struct peer_share *share,
                            struct mono_time now)
{
    return b->favoured == share && b->has_waiting &&
           now.us - b->favoured_since.us > PEER_FAVOUR_S * INT64_C(1000000);
}

bool peer_budget_has_news(struct peer_budget *b)
{
    if (!b->has_waiting || (b->used >= b->most && b->favoured != NULL))
        return false;
    b->has_waiting = false;
    return true;
}

uint64_t peer_budget_seen(const struct peer_budget *b)
{
    return atomic_load(&b->seen);
}
