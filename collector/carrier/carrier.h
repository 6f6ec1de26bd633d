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
 * nothing, and one that brings rows of an earlier file, in whatever form
 * (counted_rows.h), is refused, for a correction is a file with the new rows
 * alone.
 */
#ifndef COLLECTOR_CARRIER_CARRIER_H
#define COLLECTOR_CARRIER_CARRIER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/carrier/csv_file.h"
#include "collector/ledger/store.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/crypto/secret.h"
#include "common/crypto/sign.h"
#include "common/wire/endpoint.h"
#include "common/wire/number.h"

enum {
    CARRIER_CONNECTIONS_MAX = 1000, /* that one record sums up */
    CARRIER_DURATION_S = 24 * 3600, /* of a record, at most */
    CARRIER_USERS_MAX = 2,
    CARRIER_ANY_KIND = (1 << NUMBER_KIND_COUNT) - 1,
};

/* Where the user side is seen. */
struct carrier_user {
    struct address address;
    int port; /* NUMBER_PORT_UNKNOWN */
};

/* One record, of whatever form, without padding that is not zero. With a number
 * that decides, else the addresses do. */
struct carrier_record {
    int64_t start_ms, end_ms;
    bool has_number;
    char number_text[NUMBER_LEN];             /* as it stood there */
    struct number numbers[NUMBER_KIND_COUNT]; /* what it may be; perhaps none */
    int number_count;
    /* Behind a translator of the carrier (NAT): as the cloud sees it, then as
     * it is inside. The first one that somebody is known to have had counts. */
    struct carrier_user users[CARRIER_USERS_MAX];
    int user_count;
    struct address cloud_address;
    uint16_t cloud_port;
    uint8_t protocol;
    uint64_t octets_up, octets_down, packets_up, packets_down;
    uint64_t connections; /* that it sums up, from 1 */
};

struct carrier_form;
struct identifier_owner;

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
/* For its row in the rejects, and as a code of texts. */
const char *carrier_outcome_text(enum carrier_outcome outcome);
const char *carrier_outcome_code(enum carrier_outcome outcome);

struct carrier_options {
    struct store *store;
    const char *carrier;        /* id, as a source's name */
    const char *registry;       /* portal.db */
    const char *endpoints;      /* ENDPOINTS.csv */
    const struct sign_key *key; /* signs the batches, borrowed */
    struct secret number_key;
    bool accept_sample;
    const struct carrier_form *form; /* of the file (carrier_form.h) */
    FILE *rejects; /* rows that were not attributed, as a table; may be NULL */
};

struct carrier_result {
    uint64_t rows;
    uint64_t outcomes[CARRIER_OUTCOME_COUNT];
    uint64_t records; /* of attributed connections */
    uint64_t missing; /* records that the file should have had */
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
/* `boot_id`: 16 bytes that stand for the file. The endpoints are borrowed. NULL
 * with a reason. */
struct carrier *carrier_new(const struct carrier_options *options,
                            const struct endpoint_list *endpoints,
                            const uint8_t *boot_id, struct carrier_span span,
                            struct wall_time now, struct error_text *error);
void carrier_free(struct carrier *carrier);

/* Whose a record is. What it points to is the carrier's. */
struct carrier_answer {
    enum carrier_outcome outcome; /* the rest holds with CARRIER_ATTRIBUTED */
    const char *endpoint_id;
    const struct identifier_owner *owner;
    uint64_t host; /* of the number, or of the address */
};
void carrier_attribute(struct carrier *carrier,
                       const struct carrier_record *record,
                       struct carrier_answer *answer);
/* One that was attributed. False when it could not be stored. */
bool carrier_store(struct carrier *carrier, const struct carrier_record *record,
                   const struct carrier_answer *answer);
/* Everything to the store; a group is left open when it says so. */
bool carrier_close(struct carrier *carrier);

/* What no record can be, of whatever form: NULL, or what is wrong. */
const char *carrier_record_fault(const struct carrier_record *record,
                                 struct wall_time now);
/* A number: of each of these kinds (bits 1 << enum number_kind) that it can be.
 * NULL, or why it can be none. */
const char *carrier_record_number(struct carrier_record *record,
                                  struct slice text, unsigned kinds);

#endif
