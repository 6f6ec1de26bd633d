/*
 * Nested IP prefixes, flattened for search.
 *
 * From any list of prefixes come: the nodes, one for each distinct prefix, each
 * with its parent (the longest other prefix around it); and the ranges, the
 * same as sorted, neighbouring, half-open ranges of addresses, each with the
 * node that decides there. A search is a binary search among the ranges, for
 * IPv4 within the ranges of the address's first 16 bits, then a walk up the
 * parents by the caller. The endpoint list and both kernel filters use it.
 */
#ifndef COMMON_PREFIX_MAP_H
#define COMMON_PREFIX_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

struct prefix_map;

enum { PREFIX_NONE = -1 };

struct prefix_node {
    struct prefix prefix;
    int32_t parent; /* PREFIX_NONE at the top; always a smaller index */
};

/* Addresses from `start` up to the next range's start. */
struct prefix_range {
    uint8_t start[16]; /* IPv4 in the first 4 */
    int32_t node;      /* PREFIX_NONE: covered by nothing */
};

/* NULL without memory. `count` < 2^30. */
struct prefix_map *prefix_map_new(const struct prefix *prefixes, size_t count);
void prefix_map_free(struct prefix_map *map);
size_t prefix_map_count(const struct prefix_map *map);
const struct prefix_node *prefix_map_node(const struct prefix_map *map,
                                          size_t index);
/* The node of exactly this prefix, or PREFIX_NONE. */
int32_t prefix_map_index(const struct prefix_map *map,
                         const struct prefix *prefix);
/* The node of the longest prefix around the address, or PREFIX_NONE. */
int32_t prefix_map_find(const struct prefix_map *map, const struct address *a);
/* A bit for each value of the first 16 bits of an IPv4 address (the value's low
 * three bits count within a byte): clear where no prefix lies around any of its
 * addresses. */
const uint8_t *prefix_map_near(const struct prefix_map *map);
/* The ranges of an address family (4 or 6), which begin at its first address. */
const struct prefix_range *prefix_map_ranges(const struct prefix_map *map,
                                             int version, size_t *count);

#endif
