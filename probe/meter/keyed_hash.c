/* SipHash-2-4 over little-endian 64-bit words. The last word holds the bytes
 * that are left and, in its top byte, the length modulo 256. */
#include "probe/meter/keyed_hash.h"

#include <endian.h>
#include <string.h>

#include "common/crypto/digest.h"

struct state {
    uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void mix(struct state *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotate(s->b, 17) ^ s->c;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c = rotate(s->c, 32);
}

static inline struct state start(const struct hash_key *key)
{
    return (struct state){
        key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
        key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573};
}

static inline void absorb(struct state *s, uint64_t word, int rounds)
{
    s->d ^= word;
    for (int i = 0; i < rounds; i++)
        mix(s);
    s->a ^= word;
}

static inline uint64_t finish(struct state *s, int rounds)
{
    s->c ^= 0xff;
    for (int i = 0; i < rounds; i++)
        mix(s);
    return s->a ^ s->b ^ s->c ^ s->d;
}

struct hash_key hash_key_random(void)
{
    struct hash_key key;
    random_bytes(&key, sizeof(key));
    return key;
}

uint64_t keyed_hash(const struct hash_key *key, const void *data, size_t length)
{
    struct state s = start(key);
    const uint8_t *p = data;
    size_t left = length;
    uint64_t word;
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        absorb(&s, le64toh(word), 2);
    }
    word = 0;
    memcpy(&word, p, left);
    absorb(&s, le64toh(word) | (uint64_t)(length & 0xff) << 56, 2);
    return finish(&s, 4);
}

uint64_t keyed_hash_pair(const struct hash_key *key, uint64_t first,
                         uint64_t second)
{
    struct state s = start(key);
    absorb(&s, first, 1);
    absorb(&s, second, 1);
    absorb(&s, (uint64_t)(2 * sizeof(uint64_t)) << 56, 1);
    return finish(&s, 3);
}
