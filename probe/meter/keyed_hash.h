/* SipHash-2-4 (Aumasson, Bernstein): a hash under a secret key, so that nobody
 * outside can choose packets that fall into one place of a table. */
#ifndef PROBE_METER_KEYED_HASH_H
#define PROBE_METER_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

struct hash_key hash_key_random(void);
uint64_t keyed_hash(const struct hash_key *key, const void *data,
                    size_t length);
/* SipHash-1-3 of two words: fewer rounds for what is done with every packet,
 * whose hash nobody outside gets to see. */
uint64_t keyed_hash_pair(const struct hash_key *key, uint64_t first,
                         uint64_t second);

#endif
