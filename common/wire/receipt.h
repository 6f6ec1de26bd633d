/*
 * The receipt: the collector's signed word that a batch is stored.
 *
 * It travels on the return channel (ALPN yz/1) as an IPFIX message of its own:
 * options template 300, then one record. The signature is over
 * RECEIPT_SIGN_PREFIX followed by the record's bytes before its signature
 * field. The probe deletes a spooled batch only on a receipt that names its
 * hash and verifies. RECEIPT_REFUSED tells the probe that this batch will
 * never be counted (and why the log of the collector says); it is kept aside.
 */
#ifndef COMMON_WIRE_RECEIPT_H
#define COMMON_WIRE_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/batch.h"

#define RECEIPT_SIGN_PREFIX "yunzheng receipt 1\n"

enum { TEMPLATE_RECEIPT = 300 };

enum receipt_status {
    RECEIPT_COUNTED = 0,
    RECEIPT_LATE = 1,     /* counted, marked late: more than 10 min */
    RECEIPT_KEPT = 2,     /* kept, not counted: more than 72 h */
    RECEIPT_REPEATED = 3, /* had it before; nothing counted again */
    RECEIPT_REFUSED = 4,
};

struct receipt {
    char probe_id[PROBE_ID_LEN];
    uint64_t sequence;
    struct digest batch_hash;
    uint64_t ledger_index; /* 0 when refused */
    int64_t received_ms;   /* the collector's clock */
    enum receipt_status status;
};

bool receipt_encode(const struct receipt *receipt, const struct sign_key *key,
                    struct buffer *out);
/* One whole IPFIX message. False unless it is a receipt with a right
 * signature of the collector. */
bool receipt_decode(const uint8_t *message, size_t length,
                    enum sign_algorithm algorithm, struct slice public_key,
                    struct receipt *receipt);
/* The next one in messages that stand one behind the other, as on a connection
 * or in the files that a probe keeps; other messages are passed over. False at
 * the end, or where no whole message stands. */
bool receipt_next(struct slice *rest, enum sign_algorithm algorithm,
                  struct slice public_key, struct receipt *receipt);
const char *receipt_status_text(enum receipt_status status);

#endif
