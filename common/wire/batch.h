/*
 * The batch: the unit of evidence. Signed, chained, counted once.
 *
 * A batch is a run of whole IPFIX messages and doubles as an IPFIX file
 * (RFC 5655):
 *
 *   message 1..n   templates (in the first), then flow records, then the loss
 *                  records (options template 260), if any
 *   last message   one set with the batch record (options template 258),
 *                  one set with the signature record (options template 259)
 *
 * The batch record's content hash is SHA-256 over messages 1..n as they are.
 * The batch hash is SHA-256 over the last message from its first byte to the
 * end of the batch record's set: header, templates, batch record. The
 * signature is over BATCH_SIGN_PREFIX followed by the 32 bytes of that hash.
 * So every byte before the signature set is covered, directly or through the
 * content hash, and the algorithm number is among them. `previous batch hash`
 * chains the batches of one boot id; sequence starts at 1.
 *
 * A loss record names batches that were given up before a receipt came, so that
 * the gap in their chain is explained by the probe's own signature. A batch
 * that carries loss records counts them in `batches lost`.
 *
 * `collector challenge` is the latest number that the collector sent to this
 * probe: the batch was signed after it was made. `clock offset` is what the
 * probe would have to add to its clock to have the collector's.
 *
 * Sequence numbers of the messages count data records since the boot, so a
 * batch sent again is the same bytes.
 */
#ifndef COMMON_WIRE_BATCH_H
#define COMMON_WIRE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "common/wire/flow_record.h"

#define BATCH_SIGN_PREFIX "yunzheng batch 1\n"

enum {
    BATCH_VERSION = 1,
    TEMPLATE_BATCH = 258,
    TEMPLATE_BATCH_SIGNATURE = 259,
    TEMPLATE_LOSS = 260,
    PROBE_ID_LEN = 64, /* with its NUL; letters, digits, ".", "_", "-" */
    BOOT_ID_LEN = 16,
    BATCH_SIZE_MAX = 64 * 1024 * 1024,
    BATCH_RECORD_MAX = 512 * 1024, /* connection records in one batch */
    BATCH_LOSS_MAX = 1000,         /* loss records in one batch */
    CHALLENGE_LEN = 16,
};

/* After OCMF's letters U, I, S, R. */
enum clock_quality {
    CLOCK_UNSYNCHRONISED = 0,
    CLOCK_INFORMATIVE = 1, /* set once, drift unknown */
    CLOCK_SYNCHRONISED = 2,
    CLOCK_RELATIVE = 3, /* offline capture or generated */
};

/* The clock offset of a probe that has not measured it. */
#define CLOCK_OFFSET_UNKNOWN INT64_MIN

enum loss_reason {
    LOSS_NO_ROOM = 1, /* the spool's bound */
    LOSS_DAMAGED = 2, /* the file is not what was written, or is gone */
    LOSS_DISK = 3,    /* never on disk: it took no batches */
};

/* Batches of one boot that were given up. Sequences are 0 when not even the
 * batch record could be read any more. */
struct batch_loss {
    uint8_t boot_id[BOOT_ID_LEN];
    uint64_t first_sequence, last_sequence;
    uint64_t batches; /* fewer than the range when several ranges were joined */
    int64_t period_start_ms, period_end_ms;
    uint64_t record_count, octets; /* as their batch records say */
    enum loss_reason reason;
};

struct batch_info {
    char probe_id[PROBE_ID_LEN];
    uint8_t boot_id[BOOT_ID_LEN];
    uint64_t sequence;
    struct digest previous_hash;
    int64_t period_start_ms, period_end_ms;
    enum clock_quality clock_quality;
    uint64_t packets_seen, packets_dropped, flows_evicted, batches_lost;
    struct digest software_hash, registry_version;
    uint8_t challenge[CHALLENGE_LEN]; /* zeros: none */
    int64_t clock_offset_ms;          /* or CLOCK_OFFSET_UNKNOWN */
    /* filled in by the writer */
    uint64_t record_count, octets, packets;
    struct digest content_hash;
    enum sign_algorithm algorithm;
};

/* --- writing --- */

struct batch_writer;
/* `record_sequence` is the number of data records this boot has sent before.
 * NULL without memory. */
struct batch_writer *batch_writer_new(uint32_t domain,
                                      uint32_t record_sequence);
void batch_writer_free(struct batch_writer *w);
/* False when the batch would pass BATCH_SIZE_MAX or BATCH_RECORD_MAX; then
 * finish it. `now_s` is
 * the export time of the message the record falls into. */
bool batch_writer_add(struct batch_writer *w, const struct flow_record *record,
                      uint32_t now_s);
/* After the last connection record. False past BATCH_LOSS_MAX. */
bool batch_writer_add_loss(struct batch_writer *w,
                           const struct batch_loss *loss, uint32_t now_s);
/* Signs; *out is initialised here, becomes the whole batch and the caller's.
 * info's computed members are filled in; *hash is the batch hash, which the
 * next batch names as previous. The writer is empty again afterwards. */
bool batch_writer_finish(struct batch_writer *w, struct batch_info *info,
                         const struct sign_key *key, uint32_t now_s,
                         struct buffer *out, struct digest *hash);
uint32_t batch_writer_sequence(const struct batch_writer *w);

/* --- reading --- */

enum batch_status {
    BATCH_OK,
    BATCH_MALFORMED,   /* not IPFIX, or not this shape */
    BATCH_BAD_CONTENT, /* content hash, record count or totals differ */
    BATCH_BAD_SIGNATURE,
    BATCH_UNKNOWN_PROBE, /* no key for this probe */
    BATCH_BAD_VERSION,
    BATCH_TOO_LARGE,
};
const char *batch_status_text(enum batch_status status);

/* Gathers messages of a stream until a batch is complete. */
struct batch_reader;
struct batch_reader *batch_reader_new(void);
void batch_reader_free(struct batch_reader *r);
/* Takes one whole IPFIX message. *complete says that it was the last of a
 * batch; look at the members below, then call batch_reader_next. */
enum batch_status batch_reader_add(struct batch_reader *r,
                                   const uint8_t *message, size_t length,
                                   bool *complete);
const struct batch_info *batch_reader_info(const struct batch_reader *r);
struct digest batch_reader_hash(const struct batch_reader *r);
/* All bytes of the batch; borrowed until batch_reader_next. */
struct slice batch_reader_bytes(const struct batch_reader *r);
size_t batch_reader_count(const struct batch_reader *r);
const struct flow_record *batch_reader_record(const struct batch_reader *r,
                                              size_t index);
size_t batch_reader_loss_count(const struct batch_reader *r);
const struct batch_loss *batch_reader_loss(const struct batch_reader *r,
                                           size_t index);
/* Records that were no connection records of ours, or had other fields; they
 * are dropped and counted (VER-06, PRIV-02). */
uint64_t batch_reader_dropped(const struct batch_reader *r);
/* Checks the signature of a complete batch with the probe's key. */
enum batch_status batch_reader_verify(const struct batch_reader *r,
                                      enum sign_algorithm algorithm,
                                      struct slice public_key);
void batch_reader_next(struct batch_reader *r);

/* What a whole batch says of itself and of lost ones, without keeping its
 * connection records and without checking hashes or signature. */
struct batch_summary {
    struct batch_info info;
    struct batch_loss losses[BATCH_LOSS_MAX];
    size_t loss_count;
};
bool batch_summary_of(struct slice batch, struct batch_summary *summary);

#endif
