#include "portal/pages/site.h"

#include "portal/record/event_list.h"
#include "portal/record/event_pages.h"
#include "portal/record/login_pages.h"
#include "portal/record/probe_list.h"
#include "portal/record/start_pages.h"
#include "portal/record/supplier_api.h"
#include "portal/record/supplier_counts.h"
#include "portal/record/table_list.h"
#include "portal/record/table_pages.h"
#include "portal/record/voucher_list.h"
#include "portal/record/voucher_page.h"

static const unsigned PERSONS = ~(1u << ROLE_NONE);
static const unsigned VOUCHER_ROLES = 1u << ROLE_PROV | 1u << ROLE_CITY |
                                      1u << ROLE_SUPP | 1u << ROLE_ENT |
                                      1u << ROLE_AUDT;
static const unsigned PROBE_ROLES =
    1u << ROLE_PROV | 1u << ROLE_CITY | 1u << ROLE_ENT | 1u << ROLE_AUDT;
static const unsigned TABLE_ROLES =
    1u << ROLE_PROV | 1u << ROLE_CITY | 1u << ROLE_AUDT;
static const unsigned EVENT_ROLES = 1u << ROLE_PROV | 1u << ROLE_AUDT;

static const struct route ROUTES[] = {
    {HTTP_GET, "/", start_show},
    {HTTP_GET, "/style.css", start_style},
    {HTTP_GET, "/icon.svg", start_icon},
    {HTTP_GET, "/login", login_show},
    {HTTP_POST, "/login", login_post, .needs_token = true, .lane = HTTP_LOGINS},
    {HTTP_POST, "/logout", logout_post, PERSONS, .needs_token = true},
    {HTTP_GET, "/vouchers", .list = &VOUCHER_LIST, .roles = VOUCHER_ROLES,
     .has_json = true},
    {HTTP_GET, "/vouchers.csv", .list = &VOUCHER_LIST, .roles = VOUCHER_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/vouchers.xlsx", .list = &VOUCHER_LIST, .roles = VOUCHER_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/vouchers/*", voucher_page_show, VOUCHER_ROLES,
     .has_json = true},
    {HTTP_GET, "/probes", .list = &PROBE_LIST, .roles = PROBE_ROLES,
     .has_json = true},
    {HTTP_GET, "/probes.csv", .list = &PROBE_LIST, .roles = PROBE_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/probes.xlsx", .list = &PROBE_LIST, .roles = PROBE_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/tables", .list = &TABLE_LIST, .roles = TABLE_ROLES,
     .has_json = true},
    {HTTP_GET, "/tables.csv", .list = &TABLE_LIST, .roles = TABLE_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/tables.xlsx", .list = &TABLE_LIST, .roles = TABLE_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/tables/*/*", table_show, TABLE_ROLES, .has_json = true},
    {HTTP_GET, "/tables/*/*/table.csv", table_download, TABLE_ROLES},
    {HTTP_GET, "/events", event_list_show, EVENT_ROLES, .has_json = true},
    {HTTP_GET, "/events.csv", .list = &EVENT_LIST, .roles = EVENT_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/events.xlsx", .list = &EVENT_LIST, .roles = EVENT_ROLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/log", event_log_show, EVENT_ROLES, .has_json = true},
    {HTTP_POST, "/supplier/counts", supplier_counts_post, .has_json = true,
     .body_limit = COUNTS_BODY_MAX, .is_for_programs = true},
    {HTTP_GET, "/supplier/counts", supplier_counts_show, .has_json = true,
     .is_for_programs = true},
};

const struct site SITE = {ROUTES, sizeof(ROUTES) / sizeof(ROUTES[0])};
