/*
 * The store: takes complete batches, counts each of them once.
 *
 * Batches are taken in groups. One group is one transaction:
 *
 *   store_begin
 *   store_take (any number of times: archive, ledger, flows, usage)
 *   store_commit (archive to disk, then the transaction)
 *
 * Receipts may leave only after the commit. When the group fails nothing of it
 * happened, and the same batches are taken again later: what cannot be stored
 * is not acknowledged. A batch that alone cannot be stored is undone alone and
 * does not hold up the rest of its group.
 */
#ifndef COLLECTOR_LEDGER_STORE_H
#define COLLECTOR_LEDGER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/ledger.h"
#include "collector/ledger/prepare.h"
#include "collector/ledger/schema.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/wire/batch.h"
#include "common/wire/receipt.h"

struct store;

/* Opens usage.db, the archive and the registry. NULL with a reason. */
struct store *store_open(const struct ledger_paths *paths, bool accept_sample,
                         struct error_text *error);
void store_close(struct store *store);
/* Of the challenges that batches carry; without it they are not looked at. */
void store_set_challenge(struct store *store, struct digest secret);
struct db *store_db(struct store *store);

/* Where a batch comes from. */
struct batch_origin {
    enum ledger_transport transport;
    const char *peer_name; /* of the certificate; NULL: from a file */
    const char *label;     /* for log lines: address or file name */
    /* Not NULL: a chain of batches that the collector itself made and signed
     * of what others reported; nobody else can name this. */
    const struct registry_probe *own;
};

enum take_status {
    TAKE_DONE,         /* decided: the receipt says how */
    TAKE_BATCH_FAILED, /* this batch cannot be stored; it was undone */
    TAKE_GROUP_FAILED, /* nothing can be stored now; roll the group back */
};

/* Each gives false when nothing can be stored now. Failing is logged once, and
 * once when it works again. */
bool store_begin(struct store *store);
bool store_commit(struct store *store);
void store_rollback(struct store *store);

/* A complete batch of the reader. `content` is what batch_reader_add said of
 * it: BATCH_OK, or BATCH_BAD_CONTENT. */
enum take_status store_take(struct store *store,
                            const struct batch_origin *origin,
                            const struct batch_reader *reader,
                            enum batch_status content, struct wall_time now,
                            struct receipt *receipt);
/* The same for a batch that another thread has prepared as far as it could;
 * what is missing is done here. */
enum take_status
store_take_prepared(struct store *store, const struct batch_origin *origin,
                    const struct batch_reader *reader,
                    enum batch_status content, struct prepared *prepared,
                    struct wall_time now, struct receipt *receipt);
/* Notes a refused thing that is no complete batch, such as bytes that are not
 * IPFIX. Only logged when the event cannot be stored. Not inside a group. */
void store_note(struct store *store, const struct batch_origin *origin,
                enum intake_reason reason, const char *detail,
                struct wall_time now);

/* What was taken since the start; undone groups are not in it. */
struct store_totals {
    uint64_t counted, late, kept, repeated, refused, failed;
    uint64_t records;
    uint64_t by_source[SOURCE_COUNT]; /* batches in the ledger */
    uint64_t events[REASON_COUNT];    /* each time, also when known */
};
struct store_totals store_totals(const struct store *store);

#endif
