/* The unified social credit code (GB 32100-2015): 17 characters of an alphabet
 * without I, O, S, V, Z, and a check character. */
#ifndef PORTAL_FORM_CREDIT_CODE_H
#define PORTAL_FORM_CREDIT_CODE_H

#include <stdbool.h>

#include "common/slice.h"

bool credit_code_is_good(struct slice code);

#endif
