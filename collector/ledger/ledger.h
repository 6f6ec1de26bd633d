/*
 * The ledger: one row for every batch ever accepted, its Merkle leaf, and the
 * events that a person must look at. Functions run inside the caller's
 * transaction on usage.db.
 */
#ifndef COLLECTOR_LEDGER_LEDGER_H
#define COLLECTOR_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/archive.h"
#include "collector/ledger/intake.h"
#include "collector/ledger/probe_directory.h"
#include "collector/ledger/source.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/wire/batch.h"

enum ledger_transport {
    TRANSPORT_YZ1,   /* TLS with receipts */
    TRANSPORT_IPFIX, /* plain IPFIX over TLS: unacknowledged */
    TRANSPORT_FILE,  /* imported */
    TRANSPORT_COUNT,
};

struct ledger_row {
    uint64_t index; /* from 1 */
    struct batch_info info;
    struct digest hash;
    char enterprise_id[REGISTRY_ID_LEN];
    char site_id[REGISTRY_ID_LEN];
    char supplier_id[REGISTRY_ID_LEN]; /* "" but for a supplier's probe */
    enum ledger_source source;
    enum ledger_transport transport;
    enum sign_algorithm algorithm; /* and key: what the batch verified with */
    uint8_t key[SIGN_PUBLIC_MAX];
    size_t key_length;
    struct wall_time received;
    bool is_late, is_counted, is_sample;
    bool is_scaled; /* counts scaled up from sampled packets */
    uint64_t dropped_records;
    int64_t challenge_ms; /* time in a right challenge; 0: none */
    struct archive_place place;
};

/* What the ledger knows around a batch. False when it cannot be read. */
bool ledger_find_neighbours(struct db *db, const struct batch_info *info,
                            struct intake_neighbours *near);
/* Writes the row and its leaf at the log's end; row->index is filled in. */
bool ledger_append(struct db *db, struct ledger_row *row);
/* The leaf hash over all members but index's place in the archive. */
struct digest ledger_leaf(const struct ledger_row *row);
/* What is hashed for it, for proofs (LEAF_MAX). */
void ledger_leaf_data(const struct ledger_row *row, struct buffer *data);

/* The row of this number. *found says whether there is one; false when it
 * cannot be read. */
bool ledger_find_row(struct db *db, uint64_t index, struct ledger_row *row,
                     bool *found);
/* The number of the row with this batch hash, 0 without one. */
bool ledger_find_hash(struct db *db, struct digest hash, uint64_t *index);

/* Reads rows in order: prepare one of the two, step, then ledger_read_row.
 * `schema` is "main" or "live". */
struct db_statement *ledger_prepare_all(struct db *db, const char *schema);
/* False when a column holds what no row of ours can hold. */
bool ledger_read_row(struct db_statement *s, struct ledger_row *row);

/* For archive_open: end of the frames that rows of this db name. */
bool ledger_archive_end(void *db, uint32_t segment, uint64_t *end);

struct ledger_event {
    enum intake_reason reason;
    const char *probe_id;
    uint64_t sequence;          /* 0: unknown, or not signed */
    const struct digest *known; /* may be NULL */
    const struct digest *other; /* may be NULL */
    const char *detail;
};
/* The same event on the same day (UTC) only counts; *is_new says that it is
 * the first, and worth a log line. */
bool ledger_add_event(struct db *db, const struct ledger_event *event,
                      struct wall_time now, bool *is_new);

#endif
