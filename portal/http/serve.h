/* From the HTTP server's threads to the routes of a site. */
#ifndef PORTAL_HTTP_SERVE_H
#define PORTAL_HTTP_SERVE_H

#include "portal/http/http_server.h"
#include "portal/http/route.h"

struct serve {
    struct portal *portal;
    const struct site *site;
    const struct template_set *pages; /* what its handlers show */
};

/* The planner and the handler for http_server_start; the context is a struct
 * serve. */
struct http_plan serve_plan(void *context, const struct http_request *request);
void serve_handle(void *context, const struct http_request *request,
                  struct http_response *response);

#endif
