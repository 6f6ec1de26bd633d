/*
 * What happens to an account, each as an act with its audit row:
 *
 *   invite   a row without a password; its owner gets a link (ORG-07)
 *   choose   by that link, or by one for who has forgotten: a password
 *   reset    nobody gets in any more, until its owner chooses again
 *   disable  nobody gets in; enable: as before
 *   unlock   what wrong passwords hold back is over
 *   hand over to a colleague of the same body: what is open is theirs from then
 *            on, the account is disabled, its entries keep its name, its mail and
 *            mobile are forgotten (PRIV-09)
 *
 * Whatever takes an account from somebody ends its sessions and links in the same
 * transaction.
 *
 *   struct account_act act = {.by = "SYS", .name = "anna", .keys = &keys};
 *   act_on(db, now, NULL, account_disable, &act, &error)
 */
#ifndef PORTAL_ACCESS_ACCOUNT_LIFE_H
#define PORTAL_ACCESS_ACCOUNT_LIFE_H

#include "common/text.h"
#include "portal/access/account.h"
#include "portal/access/account_link.h"
#include "portal/store/act.h"
#include "portal/store/portal_keys.h"

struct account_act {
    const char *by;                /* who does it: an account, or "SYS" */
    const char *name;              /* to which account */
    const struct account *account; /* invite: as it is to be */
    const char *to;                /* hand over: to whom */
    const struct portal_keys *keys;
    const char *public_url;     /* in front of links in mails */
    enum language language;     /* of the mail: which comes first */
    const char *refusal;        /* out: text key, when the act was refused */
    char token[LINK_TOKEN_LEN]; /* out: the link's, of invite and reset */
};

/* Each an act_fn with a struct account_act. */
enum act_end account_invite(struct db *db, struct wall_time now, void *act,
                            struct error_text *error);
enum act_end account_reset(struct db *db, struct wall_time now, void *act,
                           struct error_text *error);
enum act_end account_disable(struct db *db, struct wall_time now, void *act,
                             struct error_text *error);
enum act_end account_enable(struct db *db, struct wall_time now, void *act,
                            struct error_text *error);
enum act_end account_unlock(struct db *db, struct wall_time now, void *act,
                            struct error_text *error);
enum act_end account_hand_over(struct db *db, struct wall_time now, void *act,
                               struct error_text *error);
/* `name` has forgotten: a link to the address that it has, and nothing else. */
enum act_end account_forgotten(struct db *db, struct wall_time now, void *act,
                               struct error_text *error);

/* A new password, hashed before. With `link` it is the one that the link lets
 * choose, and `name` is filled; else the one of `name`. All sessions but
 * `session` end. */
struct password_act {
    const char *link;
    char name[ACCOUNT_NAME_LEN];
    const char *hash;
    const struct digest *session;
};
enum act_end account_choose(struct db *db, struct wall_time now, void *act,
                            struct error_text *error);

#endif
