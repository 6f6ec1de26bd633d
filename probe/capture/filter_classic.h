/*
 * The classic BPF kernel filter, for kernels without eBPF (or where it is not
 * allowed): a program that searches sorted address ranges by halving. The
 * kernel takes 4096 instructions; what does not fit is refused here.
 *
 * It sees what the eBPF filter sees, through the same tags, labels and tunnels.
 * To look into tunnels it has to search twice, which halves the number of
 * prefixes that fit (IPv4: about 450 instead of 900); a list that is too long
 * for that gets a program that looks into no tunnel of any kind.
 */
#ifndef PROBE_CAPTURE_FILTER_CLASSIC_H
#define PROBE_CAPTURE_FILTER_CLASSIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "probe/capture/filter_plan.h"

struct filter_classic;

enum { FILTER_CLASSIC_MAX = 4096 };

/* NULL with a sentence, also when it would be too long even without tunnels. */
struct filter_classic *filter_classic_new(const struct filter_plan *plan,
                                          enum filter_link link,
                                          uint32_t snap_length,
                                          struct error_text *error);
void filter_classic_free(struct filter_classic *filter);
size_t filter_classic_length(const struct filter_classic *filter);
bool filter_classic_looks_inside(const struct filter_classic *filter);
/* SO_ATTACH_FILTER, then reads the program back and compares. */
bool filter_classic_attach(const struct filter_classic *filter, int fd,
                           struct error_text *error);
/* A filter that lets nothing pass, attached and read back. */
bool filter_classic_refuse_all(int fd, struct error_text *error);

#endif
