/*
 * Who may do what: the programme's matrix (workflow, section 2), one row for each
 * right that a role has in an action, with the limits that the paper names.
 *
 * It is closed: an action without a row for a role is not for that role. Routes,
 * the menu, masks and buttons ask here and nowhere else; a test prints the table
 * and holds it against tests/data/policy/matrix.tsv, so that the paper decides.
 * What of the records a caller sees is said by its scope (scope.h) beside it.
 */
#ifndef PORTAL_ACCESS_PERMISSION_H
#define PORTAL_ACCESS_PERMISSION_H

#include <stdbool.h>

#include "common/buffer.h"
#include "portal/access/account.h"

enum action {
    ACTION_NONE = 0, /* asks for no right */
    ACTION_PARAMETER_SET,
    ACTION_CYCLE_SET,
    ACTION_QUOTA_SET,
    ACTION_FUND_RECORD,
    ACTION_CATALOGUE_PUBLISH,
    ACTION_CONTACT_RECEIPT,
    ACTION_BUREAU_ACCOUNT,
    ACTION_SUPPLIER_FILE,
    ACTION_SUPPLIER_FIRST_REVIEW,
    ACTION_SUPPLIER_REVIEW,
    ACTION_SUPPLIER_DIRECTORY,
    ACTION_ENTERPRISE_FILE,
    ACTION_ENTERPRISE_REVIEW,
    ACTION_ACCOUNT_RECOVERY_ASK,
    ACTION_ACCOUNT_RECOVERY_CONFIRM,
    ACTION_APPLICATION_FILE,
    ACTION_APPLICATION_CONFIRM,
    ACTION_APPLICATION_REVIEW,
    ACTION_VOUCHER_ISSUE,
    ACTION_SETTLEMENT_FILE,
    ACTION_SETTLEMENT_CONFIRM,
    ACTION_IDENTIFIER_RECORD,
    ACTION_ENDPOINT_RECORD,
    ACTION_CONNECTION_RECORD,
    ACTION_VERIFICATION_RUN,
    ACTION_SERVICE_CLASS,
    ACTION_DAILY_COUNT,
    ACTION_SUPPLIER_PROBE_STATE,
    ACTION_CARRIER_IMPORT,
    ACTION_STRENGTH_ACCEPT,
    ACTION_EVIDENCE_SET_ASIDE,
    ACTION_STOPPED_LINE_ANSWER,
    ACTION_UNCONFIRMED_DECIDE,
    ACTION_LATER_USE,
    ACTION_SETTLEMENT_REVIEW,
    ACTION_SETTLEMENT_LIST,
    ACTION_OBJECTION_FILE,
    ACTION_OBJECTION_ANSWER,
    ACTION_OBJECTION_DECIDE,
    ACTION_PAYOUT_BATCH,
    ACTION_AWARD_RECOVERY,
    ACTION_STANDING_DECIDE,
    ACTION_RELATED_PARTY_ANSWER,
    ACTION_PILOT_FILE,
    ACTION_PILOT_RECEIVE,
    ACTION_PILOT_DECIDE,
    ACTION_SPOT_CHECK,
    ACTION_APPRAISAL,
    ACTION_RATING,
    ACTION_EXTRACT_IMPORT,
    ACTION_BONUS_EXPORT,
    ACTION_LOCAL_MATCHING,
    ACTION_STATISTICS,
    ACTION_COMPLAINT_FILE,
    ACTION_COMPLAINT_ANSWER,
    ACTION_REFUSAL_CASE_OPEN,
    ACTION_REFUSAL_CASE_ANSWER,
    ACTION_DOWNTIME,
    ACTION_FEEDBACK,
    ACTION_AUDIT_LOG,
    ACTION_DRAFT_CHECK,
    ACTION_USE_FORECAST,
    ACTION_PAYOUT_PLACE,
    ACTION_READING_PRICE,
    ACTION_SAME_HAND_FLAG,
    ACTION_PUBLIC_EVIDENCE,
    ACTION_COUNT
};

enum right {
    RIGHT_NONE = 0,
    RIGHT_DECIDES,
    RIGHT_PREPARES,  /* for the one who decides */
    RIGHT_ADVISES,   /* a written opinion, binding nobody */
    RIGHT_OWNS,      /* acts on own records */
    RIGHT_ASSIGNED,  /* what was assigned */
    RIGHT_READS,     /* in its scope */
    RIGHT_AUTOMATIC, /* happens by itself */
    RIGHT_COUNT
};

enum limit {
    LIMIT_NONE = 0,
    LIMIT_AFTER,
    LIMIT_AGGREGATES,
    LIMIT_ANSWERS,
    LIMIT_ASSIGNED,
    LIMIT_AVERAGES,
    LIMIT_FILES,
    LIMIT_HITS_IN_OWN_CITY,
    LIMIT_IF_SUPPLIER_FILLS_IN,
    LIMIT_INVITED_OR_AT_CONFIRMATION,
    LIMIT_LIST_COLUMN,
    LIMIT_MASKED,
    LIMIT_MAY_EXTEND_BY_NOTICE,
    LIMIT_NAMED_STAFF,
    LIMIT_OPEN_DAYS,
    LIMIT_OWN,
    LIMIT_OWN_ACTIVE_DAYS,
    LIMIT_OWN_CITY,
    LIMIT_OWN_COUNTY,
    LIMIT_OWN_CUSTOMERS,
    LIMIT_OWN_DECISIONS,
    LIMIT_OWN_OPERATOR,
    LIMIT_OWN_RESULT,
    LIMIT_OWN_TABLE,
    LIMIT_OWN_VOUCHERS,
    LIMIT_PASSED_ON,
    LIMIT_PROBE_GETS_OWN_CUSTOMERS,
    LIMIT_PROPOSES,
    LIMIT_PUBLISHED,
    LIMIT_RECORDS_ARRIVAL,
    LIMIT_RESULT,
    LIMIT_STRENGTH_AND_LABEL,
    LIMIT_SUPPLIERS_FROM_OUTSIDE,
    LIMIT_TITLE,
    LIMIT_TWO_PERSONS,
    LIMIT_VIA_CITY,
    LIMIT_WITHOUT_NAMES,
    LIMIT_COUNT
};

/* Any right at all. */
bool permission_is_given(enum account_role role, enum action action);
/* A right to act in it, by oneself: to decide, or with what one owns. */
bool permission_may_act(enum account_role role, enum action action);
/* Whether a right of the role in the action has this limit. */
bool permission_has_limit(enum account_role role, enum action action,
                          enum limit limit);
/* The matrix as tests/data/policy/matrix.tsv has it. */
void permission_print(struct buffer *out);

#endif
