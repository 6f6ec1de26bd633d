/*
 * The completion table (企业“上云上平台”完成情况表, form F13): one for each city
 * and run, numbered, versioned, signed, never edited (VER-10, VER-13).
 *
 * The table is CSV in UTF-8 with a byte order mark: head lines, a line of
 * Chinese and a line of English column names, one row a voucher by number. Its
 * fingerprint is the SHA-256 of these bytes. The signature is over
 * TABLE_SIGN_PREFIX, the algorithm's number (1 byte), the fingerprint.
 */
#ifndef VERIFIER_COMPLETION_H
#define VERIFIER_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/sign.h"
#include "common/db.h"
#include "rules/city.h"
#include "rules/judge.h"
#include "verifier/register_view.h"
#include "verifier/verdict_store.h"

#define TABLE_SIGN_PREFIX "yunzheng table 1\n"

enum { COMPLETION_CELL_LEN = 256, COMPLETION_NOTE_LEN = 2000 };

/* A voucher in the table. */
struct completion_row {
    const struct register_voucher *voucher;
    enum verdict_mark mark;
    bool is_genuine, is_effective, is_sample;
    char services[COMPLETION_CELL_LEN];
    char active_days[COMPLETION_CELL_LEN]; /* "12" or "1:12; 2:9" */
    char covered_days[COMPLETION_CELL_LEN];
    char devices[COMPLETION_CELL_LEN]; /* "5/12" */
    char flags[COMPLETION_CELL_LEN];   /* "VER-16 5 devices" */
    char reason_zh[JUDGE_SENTENCE_LEN];
    uint64_t endpoint_count;
};

void completion_row_fill(const struct register_view *registry,
                         const struct register_voucher *voucher,
                         const struct voucher_verdict *verdict,
                         const struct line_verdict *lines,
                         struct completion_row *row);

struct completion_head {
    const struct verdict_run *run;
    const struct city_list *cities;
    const struct sign_key *key;
};

/* Writes the tables of all cities among the rows, which are put in order of
 * city and voucher here. */
bool completion_write(struct db *db, const struct completion_head *head,
                      struct completion_row *rows, size_t count,
                      struct error_text *error);

/* The table's bytes alone, for what completion_write would store. */
void completion_print(const struct completion_head *head, const char *number,
                      int version, const struct completion_row *rows,
                      size_t count, struct buffer *out);

#endif
