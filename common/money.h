/*
 * Money: integer fen (1/100 yuan), signed 64 bit (requirements 1.4).
 *
 * Yuan exist only in text, through the functions below. No floating point
 * touches an amount. Overflow is a status the caller must look at.
 */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

struct money {
    int64_t fen;
};

enum money_status {
    MONEY_OK,
    MONEY_FORMAT,   /* E_MONEY_FORMAT */
    MONEY_NEGATIVE, /* E_MONEY_NEGATIVE */
    MONEY_OVERFLOW, /* E_RANGE */
};

enum { MONEY_TEXT_LEN = 32 };

/* Digits with at most two decimals; thousands commas in groups of three are
 * accepted. "80,000.5" is 8,000,050 fen. */
enum money_status money_from_yuan_text(struct slice text, struct money *money);
/* "80,000.50"; a minus sign for negative amounts. */
void money_to_yuan_text(struct money money, char text[static MONEY_TEXT_LEN]);
/* "80000.50", for programs and spreadsheets. */
void money_to_plain_text(struct money money, char text[static MONEY_TEXT_LEN]);
enum money_status money_add(struct money a, struct money b, struct money *sum);
enum money_status money_multiply(struct money a, uint64_t count,
                                 struct money *product);
struct money money_min(struct money a, struct money b);

#endif
