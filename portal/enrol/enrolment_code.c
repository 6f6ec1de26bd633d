/*
 * The check symbol makes the 28 symbols, taken as elements of the field with 32
 * elements (bits modulo x^5 + x^2 + 1), a polynomial that is zero at x: a
 * Reed-Solomon code with one check symbol. Each place has its own weight x^i,
 * all different up to 31 places, hence what it detects.
 */
#include "portal/enrol/enrolment_code.h"

#include <string.h>

enum { FIELD = 0x25, BITS = 5, GROUP = 4, ID_SYMBOLS = 10 };

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 0 to 31, or -1. */
static int value_of(char c)
{
    c = slice_upper(c);
    if (c == 'I' || c == 'L')
        c = '1';
    if (c == 'O')
        c = '0';
    const char *at = c == '\0' ? NULL : strchr(symbols, c);
    return at == NULL ? -1 : (int)(at - symbols);
}

static unsigned times_x(unsigned value)
{
    value <<= 1;
    return value & 1 << BITS ? value ^ FIELD : value;
}

static void random_symbols(uint8_t *values, size_t count)
{
    random_bytes(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] &= (1 << BITS) - 1;
}

void enrolment_code_new(char text[static ENROLMENT_CODE_LEN])
{
    uint8_t values[ENROLMENT_SYMBOLS];
    unsigned sum = 0;
    random_symbols(values, ENROLMENT_SYMBOLS - 1);
    for (size_t i = 0; i < ENROLMENT_SYMBOLS - 1; i++)
        sum = times_x(sum ^ values[i]);
    values[ENROLMENT_SYMBOLS - 1] = (uint8_t)sum; /* the sum is zero with it */
    for (size_t i = 0; i < ENROLMENT_SYMBOLS; i++) {
        if (i > 0 && i % GROUP == 0)
            *text++ = '-';
        *text++ = symbols[values[i]];
    }
    *text = '\0';
    explicit_bzero(values, sizeof(values));
}

bool enrolment_code_read(struct slice text, struct digest *hash)
{
    char code[ENROLMENT_SYMBOLS];
    unsigned sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '-' || c == ' ')
            continue;
        int value = value_of(c);
        if (value < 0 || count == ENROLMENT_SYMBOLS)
            return false;
        code[count++] = symbols[value];
        sum = times_x(sum) ^ (unsigned)value;
    }
    *hash = digest_of(code, count);
    explicit_bzero(code, sizeof(code));
    return count == ENROLMENT_SYMBOLS && sum == 0;
}

void enrolment_code_handle(struct digest hash,
                           char handle[static ENROLMENT_HANDLE_LEN])
{
    hex_of(hash.bytes, (ENROLMENT_HANDLE_LEN - 1) / 2, handle);
}

void enrolment_new_id(char id[static ENROLMENT_ID_LEN])
{
    uint8_t values[ID_SYMBOLS];
    random_symbols(values, ID_SYMBOLS);
    memcpy(id, "P-", 2);
    for (size_t i = 0; i < ID_SYMBOLS; i++)
        id[2 + i] = symbols[values[i]];
    id[2 + ID_SYMBOLS] = '\0';
}
