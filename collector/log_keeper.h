/*
 * The keeper of the log: a thread of `yz-collector run` that signs a
 * checkpoint every checkpoint_minutes, a first one some seconds after a new
 * log's first batches, and a last one at the stop. It has a
 * connection of its own to usage.db, so that receiving never waits for more
 * than one of its short transactions.
 *
 * When the log is not the one that was signed before (checkpoint.h), the event
 * `rollback` is noted, nothing is signed any more, and log_keeper_is_well()
 * says so to the health endpoint. Receiving goes on: what arrives is evidence,
 * and its receipts tell on whoever set the log back. A start on such a
 * usage.db is refused (log_guard), because the archive's writer would cut off
 * the batches that the older ledger does not know.
 */
#ifndef COLLECTOR_LOG_KEEPER_H
#define COLLECTOR_LOG_KEEPER_H

#include <limits.h>
#include <stdbool.h>

#include "collector/collector_config.h"
#include "common/crypto/sign.h"
#include "common/log.h"

/* The folder of the checkpoints' files, by default beside usage_db. */
void log_folder_of(const struct collector_config *config,
                   char folder[static PATH_MAX]);
/* The key that signs checkpoints. NULL with a reason. */
struct sign_key *log_key_load(const struct collector_config *config,
                              struct error_text *error);
/* To be asked before usage.db or the archive is opened for writing. */
bool log_guard(const struct collector_config *config, struct error_text *error);

struct log_keeper;

/* Starts the thread; both are borrowed until the stop. usage.db must be there.
 * NULL with a reason. */
struct log_keeper *log_keeper_start(const struct collector_config *config,
                                    const struct sign_key *key,
                                    struct error_text *error);
/* Signs what came since the last checkpoint, and ends the thread. */
void log_keeper_stop(struct log_keeper *keeper);
/* False with a reason while the last attempt failed. From any thread. */
bool log_keeper_is_well(struct log_keeper *keeper, struct error_text *why);

#endif
