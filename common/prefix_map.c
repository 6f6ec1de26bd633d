/*
 * Building: prefixes are sorted by family, first address, length, so that a
 * prefix comes right before all that lie within it. One sweep with a stack of
 * the prefixes open at the moment gives every node its parent, and a range
 * begins wherever one opens or closes. At most 2n + 1 ranges come out.
 */
#include "common/prefix_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 65536, /* first 16 bits of an IPv4 address */
};

struct family {
    int version;
    struct prefix_range *ranges;
    size_t count;
};

struct prefix_map {
    struct prefix_node *nodes;
    size_t count;
    struct family families[2];
    /* IPv4: the last range that begins at or before the bucket's start. */
    uint32_t buckets[BUCKETS + 1];
    uint8_t near[BUCKETS / 8]; /* bit per bucket: something lies in it */
};

static int compare_prefixes(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    if (x->address.version != y->address.version)
        return x->address.version < y->address.version ? -1 : 1;
    int order = memcmp(x->address.bytes, y->address.bytes, 16);
    return order != 0 ? order : (int)x->length - (int)y->length;
}

/* The first address after the prefix; false when it reaches the end. */
static bool prefix_end(const struct prefix *prefix, uint8_t end[static 16])
{
    memcpy(end, prefix->address.bytes, 16);
    unsigned add = 1;
    for (int bit = prefix->length - 1; bit >= 0 && add != 0; bit--) {
        uint8_t mask = (uint8_t)(0x80 >> (bit % 8));
        add = end[bit / 8] & mask;
        end[bit / 8] ^= mask;
    }
    return add == 0;
}

static void begin_range(struct family *family, const uint8_t start[static 16],
                        int32_t node)
{
    struct prefix_range *last =
        family->count > 0 ? &family->ranges[family->count - 1] : NULL;
    if (last != NULL && memcmp(last->start, start, 16) == 0) {
        last->node = node; /* the same place: the later word holds */
        return;
    }
    if (last != NULL && last->node == node)
        return;
    struct prefix_range *range = &family->ranges[family->count++];
    memcpy(range->start, start, 16);
    range->node = node;
}

/* Closes open prefixes that do not contain `next` (all, when it is NULL). */
static int32_t close_until(struct prefix_map *map, struct family *family,
                           int32_t open, const struct prefix *next)
{
    while (open != PREFIX_NONE &&
           (next == NULL ||
            !prefix_contains(&map->nodes[open].prefix, &next->address))) {
        uint8_t end[16];
        int32_t parent = map->nodes[open].parent;
        if (prefix_end(&map->nodes[open].prefix, end))
            begin_range(family, end, parent);
        open = parent;
    }
    return open;
}

static void sweep(struct prefix_map *map, struct family *family)
{
    static const uint8_t first[16];
    int32_t open = PREFIX_NONE;
    begin_range(family, first, PREFIX_NONE);
    for (size_t i = 0; i < map->count; i++) {
        struct prefix_node *node = &map->nodes[i];
        if (node->prefix.address.version != family->version)
            continue;
        open = close_until(map, family, open, &node->prefix);
        node->parent = open;
        open = (int32_t)i;
        begin_range(family, node->prefix.address.bytes, open);
    }
    close_until(map, family, open, NULL);
}

static unsigned bucket_of(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void occupy(struct prefix_map *map, const uint8_t *bytes)
{
    unsigned bucket = bucket_of(bytes);
    map->near[bucket / 8] |= (uint8_t)(1 << bucket % 8);
}

/* A bucket is occupied when something lies around its start, or begins in it. */
static void fill_buckets(struct prefix_map *map)
{
    const struct family *family = &map->families[0];
    size_t range = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        const uint8_t start[16] = {(uint8_t)(bucket >> 8), (uint8_t)bucket};
        while (range + 1 < family->count &&
               memcmp(family->ranges[range + 1].start, start, 16) <= 0)
            range++;
        map->buckets[bucket] = (uint32_t)range;
        if (family->ranges[range].node != PREFIX_NONE)
            occupy(map, start);
    }
    for (size_t i = 0; i < family->count; i++)
        if (family->ranges[i].node != PREFIX_NONE)
            occupy(map, family->ranges[i].start);
    map->buckets[BUCKETS] = (uint32_t)(family->count - 1);
}

/* Sorted copies of the distinct prefixes become the nodes. */
static bool make_nodes(struct prefix_map *map, const struct prefix *prefixes,
                       size_t count)
{
    struct prefix *sorted = malloc((count + 1) * sizeof(*sorted));
    map->nodes = calloc(count + 1, sizeof(*map->nodes));
    if (sorted == NULL || map->nodes == NULL) {
        free(sorted);
        return false;
    }
    if (count > 0)
        memcpy(sorted, prefixes, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_prefixes);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_prefixes(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        map->nodes[map->count++] =
            (struct prefix_node){.prefix = sorted[i], .parent = PREFIX_NONE};
    }
    free(sorted);
    return true;
}

struct prefix_map *prefix_map_new(const struct prefix *prefixes, size_t count)
{
    struct prefix_map *map = calloc(1, sizeof(*map));
    if (map == NULL || !make_nodes(map, prefixes, count))
        goto fail;
    for (int i = 0; i < 2; i++) {
        struct family *family = &map->families[i];
        family->version = i == 0 ? 4 : 6;
        family->ranges = calloc(2 * map->count + 1, sizeof(*family->ranges));
        if (family->ranges == NULL)
            goto fail;
        sweep(map, family);
    }
    fill_buckets(map);
    return map;
fail:
    prefix_map_free(map);
    return NULL;
}

void prefix_map_free(struct prefix_map *map)
{
    if (map == NULL)
        return;
    free(map->nodes);
    free(map->families[0].ranges);
    free(map->families[1].ranges);
    free(map);
}

size_t prefix_map_count(const struct prefix_map *map)
{
    return map->count;
}

const struct prefix_node *prefix_map_node(const struct prefix_map *map,
                                          size_t index)
{
    return &map->nodes[index];
}

static int compare_with_node(const void *prefix, const void *node)
{
    return compare_prefixes(prefix,
                            &((const struct prefix_node *)node)->prefix);
}

int32_t prefix_map_index(const struct prefix_map *map,
                         const struct prefix *prefix)
{
    const struct prefix_node *found = bsearch(
        prefix, map->nodes, map->count, sizeof(*map->nodes), compare_with_node);
    return found != NULL ? (int32_t)(found - map->nodes) : PREFIX_NONE;
}

/* The last range in [low, high] that begins at or before the address. */
static int32_t search(const struct family *family, size_t low, size_t high,
                      const uint8_t *bytes, size_t size)
{
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (memcmp(family->ranges[middle].start, bytes, size) <= 0)
            low = middle;
        else
            high = middle - 1;
    }
    return family->ranges[low].node;
}

static uint32_t ipv4_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The same for IPv4, for every packet: each step halves what is left without
 * a branch that depends on the address. */
static int32_t search_ipv4(const struct family *family, size_t low, size_t high,
                           uint32_t address)
{
    const struct prefix_range *base = family->ranges + low;
    for (size_t left = high - low + 1; left > 1;) {
        size_t half = left / 2;
        base = ipv4_of(base[half].start) <= address ? base + half : base;
        left -= half;
    }
    return base->node;
}

int32_t prefix_map_find(const struct prefix_map *map, const struct address *a)
{
    const struct family *family = &map->families[a->version == 6];
    if (a->version == 6)
        return search(family, 0, family->count - 1, a->bytes, 16);
    unsigned bucket = bucket_of(a->bytes);
    return search_ipv4(family, map->buckets[bucket], map->buckets[bucket + 1],
                       ipv4_of(a->bytes));
}

const uint8_t *prefix_map_near(const struct prefix_map *map)
{
    return map->near;
}

const struct prefix_range *prefix_map_ranges(const struct prefix_map *map,
                                             int version, size_t *count)
{
    const struct family *family = &map->families[version == 6];
    *count = family->count;
    return family->ranges;
}
