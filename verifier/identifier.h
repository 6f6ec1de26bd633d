/*
 * User-side identifiers that two enterprises declared for the same time
 * (VER-14).
 *
 * Compared is what they mean: an address lies in a prefix however both are
 * written, and a hash is the same in either case. An identifier is a run of
 * leading bits, so one comparison serves prefixes and hashed numbers.
 */
#ifndef VERIFIER_IDENTIFIER_H
#define VERIFIER_IDENTIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

enum identifier_kind {
    IDENTIFIER_FIXED_IP,
    IDENTIFIER_BROADBAND,
    IDENTIFIER_MOBILE,
    IDENTIFIER_IOT_SIM,
    IDENTIFIER_COUNT,
};
bool identifier_kind_from(const char *text, enum identifier_kind *kind);

struct register_line; /* verifier/register_view.h */

struct identifier {
    enum identifier_kind kind;
    const char *enterprise_id;  /* borrowed */
    struct register_line *line; /* that declares it; NULL: of no interest */
    int64_t valid_from_us, valid_to_us;
    bool is_shared; /* by another enterprise; set by identifier_find_shared */

    uint8_t family;    /* 4, 6; 0: a number */
    uint16_t bits;     /* that count in `bytes` */
    uint8_t bytes[32]; /* the others are zero */
};

/* Kind and text give the last three members. What is neither prefix nor hash
 * is like itself only. */
void identifier_set_value(struct identifier *identifier, struct slice text);
/* Sorts them. Every identifier after a prefix that begins with its bits lies
 * in it. */
void identifier_find_shared(struct identifier *identifiers, size_t count);

#endif
