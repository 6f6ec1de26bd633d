/*
 * One voucher with all that is known about it: what page and JSON show.
 *
 * It is read once, in the caller's scope; what the caller may see of declared
 * identifiers is decided here and nowhere later (PRIV-04). Page (voucher_page.c)
 * and JSON (voucher_json.c) put the same values into two forms.
 */
#ifndef PORTAL_RECORD_VOUCHER_H
#define PORTAL_RECORD_VOUCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/money.h"
#include "common/verdict/verdict_reader.h"
#include "portal/access/caller.h"
#include "portal/record/timeline.h"

struct voucher_name {
    const char *id, *zh, *en;
};

/* Declared for a line (VER-03). */
struct voucher_identifier {
    const char *kind;  /* "fixed_ip" */
    const char *shown; /* the address, or its mask */
    bool is_masked;
    struct voucher_name site;
    struct voucher_identifier *next;
};

/* An address or a host of the service's cloud side. */
struct voucher_endpoint {
    const char *id, *protocol, *ports; /* "": any */
    const char *address, *host;        /* one of them may be "" */
    bool is_shared;
    struct voucher_endpoint *next;
};

struct voucher_line {
    int64_t line_no, item_no;
    struct voucher_name service;
    const char *item_zh, *item_en; /* "": no catalogue has the item */
    const char *class;             /* "A" */
    struct money fee, award;
    bool has_sets;
    int64_t networked_sets;
    const struct verdict_line *verdict; /* NULL: not judged */
    struct timeline timeline;
    struct timeline_testimony said[WITNESS_COUNT]; /* some with no days */
    struct voucher_identifier *identifiers;
    struct voucher_endpoint *endpoints;
    struct voucher_line *next;
};

struct voucher_settlement {
    bool is_there, is_confirmed;
    const char *state;
    struct wall_time submitted, confirmed;
};

struct voucher {
    const char *number, *state;
    struct money amount;
    struct wall_time issued;
    bool is_pilot, is_sample;
    struct voucher_name enterprise, city, supplier, cycle;
    const char *credit_code, *county;
    struct wall_time settlement_deadline; /* the instant behind the last one */
    const char *contract_no;
    struct civil_day contract_day;
    struct wall_time submitted, supplier_confirmed, city_approved;
    struct voucher_settlement settlement; /* the newest */
    bool has_verdict; /* the newest run of the cycle judged it */
    struct verdict verdict;
    uint64_t
        covered_permille; /* of a day, from which on it counts as watched */
    struct voucher_line *lines; /* by number */
};

/* On whose behalf, from what, and as of when. */
struct voucher_query {
    struct db *db; /* all three databases */
    struct arena *arena;
    const struct caller *caller;
    struct wall_time now;
    uint64_t covered_permille;
};

enum voucher_found { VOUCHER_FOUND, VOUCHER_NONE, VOUCHER_FAILED };

/* VOUCHER_NONE: it is not there, or not in the caller's scope. What it points to
 * lives in the arena. */
enum voucher_found voucher_read(const struct voucher_query *query,
                                const char *number, struct voucher *voucher);

/* Whether enough of a day of the line's timeline was watched. */
bool voucher_day_is_covered(const struct voucher *voucher,
                            const struct voucher_line *line, size_t day);

#endif
