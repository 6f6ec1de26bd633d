/*
 * Why a voucher has its verdict: the latest run's words, every rule with value,
 * threshold and window, as text in a language or as JSON, which has both.
 */
#ifndef VERIFIER_EXPLAIN_H
#define VERIFIER_EXPLAIN_H

#include "common/buffer.h"
#include "common/db.h"
#include "common/log.h"
#include "common/text.h"

enum explain_status { EXPLAIN_DONE, EXPLAIN_UNKNOWN, EXPLAIN_FAILED };

/* verdict.db, to read. NULL with a reason. */
struct db *explain_open(const char *path, struct error_text *error);

/* Adds to `out`. EXPLAIN_UNKNOWN: no run has judged this voucher. */
enum explain_status explain_voucher(struct db *db, const char *number,
                                    bool as_json, enum language language,
                                    struct buffer *out,
                                    struct error_text *error);

#endif
