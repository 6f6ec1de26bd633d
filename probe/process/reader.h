/*
 * The reader: the process that sees packets, and nothing else.
 *
 * It is forked once the captures are open and their kernel filters are proved.
 * It closes its sandbox, says so, and waits for the start message with the
 * pseudonym key; then packets go in and redacted connection records go out
 * through its channel. Inside addresses and names never leave this process. It
 * has no key but that one, and can open neither file nor socket. It ends when
 * it is told to, or when the channel's other end is gone.
 *
 * With several workers there are several readers, each with its share of the
 * flows of all interfaces (PACKET_FANOUT).
 */
#ifndef PROBE_PROCESS_READER_H
#define PROBE_PROCESS_READER_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire/endpoint.h"
#include "probe/capture/capture.h"
#include "probe/meter/meter.h"
#include "probe/process/exporter.h"
#include "probe/process/sandbox_report.h"

enum { READER_INTERFACES_MAX = 8 };

struct reader_options {
    struct capture *const *captures; /* one an interface */
    size_t count;
    struct endpoint_list *endpoints; /* the reader's own from now on */
    struct meter_options meter;
    const char *user; /* to become, may be empty */
};

/* CHANNEL_READY: `process` of the report is not set. */
struct reader_ready {
    struct sandbox_report sandbox;
};

/* CHANNEL_START */
struct reader_start {
    uint8_t pseudonym_key[PSEUDONYM_KEY_LEN];
};

/* CHANNEL_COUNTERS */
struct reader_counters {
    uint64_t mark; /* that is answered, 0: none */
    struct meter_counters meter;
    struct capture_counters captures[READER_INTERFACES_MAX];
    uint64_t memory_bytes; /* struct process_facts */
};

/* In the child, on its end of the channel. Never returns. */
void reader_run(const struct reader_options *options, int fd)
    __attribute__((noreturn));

#endif
