/* What a request may cost, by its route: who answers it. */
#include "portal/http/route.h"

#include "portal/list/list.h"
#include "tests/test.h"

static const struct list_filter FILTERS[] = {
    {"text", LIST_SEARCH, "", "1"},
    {"city", LIST_CHOICES, "", "1"},
};
static const struct list LIST = {
    .name = "things", .filters = FILTERS, .filter_count = 2};
static const struct route ROUTES[] = {
    {HTTP_GET, "/things", .list = &LIST, .has_json = true},
    {HTTP_GET, "/things.csv", .list = &LIST, .lane = HTTP_EXPORTS},
    {HTTP_POST, "/login", .lane = HTTP_LOGINS},
    {HTTP_GET, "/"},
    {HTTP_POST, "/logout"},
};
static const struct site SITE = {.routes = ROUTES,
                                 .count = sizeof(ROUTES) / sizeof(ROUTES[0])};

static const struct {
    const char *name;
    enum http_method method;
    const char *path, *query;
    enum http_lane wanted;
} CASES[] = {
    {"a list", HTTP_GET, "/things", "", HTTP_PAGES},
    {"a filter", HTTP_GET, "/things", "city=1&text=&totals=", HTTP_PAGES},
    {"a search", HTTP_GET, "/things", "city=1&text=a", HTTP_SEARCHES},
    {"its HEAD", HTTP_HEAD, "/things", "text=a", HTTP_SEARCHES},
    {"a search in JSON", HTTP_GET, "/api/v1/things", "text=a", HTTP_SEARCHES},
    {"totals", HTTP_GET, "/things", "totals=1", HTTP_SEARCHES},
    {"an export of a search", HTTP_GET, "/things.csv", "text=a", HTTP_EXPORTS},
    {"a log-in", HTTP_POST, "/login", "", HTTP_LOGINS},
    {"an act", HTTP_POST, "/logout", "", HTTP_ACTS},
    {"a log-in by the wrong method", HTTP_GET, "/login", "", HTTP_AT_ONCE},
    {"a page", HTTP_GET, "/", "text=a", HTTP_PAGES},
    {"nothing", HTTP_GET, "/nope", "text=a", HTTP_AT_ONCE},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct http_request request = {
            .method = CASES[i].method,
            .path = slice_of_text(CASES[i].path),
            .query = slice_of_text(CASES[i].query),
        };
        test_case(CASES[i].name);
        CHECK_I64(route_plan(&SITE, NULL, wall_from_s(0), &request).lane,
                  CASES[i].wanted);
    }
    return test_end();
}
