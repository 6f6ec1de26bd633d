/*
 * From an address to its handler.
 *
 * One table: method, path with '*' for a segment, handler, whose by the matrix, whether
 * a form token is needed, whether the same address below /api/v1 answers JSON.
 * Whatever stands against a visit has its own refusal (portal/show/refused.h): an
 * address that is not there, or there for another method, a role that may not
 * (403, with a DENIED row in the audit log), a form that has expired. Without a
 * login, pages that need one lead to /login and back.
 */
#ifndef PORTAL_HTTP_ROUTE_H
#define PORTAL_HTTP_ROUTE_H

#include "common/clock.h"
#include "portal/access/permission.h"
#include "portal/http/http_server.h"
#include "portal/store/portal.h"

struct list;
struct template_set;
struct visit;

enum menu {
    MENU_NONE,
    MENU_WORK,
    MENU_MESSAGES,
    MENU_VOUCHERS,
    MENU_TABLES,
    MENU_PROBES,
    MENU_EVENTS,
    MENU_REGISTRATION,
    MENU_REGISTRATIONS,
    MENU_ACCOUNTS,
    MENU_COLLEAGUES,
};

struct route {
    enum http_method method;
    const char *pattern;
    void (*handler)(struct visit *visit);
    enum action
        action; /* for whom the matrix gives a right in it, but not those
                           whose right has the limit `but` */
    enum limit but;
    enum menu menu;        /* which entry is lit */
    bool needs_login;      /* without an action of its own */
    bool is_before_factor; /* open to who must set up a second factor first */
    bool needs_token;
    bool has_json;
    const struct list *list; /* answered by list_page_answer() when there is no
                                handler; a handler may show it too */
    enum http_lane lane;
    size_t body_limit;   /* of a POST; 0: HTTP_BODY_MAX, or what files need */
    unsigned files;      /* how many its form may bring; needs a login */
    unsigned file_types; /* store/attachment_type.h; 0: ATTACHMENT_READABLE */
    /* Below /api/v1 alone, by a session: its POST is application/json, which no
     * page elsewhere can send, so that it needs no token. */
    bool is_json_alone;
    bool is_for_programs; /* JSON alone, no form, no cookie: it authorises by
                             itself */
};

/* All that a visitor can reach. */
struct site {
    const struct route *routes;
    size_t count;
};

/* Whether an account may go there; a page for everybody it may. */
bool route_is_open(const struct route *route, const struct account *account);
/* The first route with that entry, by which the menu asks; NULL: none. */
const struct route *route_of_menu(const struct site *site, enum menu menu);
/* What a request may cost, by its route; where files come, also by who asks. */
struct http_plan route_plan(const struct site *site, struct portal *portal,
                            struct wall_time now,
                            const struct http_request *request);
void route_dispatch(const struct site *site, const struct template_set *pages,
                    struct portal *portal, struct portal_worker *worker,
                    struct wall_time now, const struct http_request *request,
                    struct http_response *response);

#endif
