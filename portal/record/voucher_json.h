/* A voucher for programs: GET /api/v1/vouchers/NUMBER. */
#ifndef PORTAL_RECORD_VOUCHER_JSON_H
#define PORTAL_RECORD_VOUCHER_JSON_H

#include "common/buffer.h"
#include "portal/record/voucher.h"

/* Codes, ids with both names, fen, UTC; `verdict` as yz-verifier explain --json
 * prints it. The schema is doc/portal-api.yaml's. */
void voucher_write_json(const struct voucher *voucher, struct buffer *out);

#endif
