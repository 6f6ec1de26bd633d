/*
 * Versions of the list of registered endpoints, and the way from one to another.
 *
 * The portal numbers the versions of ENDPOINTS.csv and signs a head for each:
 * serial, SHA-256 of the whole list, time, algorithm. A probe that has one
 * version gets the newest head and the changes, and takes the result only when
 * it has the head's hash: nobody between portal and probe can make a list.
 * Batches name the list by that hash (registry version).
 *
 * The signature is over REGISTRY_SIGN_PREFIX, then serial (8 bytes,
 * big-endian), hash (32), issued time in milliseconds (8), algorithm (1).
 *
 * Changes are lines of bytes, which build the new list from the old one:
 *
 *   =N    the next N lines of the old list
 *   -N    without the next N lines
 *   +...  this line
 *
 * Each ends in a newline, as each line of a list does. Without an old list all
 * lines are new ones.
 */
#ifndef COMMON_WIRE_REGISTRY_BUNDLE_H
#define COMMON_WIRE_REGISTRY_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "common/wire/batch.h"

#define REGISTRY_SIGN_PREFIX "yunzheng registry 1\n"

enum {
    REGISTRY_LIST_MAX = 64 * 1024 * 1024, /* octets of a list */
    REGISTRY_CHANGES_MAX = REGISTRY_LIST_MAX + REGISTRY_LIST_MAX / 4,
};

struct registry_head {
    uint64_t serial; /* from 1, by 1 */
    struct digest hash;
    int64_t issued_ms;
    uint64_t algorithm; /* enum sign_algorithm */
    uint8_t signature[SIGN_LEN];
};

/* Fills in algorithm and signature. */
bool registry_head_sign(struct registry_head *head, const struct sign_key *key);
bool registry_head_check(const struct registry_head *head,
                         enum sign_algorithm algorithm,
                         struct slice public_key);

/* *out is initialised here and the caller's. False without memory, or when
 * `list` is too long or does not end in a newline. An `old` that is empty, or
 * is no list of lines, gives the changes from nothing. */
bool registry_changes(struct slice old, struct slice list, struct buffer *out);
/* The same way on: false unless the changes are well formed and fit `old`. */
bool registry_apply(struct slice old, struct slice changes,
                    struct buffer *list);

#endif
