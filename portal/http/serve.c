#include "portal/http/serve.h"

void serve_handle(void *context, const struct http_request *request,
                  struct http_response *response)
{
    const struct serve *serve = context;
    struct portal_worker *worker = portal_take_worker(serve->portal);
    route_dispatch(serve->site, serve->portal, worker, wall_now(), request,
                   response);
    portal_return_worker(serve->portal, worker);
}
