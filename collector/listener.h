/* The listening socket, and how peers' addresses are written in log lines. */
#ifndef COLLECTOR_LISTENER_H
#define COLLECTOR_LISTENER_H

#include <stdint.h>

#include "common/log.h"

enum { LISTENER_LABEL_LEN = 64 };

/* "HOST:PORT" or "[V6]:PORT"; an empty host is every address. The descriptor
 * does not block; -1 with a reason such as
 * "127.0.0.1:4740: Address already in use". */
int listener_open(const char *address, struct error_text *error);
/* "listening on 127.0.0.1:4740" */
void listener_log(int fd);
/* The next peer's descriptor, which does not block, and its label; -1 with
 * errno. */
int listener_accept(int fd, char label[static LISTENER_LABEL_LEN]);
/* A descriptor for every connection promised, as far as allowed; else says
 * how many. */
void listener_raise_limit(uint64_t connections);

#endif
