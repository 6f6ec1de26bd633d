/*
 * The way back when a firm's only agent is gone (ENT-06, F32).
 *
 * The new agent signs up like anybody (sign_up.h) and asks with the licence, a
 * letter with the firm's seal, and a mobile that a code was sent to. Two officers
 * of the firm's city confirm, one after the other. With the second confirmation,
 * in its transaction, the account becomes one of the firm: all that is the
 * firm's (drafts, tasks, files, running clocks) is before it as it was. The
 * accounts that were there are closed: sessions, passwords, links, second factors
 * and unused enrolment codes are dead, unread messages are the new agent's,
 * their entries keep their name; mail and mobile are told a last time, and
 * forgotten.
 */
#ifndef PORTAL_RECORD_RECOVERY_MACHINE_H
#define PORTAL_RECORD_RECOVERY_MACHINE_H

#include "portal/form/edition.h"
#include "portal/workflow/machine.h"

extern const struct machine RECOVERY_MACHINE;
extern const struct form RECOVERY_FORM, RECOVERY_CONFIRM_FORM,
    RECOVERY_REFUSE_FORM;

/* The newest of somebody who asks; false: none. */
bool recovery_of_party(struct db *db, const char *party, struct item *item);
/* Its files as they are now stand in the answers. */
bool recovery_bind_files(struct db *db, const struct item *item,
                         struct answers *answers);

#endif
