/*
 * Addresses that messages may go to, as checked types.
 *
 * What follows hands an address on as it is: a mail program's command line, a
 * header, a library that sends CR and LF in it as they come. So nothing is ever
 * sent to a text; it is sent to one of these, and they are made by their reader
 * alone. The reader takes what people's addresses look like and no more of RFC
 * 5321: no quotes, comments, domain literals, no control characters, no blank.
 *
 *   mail     1 to 64 of A-Z a-z 0-9 and !#$%&'*+-/=?^_`{|}~ with single dots
 *            between, '@', a host name of at least two labels
 *   mobile   '+' and 8 to 15 digits, kept with its country: +8613800138000
 */
#ifndef PORTAL_STORE_MAIL_ADDRESS_H
#define PORTAL_STORE_MAIL_ADDRESS_H

#include <stdbool.h>

#include "common/slice.h"

enum { MAIL_ADDRESS_LEN = 255, MOBILE_NUMBER_LEN = 17 };

struct mail_address {
    char text[MAIL_ADDRESS_LEN];
};

struct mobile_number {
    char text[MOBILE_NUMBER_LEN];
};

/* False, with an empty address, for everything else. */
bool mail_address_read(struct slice text, struct mail_address *address);
/* Also eleven digits from 13 to 19, which are China's. */
bool mobile_number_read(struct slice text, struct mobile_number *number);

#endif
