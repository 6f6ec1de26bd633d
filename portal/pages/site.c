#include "portal/pages/site.h"

#include "portal/record/account_list.h"
#include "portal/record/account_pages.h"
#include "portal/record/attachment_pages.h"
#include "portal/record/entry_pages.h"
#include "portal/record/event_list.h"
#include "portal/record/event_pages.h"
#include "portal/record/login_code_pages.h"
#include "portal/record/login_pages.h"
#include "portal/record/message_pages.h"
#include "portal/record/own_account_pages.h"
#include "portal/record/probe_list.h"
#include "portal/record/recovery_pages.h"
#include "portal/record/registration_api.h"
#include "portal/record/registration_list.h"
#include "portal/record/registration_pages.h"
#include "portal/record/registration_review.h"
#include "portal/record/start_pages.h"
#include "portal/record/supplier_api.h"
#include "portal/record/supplier_counts.h"
#include "portal/record/table_list.h"
#include "portal/record/table_pages.h"
#include "portal/record/voucher_list.h"
#include "portal/record/voucher_page.h"
#include "portal/record/work_pages.h"
#include "portal/show/template.h"

/* What a row of the site asks of the matrix. Whoever sees results sees vouchers;
 * tables are of cities, so not for those who see their own result alone. A probe
 * is part of the user's side, which suppliers see masked only. Events are the
 * log of the whole platform. */
#define SEES_VOUCHERS .action = ACTION_VERIFICATION_RUN, .menu = MENU_VOUCHERS
#define SEES_TABLES                                                            \
    .action = ACTION_VERIFICATION_RUN, .but = LIMIT_OWN_RESULT,                \
    .menu = MENU_TABLES
#define SEES_PROBES                                                            \
    .action = ACTION_IDENTIFIER_RECORD, .but = LIMIT_PROBE_GETS_OWN_CUSTOMERS, \
    .menu = MENU_PROBES
#define SEES_EVENTS                                                            \
    .action = ACTION_AUDIT_LOG, .but = LIMIT_OWN_CITY, .menu = MENU_EVENTS

#define FILES_REGISTRATION                                                     \
    .action = ACTION_ENTERPRISE_FILE, .menu = MENU_REGISTRATION
#define SEES_REGISTRATIONS                                                     \
    .action = ACTION_ENTERPRISE_REVIEW, .menu = MENU_REGISTRATIONS
/* The machine says who decides; a county's opinion and an operator's preparing
 * come with records of their own. */
#define DECIDES_REGISTRATION SEES_REGISTRATIONS, .needs_token = true
/* Accounts of bureaux by the matrix; its own people sees who could ask for a new
 * agent. Everybody has an account of his own, and sets up its second factor
 * before anything else is open. */
#define SEES_ACCOUNTS .action = ACTION_BUREAU_ACCOUNT, .menu = MENU_ACCOUNTS
#define SEES_COLLEAGUES                                                        \
    .action = ACTION_ACCOUNT_RECOVERY_ASK, .menu = MENU_COLLEAGUES
#define ASKS_RECOVERY   .action = ACTION_ACCOUNT_RECOVERY_ASK
#define SEES_RECOVERIES .action = ACTION_ACCOUNT_RECOVERY_CONFIRM
#define OWN_ACCOUNT     .needs_login = true, .is_before_factor = true
#define OWN_ACCOUNT_ACT OWN_ACCOUNT, .needs_token = true

static const struct route ROUTES[] = {
    {HTTP_GET, "/", start_show, .menu = MENU_WORK},
    {HTTP_GET, "/style.css", start_style},
    {HTTP_GET, "/icon.svg", start_icon},
    {HTTP_GET, "/login", login_show},
    {HTTP_POST, "/login", login_post, .lane = HTTP_LOGINS},
    {HTTP_GET, "/login/code", login_code_show},
    {HTTP_POST, "/login/code", login_code_post, .needs_token = true,
     .lane = HTTP_LOGINS},
    {HTTP_POST, "/logout", logout_post, .needs_login = true,
     .needs_token = true, .is_before_factor = true},
    {HTTP_GET, "/register", register_show},
    {HTTP_POST, "/register", register_post, .needs_token = true},
    {HTTP_GET, "/forgotten", forgotten_show},
    {HTTP_POST, "/forgotten", forgotten_post, .needs_token = true},
    {HTTP_GET, "/activate/*", activate_show},
    {HTTP_POST, "/activate/*", activate_post, .needs_token = true,
     .lane = HTTP_LOGINS},
    {HTTP_GET, "/account", own_account_show, OWN_ACCOUNT},
    {HTTP_POST, "/account/password", own_password_post, OWN_ACCOUNT_ACT,
     .lane = HTTP_LOGINS},
    {HTTP_POST, "/account/sessions/end", own_session_end, OWN_ACCOUNT_ACT},
    {HTTP_GET, "/account/second-factor", own_factor_show, OWN_ACCOUNT},
    {HTTP_POST, "/account/second-factor", own_factor_begin, OWN_ACCOUNT_ACT},
    {HTTP_POST, "/account/second-factor/confirm", own_factor_confirm,
     OWN_ACCOUNT_ACT},
    {HTTP_POST, "/account/second-factor/end", own_factor_end, OWN_ACCOUNT_ACT},
    {HTTP_GET, "/accounts", accounts_show, SEES_ACCOUNTS, .list = &ACCOUNT_LIST,
     .has_json = true},
    {HTTP_GET, "/accounts.csv", .list = &ACCOUNT_LIST, SEES_ACCOUNTS,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/accounts.xlsx", .list = &ACCOUNT_LIST, SEES_ACCOUNTS,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/colleagues", colleagues_show, SEES_COLLEAGUES,
     .list = &COLLEAGUE_LIST, .has_json = true},
    {HTTP_GET, "/colleagues.csv", .list = &COLLEAGUE_LIST, SEES_COLLEAGUES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/colleagues.xlsx", .list = &COLLEAGUE_LIST, SEES_COLLEAGUES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/accounts/new", account_new_show, .needs_login = true},
    {HTTP_POST, "/accounts/new", account_new_post, .needs_login = true,
     .needs_token = true},
    {HTTP_GET, "/accounts/*", account_show, .needs_login = true},
    {HTTP_POST, "/accounts/*/*", account_act_post, .needs_login = true,
     .needs_token = true},
    {HTTP_GET, "/registration", registration_api_show, FILES_REGISTRATION,
     .has_json = true, .is_json_alone = true},
    {HTTP_POST, "/registration", registration_api_save, FILES_REGISTRATION,
     .has_json = true, .is_json_alone = true, .body_limit = 256 * 1024},
    {HTTP_POST, "/registration/submit", registration_api_submit,
     FILES_REGISTRATION, .has_json = true, .is_json_alone = true},
    {HTTP_GET, "/registrations/*", registration_api_show_named,
     .needs_login = true, .has_json = true, .is_json_alone = true},
    {HTTP_POST, "/registrations/*/*", registration_api_decide,
     SEES_REGISTRATIONS, .has_json = true, .is_json_alone = true,
     .body_limit = 256 * 1024},
    {HTTP_GET, "/registration", registration_show, FILES_REGISTRATION},
    {HTTP_GET, "/registration/check", registration_check_show,
     FILES_REGISTRATION},
    {HTTP_GET, "/registration/receipt", registration_receipt_show,
     FILES_REGISTRATION},
    {HTTP_POST, "/registration/submit", registration_submit_post,
     FILES_REGISTRATION, .needs_token = true},
    {HTTP_GET, "/registration/*", registration_step_show, FILES_REGISTRATION},
    {HTTP_POST, "/registration/*", registration_step_post, FILES_REGISTRATION,
     .needs_token = true, .has_json = true, .files = REGISTRATION_FILES_MAX},
    {HTTP_GET, "/registrations", .list = &REGISTRATION_LIST, SEES_REGISTRATIONS,
     .has_json = true},
    {HTTP_GET, "/registrations.csv", .list = &REGISTRATION_LIST,
     SEES_REGISTRATIONS, .lane = HTTP_EXPORTS},
    {HTTP_GET, "/registrations.xlsx", .list = &REGISTRATION_LIST,
     SEES_REGISTRATIONS, .lane = HTTP_EXPORTS},
    {HTTP_GET, "/registrations/*", registration_review_show,
     .needs_login = true, .menu = MENU_REGISTRATIONS},
    {HTTP_GET, "/registrations/*/editions/*", registration_edition_show,
     SEES_REGISTRATIONS},
    {HTTP_GET, "/registrations/*/notices/*", registration_notice_show,
     .needs_login = true},
    {HTTP_POST, "/registrations/*/return-rows", registration_rows_post,
     DECIDES_REGISTRATION},
    {HTTP_POST, "/registrations/*/interest", registration_interest_post,
     DECIDES_REGISTRATION},
    {HTTP_POST, "/registrations/*/*", registration_decide_post,
     DECIDES_REGISTRATION},
    {HTTP_GET, "/work", work_list_show, .needs_login = true, .has_json = true},
    {HTTP_GET, "/messages", message_list_show, .needs_login = true,
     .menu = MENU_MESSAGES, .has_json = true},
    {HTTP_POST, "/messages/read", message_read_post, .needs_login = true,
     .needs_token = true},
    {HTTP_GET, "/messages/undelivered", message_lost_show, .needs_login = true,
     .menu = MENU_MESSAGES},
    {HTTP_POST, "/messages/undelivered", message_lost_post, .needs_login = true,
     .needs_token = true},
    {HTTP_GET, "/recovery", recovery_show, ASKS_RECOVERY},
    {HTTP_POST, "/recovery", recovery_save_post, ASKS_RECOVERY,
     .needs_token = true, .files = RECOVERY_FILES_MAX},
    {HTTP_POST, "/recovery/submit", recovery_submit_post, ASKS_RECOVERY,
     .needs_token = true},
    {HTTP_GET, "/recoveries", .list = &RECOVERY_LIST, SEES_RECOVERIES,
     .has_json = true},
    {HTTP_GET, "/recoveries.csv", .list = &RECOVERY_LIST, SEES_RECOVERIES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/recoveries.xlsx", .list = &RECOVERY_LIST, SEES_RECOVERIES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/recoveries/*", recovery_review_show, SEES_RECOVERIES},
    {HTTP_POST, "/recoveries/*/*", recovery_decide_post, SEES_RECOVERIES,
     .needs_token = true},
    {HTTP_GET, "/vouchers", .list = &VOUCHER_LIST, SEES_VOUCHERS,
     .has_json = true},
    {HTTP_GET, "/vouchers.csv", .list = &VOUCHER_LIST, SEES_VOUCHERS,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/vouchers.xlsx", .list = &VOUCHER_LIST, SEES_VOUCHERS,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/vouchers/*", voucher_page_show, SEES_VOUCHERS,
     .has_json = true},
    {HTTP_GET, "/probes", .list = &PROBE_LIST, SEES_PROBES, .has_json = true},
    {HTTP_GET, "/probes.csv", .list = &PROBE_LIST, SEES_PROBES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/probes.xlsx", .list = &PROBE_LIST, SEES_PROBES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/tables", .list = &TABLE_LIST, SEES_TABLES, .has_json = true},
    {HTTP_GET, "/tables.csv", .list = &TABLE_LIST, SEES_TABLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/tables.xlsx", .list = &TABLE_LIST, SEES_TABLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/tables/*/*", table_show, SEES_TABLES, .has_json = true},
    {HTTP_GET, "/tables/*/*/table.csv", table_download, SEES_TABLES,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/files/*", attachment_show, .needs_login = true},
    {HTTP_GET, "/events", event_list_show, SEES_EVENTS, .list = &EVENT_LIST,
     .has_json = true},
    {HTTP_GET, "/events.csv", .list = &EVENT_LIST, SEES_EVENTS,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/events.xlsx", .list = &EVENT_LIST, SEES_EVENTS,
     .lane = HTTP_EXPORTS},
    {HTTP_GET, "/log", event_log_show, SEES_EVENTS, .has_json = true},
    {HTTP_POST, "/supplier/counts", supplier_counts_post, .has_json = true,
     .body_limit = COUNTS_BODY_MAX, .is_for_programs = true},
    {HTTP_GET, "/supplier/counts", supplier_counts_show, .has_json = true,
     .is_for_programs = true},
};

const struct site SITE = {ROUTES, sizeof(ROUTES) / sizeof(ROUTES[0])};

/* A row for each .html, made by the build. */
static const struct template_page PAGES[] = {
#include "portal/pages/table.inc"
};

struct template_set *site_pages_new(struct error_text *error)
{
    return template_set_new(PAGES, sizeof(PAGES) / sizeof(PAGES[0]), error);
}
