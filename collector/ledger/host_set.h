/*
 * A set of host numbers in few bytes: who was seen in one cell of the usage.
 * Ascending numbers, each as LEB128 difference to the one before.
 */
#ifndef COLLECTOR_LEDGER_HOST_SET_H
#define COLLECTOR_LEDGER_HOST_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

/* Adds the union of the set in `known` and `count` ascending different numbers
 * to *out; *added is how many of them were not known. False when `known` is no
 * such set, or without room. */
bool host_set_merge(struct slice known, const int64_t *numbers, size_t count,
                    struct buffer *out, size_t *added);

/* Walks through a set: start with {set}; false at the end, or at what is no
 * set (then failed). */
struct host_set_walk {
    struct slice rest;
    int64_t number;
    bool failed;
};
bool host_set_next(struct host_set_walk *walk);

#endif
