/*
 * What strangers may ask for: an account of their own (ENT-01), and a link when
 * they have forgotten their password.
 *
 * Neither answer tells who has an account here. Whoever signs up with an address
 * that is known gets no second account: its owner is told by mail. The name of a
 * new account is made by us and stands in the mail; one logs in with it, or with
 * the address. Signing up reserves nothing but an empty party (applicant), so
 * nobody can block a firm by typing its code (ENT-06), and it is forgotten after
 * LINK_HOURS when nobody has opened the link.
 *
 * A network may ask SIGN_UP_OF_NETWORK times an hour, all together
 * SIGN_UP_OF_ALL times.
 */
#ifndef PORTAL_ACCESS_SIGN_UP_H
#define PORTAL_ACCESS_SIGN_UP_H

#include "portal/access/account_life.h"

enum { SIGN_UP_OF_NETWORK = 10, SIGN_UP_OF_ALL = 500 };

struct sign_up {
    const char *network; /* as login_try has it */
    const char *display_name;
    struct mail_address mail;
    struct mobile_number mobile;
    enum account_role role; /* ROLE_ENT or ROLE_SUPP */
    const struct portal_keys *keys;
    const char *public_url;
    enum language language;
    bool is_too_often; /* out: of a refusal */
};

/* Both act_fn with a struct sign_up; the second looks at network and mail alone,
 * and sends a link for each account that the address is of. */
enum act_end sign_up_account(struct db *db, struct wall_time now, void *sign_up,
                             struct error_text *error);
enum act_end sign_up_forgotten(struct db *db, struct wall_time now,
                               void *sign_up, struct error_text *error);

/* The account with this address, if there is exactly one that is not disabled;
 * for who logs in with it. */
bool account_name_of_mail(struct db *db, const char *mail,
                          char name[static ACCOUNT_NAME_LEN]);

#endif
