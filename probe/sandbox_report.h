/*
 * What the sandbox of one process really reached, as the process itself found
 * it afterwards; for status.json, `yz-probe status` and the metrics.
 */
#ifndef PROBE_SANDBOX_REPORT_H
#define PROBE_SANDBOX_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct sandbox_report {
    const char *process; /* "reader", "uplink" */
    uint32_t pid;
    char user[32];
    uint32_t uid;
    uint64_t capabilities;
    bool no_new_privileges;
    bool seccomp_filter;
    int landlock_abi; /* 0: kernel has none; note says why */
    bool files_denied;
    bool sockets_denied;
    bool root_left;
    char note[128];
};

#endif
