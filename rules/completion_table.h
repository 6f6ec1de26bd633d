/*
 * The columns of the completion table (完成情况表, form F13): what the verifier
 * signs and the portal reads again.
 *
 * A signed file names its columns in Chinese and, a line below, in English.
 * These names are part of the file's format: a file of years ago is read by
 * them. Whoever changes one keeps the old one readable.
 */
#ifndef RULES_COMPLETION_TABLE_H
#define RULES_COMPLETION_TABLE_H

#include <stdbool.h>

#include "common/slice.h"

/* In the order of the file. */
enum completion_column_id {
    COMPLETION_SEQUENCE,
    COMPLETION_ENTERPRISE,
    COMPLETION_CREDIT_CODE,
    COMPLETION_COUNTY,
    COMPLETION_VOUCHER,
    COMPLETION_AMOUNT,
    COMPLETION_SUPPLIER,
    COMPLETION_SERVICES,
    COMPLETION_PILOT,
    COMPLETION_SETTLEMENT,
    COMPLETION_USER_SIDE,
    COMPLETION_ENDPOINTS,
    COMPLETION_ACTIVE_DAYS,
    COMPLETION_COVERED_DAYS,
    COMPLETION_DEVICES,
    COMPLETION_GENUINE,
    COMPLETION_EFFECTIVE,
    COMPLETION_MARK,
    COMPLETION_REASON,
    COMPLETION_FLAGS,
    COMPLETION_COLUMN_COUNT,
};

enum completion_kind {
    COMPLETION_TEXT,
    COMPLETION_CODE, /* an id or number of something: never calculated with */
    COMPLETION_NUMBER,
    COMPLETION_YUAN, /* 80000.50 */
    COMPLETION_TIME, /* in Asia/Shanghai */
    COMPLETION_YES_NO,
    COMPLETION_MARK_WORD,
    COMPLETION_NOTE, /* a long sentence */
};

struct completion_column {
    const char *id; /* "covered_days", in JSON and for programs */
    enum completion_kind kind;
    const char *zh, *en; /* in the file */
};

extern const struct completion_column
    COMPLETION_COLUMNS[COMPLETION_COLUMN_COUNT];

/* The column of a name in the file, in either language; NULL: none of ours. */
const struct completion_column *completion_column_of(struct slice name);

const char *completion_yes_no(bool yes); /* "是", "否" */
/* What a cell says, as a code: "COMPLETE" of "已完成", "yes" and "no" of 是 and
 * 否; NULL where the column's cells are no closed list, or the cell is none of
 * it. */
const char *completion_code_of(const struct completion_column *column,
                               struct slice cell);

#endif
