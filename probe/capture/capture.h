/*
 * Packets from an interface or from a capture file (libpcap).
 *
 * Live: opened with snap length, buffer and TPACKET_V3 ring as asked; not yet
 * filtered. filter.h attaches the kernel filter to capture_fd() and proves it
 * before the first packet is handed on. Offline: pcap and pcapng files, "-" is
 * standard input; compressed ones are refused with the command to pipe them
 * through. The caller checks capture_link_type() with meter_reads_link_type().
 *
 *   struct capture *c = capture_open_file("x.pcap", &error);
 *   while (capture_dispatch(c, 1024, on_packet, me) == CAPTURE_OK)
 *       ;
 *   capture_close(c);
 */
#ifndef PROBE_CAPTURE_CAPTURE_H
#define PROBE_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"

struct capture;

struct capture_options {
    const char *interface;
    uint64_t snap_length; /* bytes kept of each packet */
    uint64_t buffer_mb;   /* kernel ring */
    bool is_promiscuous;
};

/* Borrowed for the call. captured <= length. */
struct capture_packet {
    const uint8_t *data;
    size_t captured, length;
    struct wall_time when;
};

enum capture_status {
    CAPTURE_OK,     /* go on; live: nothing more is waiting right now */
    CAPTURE_END,    /* the file ended */
    CAPTURE_FAILED, /* see capture_error() */
};

struct capture_counters {
    uint64_t received;  /* passed the kernel filter, lost ones included */
    uint64_t dropped;   /* of them: the ring was full */
    uint64_t delivered; /* handed to the callback, or discarded by drain */
};

typedef void capture_packet_fn(void *context,
                               const struct capture_packet *packet);

/* NULL with a sentence naming interface or file. */
struct capture *capture_open_live(const struct capture_options *options,
                                  struct error_text *error);
struct capture *capture_open_file(const char *path, struct error_text *error);
void capture_close(struct capture *capture);

int capture_link_type(const struct capture *capture);         /* DLT_ number */
const char *capture_link_name(const struct capture *capture); /* "EN10MB" */
/* Descriptor for poll(), and the one the kernel filter is attached to; -1 for
 * files. Never blocks in capture_dispatch. */
int capture_fd(const struct capture *capture);

/* Shares the packets of the interface with the other captures in this network
 * namespace that join the same group, one for each process or thread: the
 * kernel gives each packet to one of them by a hash of addresses, protocol and
 * ports that is the same for both directions (PACKET_FANOUT_HASH). To be joined
 * before the filter is proved.
 *
 * Fragments are hashed without ports, the first one too: all fragments between
 * two hosts come to one member, which may be another than the one that has the
 * rest of the flow; sums stay right, the flow is reported in two parts. In GRE
 * and IP in IP the kernel hashes the inner packet. VXLAN it hashes by the outer
 * ports, which differ for the two directions: where flows in VXLAN are to be
 * seen whole, one worker has to read them. */
bool capture_join_fanout(struct capture *capture, uint16_t group,
                         struct error_text *error);

/* A process that was forked from this one reads the packets from now on: the
 * ring is given up, so that none can be seen here. The descriptor stays, under
 * its number, only where the filter attached to it is still to be exchanged. Of
 * the rest only the link's name and capture_close() are of use afterwards.
 * False with errno. */
bool capture_leave(struct capture *capture, bool keeps_descriptor);

/* Hands on at most about `max` packets (a ring block is never cut). */
enum capture_status capture_dispatch(struct capture *capture, int max,
                                     capture_packet_fn *fn, void *context);
/* Throws away what was queued, for `duration_ms` of waiting; gives the number
 * of packets that came in the last third of it, so that a filter which lets
 * nothing pass can be proved. -1 when reading failed. */
int64_t capture_drain(struct capture *capture, int duration_ms);
/* Since opening; zero for files except `delivered`. */
struct capture_counters capture_counters(struct capture *capture);
const char *capture_error(struct capture *capture);

#endif
