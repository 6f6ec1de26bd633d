/*
 * verdict.db: opening it, and one run's verdicts going in.
 *
 * A run is one transaction of the caller. Its fingerprint covers all
 * that is stored about every voucher, in order of vouchers, and nothing that
 * tells one run from another (VER-17).
 */
#ifndef VERIFIER_VERDICT_STORE_H
#define VERIFIER_VERDICT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "common/db.h"
#include "rules/judge.h"
#include "verifier/register_view.h"

struct verdict_run {
    int64_t id; /* given by verdict_store_begin */
    const char *cycle_id, *rules_version;
    struct wall_time at, cut_off;
    struct digest evidence_root, fingerprint; /* known at the end */
};

struct db *verdict_store_open(const char *path, enum db_mode mode,
                              struct error_text *error);

bool verdict_store_begin(struct db *db, struct verdict_run *run);
/* `lines` has a verdict for each of the voucher's lines. */
bool verdict_store_add(struct db *db, const struct verdict_run *run,
                       const struct register_view *registry,
                       const struct register_voucher *voucher,
                       const struct voucher_verdict *verdict,
                       const struct line_verdict *lines,
                       struct digest_stream *fingerprint);
bool verdict_store_end(struct db *db, const struct verdict_run *run);

#endif
