/* IP addresses and prefixes, as text and as bytes. */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum { ADDRESS_TEXT_LEN = 46 };

struct address {
    uint8_t version;   /* 4 or 6 */
    uint8_t bytes[16]; /* IPv4 in the first 4, the rest zero */
};

struct prefix {
    struct address address; /* host bits are zero */
    uint8_t length;         /* bits, 0 to 32 or 128 */
};

bool address_from_text(struct slice text, struct address *address);
void address_to_text(const struct address *address,
                     char text[static ADDRESS_TEXT_LEN]);
bool address_equal(const struct address *a, const struct address *b);
/* ADDRESS or ADDRESS/LENGTH; set host bits are refused. */
bool prefix_from_text(struct slice text, struct prefix *prefix);
bool prefix_contains(const struct prefix *prefix, const struct address *a);
/* Not private, shared (100.64/10), loopback, link-local, multicast,
 * documentation, benchmark (198.18/15) or unspecified (VER-03). */
bool address_is_public(const struct address *address);

#endif
