/*
 * A verdict as JSON: what explain --json prints, what the API answers, what a
 * bundle holds. Times in UTC, codes, numbers as numbers, sentences in both
 * languages; independent of who reads it.
 */
#ifndef COMMON_VERDICT_VERDICT_JSON_H
#define COMMON_VERDICT_VERDICT_JSON_H

#include "common/verdict/verdict_reader.h"
#include "common/writer.h"

/* `key` is NULL at top level and inside arrays. */
void verdict_write_json(const struct verdict *verdict, const char *key,
                        struct json_writer *json);

#endif
