/*
 * /api/v1/supplier/counts: suppliers' programs send their daily counts (POST)
 * and read them back (GET). Who calls is said by a token in the Authorization
 * header, never by a cookie. doc/portal-api.yaml describes it.
 */
#ifndef PORTAL_RECORD_SUPPLIER_API_H
#define PORTAL_RECORD_SUPPLIER_API_H

#include "portal/http/visit.h"

void supplier_counts_post(struct visit *visit);
void supplier_counts_show(struct visit *visit);

#endif
