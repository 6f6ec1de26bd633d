/* Arithmetic that says when it does not fit: true and a result, or false and
 * *result untouched. For lengths, counters and money from outside. */
#ifndef COMMON_CHECKED_H
#define COMMON_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *result)
    __attribute__((warn_unused_result));
bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *result)
    __attribute__((warn_unused_result));
bool checked_add_i64(int64_t a, int64_t b, int64_t *result)
    __attribute__((warn_unused_result));
bool checked_mul_i64(int64_t a, int64_t b, int64_t *result)
    __attribute__((warn_unused_result));
bool checked_add_size(size_t a, size_t b, size_t *result)
    __attribute__((warn_unused_result));

#endif
