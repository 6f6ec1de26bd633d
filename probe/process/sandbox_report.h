/*
 * What a process of the probe really gave up, read back from the kernel after
 * it was done. `status` and the metrics print it; nothing here is an intention.
 */
#ifndef PROBE_PROCESS_SANDBOX_REPORT_H
#define PROBE_PROCESS_SANDBOX_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct sandbox_report {
    const char *process; /* "reader", "uplink", "renewer" */
    uint32_t pid;
    char user[32]; /* name, or the number when it has none */
    uint32_t uid;
    uint64_t capabilities; /* effective, permitted or ambient */
    bool no_new_privileges;
    bool seccomp_filter;
    int landlock_abi;    /* 0: the kernel has none, or it is switched off */
    bool files_denied;   /* opening a file was tried, and failed */
    bool sockets_denied; /* opening a socket was tried, and failed */
    bool root_left;
    char note[128]; /* what the kernel lacks; empty: nothing */
};

#endif
