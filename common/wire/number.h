/*
 * Numbers that an operator gives to an access (VER-03): broadband accounts,
 * mobile numbers, IoT SIMs.
 *
 * They are read into one normal form and kept as keyed hash and mask only
 * (PRIV-04). Whoever holds the key (the portal, where numbers are declared, and
 * the collector, where carriers report them) gets the same hash of the same
 * number. The key lies in a file of its own (common/crypto/secret.h, `number_key` in
 * both configurations); without it, eleven digits are soon tried.
 *
 *   kind                form
 *   broadband_account   4 to 63 of letters, digits, ". _ - @"; small letters
 *   mobile_number       1 and ten digits, the second 3 to 9; +86 or 86 in front
 *                       is taken away
 *   iot_sim             a number as above, or of 13 digits from 10 or 14; or an
 *                       IMSI (ITU-T E.212): 460 and 12 digits; or an ICCID
 *                       (ITU-T E.118): 89 and 17 or 18 digits, the last one by
 *                       Luhn's rule. These of one card are numbers apart here.
 */
#ifndef COMMON_WIRE_NUMBER_H
#define COMMON_WIRE_NUMBER_H

#include <stdbool.h>

#include "common/crypto/digest.h"
#include "common/crypto/secret.h"
#include "common/slice.h"

enum number_kind {
    NUMBER_BROADBAND,
    NUMBER_MOBILE,
    NUMBER_SIM,
    NUMBER_KIND_COUNT,
};
/* As in user_side_identifier.kind: "broadband_account". */
const char *number_kind_text(enum number_kind kind);
bool number_kind_from(struct slice text, enum number_kind *kind);

enum { NUMBER_LEN = 64 }; /* with its NUL */

struct number {
    enum number_kind kind;
    char text[NUMBER_LEN]; /* normal form */
};

/* NULL, or what is wrong with it, as the key of a text; *number is then of no
 * meaning. */
const char *number_read(enum number_kind kind, struct slice text,
                        struct number *number);
/* HMAC-SHA-256 over kind, NUL, normal form. */
struct digest number_hash(const struct secret *key,
                          const struct number *number);
/* "138****0000": what people may see. */
void number_mask(const struct number *number, char mask[static NUMBER_LEN]);

#endif
