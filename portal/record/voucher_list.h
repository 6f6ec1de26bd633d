/*
 * The vouchers that an account may see, filtered by the address: city, mark,
 * text. What is shown can be exported as CSV, all of it, not only this page.
 */
#ifndef PORTAL_RECORD_VOUCHER_LIST_H
#define PORTAL_RECORD_VOUCHER_LIST_H

#include "portal/http/visit.h"

void voucher_list_show(struct visit *visit);
void voucher_list_export(struct visit *visit);

#endif
