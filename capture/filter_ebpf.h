/*
 * The eBPF kernel filter. Its own module because linux/bpf.h and pcap.h both
 * define struct bpf_insn.
 *
 * The program is written instruction by instruction at start; no compiler is
 * needed at run time. It is loaded with empty maps, which let nothing pass;
 * filter_ebpf_fill() registers the prefixes, without touching the program, and
 * can be called again with another plan of the same list while packets come.
 * The kernel asks for no privilege then (since Linux 5.19).
 */
#ifndef CAPTURE_FILTER_EBPF_H
#define CAPTURE_FILTER_EBPF_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/filter_plan.h"
#include "common/log.h"

/* Where a packet's bytes begin, and how its protocol is told. */
enum filter_link {
    FILTER_LINK_ETHERNET,
    FILTER_LINK_RAW,    /* at the IP header; told by its version */
    FILTER_LINK_COOKED, /* at the IP header; told by the kernel beside it */
};

struct filter_ebpf;

struct filter_ebpf_counters {
    uint64_t seen_packets, seen_octets, matched_packets, matched_octets;
};

/* Maps with room for the plan, and the program. NULL with the kernel's reason. */
struct filter_ebpf *filter_ebpf_load(const struct filter_plan *plan,
                                     enum filter_link link,
                                     uint32_t snap_length,
                                     struct error_text *error);
/* `before` is the plan that is in force, or NULL. Meanwhile each prefix has its
 * old or its new ports. After false the maps are between the two plans. */
bool filter_ebpf_fill(struct filter_ebpf *filter,
                      const struct filter_plan *before,
                      const struct filter_plan *plan, struct error_text *error);
void filter_ebpf_free(struct filter_ebpf *filter);
int filter_ebpf_program(const struct filter_ebpf *filter); /* descriptor */
/* SO_ATTACH_BPF, then asks the kernel whether an eBPF filter is there. */
bool filter_ebpf_attach(const struct filter_ebpf *filter, int fd,
                        struct error_text *error);
/* Read from memory shared with the kernel: needs no privilege. */
struct filter_ebpf_counters
filter_ebpf_counters(const struct filter_ebpf *filter);

#endif
