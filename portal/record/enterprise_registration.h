/*
 * The registration of an enterprise (ENT-01 to ENT-07): what is known of it, and
 * how its draft is written. What may happen with it: enterprise_machine.h.
 *
 * What the enterprise answers is a form (enterprise_form.h), kept as editions.
 * A submission reserves the credit code: the row of `enterprise` is there from
 * then on, and is brought up to what was approved by each approval. After it, a
 * change of data is a new edition under review; until that is decided the row
 * says what it said.
 */
#ifndef PORTAL_RECORD_ENTERPRISE_REGISTRATION_H
#define PORTAL_RECORD_ENTERPRISE_REGISTRATION_H

#include "portal/form/edition.h"
#include "portal/form/point.h"
#include "portal/record/enterprise_form.h"
#include "portal/workflow/machine.h"

/* Of its files in the store of attachments. */
enum { REGISTRATION_OWNER_LEN = 24 };
const char *registration_owner(const struct item *item,
                               char owner[static REGISTRATION_OWNER_LEN]);

/* The newest registration of a party; false: there is none. */
bool registration_of_party(struct db *db, const char *party, struct item *item);
/* Whether its party may write on it: before a submission, after a return, and
 * after the approval. */
bool registration_is_open(const struct item *item);
/* The event that hands it in now: "submit", "resubmit",
 * "change_key_data"; NULL: none. */
const char *registration_submit_event(const struct item *item);
/* The edition that the last return was about, and those after the approval before
 * it; 0: it was not returned in this review. */
int64_t registration_returned_edition(struct db *db, int64_t item);
/* The edition that was approved last; 0: none. */
int64_t registration_approved_edition(struct db *db, int64_t item);

bool registration_was_approved(struct db *db, int64_t item);

/* Whether the registry has the party without a registration: it came by another
 * way and counts as ACTIVE. */
bool registration_is_imported(struct db *db, const char *party);
/* What the registry says of a party, as answers; untouched where it has none. */
bool registration_from_registry(struct db *db, const struct item *item,
                                struct answers *answers);
/* Files belong to one registration: a new one that begins with the answers of a
 * rejected one has none. */
void registration_forget_files(struct answers *answers);

/* What somebody writes on a draft. */
struct registration_save {
    const struct caller *caller;
    const struct form_step *step; /* NULL: all fields */
    struct answers *answers; /* of the whole form: those of the step count */
    const char *mark;        /* of the step as it was seen; NULL: any */
    /* Inside the act, before the draft is written: files brought and taken away;
     * NULL: none. */
    bool (*files)(struct db *db, struct wall_time now, const struct item *item,
                  void *source, struct error_text *error);
    void *source;

    /* Afterwards: */
    struct item item;
    bool is_stale;          /* somebody else saved meanwhile; nothing is kept */
    struct answers stored;  /* what they saved */
    struct edition edition; /* by whom and when */
    struct refusal refusal; /* of ACT_REFUSED */
};
/* The act_fn that saves, its context; opens the registration where there is
 * none. */
enum act_end registration_save(struct db *db, struct wall_time now, void *save,
                               struct error_text *error);

/* Interest that reviewers have declared (ORG-13). */
bool registration_declare_interest(struct db *db, struct wall_time now,
                                   const char *account, const char *party);

/* Why somebody may not decide on a party's records (ORG-13). */
enum conflict {
    CONFLICT_NONE,
    CONFLICT_DECLARED, /* also when the database does not tell */
    CONFLICT_CONTACT,  /* one mobile or mail with its contact person, or with
                          somebody who acts for it */
    CONFLICT_COUNT
};
enum conflict registration_conflict(struct db *db, const char *account,
                                    const char *party);

#endif
