/*
 * What the kernel says of this process: the lines of /proc/self/status.
 *
 * The file is opened early and read again later, when nothing can be opened
 * any more: the kernel writes it anew at each reading.
 */
#ifndef PROBE_PROCESS_PROCESS_H
#define PROBE_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_facts {
    uint32_t uid;          /* effective */
    uint64_t capabilities; /* effective, permitted and ambient together */
    bool no_new_privileges;
    bool has_seccomp_filter;
    uint64_t memory_bytes; /* its own: neither files nor the packet ring, which
                              the kernel shares with it */
};

int process_open(void); /* a descriptor, or -1 */
/* False when the file cannot be read; facts are zero then. */
bool process_read(int fd, struct process_facts *facts);

#endif
