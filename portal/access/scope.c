#include "portal/access/scope.h"

/* How far each role sees, and whether its organisation is the bound. */
struct scope_row {
    enum scope_kind kind;
    bool needs_organisation;
};

static const struct scope_row SCOPES[ROLE_COUNT] = {
    [ROLE_PROV] = {SCOPE_ALL, false},
    [ROLE_EXP] = {SCOPE_ASSIGNED, false},
    [ROLE_CITY] = {SCOPE_CITY, true},
    [ROLE_COUNTY] = {SCOPE_COUNTY, true},
    [ROLE_SUPP] = {SCOPE_SUPPLIER, true},
    [ROLE_ENT] = {SCOPE_ENTERPRISE, true},
    [ROLE_OPP] = {SCOPE_SUMS, false},
    [ROLE_OPC] = {SCOPE_CITY, true},
    [ROLE_ALLI] = {SCOPE_PILOT, false},
    [ROLE_AUDT] = {SCOPE_ALL, false},
    [ROLE_PUBLIC] = {SCOPE_PUBLISHED, false},
};

static const char *const KINDS[SCOPE_COUNT] = {
    [SCOPE_NONE] = "none",         [SCOPE_ALL] = "all",
    [SCOPE_CITY] = "city",         [SCOPE_COUNTY] = "county",
    [SCOPE_SUPPLIER] = "supplier", [SCOPE_ENTERPRISE] = "enterprise",
    [SCOPE_ASSIGNED] = "assigned", [SCOPE_SUMS] = "sums",
    [SCOPE_PILOT] = "pilot",       [SCOPE_PUBLISHED] = "published",
};

struct scope scope_of(const struct account *account, struct wall_time now)
{
    const struct scope none = {SCOPE_NONE, ""};
    if (account->role >= ROLE_COUNT || account->state != ACCOUNT_ACTIVE ||
        account_has_ended(account, now))
        return none;
    const struct scope_row *row = &SCOPES[account->role];
    if (row->needs_organisation)
        return account->organisation[0] != '\0'
                   ? (struct scope){row->kind, account->organisation}
                   : none;
    return (struct scope){row->kind,
                          row->kind == SCOPE_ASSIGNED ? account->name : ""};
}

const char *scope_kind_text(enum scope_kind kind)
{
    return KINDS[kind < SCOPE_COUNT ? kind : SCOPE_NONE];
}

void scope_bind(struct db_statement *s, const struct scope *scope)
{
    db_bind_text(s, ":scope", scope_kind_text(scope->kind));
    db_bind_text(s, ":scope_id", scope->id != NULL ? scope->id : "");
}
