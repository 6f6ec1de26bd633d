/*
 * The kernel filter: unregistered packets never reach the process.
 *
 * From the endpoint list comes a program that the kernel runs for every packet
 * before it is copied: an eBPF socket filter with longest-prefix maps, or,
 * without eBPF, a classic program that searches sorted ranges. We attach it to
 * the descriptors of the captures ourselves and prove it for each: first a
 * filter that lets nothing pass, while what was queued before is thrown away
 * and silence is checked; then the registered prefixes; then the kernel is
 * asked what is attached. There is no other way to start.
 *
 * A packet passes when (source address, source port) or (destination address,
 * destination port) is registered for its protocol, of the packet itself or of
 * the one inside its tunnel. Looked through, as by probe/meter/decode.h:
 *
 *   VLAN tags (up to three in the packet; the kernel keeps the outermost beside
 *   it), LLC/SNAP, PPPoE sessions, up to four MPLS labels, up to six IPv6
 *   extension headers
 *   one tunnel: GRE (also with Ethernet or PPTP's PPP inside), IP in IP, 6in4,
 *   4in6, 6in6, VXLAN, GTP-U (up to three extension headers). A classic program
 *   for a long list has no room for that: see filter_looks_through()
 *
 * Fragments other than the first have no ports and pass by address alone;
 * those of a tunnel packet do not pass. Protocols other than TCP, UDP and SCTP
 * pass where the registration names neither protocol nor ports. Lengths are not
 * checked: a packet may pass that the meter then counts as malformed. Whatever
 * is cut off before its ports, or not IP, is refused.
 *
 * Only what is valid now passes. When a validity begins or ends, or the list is
 * exchanged, the eBPF maps are filled anew, which loses nothing; the program
 * stays and is locked to the descriptor. A classic program is exchanged as a
 * whole, at once for each descriptor, so it cannot be locked: that the process
 * which reads packets takes it off is prevented by its system call filter.
 */
#ifndef PROBE_CAPTURE_FILTER_H
#define PROBE_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/wire/endpoint.h"
#include "probe/capture/capture.h"

/* As the key `kernel_filter` has them. */
enum filter_kind { FILTER_AUTO, FILTER_EBPF, FILTER_CLASSIC };

struct filter;

/* Counted by the kernel since the filter was made; octets as on the link.
 * Only eBPF counts; else is_known is false. seen = matched + refused. */
struct filter_counters {
    bool is_known;
    uint64_t seen_packets, seen_octets;
    uint64_t matched_packets, matched_octets;
};

/* NULL with a sentence when no filter is proved to be in force for each of the
 * captures, which may be of different link types; they share the maps and the
 * counters. Takes about a third of a second, and a tenth for each further
 * capture. Borrows the captures' descriptors and the endpoint list. */
struct filter *filter_attach(enum filter_kind wanted,
                             const struct endpoint_list *endpoints,
                             struct capture *const captures[], size_t count,
                             uint32_t snap_length, struct wall_time now,
                             struct error_text *error);
/* Another list takes over, without a gap: what is registered in both passes
 * throughout. False with a sentence: the list before is still in force. A list
 * may be of any length with eBPF; a classic program may not fit. */
bool filter_replace(struct filter *filter,
                    const struct endpoint_list *endpoints, struct wall_time now,
                    struct error_text *error);
/* Lets pass what is valid at `now`; cheap while nothing changes. False with a
 * sentence when that is not to be had: capturing must end. */
bool filter_keep_valid(struct filter *filter, struct wall_time now,
                       struct error_text *error);
/* When filter_keep_valid is needed next. */
struct wall_time filter_valid_to(const struct filter *filter);
/* The descriptors of the captures stay filtered until they are closed. */
void filter_free(struct filter *filter);

enum filter_kind filter_kind(const struct filter *filter);
const char *filter_kind_text(enum filter_kind kind);   /* "ebpf", "cbpf" */
size_t filter_rule_count(const struct filter *filter); /* valid ones */
/* For people: "VLAN, PPPoE, MPLS; GRE, ..." or that tunnels are left out. */
const char *filter_looks_through(const struct filter *filter);
struct filter_counters filter_counters(const struct filter *filter);

#endif
