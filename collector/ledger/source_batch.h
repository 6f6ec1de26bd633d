/*
 * Batches that the collector makes itself, of what others reported: routers'
 * NetFlow, carriers' records.
 *
 * Records are added to a chain (one source, one enterprise and site) and a
 * period; closing seals what was added into a batch that the collector signs
 * with its own key, in the very form in which probes send theirs. So counting
 * once, archive, ledger, proofs and rebuilding hold for these sources as they
 * are, and `source` in ledger and usage keeps them apart.
 *
 *   source_batches_new
 *   source_batches_add, source_batches_note (any number of times)
 *   source_batches_close (each batch goes to the callback)
 *   source_batches_free
 *
 * With a boot id given (the hash of a file, say) the same records added in the
 * same order make the same batches: taken again, they are repeated batches and
 * count nothing. Not for use by two threads at once.
 */
#ifndef COLLECTOR_LEDGER_SOURCE_BATCH_H
#define COLLECTOR_LEDGER_SOURCE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/store.h"
#include "common/crypto/sign.h"
#include "common/wire/flow_record.h"

enum {
    SOURCE_NAME_LEN = 32, /* with its NUL; letters, digits, ".", "_", "-" */
    /* Bytes of unfinished batches over all chains; past it all are closed. */
    SOURCE_PENDING_MAX = 128 * 1024 * 1024,
};

struct source_batches;

/* Texts are borrowed for the call. */
struct source_chain {
    enum ledger_source source; /* SOURCE_ROUTER or SOURCE_CARRIER */
    const char *name;          /* the exporter's or the carrier's id */
    const char *enterprise_id, *site_id;
    bool is_sample, is_scaled;
};

/* Half open; what its records' start should lie in, at most a day long. */
struct source_period {
    int64_t start_ms, end_ms;
};

/* A finished batch; `own` says whom it speaks for, for source_take(). Both are
 * borrowed for the call. False stops. */
typedef bool source_batch_fn(void *context, const struct registry_probe *own,
                             struct slice batch);

struct source_options {
    const struct sign_key *key;     /* the collector's, borrowed */
    const uint8_t *boot_id;         /* 16 bytes, copied; NULL: random */
    struct digest registry_version; /* of the endpoint list in use */
    struct digest software_hash;
    source_batch_fn *finished;
    void *context;
};

struct source_batches *source_batches_new(const struct source_options *options);
void source_batches_free(struct source_batches *batches);

/* False when the callback said no, memory is short, or the name is none. A
 * batch that is full is closed on the way. */
bool source_batches_add(struct source_batches *batches,
                        const struct source_chain *chain,
                        struct source_period period,
                        const struct flow_record *record);
/* Adds to the signed counters, and makes the batch also when it has no
 * records: `seen` and `lost` are records that came and that are known to be
 * lost (packets_seen and flows_evicted of the batch record). */
bool source_batches_note(struct source_batches *batches,
                         const struct source_chain *chain,
                         struct source_period period, uint64_t seen,
                         uint64_t lost);
/* Closes everything that was begun, oldest first. */
bool source_batches_close(struct source_batches *batches);

/* Reads a finished batch into an empty reader; *content is for the store. False
 * when it is none. */
bool source_read(struct batch_reader *reader, struct slice batch,
                 enum batch_status *content);
/* Where such a batch comes from; borrows `own`. */
struct batch_origin source_origin(const struct registry_probe *own);
/* Takes one finished batch into the store, inside a group (store.h). The
 * reader is the caller's and is empty again afterwards. */
enum take_status source_take(struct store *store, struct batch_reader *reader,
                             const struct registry_probe *own,
                             struct slice batch, struct wall_time now,
                             struct receipt *receipt);

#endif
