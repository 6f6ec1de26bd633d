/*
 * A token sets four bits of one 64-bit word, so that asking costs one access to
 * memory; with 16 bits of filter for each token about one in 300 finds its four
 * already set by others. Tokens found so go into a second filter.
 */
#include "verifier/token_filter.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MIN = 1024,
    WORDS_MAX = TOKEN_FILTER_BYTES_MAX / 2 / 8,
    TOKENS_A_WORD = 4,
};

struct token_filter {
    uint64_t *seen, *twice; /* words_mask + 1 each */
    uint64_t words_mask;
};

struct token_filter *token_filter_new(uint64_t tokens)
{
    uint64_t words = WORDS_MIN;
    struct token_filter *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;
    while (words < tokens / TOKENS_A_WORD && words < WORDS_MAX)
        words *= 2;
    f->words_mask = words - 1;
    f->seen = calloc(words, sizeof(*f->seen));
    f->twice = calloc(words, sizeof(*f->twice));
    if (f->seen == NULL || f->twice == NULL) {
        token_filter_free(f);
        return NULL;
    }
    return f;
}

void token_filter_free(struct token_filter *f)
{
    if (f == NULL)
        return;
    free(f->seen);
    free(f->twice);
    free(f);
}

/* Tokens are hashes, unless their sender made them up: mixed once more. */
static uint64_t place_of(const struct token_filter *f,
                         const uint8_t token[static 16], uint64_t *bits)
{
    uint64_t a, b;
    memcpy(&a, token, sizeof(a));
    memcpy(&b, token + 8, sizeof(b));
    a = (a ^ b >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    b = (b ^ a >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    *bits = 0;
    for (int i = 0; i < 4; i++)
        *bits |= UINT64_C(1) << (b >> (40 + 6 * i) & 63);
    return (a >> 20) & f->words_mask;
}

void token_filter_add(struct token_filter *f, const uint8_t token[static 16])
{
    uint64_t bits;
    uint64_t place = place_of(f, token, &bits);
    if ((f->seen[place] & bits) == bits)
        f->twice[place] |= bits;
    f->seen[place] |= bits;
}

bool token_filter_repeats(const struct token_filter *f,
                          const uint8_t token[static 16])
{
    uint64_t bits;
    uint64_t place = place_of(f, token, &bits);
    return (f->twice[place] & bits) == bits;
}
