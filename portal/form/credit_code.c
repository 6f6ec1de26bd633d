/* See credit_code.h. Character i counts 3^i modulo 31; the check character
 * makes the sum a multiple of 31. */
#include "portal/form/credit_code.h"

#include <string.h>

enum { CODE_LEN = 18, MODULUS = 31 };

bool credit_code_is_good(struct slice code)
{
    static const char ALPHABET[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    unsigned weight = 1, sum = 0;
    if (code.length != CODE_LEN)
        return false;
    for (size_t i = 0; i < CODE_LEN; i++) {
        const char *at = memchr(ALPHABET, code.data[i], MODULUS);
        if (at == NULL)
            return false;
        unsigned value = (unsigned)(at - ALPHABET);
        sum += i + 1 < CODE_LEN ? value * weight : value;
        weight = weight * 3 % MODULUS;
    }
    return sum % MODULUS == 0;
}
