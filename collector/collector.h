/*
 * The collector: takes complete batches, counts each of them once.
 *
 * Batches are taken in groups. One group is one transaction:
 *
 *   collector_begin
 *   collector_take (any number of times: archive, ledger, flows, usage)
 *   collector_commit (archive to disk, then the transaction)
 *
 * Receipts may leave only after the commit. When the group fails nothing of it
 * happened, and the same batches are taken again later: what cannot be stored
 * is not acknowledged. A batch that alone cannot be stored is undone alone and
 * does not hold up the rest of its group.
 */
#ifndef COLLECTOR_COLLECTOR_H
#define COLLECTOR_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/collector_config.h"
#include "collector/ledger.h"
#include "common/batch.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/receipt.h"

struct collector;

/* The schema of usage.db, for those who open it too. */
extern const struct db_migration collector_migrations[];
extern const size_t collector_migration_count;

/* Opens usage.db, the archive and the registry. NULL with a reason. */
struct collector *collector_open(const struct collector_config *config,
                                 struct error_text *error);
void collector_close(struct collector *collector);
struct db *collector_db(struct collector *collector);

/* Where a batch comes from. */
struct batch_origin {
    enum ledger_transport transport;
    const char *peer_name; /* of the certificate; NULL: from a file */
    const char *label;     /* for log lines: address or file name */
};

enum take_status {
    TAKE_DONE,         /* decided: the receipt says how */
    TAKE_BATCH_FAILED, /* this batch cannot be stored; it was undone */
    TAKE_GROUP_FAILED, /* nothing can be stored now; roll the group back */
};

/* Each gives false when nothing can be stored now. Failing is logged once, and
 * once when it works again. */
bool collector_begin(struct collector *collector);
bool collector_commit(struct collector *collector);
void collector_rollback(struct collector *collector);

/* A complete batch of the reader. `content` is what batch_reader_add said of
 * it: BATCH_OK, or BATCH_BAD_CONTENT. */
enum take_status collector_take(struct collector *collector,
                                const struct batch_origin *origin,
                                const struct batch_reader *reader,
                                enum batch_status content, struct wall_time now,
                                struct receipt *receipt);
/* Notes a refused thing that is no complete batch, such as bytes that are not
 * IPFIX. Only logged when the event cannot be stored. Not inside a group. */
void collector_note(struct collector *collector,
                    const struct batch_origin *origin,
                    enum intake_reason reason, const char *detail,
                    struct wall_time now);

/* What was taken since the start; undone groups are not in it. */
struct collector_totals {
    uint64_t counted, late, kept, repeated, refused, failed;
    uint64_t records;
};
struct collector_totals collector_totals(const struct collector *collector);

#endif
