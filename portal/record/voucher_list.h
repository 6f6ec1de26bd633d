/* The vouchers that somebody may see, as a list: its page, files and JSON. */
#ifndef PORTAL_RECORD_VOUCHER_LIST_H
#define PORTAL_RECORD_VOUCHER_LIST_H

#include "portal/list/list.h"

extern const struct list VOUCHER_LIST;

#endif
