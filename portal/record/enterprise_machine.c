#include "portal/record/enterprise_machine.h"

static const struct machine_state STATES[] = {
    {"DRAFT", HOLDER_PARTY},
    {"PENDING_CITY", HOLDER_CITY},
    {"RETURNED", HOLDER_PARTY},
    {"ACTIVE", HOLDER_NONE},
    {"REJECTED", HOLDER_NONE, .is_final = true},
};

#define FILES                                                                  \
    .actors = ROLE_BIT(ROLE_ENT), .action = ACTION_ENTERPRISE_FILE,            \
    .tells = ROLE_BIT(ROLE_ENT) | ROLE_BIT(ROLE_CITY)
#define REVIEWS                                                                \
    .actors = ROLE_BIT(ROLE_CITY), .action = ACTION_ENTERPRISE_REVIEW,         \
    .tells = ROLE_BIT(ROLE_ENT)

static const struct transition TRANSITIONS[] = {
    {"DRAFT", "submit", FILES, .to = "PENDING_CITY", .submits = true,
     .due = DUE_REGISTRATION_REVIEW,
     .subject = TEXT_KEY("notice.registration.submit.subject"),
     .body = TEXT_KEY("notice.registration.submit.body"),
     .requirement = "ENT-01 ENT-03"},
    {"PENDING_CITY", "approve", REVIEWS, .to = "ACTIVE",
     .subject = TEXT_KEY("notice.registration.approve.subject"),
     .body = TEXT_KEY("notice.registration.approve.body"),
     .requirement = "ENT-02"},
    {"PENDING_CITY", "return", REVIEWS, .to = "RETURNED", .due = DUE_CORRECTION,
     .subject = TEXT_KEY("notice.registration.return.subject"),
     .body = TEXT_KEY("notice.registration.return.body"),
     .requirement = "ENT-04 REV-01"},
    {"PENDING_CITY", "reject", REVIEWS, .to = "REJECTED",
     .subject = TEXT_KEY("notice.registration.reject.subject"),
     .body = TEXT_KEY("notice.registration.reject.body"),
     .requirement = "ENT-03 REV-02"},
    {"RETURNED", "resubmit", FILES, .to = "PENDING_CITY",
     .due = DUE_REGISTRATION_REVIEW,
     .subject = TEXT_KEY("notice.registration.resubmit.subject"),
     .body = TEXT_KEY("notice.registration.resubmit.body"),
     .requirement = "REV-05 REV-07"},
    {"ACTIVE", "change_key_data", FILES, .to = "PENDING_CITY",
     .due = DUE_REGISTRATION_REVIEW,
     .subject = TEXT_KEY("notice.registration.change.subject"),
     .body = TEXT_KEY("notice.registration.change.body"),
     .requirement = "ENT-07"},
};

const struct machine ENTERPRISE_MACHINE = {
    .name = "enterprise_registration",
    .title = TEXT_KEY("enterprise_registration.name"),
    .number_prefix = "R",
    .party_kind = SCOPE_ENTERPRISE,
    .state_words = "enterprise_registration.state.",
    .event_words = "enterprise_registration.event.",
    .consequence = TEXT_KEY("notice.registration.consequence"),
    .states = STATES,
    .state_count = sizeof(STATES) / sizeof(STATES[0]),
    .transitions = TRANSITIONS,
    .transition_count = sizeof(TRANSITIONS) / sizeof(TRANSITIONS[0]),
    .page = "/registration/",
};
