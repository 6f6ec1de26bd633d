/* See route.h. */
#include "portal/http/route.h"

#include <stdio.h>
#include <string.h>

#include "portal/http/list_page.h"
#include "portal/http/visit.h"

enum { SEGMENTS_MAX = 6, NEXT_MAX = 400 };

struct path {
    const char *segments[SEGMENTS_MAX];
    size_t count;
};

/* "/a/b%20c" to its segments; "/" has none. A trailing slash is a segment of
 * its own, so that every page has one address only. */
static bool split_path(struct slice text, struct arena *arena,
                       struct path *path)
{
    struct slice part;
    *path = (struct path){0};
    if (text.length == 0 || text.data[0] != '/')
        return false;
    text = slice_of_bytes(text.data + 1, text.length - 1);
    if (text.length == 0)
        return true;
    while (slice_next(&text, '/', &part)) {
        const char *segment = form_decode(part, false, arena);
        if (segment == NULL || path->count == SEGMENTS_MAX)
            return false;
        path->segments[path->count++] = segment;
    }
    return true;
}

static bool matches(const char *pattern, const struct path *path, size_t skip,
                    const char *arguments[VISIT_ARGUMENTS_MAX])
{
    struct slice rest = slice_of_text(pattern + 1), part;
    size_t i = skip, found = 0;
    if (rest.length == 0)
        return path->count == skip;
    while (slice_next(&rest, '/', &part)) {
        if (i == path->count)
            return false;
        if (slice_equal_text(part, "*") && path->segments[i][0] != '\0')
            arguments[found++] = path->segments[i];
        else if (!slice_equal_text(part, path->segments[i]))
            return false;
        i++;
    }
    return i == path->count;
}

static bool needs_login(const struct route *route)
{
    return route->needs_login || route->action != ACTION_NONE;
}

bool route_is_open(const struct route *route, const struct account *account)
{
    if (route->action == ACTION_NONE)
        return true;
    return permission_is_given(account->role, route->action) &&
           (route->but == LIMIT_NONE ||
            !permission_has_limit(account->role, route->action, route->but));
}

const struct route *route_of_menu(const struct site *site, enum menu menu)
{
    for (size_t i = 0; i < site->count; i++)
        if (site->routes[i].menu == menu)
            return &site->routes[i];
    return NULL;
}

/* What an address leads to. */
struct target {
    const struct route *route; /* NULL: nothing, or not by this method */
    bool wants_json;
    bool has_get, has_post; /* methods of the address */
    const char *arguments[VISIT_ARGUMENTS_MAX];
};

static bool is_json_address(const struct path *path)
{
    return path->count >= 2 && strcmp(path->segments[0], "api") == 0 &&
           strcmp(path->segments[1], "v1") == 0;
}

static struct target find_target(const struct site *site,
                                 const struct http_request *request,
                                 struct arena *arena)
{
    struct path path;
    struct target target = {0};
    if (!split_path(request->path, arena, &path))
        return target;
    target.wants_json = is_json_address(&path);
    size_t skip = target.wants_json ? 2 : 0;
    for (size_t i = 0; i < site->count; i++) {
        const struct route *route = &site->routes[i];
        const char *found[VISIT_ARGUMENTS_MAX] = {"", "", ""};
        if ((target.wants_json ? !route->has_json : route->is_for_programs) ||
            !matches(route->pattern, &path, skip, found))
            continue;
        target.has_get |= route->method == HTTP_GET;
        target.has_post |= route->method == HTTP_POST;
        if (target.route != NULL ||
            (route->method != request->method &&
             (route->method != HTTP_GET || request->method != HTTP_HEAD)))
            continue;
        target.route = route;
        memcpy(target.arguments, found, sizeof(found));
    }
    return target;
}

struct http_plan route_plan(const struct site *site,
                            const struct http_request *request)
{
    struct http_plan plan = {HTTP_BODY_MAX, HTTP_AT_ONCE};
    struct arena *arena = arena_new(2 * HTTP_ADDRESS_MAX);
    struct target target = {0};
    if (arena != NULL)
        target = find_target(site, request, arena);
    if (target.route != NULL) {
        plan.lane = target.route->lane;
        if (target.route->body_limit > 0)
            plan.body_limit = target.route->body_limit;
    }
    arena_free(arena);
    return plan;
}

static enum act_end touch(struct db *db, struct wall_time now, void *context,
                          struct error_text *error)
{
    const struct session *session = context;
    if (session_touch(db, now, session))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

/* Who this is, by the session cookie; the session's last use is noted. */
static void find_account(struct visit *visit)
{
    const char *token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE);
    unsigned idle = (unsigned)visit->config->session_idle_minutes;
    struct error_text why;
    if (!session_find(visit->db, visit->now, idle, token,
                      &visit->caller.session) ||
        visit->caller.session.stage != SESSION_FULL ||
        !account_find(visit->db, visit->caller.session.account_name,
                      &visit->caller.account) ||
        visit->caller.account.state != ACCOUNT_ACTIVE)
        return;
    visit->caller.has_account = true;
    visit->caller.scope = scope_of(&visit->caller.account, visit->now);
    if (!session_wants_touch(&visit->caller.session, visit->now, idle))
        return;
    portal_act(visit->portal, visit->now, NULL, touch, &visit->caller.session,
               &why);
}

/* ?lang= wins and is remembered; then the cookie; Chinese at first. */
static void find_language(struct visit *visit)
{
    const char *asked = form_get(&visit->request.query, "lang");
    const char *kept = form_get(&visit->request.cookies, VISIT_LANGUAGE_COOKIE);
    visit->caller.language = LANGUAGE_ZH;
    language_from_code(kept, &visit->caller.language);
    enum language language = visit->caller.language;
    language_from_code(asked, &language);
    if (language != visit->caller.language)
        visit_set_cookie(visit, VISIT_LANGUAGE_COOKIE, language_code(language),
                         365L * 24 * 3600);
    visit->caller.language = language;
}

/* No script at all, nothing from elsewhere, no frame, nothing kept. */
static void add_safety_headers(const struct visit *visit,
                               struct http_response *response)
{
    static const struct {
        const char *name, *value;
    } HEADERS[] = {
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'self'; img-src 'self'; "
         "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++)
        http_response_header(response, HEADERS[i].name, "%s", HEADERS[i].value);
    /* RFC 6797: over HTTPS alone. */
    if (visit->config->secure_cookie && visit->way != WAY_HTTP)
        http_response_header(response, "Strict-Transport-Security",
                             "max-age=31536000");
}

/* Where to go on after the login, with its query; only for what can be fetched
 * again. An address too long to carry along is forgotten. */
static void send_to_login(struct visit *visit)
{
    const struct http_request *request = visit->request.http;
    if (visit->request.wants_json || request->method == HTTP_POST) {
        visit_fail(visit, 401);
        return;
    }
    const char *address =
        arena_format(visit->arena, "%.*s%s%.*s", (int)request->path.length,
                     request->path.data, request->query.length > 0 ? "?" : "",
                     (int)request->query.length, request->query.data);
    const char *next =
        address != NULL ? form_encode(address, visit->arena) : "";
    char target[NEXT_MAX + 16] = "/login";
    if (strlen(next) < NEXT_MAX)
        snprintf(target, sizeof(target), "/login?next=%s", next);
    visit_redirect(visit, target);
}

/* Forms of pages that everybody sees carry the token of the form cookie, also
 * when somebody has logged in meanwhile in another window. */
static bool has_right_token(struct visit *visit, const struct route *route)
{
    if (needs_login(route))
        return session_csrf_matches(visit->caller.session.csrf,
                                    form_get(&visit->request.form, "csrf"));
    return visit_has_form_token(visit);
}

static bool read_form(struct visit *visit)
{
    struct slice type = visit->request.http->content_type, name;
    if (!slice_next(&type, ';', &name) ||
        !slice_equal_nocase(slice_trim(name),
                            SLICE("application/x-www-form-urlencoded")))
        return false;
    return form_parse(&visit->request.form, visit->request.http->body,
                      visit->arena);
}

/* 0, or the status with which this visit ends. */
static int judge(struct visit *visit, const struct route *route)
{
    if (needs_login(route) && !visit->caller.has_account)
        return 401;
    if (needs_login(route) && !route_is_open(route, &visit->caller.account))
        return 403;
    if (route->method == HTTP_POST && !route->is_for_programs &&
        !read_form(visit))
        return 400;
    if (route->needs_token && !has_right_token(visit, route))
        return 403;
    return 0;
}

/* A refused act leaves a row; one that anybody can cause does not. */
static void refuse(struct visit *visit, const struct route *route, int status)
{
    if (status == 401) {
        send_to_login(visit);
        return;
    }
    if (route != NULL && visit->caller.has_account && status == 403)
        visit_audit(visit, route->method == HTTP_POST ? "post" : "get",
                    route->pattern, "DENIED");
    visit_fail(visit, status);
}

/* RFC 9110, 15.5.6: the methods that the target has. */
static void add_allow(struct visit *visit, const struct target *target)
{
    http_response_header(visit->response, "Allow", "%s%s%s",
                         target->has_get ? "GET, HEAD" : "",
                         target->has_get && target->has_post ? ", " : "",
                         target->has_post ? "POST" : "");
}

/* It ends when the last byte has been sent. */
static bool begin_export(struct visit *visit)
{
    struct portal_export *export =
        portal_export_begin(visit->portal, visit->caller.account.name);
    if (export == NULL)
        return false;
    http_response_when_over(visit->response, portal_export_end, export);
    return true;
}

static void run(const struct site *site, struct visit *visit)
{
    const struct http_request *request = visit->request.http;
    struct target target = find_target(site, request, visit->arena);
    int status = request->refused;
    visit->request.wants_json = target.wants_json;
    memcpy(visit->request.arguments, target.arguments,
           sizeof(target.arguments));
    if (status == 0 &&
        !form_parse(&visit->request.query, request->query, visit->arena))
        status = 400;
    visit->site = site;
    visit->menu = target.route != NULL ? target.route->menu : MENU_NONE;
    find_language(visit);
    find_account(visit);
    if (status == 0 && target.route == NULL)
        status = target.has_get || target.has_post ? 405 : 404;
    if (status == 405)
        add_allow(visit, &target);
    if (status == 0)
        status = judge(visit, target.route);
    if (status == 0 && target.route->lane == HTTP_EXPORTS &&
        !begin_export(visit))
        status = 429;
    if (status != 0)
        refuse(visit, target.route, status);
    else if (target.route->list != NULL)
        list_page_answer(visit, target.route->list, target.route->pattern);
    else
        target.route->handler(visit);
}

void route_dispatch(const struct site *site, const struct template_set *pages,
                    struct portal *portal, struct portal_worker *worker,
                    struct wall_time now, const struct http_request *request,
                    struct http_response *response)
{
    struct visit visit = {
        .pages = pages,
        .portal = portal,
        .config = portal_config_of(portal),
        .worker = worker,
        .db = worker->db,
        .arena = worker->arena,
        .now = now,
        .visitor = proxies_visitor(portal_proxies(portal), &request->peer,
                                   &request->proxy),
        .way = proxies_way(portal_proxies(portal), &request->peer,
                           &request->proxy),
        .request = {.http = request},
        .response = response,
        .model = model_new(worker->arena),
    };
    add_safety_headers(&visit, response);
    form_parse_cookies(&visit.request.cookies, request->cookies,
                       visit.config->secure_cookie, visit.arena);
    run(site, &visit);
    bool is_kept = false;
    for (size_t i = 0; i < response->header_count; i++)
        is_kept |= strcmp(response->headers[i].name, "Cache-Control") == 0;
    if (!is_kept)
        http_response_header(response, "Cache-Control", "no-store");
}
