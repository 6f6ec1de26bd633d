/* Sorted by bits, shorter first: what lies in a prefix follows it without a
 * gap, so each identifier is held against those that follow until one differs. */
#include "verifier/identifier.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/crypto/digest.h"

bool identifier_kind_from(const char *text, enum identifier_kind *kind)
{
    static const char *const NAMES[IDENTIFIER_COUNT] = {
        "fixed_ip", "broadband_account", "mobile_number", "iot_sim"};
    for (int i = 0; i < IDENTIFIER_COUNT; i++) {
        if (strcmp(text, NAMES[i]) == 0) {
            *kind = i;
            return true;
        }
    }
    return false;
}

void identifier_set_value(struct identifier *identifier, struct slice text)
{
    struct prefix prefix;
    identifier->family = 0;
    identifier->bits = 8 * sizeof(identifier->bytes);
    memset(identifier->bytes, 0, sizeof(identifier->bytes));
    if (identifier->kind == IDENTIFIER_FIXED_IP &&
        prefix_from_text(text, &prefix)) {
        identifier->family = prefix.address.version;
        identifier->bits = prefix.length;
        memcpy(identifier->bytes, prefix.address.bytes,
               sizeof(prefix.address.bytes));
    } else if (identifier->kind == IDENTIFIER_FIXED_IP ||
               !parse_hex(text, identifier->bytes, sizeof(identifier->bytes))) {
        struct digest digest = digest_of(text.data, text.length);
        memcpy(identifier->bytes, digest.bytes, sizeof(digest.bytes));
    }
}

static int compare_values(const void *a, const void *b)
{
    const struct identifier *x = a, *y = b;
    int order = (x->kind > y->kind) - (x->kind < y->kind);
    order = order ? order : x->family - y->family;
    order = order ? order : memcmp(x->bytes, y->bytes, sizeof(x->bytes));
    return order ? order : x->bits - y->bits;
}

static bool holds(const struct identifier *outer,
                  const struct identifier *inner)
{
    size_t whole = outer->bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> outer->bits % 8);
    return outer->kind == inner->kind && outer->family == inner->family &&
           outer->bits <= inner->bits &&
           memcmp(outer->bytes, inner->bytes, whole) == 0 &&
           (mask == 0 ||
            ((outer->bytes[whole] ^ inner->bytes[whole]) & mask) == 0);
}

void identifier_find_shared(struct identifier *identifiers, size_t count)
{
    if (count == 0)
        return;
    qsort(identifiers, count, sizeof(identifiers[0]), compare_values);
    for (size_t i = 0; i < count; i++) {
        struct identifier *x = &identifiers[i];
        for (size_t k = i + 1; k < count && holds(x, &identifiers[k]); k++) {
            struct identifier *y = &identifiers[k];
            if (strcmp(x->enterprise_id, y->enterprise_id) != 0 &&
                x->valid_from_us < y->valid_to_us &&
                y->valid_from_us < x->valid_to_us)
                x->is_shared = y->is_shared = true;
        }
    }
}
