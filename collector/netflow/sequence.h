/*
 * Sequence numbers and repeated messages of one domain.
 *
 * What a number counts differs, how one reckons with it does not: a message
 * bears the number of units sent before it and holds so many units itself.
 *   IPFIX (RFC 7011 3.1)     data records, options records too
 *   NetFlow v5               flows
 *   NetFlow v9 (RFC 3954 5)  messages: each is one unit
 * A number ahead of what was expected is a gap, one behind it a late message
 * that was not lost after all. A step of more than SEQUENCE_JUMP either way is
 * an exporter that began anew; nothing is known then about what was lost. So is
 * a run of late messages with none ahead between them: a device that restarts
 * counts from zero, which may be less than SEQUENCE_JUMP behind.
 */
#ifndef COLLECTOR_NETFLOW_SEQUENCE_H
#define COLLECTOR_NETFLOW_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEQUENCE_JUMP = 1 << 20, SEQUENCE_WINDOW = 64, SEQUENCE_LATE_MAX = 8 };

struct netflow_sequence {
    uint32_t expected;
    uint32_t late_run; /* messages in a row that came late */
    bool is_known;     /* `expected` means something */
    bool is_uncertain; /* the message before could not be counted out */
};

enum netflow_order {
    ORDER_FIRST,  /* nothing was expected */
    ORDER_NEXT,   /* as expected */
    ORDER_GAP,    /* *units are missing */
    ORDER_UNREAD, /* *units, of messages that came and could not be read */
    ORDER_LATE,   /* belongs into an earlier gap */
    ORDER_RESET,
};

/* `is_certain`: all units of the message could be counted. */
enum netflow_order netflow_sequence_note(struct netflow_sequence *sequence,
                                         uint32_t number, uint32_t units,
                                         bool is_certain, uint32_t *missing);

/* The last messages of a domain, to know a repetition. */
struct netflow_window {
    struct {
        uint32_t number;
        uint64_t hash;
    } seen[SEQUENCE_WINDOW];
    size_t count, next;
};

uint64_t netflow_message_hash(const uint8_t *message, size_t length);
/* True when it is there; else it is there from now on. */
bool netflow_window_has(struct netflow_window *window, uint32_t number,
                        uint64_t hash);

#endif
