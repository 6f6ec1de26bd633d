/*
 * Why a voucher has its verdict: the latest run's words, every rule with value,
 * threshold and window, as text in both languages or as JSON.
 */
#ifndef VERIFIER_EXPLAIN_H
#define VERIFIER_EXPLAIN_H

#include "common/buffer.h"
#include "common/db.h"
#include "common/log.h"

enum explain_status { EXPLAIN_DONE, EXPLAIN_UNKNOWN, EXPLAIN_FAILED };

/* Adds to `out`. EXPLAIN_UNKNOWN: no run has judged this voucher. */
enum explain_status explain_voucher(struct db *verdicts, const char *number,
                                    bool as_json, struct buffer *out,
                                    struct error_text *error);

#endif
