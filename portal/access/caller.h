/* Who asks: a person with a session, a supplier's program, or a visitor. */
#ifndef PORTAL_ACCESS_CALLER_H
#define PORTAL_ACCESS_CALLER_H

#include <stdbool.h>

#include "common/text.h"
#include "portal/access/account.h"
#include "portal/access/scope.h"
#include "portal/access/session.h"

struct caller {
    bool has_account;       /* else the next two are empty */
    struct session session; /* of a person */
    struct account account;
    struct scope scope; /* borrows the account's texts */
    enum language language;
    bool is_program; /* known by its token, not by a session */
};

#endif
