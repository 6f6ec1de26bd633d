/*
 * From flow to what leaves: redaction, pseudonyms, batches.
 *
 * The only place where a connection record is made of a flow, so this is the
 * file to read to know what leaves an enterprise. Inside addresses become a
 * 64-bit HMAC under a key born on the probe for each voucher period; names
 * become evidence; flows that do not count (is_counted) are left out.
 */
#ifndef PROBE_EXPORTER_H
#define PROBE_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/batch.h"
#include "probe/endpoint.h"
#include "probe/flow.h"

enum { PSEUDONYM_KEY_LEN = 32 };

/* Pure: the record that would leave for this flow. False when none does. */
bool exporter_redact(const struct flow *flow, const struct endpoint_list *list,
                     const uint8_t key[static PSEUDONYM_KEY_LEN],
                     struct flow_record *record);

#endif
