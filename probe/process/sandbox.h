/*
 * Giving up rights, for good: what a process does once all is open.
 *
 *   root          left for a user; without one, for whom the state folder
 *                 belongs to (uplink) or for nobody (reader)
 *   capabilities  all sets emptied, the bounding set too
 *   new rights    no_new_privs; not dumpable, so that nobody traces it
 *   files         Landlock: the reader opens none; the uplink writes its state
 *                 folder, reads the folders of its configured files and what
 *                 name resolution needs, and connects to its collector's port;
 *                 the renewer writes the certificate's folder and connects to
 *                 the portal's port
 *   output        the reader's standard descriptors are /dev/null
 *   system calls  seccomp: an allow-list. Another call ends the process, but
 *                 for those that libraries try and can do without. The reader
 *                 writes to its channel and the standard ones, not to packet
 *                 sockets, which it holds: no frame can come from it
 *
 * A kernel without Landlock or seccomp does not stop the probe; the report,
 * read back from the kernel, says what is in force and what is not.
 */
#ifndef PROBE_PROCESS_SANDBOX_H
#define PROBE_PROCESS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "probe/process/sandbox_report.h"

enum sandbox_role { SANDBOX_READER, SANDBOX_UPLINK, SANDBOX_RENEWER };

enum { SANDBOX_PATHS_MAX = 16, SANDBOX_PORTS_MAX = 4 };

struct sandbox_options {
    enum sandbox_role role;
    const char *user;  /* to become, when we are root; may be empty */
    const char *state; /* the folder to write: the state folder; the
                          certificate's (renewer) */
    int channel_fd;    /* reader only: all that it sends to */
    /* not the reader: files whose folders are read, and must stay where they are;
     * TCP ports connected to */
    const char *files[SANDBOX_PATHS_MAX];
    size_t file_count;
    uint16_t ports[SANDBOX_PORTS_MAX];
    size_t port_count;
};

/* Leaves root alone, so that files made from here on belong to the user. */
bool sandbox_leave_root(const struct sandbox_options *options,
                        struct error_text *error);
/* All the rest. `status_fd` is process_open()'s. False when the kernel has a
 * means and refuses it: the process must end then. */
bool sandbox_enter(const struct sandbox_options *options, int status_fd,
                   struct sandbox_report *report, struct error_text *error);

#endif
