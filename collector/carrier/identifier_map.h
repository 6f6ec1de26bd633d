/*
 * Whose access it is: the user-side identifiers that enterprises declared
 * (VER-03), by hash of a number or by address.
 *
 * Read from portal.db once and searched in memory. An identifier speaks for its
 * enterprise and site within its validity, whatever voucher it was declared
 * for; declared by two enterprises at the same time it speaks for neither
 * (VER-14).
 */
#ifndef COLLECTOR_CARRIER_IDENTIFIER_MAP_H
#define COLLECTOR_CARRIER_IDENTIFIER_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/probe_directory.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/log.h"

enum { IDENTIFIERS_MAX = 4 * 1000 * 1000 };

struct identifier_owner {
    char enterprise_id[REGISTRY_ID_LEN];
    char site_id[REGISTRY_ID_LEN];
    bool is_sample;
};

enum identifier_found {
    IDENTIFIER_FOUND,
    IDENTIFIER_UNKNOWN,   /* nobody declared it */
    IDENTIFIER_OUTSIDE,   /* declared, but not for this time */
    IDENTIFIER_AMBIGUOUS, /* two enterprises have it at this time */
};

struct identifier_map;

/* NULL with a reason. */
struct identifier_map *identifier_map_load(const char *registry,
                                           struct error_text *error);
void identifier_map_free(struct identifier_map *map);

/* The owner is borrowed from the map. */
enum identifier_found
identifier_map_number(const struct identifier_map *map, struct digest hash,
                      struct wall_time when,
                      const struct identifier_owner **owner);
/* The longest declared prefix around the address decides. */
enum identifier_found
identifier_map_address(const struct identifier_map *map,
                       const struct address *address, struct wall_time when,
                       const struct identifier_owner **owner);

#endif
