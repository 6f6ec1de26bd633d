/*
 * The kernel filter: unregistered packets never reach the process.
 *
 * From the endpoint list comes a program that the kernel runs for every packet
 * before it is copied: an eBPF socket filter with longest-prefix maps, or,
 * without eBPF, a classic program that searches sorted ranges. We attach it to
 * the capture's descriptor ourselves and prove it: first a filter that lets
 * nothing pass, while what was queued before is thrown away and silence is
 * checked; then the registered prefixes; then the kernel is asked what is
 * attached, and the attachment is locked. There is no other way to start.
 *
 * A packet passes when (source address, source port) or (destination address,
 * destination port) is registered for its protocol. Looked through: VLAN tags
 * (up to three in the packet; the kernel keeps the outermost beside it), PPPoE
 * sessions, IPv6 extension headers (up to six). Fragments other than the first
 * have no ports and pass by address alone. Protocols other than TCP and UDP
 * pass where the registration names neither protocol nor ports. Whatever is
 * cut off, malformed or not IP is refused.
 *
 * Only what is valid now passes. When a validity begins or ends, the eBPF maps
 * are filled anew, which loses nothing. A classic program is locked to the
 * descriptor and rights to open another are gone by then: the probe has to end
 * and be started again, as the service manager does.
 */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/endpoint.h"
#include "common/log.h"

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

/* NULL with a sentence when no filter is proved to be in force. Takes about a
 * third of a second. Borrows the endpoint list. */
struct filter *filter_attach(enum filter_kind wanted,
                             const struct endpoint_list *endpoints,
                             struct capture *capture, uint32_t snap_length,
                             struct wall_time now, struct error_text *error);
/* Lets pass what is valid at `now`; cheap while nothing changes. False with a
 * sentence when that is not to be had: capturing must end. */
bool filter_keep_valid(struct filter *filter, struct wall_time now,
                       struct error_text *error);
/* When filter_keep_valid is needed next. */
struct wall_time filter_valid_to(const struct filter *filter);
/* The descriptor of the capture stays filtered until it is closed. */
void filter_free(struct filter *filter);

enum filter_kind filter_kind(const struct filter *filter);
const char *filter_kind_text(enum filter_kind kind);   /* "ebpf", "cbpf" */
size_t filter_rule_count(const struct filter *filter); /* valid ones */
struct filter_counters filter_counters(const struct filter *filter);

#endif
