#include "portal/store/memo.h"

#include <string.h>

#include "common/slice.h"

void memo_init(struct memo *memo)
{
    memset(memo->rows, 0, sizeof(memo->rows));
    pthread_mutex_init(&memo->lock, NULL);
}

void memo_clear(struct memo *memo)
{
    pthread_mutex_destroy(&memo->lock);
}

static size_t place_of(const char *key)
{
    return slice_hash(slice_of_text(key)) % MEMO_ROWS;
}

/* A clock that was set back makes it old, too. */
bool memo_find(struct memo *memo, const char *key, struct wall_time now,
               int64_t *number)
{
    size_t i = place_of(key);
    pthread_mutex_lock(&memo->lock);
    int64_t age_us = now.us - memo->rows[i].at.us;
    bool is_known = strcmp(memo->rows[i].key, key) == 0 && age_us >= 0 &&
                    age_us < MEMO_SECONDS * INT64_C(1000000);
    if (is_known)
        *number = memo->rows[i].number;
    pthread_mutex_unlock(&memo->lock);
    return is_known;
}

void memo_keep(struct memo *memo, const char *key, struct wall_time now,
               int64_t number)
{
    size_t i = place_of(key), length = strlen(key);
    if (length >= MEMO_KEY_LEN)
        return;
    pthread_mutex_lock(&memo->lock);
    memcpy(memo->rows[i].key, key, length + 1);
    memo->rows[i].at = now;
    memo->rows[i].number = number;
    pthread_mutex_unlock(&memo->lock);
}
