/*
 * Whether a mobile is in the hand of who says so: a code of six digits goes to it
 * and has to come back, within CHECK_MINUTES and CHECK_TRIES.
 */
#ifndef PORTAL_ACCESS_MOBILE_CHECK_H
#define PORTAL_ACCESS_MOBILE_CHECK_H

#include "common/clock.h"
#include "common/db.h"
#include "common/text.h"
#include "portal/store/mail_address.h"
#include "portal/store/portal_keys.h"

enum { CHECK_MINUTES = 30, CHECK_TRIES = 5, CHECK_AGAIN_S = 60 };

/* Inside a transaction: a new code in place of the one before, sent by short
 * message. Within CHECK_AGAIN_S of the last nothing is sent, and true. */
bool mobile_check_send(struct db *db, struct wall_time now,
                       const struct portal_keys *keys, const char *account,
                       const struct mobile_number *mobile,
                       enum language language);
/* Inside a transaction, which counts the try: whether it is the code that was
 * sent to this mobile. 1, 0, or -1 when the database failed. */
int mobile_check_code(struct db *db, struct wall_time now,
                      const struct portal_keys *keys, const char *account,
                      const struct mobile_number *mobile, const char *code);
/* Whether it came back for this mobile. */
bool mobile_check_is_done(struct db *db, const char *account,
                          const char *mobile);

#endif
