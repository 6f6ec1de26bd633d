/*
 * Numbers that are dear to count and may be a minute old: kept in memory for
 * MEMO_SECONDS, a few of them. Two that ask at once may both count.
 */
#ifndef PORTAL_STORE_MEMO_H
#define PORTAL_STORE_MEMO_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

enum { MEMO_ROWS = 64, MEMO_KEY_LEN = 96, MEMO_SECONDS = 60 };

struct memo {
    pthread_mutex_t lock;
    struct {
        char key[MEMO_KEY_LEN]; /* "": empty */
        struct wall_time at;
        int64_t number;
    } rows[MEMO_ROWS]; /* by the key's hash; a later one takes the place */
};

void memo_init(struct memo *memo);
void memo_clear(struct memo *memo);
/* False when it is not known, or not any more. */
bool memo_find(struct memo *memo, const char *key, struct wall_time now,
               int64_t *number);
/* A key that is too long is not kept. */
void memo_keep(struct memo *memo, const char *key, struct wall_time now,
               int64_t number);

#endif
