/*
 * A transport session of a foreign exporter: messages in, records out.
 *
 * NetFlow v5, v9 and IPFIX are told apart by the version of each message. What
 * is remembered is kept per (version, observation domain): templates, sequence
 * numbers, sampling, the device's start.
 *
 *                        UDP                          stream (TCP, file)
 *   withdrawals          ignored (RFC 7011 8.4)       honoured (8.1)
 *   another definition   replaces                     is an error
 *   template's life      lifetime_ms since defined    until the end
 *   repeated messages    dropped within a window      none can be
 *
 * Bounds: NETFLOW_TEMPLATES_MAX templates of NETFLOW_FIELDS_MAX fields and
 * NETFLOW_DOMAINS_MAX domains, of which the one unused for longest makes room;
 * bytes of all sessions that share a budget. A message takes time in proportion
 * to its length.
 */
#ifndef COLLECTOR_NETFLOW_NETFLOW_SESSION_H
#define COLLECTOR_NETFLOW_NETFLOW_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/netflow/netflow_record.h"

enum {
    NETFLOW_TEMPLATES_MAX = 128,
    NETFLOW_DOMAINS_MAX = 64,
    NETFLOW_SELECTORS_MAX = 16, /* per domain */
    NETFLOW_V5_HEADER_LEN = 24,
    NETFLOW_V5_RECORD_LEN = 48,
    NETFLOW_V9_HEADER_LEN = 20,
};

enum netflow_transport { NETFLOW_UDP, NETFLOW_STREAM };

enum netflow_status {
    NETFLOW_OK,
    NETFLOW_DUPLICATE,
    NETFLOW_BAD_VERSION,
    NETFLOW_TRUNCATED,  /* message or set runs past its end */
    NETFLOW_BAD_LENGTH, /* message or set length is impossible */
    NETFLOW_BAD_SET,    /* reserved set id */
    NETFLOW_BAD_TEMPLATE,
    NETFLOW_REDEFINED,  /* over a stream, without withdrawal */
    NETFLOW_BAD_RECORD, /* runs past its set */
    NETFLOW_NO_MEMORY,
    NETFLOW_STATUS_COUNT,
};
const char *netflow_status_text(enum netflow_status status);

/* One number each in the metrics; see netflow_counter_names. */
struct netflow_counters {
    uint64_t messages;   /* read to their end */
    uint64_t malformed;  /* not to their end */
    uint64_t duplicates; /* messages */
    uint64_t records;    /* of flows */
    uint64_t options_records;
    uint64_t lost_records;      /* by sequence numbers; v9: estimated */
    uint64_t lost_messages;     /* v9 only, what that estimate stands on */
    uint64_t unread_records;    /* came, and no template was there */
    uint64_t unknown_sets;      /* sets without a template */
    uint64_t reordered;         /* messages */
    uint64_t resets;            /* sequences that began anew */
    uint64_t templates;         /* definitions taken, repetitions included */
    uint64_t templates_refused; /* their records cannot be read */
    uint64_t templates_evicted; /* to make room */
    uint64_t templates_expired;
    uint64_t withdrawals;     /* honoured or ignored */
    uint64_t untimed_records; /* taken as of the export time */
};

/* Shared by sessions; bytes. */
struct netflow_budget {
    size_t used, max;
};

struct netflow_session;

/* The budget is borrowed and outlives the session. NULL without memory. */
struct netflow_session *netflow_session_new(enum netflow_transport transport,
                                            int64_t template_lifetime_ms,
                                            struct netflow_budget *budget);
void netflow_session_free(struct netflow_session *session);

typedef void netflow_record_fn(void *context,
                               const struct netflow_record *record);

/* One whole message. Records before a fault were handed over, what stands
 * behind it was not read. */
enum netflow_status netflow_session_take(struct netflow_session *session,
                                         const uint8_t *message, size_t length,
                                         int64_t now_ms, netflow_record_fn *fn,
                                         void *context);
const struct netflow_counters *
netflow_session_counters(const struct netflow_session *session);
/* Why a template was refused last, or "". */
const char *netflow_session_refusal(const struct netflow_session *session);

/* Length of the message that starts here, when one stands behind another: from
 * the header (IPFIX), the count (v5), or by walking the sets (v9) to the next
 * version number. 0: not all of it is there; -1: none of ours. `is_end`: no
 * more bytes will come. */
int64_t netflow_message_length(const uint8_t *data, size_t length, bool is_end);

/* Adds up; and the table that names the counters, in the struct's order. */
void netflow_counters_add(struct netflow_counters *sum,
                          const struct netflow_counters *more);
struct netflow_counter_name {
    const char *name, *help;
    bool may_fall; /* what is late was not lost after all */
};
enum {
    NETFLOW_COUNTER_COUNT = sizeof(struct netflow_counters) / sizeof(uint64_t)
};
extern const struct netflow_counter_name
    netflow_counter_names[NETFLOW_COUNTER_COUNT];

#endif
