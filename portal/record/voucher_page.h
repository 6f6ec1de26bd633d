/*
 * One voucher: its facts, the timeline of evidence for each line, and the
 * verdict explained. A voucher outside an account's scope is 404, as one that
 * is not there (ORG-02).
 */
#ifndef PORTAL_RECORD_VOUCHER_PAGE_H
#define PORTAL_RECORD_VOUCHER_PAGE_H

#include "portal/http/visit.h"

void voucher_page_show(struct visit *visit);

#endif
