/*
 * What a kernel filter has to know, worked out from the endpoint list: only
 * from the rules that are valid at the given time.
 *
 * Every registered prefix gets a port set: the protocols and ports that are
 * registered for it or for a wider prefix around it. Equal port sets are kept
 * once, since most services share a few ("tcp 443"). Pure; both filters are
 * generated from this.
 */
#ifndef PROBE_CAPTURE_FILTER_PLAN_H
#define PROBE_CAPTURE_FILTER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/prefix_map.h"
#include "common/wire/endpoint.h"

enum port_class {
    PORT_CLASS_TCP,
    PORT_CLASS_UDP,
    PORT_CLASS_SCTP,
    PORT_CLASS_OTHER, /* protocols without ports: low = high = 0 */
};

struct port_range {
    uint8_t class; /* enum port_class */
    uint16_t low, high;
};

/* Sorted by class and port, neither overlapping nor touching. */
struct port_set {
    const struct port_range *ranges;
    size_t count;
};

enum { FILTER_SETS_MAX = 4096, FILTER_NO_SET = -1 };

/* Where a packet's bytes begin, and how its protocol is told. */
enum filter_link {
    FILTER_LINK_ETHERNET,
    FILTER_LINK_RAW,    /* at the IP header; told by its version */
    FILTER_LINK_COOKED, /* at the IP header; told by the kernel beside it */
    FILTER_LINKS
};

/* How many of each are looked through: kernels want programs without loops. */
enum {
    FILTER_TAGS_MAX = 3,
    FILTER_LABELS_MAX = 4,
    FILTER_EXTENSIONS_MAX = 6,
    FILTER_GTP_EXTENSIONS_MAX = 3,
};

/* IPv6 extension headers with a length in 8 octets: hop by hop, routing,
 * destination options, mobility, host identity, shim6. */
static const uint8_t filter_ipv6_options[] = {0, 43, 60, 135, 139, 140};

struct filter_plan;

/* NULL with a sentence: no memory, or more than FILTER_SETS_MAX sets. */
struct filter_plan *filter_plan_new(const struct endpoint_list *list,
                                    struct wall_time when,
                                    struct error_text *error);
void filter_plan_free(struct filter_plan *plan);
/* Rules valid at the time. */
size_t filter_plan_rule_count(const struct filter_plan *plan);
const struct prefix_map *filter_plan_map(const struct filter_plan *plan);
/* The port set of a node of the map; FILTER_NO_SET for PREFIX_NONE. */
int32_t filter_plan_set_of(const struct filter_plan *plan, int32_t node);
size_t filter_plan_set_count(const struct filter_plan *plan);
struct port_set filter_plan_set(const struct filter_plan *plan, size_t index);

#endif
