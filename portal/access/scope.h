/*
 * What of the registry somebody may see: a kind and one id.
 *
 * It is closed: SCOPE_NONE is 0 and sees nothing, a role that scope_of() does
 * not name has it, and so has an account whose organisation is missing. A query
 * names the kinds that it serves; a kind that it does not name has no rows:
 *
 *   AND CASE :scope WHEN 'all' THEN 1
 *                   WHEN 'city' THEN e.city_code = :scope_id
 *                   WHEN 'supplier' THEN a.supplier_id = :scope_id
 *                   ELSE 0 END
 *
 * with scope_bind(). A query that wants an index for each kind asks `kind`
 * itself, and has no text for those that it does not serve.
 */
#ifndef PORTAL_ACCESS_SCOPE_H
#define PORTAL_ACCESS_SCOPE_H

#include "common/db.h"
#include "portal/access/account.h"

enum scope_kind {
    SCOPE_NONE = 0,   /* nothing */
    SCOPE_ALL,        /* everything */
    SCOPE_CITY,       /* id: the city's code */
    SCOPE_COUNTY,     /* id: '441500/NAME', as organisation.id */
    SCOPE_SUPPLIER,   /* id: the supplier's id */
    SCOPE_ENTERPRISE, /* id: the enterprise's id */
    SCOPE_ASSIGNED,   /* id: the account; what was assigned to it */
    SCOPE_SUMS,       /* sums over all, no single record */
    SCOPE_PILOT,      /* pilot applications that were handed in */
    SCOPE_PUBLISHED,  /* what stands on public pages */
    SCOPE_COUNT
};

struct scope {
    enum scope_kind kind;
    const char *id; /* "" where the kind has none; never NULL from scope_of */
};

/* Borrows the account's texts. An account that is not active, has ended or has
 * not begun sees nothing. */
struct scope scope_of(const struct account *account, struct wall_time now);

/* "none", "all", "city", "county", "supplier", "enterprise", "assigned",
 * "sums", "pilot", "published". */
const char *scope_kind_text(enum scope_kind kind);
/* Binds :scope and :scope_id. */
void scope_bind(struct db_statement *s, const struct scope *scope);

#endif
