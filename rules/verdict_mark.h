/*
 * The three marks of the programme (VER-09): their codes, which databases and
 * programs use, and the Chinese words that the signed tables have.
 */
#ifndef RULES_VERDICT_MARK_H
#define RULES_VERDICT_MARK_H

#include <stdbool.h>

#include "common/slice.h"

enum verdict_mark { MARK_COMPLETE, MARK_NOT_COMPLETE, MARK_UNDETERMINED };

const char *verdict_mark_text(enum verdict_mark mark); /* "COMPLETE" */
const char *verdict_mark_zh(enum verdict_mark mark);   /* "已完成" */
/* Of either form; false when it is neither. */
bool verdict_mark_from(struct slice text, enum verdict_mark *mark);

#endif
