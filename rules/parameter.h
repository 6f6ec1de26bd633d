/*
 * The programme's parameters: numbers and choices that a notice may change
 * (ORG-10), with their bounds and defaults in one table.
 *
 * The text is `key = value` lines with # comments. Unknown and repeated keys
 * and values out of bounds are errors that name the line. Keys left out have
 * their default. Shares are permille, so that no rule depends on how a machine
 * rounds.
 */
#ifndef RULES_PARAMETER_H
#define RULES_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/log.h"
#include "common/slice.h"

/* Class of a service: it decides which rules judge it. */
enum service_class {
    CLASS_A, /* interactive: people work with it */
    CLASS_B, /* device: machines report */
    CLASS_C, /* batch and storage */
    CLASS_COUNT,
};
const char *service_class_text(enum service_class class); /* "A" */
bool service_class_from(struct slice text, enum service_class *class);

enum item_cap_scope { ITEM_CAP_VOUCHER_LINE, ITEM_CAP_CYCLE };
enum undetermined_policy { UNDETERMINED_MANUAL, UNDETERMINED_NOT_COMPLETE };
enum device_mismatch { DEVICE_IGNORE, DEVICE_FLAG, DEVICE_STOP };

struct parameters {
    uint64_t contract_cutoff_day;       /* number of the day */
    uint64_t contract_cutoff_inclusive; /* 0 or 1 */
    uint64_t item_cap_scope;            /* enum item_cap_scope */
    uint64_t registration_review_workdays, voucher_review_workdays;
    uint64_t correction_window_workdays;
    uint64_t deadline_notice_min_days, notice_min_days;
    uint64_t flow_detail_days, flow_retention_days;

    uint64_t window_days, min_active_days;
    /* By class of service; 0: as the general number (VER-08). */
    uint64_t class_window_days[CLASS_COUNT];
    uint64_t class_min_active_days[CLASS_COUNT];
    uint64_t require_each_line;     /* 0 or 1 */
    uint64_t undetermined_policy;   /* enum undetermined_policy */
    uint64_t device_count_mismatch; /* enum device_mismatch */
    uint64_t covered_days_permille, covered_minutes_permille;
    uint64_t min_tier, min_flows, device_min_permille;

    uint64_t auto_group_min_flows, auto_group_score_permille;
    uint64_t judge_min_flows, judge_min_days;
    uint64_t s1_automated_permille, s1_residual_max, s1_score_permille;
    uint64_t s2_fano_max_permille, s2_min_day_flows;
    uint64_t s3_same_permille, s3_min_day_flows, s3_min_sizes, s3_min_days;
    uint64_t s4_distinct_permille;
    uint64_t s5_day_permille;
    uint64_t s6_variation_permille, s6_dispersion_permille, s6_min_days;
    uint64_t s8_client_permille;
    uint64_t s9_min_repeats;
    uint64_t s11_min_days;
};

void parameters_set_defaults(struct parameters *parameters);
/* Defaults, then the text over them. */
bool parameters_parse(struct slice text, struct parameters *parameters,
                      struct error_text *error);
/* Every key with its value, in table order; reading it gives the same. */
void parameters_print(const struct parameters *parameters, struct buffer *out);

/* The first day on which a contract may have been signed (ELIG-07). */
int64_t parameters_first_contract_day(const struct parameters *p);
uint64_t parameters_window_days(const struct parameters *p,
                                enum service_class class);
uint64_t parameters_min_active_days(const struct parameters *p,
                                    enum service_class class);

#endif
