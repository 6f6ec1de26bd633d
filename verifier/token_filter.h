/*
 * Which connection tokens may stand in more than one record, found in memory of
 * a fixed bound whatever the number of records.
 *
 * A blocked Bloom filter, in two steps: token_filter_add() each token, then
 * token_filter_repeats() for each of them again. Every token that was added
 * twice is named; of the others a few in a thousand are named as well, and
 * their reader finds them alone.
 */
#ifndef VERIFIER_TOKEN_FILTER_H
#define VERIFIER_TOKEN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_FILTER_BYTES_MAX = 256 * 1024 * 1024 };

struct token_filter;

/* For about so many tokens; more only means more that are named wrongly. NULL
 * without memory. */
struct token_filter *token_filter_new(uint64_t tokens);
void token_filter_free(struct token_filter *f);
void token_filter_add(struct token_filter *f, const uint8_t token[static 16]);
bool token_filter_repeats(const struct token_filter *f,
                          const uint8_t token[static 16]);

#endif
