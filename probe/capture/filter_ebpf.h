/*
 * The eBPF kernel filter: its maps, and a program for each kind of link. Its own
 * module because linux/bpf.h and pcap.h both define struct bpf_insn.
 *
 * A program is loaded with empty maps, which let nothing pass;
 * filter_ebpf_fill() registers the prefixes, without touching the program, and
 * can be called again with another plan, also of a much longer list, while
 * packets come. The kernel asks for no privilege then (since Linux 5.19).
 */
#ifndef PROBE_CAPTURE_FILTER_EBPF_H
#define PROBE_CAPTURE_FILTER_EBPF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "probe/capture/filter_plan.h"

struct filter_ebpf;

struct filter_ebpf_counters {
    uint64_t seen_packets, seen_octets, matched_packets, matched_octets;
};

/* The maps, empty. NULL with the kernel's reason. */
struct filter_ebpf *filter_ebpf_new(uint32_t snap_length,
                                    struct error_text *error);
void filter_ebpf_free(struct filter_ebpf *filter);
/* Descriptor of the program for this kind of link, loaded when it is the first
 * of its kind; -1 with the kernel's reason. */
int filter_ebpf_program(struct filter_ebpf *filter, enum filter_link link,
                        struct error_text *error);
/* SO_ATTACH_BPF, then asks the kernel whether an eBPF filter is there. */
bool filter_ebpf_attach(struct filter_ebpf *filter, enum filter_link link,
                        int fd, struct error_text *error);
/* `before` is the plan that is in force, or NULL. Meanwhile each prefix has its
 * old or its new ports, and those of both plans pass throughout. After false the
 * plan before is in force again, or, when not even that succeeded, the maps are
 * between the two; the sentence says which. */
bool filter_ebpf_fill(struct filter_ebpf *filter,
                      const struct filter_plan *before,
                      const struct filter_plan *plan, struct error_text *error);
/* Read from memory shared with the kernel: needs no privilege. */
struct filter_ebpf_counters
filter_ebpf_counters(const struct filter_ebpf *filter);

#endif
