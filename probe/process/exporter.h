/*
 * From flow to what leaves: redaction, pseudonyms, batches.
 *
 * The only place where a connection record is made of a flow, so this is the
 * file to read to know what leaves an enterprise. Inside addresses become a
 * 64-bit HMAC under a key born on the probe for each voucher period; names
 * become evidence; flows that do not count (is_counted) are left out.
 *
 * An exporter gathers the records of one period and closes them into a signed
 * batch, also when there are none: silence would be a gap. It keeps what
 * chains the batches of one start (boot id, sequence, previous hash).
 */
#ifndef PROBE_PROCESS_EXPORTER_H
#define PROBE_PROCESS_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "common/wire/batch.h"
#include "common/wire/endpoint.h"
#include "probe/meter/flow.h"

enum { PSEUDONYM_KEY_LEN = 32 };

/* Pure: the record that would leave for this flow. False when none does. */
bool exporter_redact(const struct flow *flow, const struct endpoint_list *list,
                     const uint8_t key[static PSEUDONYM_KEY_LEN],
                     struct flow_record *record);

/* The key of a voucher period, from the file at path. When the file is not
 * there, or is of another period, a new key is born and replaces it, so that
 * hosts cannot be followed from one period to the next. Mode 0600. */
bool exporter_load_key(const char *path, const char *period,
                       uint8_t key[static PSEUDONYM_KEY_LEN],
                       struct error_text *error);
/* What the kernel says about the clock: synchronised or not. */
enum clock_quality exporter_clock_quality(void);

struct exporter;

struct exporter_options {
    const char *probe_id;
    const struct sign_key *key;            /* borrowed */
    const struct endpoint_list *endpoints; /* borrowed */
    uint8_t pseudonym_key[PSEUDONYM_KEY_LEN];
    struct digest software_hash;
    struct wall_time start; /* of the first period */
};

/* What the batch says of the period that ends. */
struct exporter_period {
    int64_t elapsed_ms; /* since the last batch, by a clock that nobody sets;
                           0: not known */
    enum clock_quality clock_quality;
    uint64_t packets_seen, packets_dropped, flows_evicted;
    const struct batch_loss *losses; /* for this batch to tell; borrowed */
    size_t loss_count;               /* at most BATCH_LOSS_MAX */
    uint8_t challenge[CHALLENGE_LEN];
    int64_t clock_offset_ms;
};

/* A new boot id is drawn. NULL without memory, or when the id does not fit. */
struct exporter *exporter_new(const struct exporter_options *options);
void exporter_free(struct exporter *exporter);
/* False when the batch is full: finish it, then add the flow again. */
bool exporter_add(struct exporter *exporter, const struct flow *flow,
                  struct wall_time now);
/* The same for a record that is redacted already. */
bool exporter_add_record(struct exporter *exporter,
                         const struct flow_record *record,
                         struct wall_time now);
/* From the next batch on: the endpoint list in force; borrowed. */
void exporter_set_endpoints(struct exporter *exporter,
                            const struct endpoint_list *endpoints);
/* Closes the period [its start, now) into *out, which is initialised here and
 * becomes the caller's. False without memory; the period then goes on. */
bool exporter_finish(struct exporter *exporter,
                     const struct exporter_period *period, struct wall_time now,
                     struct buffer *out, struct digest *hash);
/* Of the last finished batch; 0 before the first. */
uint64_t exporter_sequence(const struct exporter *exporter);

#endif
