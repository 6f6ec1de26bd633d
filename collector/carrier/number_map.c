/*
 * One sorted array: by prefix, range of ports, time. Intervals with the same
 * prefix and ports are a group; within a group they follow each other, so the
 * one at a time is found by halving. Groups around an address are found by
 * halving once for each length of prefix that occurs (mostly one), then going
 * back over the groups whose ports may reach the one that is looked for.
 */
#include "collector/carrier/number_map.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTHS = 129, V4_BITS = 96 };

struct group {
    size_t first, count;
};

struct number_map {
    struct number_interval *intervals;
    size_t count, capacity;
    size_t sorted; /* the first so many are in order */
    struct group *groups;
    size_t group_count;
    bool has_length[LENGTHS];
    int widest; /* port_to - port_from of any */
};

static void mapped(const struct address *a, uint8_t bytes[static 16])
{
    static const uint8_t V4[12] = {[10] = 0xff, [11] = 0xff};
    if (a->version == 6) {
        memcpy(bytes, a->bytes, 16);
        return;
    }
    memcpy(bytes, V4, sizeof(V4));
    memcpy(bytes + sizeof(V4), a->bytes, 4);
}

void number_interval_address(struct number_interval *interval,
                             const struct prefix *prefix)
{
    mapped(&prefix->address, interval->address);
    interval->length = (uint8_t)(prefix->length +
                                 (prefix->address.version == 4 ? V4_BITS : 0));
}

struct number_map *number_map_new(void)
{
    return calloc(1, sizeof(struct number_map));
}

void number_map_free(struct number_map *map)
{
    if (map == NULL)
        return;
    free(map->intervals);
    free(map->groups);
    free(map);
}

bool number_map_add(struct number_map *map,
                    const struct number_interval *interval)
{
    if (map->count == NUMBER_INTERVALS_MAX)
        return false;
    if (map->count == map->capacity) {
        size_t capacity = map->capacity ? 2 * map->capacity : 1024;
        struct number_interval *more =
            realloc(map->intervals, capacity * sizeof(*more));
        if (more == NULL)
            return false;
        map->intervals = more;
        map->capacity = capacity;
    }
    map->intervals[map->count++] = *interval;
    return true;
}

size_t number_map_count(const struct number_map *map)
{
    return map->count;
}

const struct number_interval *number_map_at(const struct number_map *map,
                                            size_t index)
{
    return &map->intervals[index];
}

/* --- order --- */

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_prefix(const struct number_interval *a,
                          const struct number_interval *b)
{
    int order = memcmp(a->address, b->address, sizeof(a->address));
    return order != 0 ? order : (int)a->length - (int)b->length;
}

static int compare_group(const struct number_interval *a,
                         const struct number_interval *b)
{
    int order = compare_prefix(a, b);
    if (order == 0)
        order = (int)a->port_from - (int)b->port_from;
    return order != 0 ? order : (int)a->port_to - (int)b->port_to;
}

static int compare_start(const void *one, const void *other)
{
    const struct number_interval *a = one, *b = other;
    int order = compare_group(a, b);
    if (order == 0)
        order = (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
    return order != 0 ? order : compare_u64(a->number, b->number);
}

static int compare(const void *one, const void *other)
{
    const struct number_interval *a = one, *b = other;
    int order = compare_start(a, b);
    return order != 0 ? order : compare_u64(a->line, b->line);
}

void number_map_sort(struct number_map *map)
{
    if (map->count > 0)
        qsort(map->intervals, map->count, sizeof(*map->intervals), compare);
    map->sorted = map->count;
}

bool number_map_has(const struct number_map *map,
                    const struct number_interval *interval)
{
    const struct number_interval *found =
        map->sorted > 0 ? bsearch(interval, map->intervals, map->sorted,
                                  sizeof(*interval), compare_start)
                        : NULL;
    return found != NULL && found->to_ms == interval->to_ms;
}

static bool is_same_but_end(const struct number_interval *a,
                            const struct number_interval *b)
{
    return compare_group(a, b) == 0 && a->from_ms == b->from_ms &&
           a->number == b->number;
}

static void join_repeated(struct number_map *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct number_interval *last =
            kept > 0 ? &m->intervals[kept - 1] : NULL;
        const struct number_interval *next = &m->intervals[i];
        bool is_same = last != NULL && is_same_but_end(last, next);
        if (is_same && last->to_ms == next->to_ms)
            continue;
        if (is_same && last->line == 0 && last->to_ms == NUMBER_STILL)
            *last = *next;
        else
            m->intervals[kept++] = *next;
    }
    m->count = kept;
}

static bool make_groups(struct number_map *m)
{
    free(m->groups);
    m->group_count = 0;
    m->groups = calloc(m->count + 1, sizeof(*m->groups));
    if (m->groups == NULL)
        return false;
    for (size_t i = 0; i < m->count; i++) {
        const struct number_interval *n = &m->intervals[i];
        if (i == 0 || compare_group(n - 1, n) != 0)
            m->groups[m->group_count++].first = i;
        m->groups[m->group_count - 1].count++;
        m->has_length[n->length] = true;
        if (n->port_to - n->port_from > m->widest)
            m->widest = n->port_to - n->port_from;
    }
    return true;
}

/* --- search --- */

static const struct number_interval *head(const struct number_map *m,
                                          size_t group)
{
    return &m->intervals[m->groups[group].first];
}

/* How many groups come before prefix and port, or start there. */
static size_t groups_up_to(const struct number_map *m,
                           const struct number_interval *prefix, int port)
{
    size_t low = 0, high = m->group_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_prefix(head(m, middle), prefix);
        if (order < 0 || (order == 0 && head(m, middle)->port_from <= port))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last interval of the group that begins before `when`, or NULL. */
static const struct number_interval *last_before(const struct number_map *m,
                                                 size_t group, int64_t when_ms)
{
    size_t first = m->groups[group].first;
    size_t low = first, high = first + m->groups[group].count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->intervals[middle].from_ms < when_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low > first ? &m->intervals[low - 1] : NULL;
}

/* A prefix of this length around the address. */
static struct number_interval around(const uint8_t address[static 16],
                                     int length)
{
    struct number_interval prefix = {.length = (uint8_t)length};
    memcpy(prefix.address, address, (size_t)length / 8);
    if (length % 8 != 0)
        prefix.address[length / 8] =
            address[length / 8] & (uint8_t)(0xff << (8 - length % 8));
    return prefix;
}

/* Searching among the groups of one prefix, ports from high to low. */
struct walk {
    const struct number_map *m;
    struct number_interval prefix;
    int port_from;
    size_t next; /* group before which it goes on */
};

static struct walk walk_begin(const struct number_map *m,
                              const uint8_t address[static 16], int length,
                              int port_from, int port_to)
{
    struct walk w = {m, around(address, length), port_from, 0};
    w.next = groups_up_to(m, &w.prefix, port_to);
    return w;
}

/* The next group whose ports meet the range. */
static bool walk_next(struct walk *w, size_t *group)
{
    while (w->next > 0) {
        const struct number_interval *h = head(w->m, w->next - 1);
        if (compare_prefix(h, &w->prefix) != 0 ||
            h->port_from + w->m->widest < w->port_from)
            return false;
        w->next--;
        if (h->port_to >= w->port_from) {
            *group = w->next;
            return true;
        }
    }
    return false;
}

enum number_found number_map_find(const struct number_map *map,
                                  const struct address *address, int port,
                                  int64_t when_ms,
                                  const struct number_interval **interval)
{
    uint8_t bytes[16];
    bool is_shared = false;
    bool has_port = port != NUMBER_PORT_UNKNOWN;
    mapped(address, bytes);
    for (int length = LENGTHS - 1; length >= 0; length--) {
        if (!map->has_length[length])
            continue;
        struct walk w = walk_begin(map, bytes, length, has_port ? port : 0,
                                   has_port ? port : NUMBER_PORT_MAX);
        size_t group;
        while (walk_next(&w, &group)) {
            const struct number_interval *n =
                last_before(map, group, when_ms + 1);
            if (n == NULL || n->to_ms <= when_ms)
                continue;
            if (has_port || n->port_to - n->port_from == NUMBER_PORT_MAX) {
                *interval = n;
                return NUMBER_FOUND;
            }
            is_shared = true;
        }
    }
    return is_shared ? NUMBER_PORT_NEEDED : NUMBER_NOBODY;
}

/* --- what cannot be --- */

static bool check_group(const struct number_map *m, const struct group *g,
                        number_conflict_fn *conflict, void *context)
{
    bool good = true;
    const struct number_interval *longest = &m->intervals[g->first];
    for (size_t i = 1; i < g->count; i++) {
        const struct number_interval *n = &m->intervals[g->first + i];
        if (longest->to_ms > n->from_ms) {
            conflict(context, longest, n);
            good = false;
        }
        if (n->to_ms > longest->to_ms)
            longest = n;
    }
    return good;
}

/* Against groups of other ports, and of prefixes around this one's. */
static bool check_around(const struct number_map *m, size_t own,
                         const struct number_interval *n,
                         number_conflict_fn *conflict, void *context)
{
    bool good = true;
    for (int length = 0; length <= n->length; length++) {
        if (!m->has_length[length])
            continue;
        struct walk w =
            walk_begin(m, n->address, length, n->port_from, n->port_to);
        size_t group;
        while (walk_next(&w, &group)) {
            /* Two of one prefix meet each other once. */
            if (length == n->length && group >= own)
                continue;
            const struct number_interval *other =
                last_before(m, group, n->to_ms);
            if (other != NULL && other->to_ms > n->from_ms) {
                conflict(context, other, n);
                good = false;
            }
        }
    }
    return good;
}

bool number_map_seal(struct number_map *map, number_conflict_fn *conflict,
                     void *context)
{
    struct number_map *m = map;
    bool good = true;
    number_map_sort(m);
    join_repeated(m);
    m->sorted = m->count;
    if (!make_groups(m))
        return false;
    for (size_t g = 0; g < m->group_count; g++)
        good &= check_group(m, &m->groups[g], conflict, context);
    /* Only where groups are in order can they be searched. */
    for (size_t g = 0; good && g < m->group_count; g++)
        for (size_t i = 0; i < m->groups[g].count; i++)
            good &= check_around(m, g, &m->intervals[m->groups[g].first + i],
                                 conflict, context);
    return good;
}
