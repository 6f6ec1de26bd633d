/*
 * From an address to its handler.
 *
 * One table: method, path with '*' for a segment, handler, which roles, whether
 * a form token is needed, whether the same address below /api/v1 answers JSON.
 * An address that is not there is 404, one that is there for another method
 * 405. Without a login, pages that need one lead to /login and back; a role
 * that may not is 403 and leaves a DENIED row in the audit log.
 */
#ifndef PORTAL_HTTP_ROUTE_H
#define PORTAL_HTTP_ROUTE_H

#include "common/clock.h"
#include "portal/http/http_server.h"
#include "portal/store/portal.h"

struct list;
struct visit;

struct route {
    enum http_method method;
    const char *pattern;
    void (*handler)(struct visit *visit);
    unsigned roles; /* 1 << ROLE_...; 0: everybody, also without a login */
    bool needs_token;
    bool has_json;
    const struct list *list; /* in place of a handler */
    enum http_lane lane;
    size_t body_limit;    /* of a POST; 0: HTTP_BODY_MAX */
    bool is_for_programs; /* JSON alone, no form, no cookie: it authorises by
                             itself */
};

/* All that a visitor can reach. */
struct site {
    const struct route *routes;
    size_t count;
};

/* What a request may cost, by its route. */
struct http_plan route_plan(const struct site *site,
                            const struct http_request *request);
void route_dispatch(const struct site *site, struct portal *portal,
                    struct portal_worker *worker, struct wall_time now,
                    const struct http_request *request,
                    struct http_response *response);

#endif
