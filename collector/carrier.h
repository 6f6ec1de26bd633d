/*
 * Carriers' records of connections, attributed to enterprises.
 *
 * A record names a number, or an address and port of the user side. Attributed:
 *
 *   number                     -> identifier declared at that time -> enterprise
 *   address, port, time        -> number (number_map.h) -> the same
 *   address                    -> fixed address declared      -> enterprise
 *
 * The cloud side must be a registered endpoint; on a shared address it is of no
 * use, since a record has no name of a server. What is attributed becomes
 * batches of the collector's own (source_batch.h), source 'carrier', with the
 * first 8 bytes of the number's keyed hash as host: hosts can be counted, and
 * usage be told by number. What is not attributed is counted by its reason and
 * not kept.
 *
 * A file is taken whole or not at all, and once: the same one again counts
 * nothing, and one that brings rows of an earlier file is refused, for a
 * correction is a file with the new rows alone. Of large files that is noticed
 * by a sample of 4096 rows each.
 */
#ifndef COLLECTOR_CARRIER_H
#define COLLECTOR_CARRIER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/csv_file.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/number.h"
#include "common/secret.h"
#include "common/sign.h"
#include "ledger/store.h"

enum {
    CARRIER_CONNECTIONS_MAX = 1000, /* that one record sums up */
    CARRIER_DURATION_S = 24 * 3600, /* of a record, at most */
    CARRIER_SAMPLE_ROWS = 4096,     /* of a file, by which it is known */
};

/* One record, of whatever form. Without number_count the address counts. */
struct carrier_record {
    int64_t start_ms, end_ms;
    struct number numbers[NUMBER_KIND_COUNT]; /* what the number may be */
    int number_count;
    bool has_address;
    struct address user_address;
    int user_port; /* NUMBER_PORT_UNKNOWN */
    struct address cloud_address;
    uint16_t cloud_port;
    uint8_t protocol;
    uint64_t octets_up, octets_down, packets_up, packets_down;
    uint64_t connections; /* that it sums up, from 1 */
};

/* Why a record is attributed to nobody. */
enum carrier_outcome {
    CARRIER_ATTRIBUTED,
    CARRIER_NOT_ENDPOINT,   /* cloud side is not registered at that time */
    CARRIER_SHARED,         /* ... or shared by several services */
    CARRIER_UNKNOWN_NUMBER, /* declared by no enterprise */
    CARRIER_NO_INTERVAL,    /* nobody had the address then */
    CARRIER_PORT_MISSING,   /* several have the address, by ports */
    CARRIER_CHANGED_HANDS,  /* the address changed owner meanwhile */
    CARRIER_CONTRADICTION,  /* number and address belong to different ones */
    CARRIER_AMBIGUOUS,      /* declared by two enterprises */
    CARRIER_OUTSIDE,        /* declared, but not for that time */
    CARRIER_DEMO,           /* demo data, which is not accepted */
    CARRIER_OUTCOME_COUNT,
};
const char *carrier_outcome_text(enum carrier_outcome outcome);

struct carrier_options {
    struct store *store;
    const char *carrier;        /* id, as a source's name */
    const char *registry;       /* portal.db */
    const char *endpoints;      /* ENDPOINTS.csv */
    const struct sign_key *key; /* signs the batches, borrowed */
    struct secret number_key;
    bool accept_sample;
    FILE *rejects; /* rows that were not attributed, as a table; may be NULL */
};

struct carrier_result {
    uint64_t rows;
    uint64_t outcomes[CARRIER_OUTCOME_COUNT];
    uint64_t records; /* of attributed connections */
    bool is_repeated; /* it was taken before; nothing was counted */
};

/* False: the file was refused, *faults says what is wrong with which line, or
 * *error what else is (faults->count is then 0). */
bool carrier_import_file(const struct carrier_options *options,
                         const char *path, struct wall_time now,
                         struct carrier_result *result,
                         struct csv_faults *faults, struct error_text *error);

/* --- its parts --- */

struct carrier; /* attributes the records of one file */
struct carrier_span {
    int64_t from_ms, to_ms; /* [start of the first, end of the last] */
};
/* `boot_id`: 16 bytes that stand for the file. NULL with a reason. */
struct carrier *carrier_new(const struct carrier_options *options,
                            const uint8_t *boot_id, struct carrier_span span,
                            struct wall_time now, struct error_text *error);
void carrier_free(struct carrier *carrier);
/* False when it could not be stored. */
bool carrier_add(struct carrier *carrier, const struct carrier_record *record,
                 enum carrier_outcome *outcome);
/* Everything to the store; a group is left open when it says so. */
bool carrier_close(struct carrier *carrier);

extern const struct csv_column CARRIER_COLUMNS[];
extern const size_t CARRIER_COLUMN_COUNT;
/* One row of such a table: NULL, or what is wrong with it (text that lasts
 * until the next call). */
const char *carrier_row_read(const struct csv_file *file, struct wall_time now,
                             struct carrier_record *record);

#endif
