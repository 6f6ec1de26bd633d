/*
 * Who had which address when: a carrier's numbers over time.
 *
 * An interval says that a number had a prefix of addresses and a range of ports
 * (carrier-grade NAT; else all) in [from, to). At no time two intervals share
 * address and port: number_map_seal() names those that do. So a search finds
 * one answer, or the reason why there is none.
 *
 *   number_map_new, number_map_add (any number), number_map_seal,
 *   then number_map_find; number_map_free
 */
#ifndef COLLECTOR_CARRIER_NUMBER_MAP_H
#define COLLECTOR_CARRIER_NUMBER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

enum {
    NUMBER_INTERVALS_MAX = 8 * 1000 * 1000, /* 48 bytes each */
    NUMBER_PORT_MAX = 65535,
    NUMBER_PORT_UNKNOWN = -1,
};
#define NUMBER_STILL INT64_MAX /* end of an interval that has not ended */

struct number_interval {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d; bits behind length zero */
    int64_t from_ms, to_ms;
    uint32_t number; /* the caller's key */
    uint32_t line;   /* of the file it comes from; 0: known before */
    uint16_t port_from, port_to;
    uint8_t length; /* of the prefix, 0 to 128 */
};

void number_interval_address(struct number_interval *interval,
                             const struct prefix *prefix);

struct number_map;

struct number_map *number_map_new(void); /* NULL without memory */
void number_map_free(struct number_map *map);
/* False without memory or with NUMBER_INTERVALS_MAX of them. */
bool number_map_add(struct number_map *map,
                    const struct number_interval *interval);

/* Puts in order what was added; then number_map_has() tells, also while more is
 * added, whether just this interval was among it. */
void number_map_sort(struct number_map *map);
bool number_map_has(const struct number_map *map,
                    const struct number_interval *interval);

/* Two intervals that cannot both be true. */
typedef void number_conflict_fn(void *context, const struct number_interval *a,
                                const struct number_interval *b);
/* Makes it ready for searching. Repeated intervals become one, and one that was
 * still open and known before is closed by one of a file that is like it but
 * for its end. False when intervals overlap. */
bool number_map_seal(struct number_map *map, number_conflict_fn *conflict,
                     void *context);

size_t number_map_count(const struct number_map *map);
const struct number_interval *number_map_at(const struct number_map *map,
                                            size_t index);

enum number_found {
    NUMBER_FOUND,
    NUMBER_NOBODY,      /* no interval there at that time */
    NUMBER_PORT_NEEDED, /* several share the address by ports */
};
/* Port NUMBER_PORT_UNKNOWN: the record has none. */
enum number_found number_map_find(const struct number_map *map,
                                  const struct address *address, int port,
                                  int64_t when_ms,
                                  const struct number_interval **interval);

#endif
