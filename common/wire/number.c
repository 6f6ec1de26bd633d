#include "common/wire/number.h"

#include <string.h>

#include "common/text.h"

enum {
    MOBILE_DIGITS = 11,
    MACHINE_DIGITS = 13,
    IMSI_DIGITS = 15,
    ICCID_MIN = 19,
    ICCID_MAX = 20
};
enum { ACCOUNT_MIN = 4, SHOWN_FRONT = 3, SHOWN_END = 4, SHORT = 10 };

static const char *const KINDS[NUMBER_KIND_COUNT] = {
    [NUMBER_BROADBAND] = "broadband_account",
    [NUMBER_MOBILE] = "mobile_number",
    [NUMBER_SIM] = "iot_sim",
};

const char *number_kind_text(enum number_kind kind)
{
    return KINDS[kind];
}

bool number_kind_from(struct slice text, enum number_kind *kind)
{
    for (int i = 0; i < NUMBER_KIND_COUNT; i++)
        if (slice_equal_text(text, KINDS[i])) {
            *kind = (enum number_kind)i;
            return true;
        }
    return false;
}

static bool is_digits(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.length > 0;
}

/* The last digit makes the sum a multiple of ten, where every second digit
 * from the right counts twice, by the sum of its digits. */
static bool is_luhn(struct slice digits)
{
    unsigned sum = 0;
    for (size_t i = 0; i < digits.length; i++) {
        unsigned digit = (unsigned)(digits.data[digits.length - 1 - i] - '0');
        unsigned value = i % 2 == 1 ? 2 * digit : digit;
        sum += value > 9 ? value - 9 : value;
    }
    return sum % 10 == 0;
}

static bool starts(struct slice text, const char *with)
{
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.data, with, length) == 0;
}

static struct slice without_country(struct slice text)
{
    size_t skip = starts(text, "+86")                                      ? 3
                  : text.length == MOBILE_DIGITS + 2 && starts(text, "86") ? 2
                                                                           : 0;
    return (struct slice){text.data + skip, text.length - skip};
}

static const char *check_mobile(struct slice text)
{
    if (!is_digits(text))
        return TEXT_KEY("number.not_digits");
    if (text.length != MOBILE_DIGITS)
        return TEXT_KEY("number.not_11");
    return text.data[0] == '1' && text.data[1] >= '3'
               ? NULL
               : TEXT_KEY("number.not_mobile");
}

static const char *check_sim(struct slice text)
{
    if (!is_digits(text))
        return TEXT_KEY("number.not_digits");
    if (text.length == MOBILE_DIGITS)
        return check_mobile(text);
    if (text.length == MACHINE_DIGITS)
        return starts(text, "10") || starts(text, "14")
                   ? NULL
                   : TEXT_KEY("number.not_machine");
    if (text.length == IMSI_DIGITS)
        return starts(text, "460") ? NULL : TEXT_KEY("number.not_imsi");
    if (text.length < ICCID_MIN || text.length > ICCID_MAX)
        return TEXT_KEY("number.not_sim");
    if (!starts(text, "89"))
        return TEXT_KEY("number.not_iccid");
    return is_luhn(text) ? NULL : TEXT_KEY("number.check_digit");
}

static const char *check_account(struct slice text)
{
    if (text.length < ACCOUNT_MIN)
        return TEXT_KEY("number.short");
    if (text.length >= NUMBER_LEN)
        return TEXT_KEY("number.long");
    for (size_t i = 0; i < text.length; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789._-@",
                   text.data[i]) == NULL ||
            text.data[i] == '\0')
            return TEXT_KEY("number.not_account");
    return NULL;
}

const char *number_read(enum number_kind kind, struct slice text,
                        struct number *number)
{
    static const char *(*const CHECKS[NUMBER_KIND_COUNT])(struct slice) = {
        [NUMBER_BROADBAND] = check_account,
        [NUMBER_MOBILE] = check_mobile,
        [NUMBER_SIM] = check_sim,
    };
    if (text.length == 0)
        return TEXT_KEY("number.empty");
    if (kind != NUMBER_BROADBAND)
        text = without_country(text);
    const char *fault = CHECKS[kind](text);
    if (fault != NULL)
        return fault;
    number->kind = kind;
    slice_copy(text, number->text, sizeof(number->text));
    for (char *t = number->text; *t != '\0'; t++)
        *t = slice_lower(*t);
    return NULL;
}

struct digest number_hash(const struct secret *key, const struct number *number)
{
    char text[2 * NUMBER_LEN];
    size_t kind = strlen(KINDS[number->kind]) + 1;
    size_t length = strlen(number->text);
    memcpy(text, KINDS[number->kind], kind);
    memcpy(text + kind, number->text, length);
    return hmac_sha256(key->bytes, SECRET_LEN, text, kind + length);
}

void number_mask(const struct number *number, char mask[static NUMBER_LEN])
{
    size_t length = strlen(number->text);
    size_t front = length < SHORT ? 1 : SHOWN_FRONT;
    size_t end = length < SHORT ? 1 : SHOWN_END;
    memcpy(mask, number->text, length + 1);
    memset(mask + front, '*', length - front - end);
}
