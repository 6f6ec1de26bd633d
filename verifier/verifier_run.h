/*
 * One verification run over a cycle: facts brought up to date, every voucher
 * judged, verdicts and completion tables stored, all in one transaction.
 */
#ifndef VERIFIER_VERIFIER_RUN_H
#define VERIFIER_VERIFIER_RUN_H

#include "common/clock.h"
#include "common/log.h"
#include "verifier/verifier_config.h"

enum run_status {
    RUN_DONE,
    RUN_FAILED,  /* nothing was stored */
    RUN_REFUSED, /* a configuration or an argument is wrong */
};

struct run_summary {
    int64_t run_id;
    uint64_t vouchers, genuine, insufficient, suspicious;
    uint64_t facts_computed, facts_kept, records;
    char fingerprint[65]; /* hex */
};

/* `now` is the run's time and its cut-off (VER-19). */
enum run_status verifier_run(const struct verifier_config *config,
                             const char *cycle_id, struct wall_time now,
                             struct run_summary *summary,
                             struct error_text *error);

#endif
