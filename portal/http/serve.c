#include "portal/http/serve.h"

_Static_assert(PORTAL_WORKERS >= PORTAL_THREADS + HTTP_PAGE_THREADS +
                                     HTTP_SEARCH_THREADS + HTTP_ACT_THREADS +
                                     HTTP_LOGIN_THREADS + HTTP_EXPORT_THREADS +
                                     HTTP_UPLOAD_THREADS,
               "a worker for each thread");

struct http_plan serve_plan(void *context, const struct http_request *request)
{
    const struct serve *serve = context;
    return route_plan(serve->site, serve->portal, wall_now(), request);
}

void serve_handle(void *context, const struct http_request *request,
                  struct http_response *response)
{
    const struct serve *serve = context;
    struct portal_worker *worker = portal_take_worker(serve->portal);
    route_dispatch(serve->site, serve->pages, serve->portal, worker, wall_now(),
                   request, response);
    portal_return_worker(serve->portal, worker);
}
