/*
 * A record with a life: where it stands, whose it is, on whose desk it lies,
 * which deadline runs. One row for each, whatever it is; what it says is its
 * editions (portal/form), what may happen with it its machine (machine.h),
 * which alone writes here.
 */
#ifndef PORTAL_WORKFLOW_ITEM_H
#define PORTAL_WORKFLOW_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/db.h"
#include "portal/access/account.h"
#include "portal/access/scope.h"
#include "rules/due.h"

enum {
    ITEM_WORD_LEN = 41, /* machine, state */
    ITEM_NUMBER_LEN = 25,
    ITEM_CITY_LEN = 13,
    ITEM_TITLE_LEN = 601,
};

/* On whose desk something lies. */
enum holder {
    HOLDER_NONE = 0, /* nothing is to be done */
    HOLDER_PARTY,
    HOLDER_CITY,
    HOLDER_PROVINCE,
    HOLDER_PLATFORM, /* the clock, a run, room, money */
    HOLDER_COUNT
};
const char *holder_text(enum holder holder); /* "city"; "" for none */

/* What a SELECT of items takes, for item_read_row. */
#define ITEM_COLUMNS                                                           \
    "id, machine, state, number, version, party, city_code, title, holder,"    \
    " opened_at, state_at, first_submitted_at, due_rule, due_from, due_at,"    \
    " due_is_provisional, party_kind"

struct item {
    int64_t id;
    char machine[ITEM_WORD_LEN], state[ITEM_WORD_LEN];
    char number[ITEM_NUMBER_LEN]; /* "": a draft */
    int64_t version;              /* what an act has to name */
    char party[ACCOUNT_TEXT_LEN];
    enum scope_kind party_kind;    /* SCOPE_ENTERPRISE, SCOPE_SUPPLIER */
    char city_code[ITEM_CITY_LEN]; /* "": none */
    char title[ITEM_TITLE_LEN];
    enum holder holder;
    struct wall_time opened_at, state_at;
    bool is_submitted;
    struct wall_time first_submitted_at;
    enum due_rule due_rule; /* DUE_NONE: no deadline runs */
    struct wall_time due_from, due_at;
    bool due_is_provisional;
};

/* Whether somebody who sees so far sees it: a draft is its party's alone.
 * `party_kind` is what the parties of its machine are. */
bool item_is_in_scope(const struct item *item, enum scope_kind party_kind,
                      const struct scope *scope);
/* False when there is none, and when the database fails (db_error). */
bool item_find(struct db *db, int64_t id, struct item *item);
bool item_find_number(struct db *db, const char *number, struct item *item);
/* The one of which there is only one; see machine_open. */
bool item_find_singular(struct db *db, const char *singular, struct item *item);

/* The current row of a statement that takes ITEM_COLUMNS. */
void item_read_row(struct db_statement *s, struct item *item);

/* For the machine. A new row gets its id; with a singular that is taken, id 0. */
bool item_insert(struct db *db, const char *singular, struct item *item);
/* All but id, machine, party and times of the past, and one version on; false
 * when somebody was faster or the database fails. */
bool item_update(struct db *db, struct item *item);
/* Gives the next number of the year: 'R-2026-000001'. */
bool item_give_number(struct db *db, const char *prefix, struct wall_time now,
                      struct item *item);
/* Each field with its length, for the record's hash. */
void item_add_bytes(const struct item *item, struct buffer *out);

#endif
