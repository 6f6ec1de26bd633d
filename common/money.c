/*
 * Money: yuan text to fen and back.
 *
 * The text is read digit by digit into an unsigned count of fen, checked at
 * every step; the sign is looked at first, because a negative amount is its own
 * refusal (E_MONEY_NEGATIVE) and not bad text. Commas either stand in every
 * place between groups of three or nowhere: "80,0000" is more likely a typing
 * error than an amount.
 */
#include "common/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/checked.h"

/* Digits, with a comma in every place between groups of three or in none. */
static bool is_grouped(struct slice whole)
{
    bool has_commas = memchr(whole.data, ',', whole.length) != NULL;
    for (size_t i = 0; i < whole.length; i++) {
        bool is_comma_place = has_commas && (whole.length - i) % 4 == 0;
        bool is_good = is_comma_place ? whole.data[i] == ',' && i > 0
                                      : slice_is_digit(whole.data[i]);
        if (!is_good)
            return false;
    }
    return true;
}

static bool add_digits(struct slice digits, uint64_t *fen)
{
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] == ',')
            continue;
        if (!checked_mul_u64(*fen, 10, fen) ||
            !checked_add_u64(*fen, (uint64_t)(digits.data[i] - '0'), fen))
            return false;
    }
    return true;
}

/* "80,000.5" in its two parts; false when it is not such a text. */
static bool split_yuan(struct slice text, struct slice *whole,
                       struct slice *cents)
{
    *cents = SLICE("");
    bool has_point = false;
    if (!slice_next(&text, '.', whole))
        return false;
    if (text.data != NULL) {
        has_point = true;
        if (!slice_next(&text, '.', cents) || text.data != NULL)
            return false;
    }
    if (whole->length == 0 || !is_grouped(*whole) || cents->length > 2 ||
        (has_point && cents->length == 0))
        return false;
    for (size_t i = 0; i < cents->length; i++) {
        if (!slice_is_digit(cents->data[i]))
            return false;
    }
    return true;
}

enum money_status money_from_yuan_text(struct slice text, struct money *money)
{
    bool is_negative = text.length > 0 && text.data[0] == '-';
    struct slice whole, cents;
    uint64_t fen = 0;
    if (is_negative) {
        text.data++;
        text.length--;
    }
    if (!split_yuan(text, &whole, &cents))
        return MONEY_FORMAT;
    if (is_negative)
        return MONEY_NEGATIVE;
    if (!add_digits(whole, &fen) || !add_digits(cents, &fen))
        return MONEY_OVERFLOW;
    for (size_t i = cents.length; i < 2; i++) {
        if (!checked_mul_u64(fen, 10, &fen))
            return MONEY_OVERFLOW;
    }
    if (fen > INT64_MAX)
        return MONEY_OVERFLOW;
    money->fen = (int64_t)fen;
    return MONEY_OK;
}

void money_to_yuan_text(struct money money, char text[static MONEY_TEXT_LEN])
{
    /* Negated as unsigned, where INT64_MIN has a magnitude. */
    uint64_t fen = (uint64_t)money.fen;
    if (money.fen < 0)
        fen = 0 - fen;
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, fen / 100);
    char *out = text;
    if (money.fen < 0)
        *out++ = '-';
    for (int i = 0; i < length; i++) {
        *out++ = digits[i];
        if ((length - 1 - i) % 3 == 0 && i != length - 1)
            *out++ = ',';
    }
    snprintf(out, 4, ".%02d", (int)(fen % 100));
}

void money_to_plain_text(struct money money, char text[static MONEY_TEXT_LEN])
{
    uint64_t fen = (uint64_t)money.fen;
    if (money.fen < 0)
        fen = 0 - fen;
    snprintf(text, MONEY_TEXT_LEN, "%s%" PRIu64 ".%02u",
             money.fen < 0 ? "-" : "", fen / 100, (unsigned)(fen % 100));
}

enum money_status money_add(struct money a, struct money b, struct money *sum)
{
    return checked_add_i64(a.fen, b.fen, &sum->fen) ? MONEY_OK : MONEY_OVERFLOW;
}

enum money_status money_multiply(struct money a, uint64_t count,
                                 struct money *product)
{
    /* Zero times any count is zero, also where the count fits no int64_t. */
    if (a.fen == 0 || count == 0) {
        product->fen = 0;
        return MONEY_OK;
    }
    if (count > INT64_MAX ||
        !checked_mul_i64(a.fen, (int64_t)count, &product->fen))
        return MONEY_OVERFLOW;
    return MONEY_OK;
}

struct money money_min(struct money a, struct money b)
{
    return a.fen < b.fen ? a : b;
}
