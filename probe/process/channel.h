/*
 * Messages between the reader, which sees packets, and the uplink process,
 * which has keys, files and the network (probe/process/readers.h).
 *
 * A pair of connected sockets on one machine carries frames: type (4 bytes),
 * length (4), then so many bytes, in the machine's own byte order, since both
 * ends are the same program. A descriptor can go along to the reader (the bytes
 * of a new endpoint list); what the reader sends along is dropped by the
 * kernel. Neither end trusts the other's lengths; the uplink process takes the
 * reader for hostile, since it reads what strangers send.
 */
#ifndef PROBE_PROCESS_CHANNEL_H
#define PROBE_PROCESS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_type {
    /* reader to uplink */
    CHANNEL_READY = 1, /* struct reader_ready: the sandbox is closed */
    CHANNEL_FLOW,      /* struct flow_record, redacted */
    CHANNEL_COUNTERS,  /* struct reader_counters; with a mark: its answer */
    CHANNEL_TAKEN,     /* struct digest: version of the list now in force */
    CHANNEL_FAILED,    /* text: why the reader ends */
    /* uplink to reader */
    CHANNEL_START, /* struct reader_start: begin to read packets */
    CHANNEL_LIST,  /* a descriptor: the text of a new endpoint list */
    CHANNEL_MARK,  /* uint64_t, answered behind all flows before it */
    CHANNEL_STOP,  /* empty the ring, end all flows, answer the mark, end */
};

enum { CHANNEL_MESSAGE_MAX = 16 * 1024, CHANNEL_NO_FD = -1 };

struct channel;

struct channel_message {
    uint32_t type;
    const void *data; /* borrowed until the next receive; any alignment */
    size_t length;
};

enum channel_status {
    CHANNEL_NOTHING, /* no whole message is there */
    CHANNEL_MESSAGE, /* one is in *message */
    CHANNEL_CLOSED,  /* the other end is gone */
    CHANNEL_BROKEN,  /* it sent what is no message */
};

/* Two connected ends; false with errno. Close-on-exec, non-blocking. */
bool channel_pair(int fds[static 2]);
/* Takes the descriptor, also when it returns NULL (no memory). */
struct channel *channel_new(int fd);
/* From now on descriptors may come along: for the reader's end. */
void channel_accept_fds(struct channel *channel);
void channel_free(struct channel *channel);
int channel_fd(const struct channel *channel); /* for poll */

/* Queues a message. When much is queued, waits until the other end has taken
 * some: it is the kernel's ring that holds packets meanwhile. False when the
 * other end is gone. */
bool channel_send(struct channel *channel, enum channel_type type,
                  const void *data, size_t length);
/* The same with a descriptor (which stays the caller's), at once; waits up to
 * five seconds for room. */
bool channel_send_fd(struct channel *channel, enum channel_type type, int fd);
/* Hands over what is queued, as far as it goes without waiting. */
bool channel_flush(struct channel *channel);
bool channel_has_queued(const struct channel *channel); /* wants POLLOUT */

enum channel_status channel_receive(struct channel *channel,
                                    struct channel_message *message);
/* The descriptor that came last, now the caller's; CHANNEL_NO_FD: none. */
int channel_take_fd(struct channel *channel);

#endif
