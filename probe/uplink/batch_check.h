/*
 * Is this file still the batch that it was written as?
 *
 * Everything up to the signature is held against the batch hash, the content
 * through the hash in the batch record, and the form of the rest is looked at;
 * only the value of the signature is left to the collector, which answers a
 * wrong one. A batch that is not whole would end every connection instead, for
 * a stream of messages has no place to find its way again.
 *
 * The records are not decoded: that would cost many times the memory.
 */
#ifndef PROBE_UPLINK_BATCH_CHECK_H
#define PROBE_UPLINK_BATCH_CHECK_H

#include "common/crypto/digest.h"
#include "common/slice.h"

enum batch_check {
    BATCH_CHECK_INTACT,
    BATCH_CHECK_DAMAGED,
    BATCH_CHECK_UNKNOWN, /* no memory to tell */
};

enum batch_check batch_check(struct slice batch, struct digest hash);

#endif
