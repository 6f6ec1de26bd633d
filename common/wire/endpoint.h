/*
 * The registered endpoints (VER-05): which far sides count.
 *
 * Read from ENDPOINTS.csv, header
 * id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared,
 * one row per address or host, empty means any; rows of one id belong
 * together. address is an IP or CIDR, host a name or "*.name", protocol tcp,
 * udp or empty, ports "443" or "443,8000-8010", dates as in wall_from_text (a
 * bare valid_to date is its start, half open), shared yes/no/1/0/true/false.
 *
 * Match: by address first (longest prefix), then protocol and port, then
 * validity at the packet's time. A row with a host and no address is of use
 * only together with another source of addresses; rows of the same id with
 * addresses carry its host names. On a `shared` endpoint a flow counts only
 * with a matching name. Lookups take O(32) steps at most and do not allocate.
 */
#ifndef COMMON_WIRE_ENDPOINT_H
#define COMMON_WIRE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/slice.h"

struct endpoint_list;

enum { ENDPOINT_ANY = -2, ENDPOINT_NONE = -1 };
enum { ENDPOINT_BYTES_MAX = 256 * 1024 * 1024 }; /* of a list's text */

/* Bounds: 1,000,000 rows, 256 MiB. Errors name file and line. */
struct endpoint_list *endpoint_list_load(const char *path,
                                         struct error_text *error);
struct endpoint_list *endpoint_list_parse(struct slice text, const char *name,
                                          struct error_text *error);
/* Every address counts as registered, under the id "any". */
struct endpoint_list *endpoint_list_any(void);
void endpoint_list_free(struct endpoint_list *list);
bool endpoint_list_is_any(const struct endpoint_list *list);
struct digest endpoint_list_version(const struct endpoint_list *list);

/* Index of the endpoint, or ENDPOINT_NONE. With several that match, the
 * longest prefix, then the one with a protocol and port, then the lowest. On
 * the any-list the result is always 0. */
int endpoint_find(const struct endpoint_list *list, const struct address *a,
                  uint8_t protocol, uint16_t port, struct wall_time when);
/* For a first look at every packet: see prefix_map_near(). Of no meaning for the
 * any-list. */
const uint8_t *endpoint_list_near(const struct endpoint_list *list);
/* False: there is no endpoint at or around this IPv4 address (4 bytes). True:
 * there may be. */
static inline bool endpoint_is_near(const uint8_t *near, const uint8_t *address)
{
    return (near[address[0] << 5 | address[1] >> 3] >> (address[1] & 7) & 1) !=
           0;
}
/* Index of the endpoint with this id, or ENDPOINT_NONE. */
int endpoint_find_id(const struct endpoint_list *list, const char *id);
const char *endpoint_id(const struct endpoint_list *list, int index);
bool endpoint_is_shared(const struct endpoint_list *list, int index);
bool endpoint_has_hosts(const struct endpoint_list *list, int index);
/* Exact, or below a "*." host; ASCII case and a final dot do not matter. */
bool endpoint_host_matches(const struct endpoint_list *list, int index,
                           struct slice name);
/* Among the endpoints that match this address, protocol and port, the one
 * whose hosts name it (several services on one shared address); else
 * ENDPOINT_NONE. */
int endpoint_find_by_name(const struct endpoint_list *list,
                          const struct address *a, uint8_t protocol,
                          uint16_t port, struct wall_time when,
                          struct slice name);

/* For the kernel filter: each (prefix, protocol, port range) of the list. */
struct endpoint_rule {
    struct prefix prefix;
    uint8_t protocol;             /* 0: any */
    uint16_t port_low, port_high; /* 0..65535 */
    struct wall_time from, to;    /* valid in [from, to) */
};
size_t endpoint_rule_count(const struct endpoint_list *list);
struct endpoint_rule endpoint_rule_at(const struct endpoint_list *list,
                                      size_t index);
/* The validities that hold at `when` hold throughout [*from, *to), the longest
 * such time around it. */
void endpoint_list_steady(const struct endpoint_list *list,
                          struct wall_time when, struct wall_time *from,
                          struct wall_time *to);

#endif
