/* See route.h. */
#include "portal/http/route.h"

#include <stdio.h>
#include <string.h>

#include "portal/http/list_page.h"
#include "portal/http/upload.h"
#include "portal/http/visit.h"
#include "portal/list/list.h"
#include "portal/store/attachment_type.h"

/* One more than any pattern has, with /api/v1 before it. */
enum { SEGMENTS_MAX = 8, NEXT_MAX = 400 };

struct path {
    const char *segments[SEGMENTS_MAX];
    size_t count;
};

/* "/a/b%20c" to its segments; "/" has none. A trailing slash is a segment of
 * its own, so that every page has one address only. A path that is none of ours
 * has more segments than any pattern. */
static enum form_reading split_path(struct slice text, struct arena *arena,
                                    struct path *path)
{
    struct slice part;
    enum form_reading reading = FORM_GOOD;
    *path = (struct path){.count = SEGMENTS_MAX};
    if (text.length == 0 || text.data[0] != '/')
        return FORM_GOOD;
    path->count = 0;
    text = slice_of_bytes(text.data + 1, text.length - 1);
    if (text.length == 0)
        return FORM_GOOD;
    while (reading == FORM_GOOD && path->count < SEGMENTS_MAX &&
           slice_next(&text, '/', &part))
        reading =
            form_decode(part, false, arena, &path->segments[path->count++]);
    return reading;
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
    bool has_get, has_post;    /* methods of the address */
    enum form_reading reading; /* of the address */
    const char *arguments[VISIT_ARGUMENTS_MAX];
};

/* As it was sent: who asks so is answered so, also when nothing fits. */
static bool is_json_address(struct slice path)
{
    struct slice start = SLICE("/api/v1/");
    return slice_equal_text(path, "/api/v1") ||
           (path.length >= start.length &&
            memcmp(path.data, start.data, start.length) == 0);
}

static struct target find_target(const struct site *site,
                                 const struct http_request *request,
                                 struct arena *arena)
{
    struct path path;
    struct target target = {.wants_json = is_json_address(request->path)};
    size_t skip = target.wants_json ? 2 : 0;
    target.reading = split_path(request->path, arena, &path);
    if (target.reading != FORM_GOOD)
        return target;
    for (size_t i = 0; i < site->count; i++) {
        const struct route *route = &site->routes[i];
        const char *found[VISIT_ARGUMENTS_MAX] = {"", "", ""};
        if ((target.wants_json
                 ? !route->has_json
                 : route->is_for_programs || route->is_json_alone) ||
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

/* With files there is room for one more, so that one which is too large is
 * told apart from its form. */
static size_t body_limit_of(const struct portal *portal,
                            const struct route *route)
{
    if (route != NULL && route->body_limit > 0)
        return route->body_limit;
    if (route == NULL || route->files == 0)
        return HTTP_BODY_MAX;
    return (size_t)(route->files + 1) *
               attachments_file_max(portal_attachments(portal)) +
           UPLOAD_TEXT_MAX;
}

/* A search, or a list's totals, may walk far. */
static bool walks_far(const struct list *list, struct slice query)
{
    struct slice field, name;
    while (slice_next(&query, '&', &field)) {
        if (!slice_next(&field, '=', &name) || field.length == 0)
            continue;
        if (slice_equal_text(name, "totals"))
            return true;
        for (size_t i = 0; i < list->filter_count; i++)
            if (list->filters[i].kind == LIST_SEARCH &&
                slice_equal_text(name, list->filters[i].name))
                return true;
    }
    return false;
}

static enum http_lane lane_of(const struct route *route, struct slice query)
{
    if (route->lane != HTTP_AT_ONCE)
        return route->lane;
    if (route->method == HTTP_POST)
        return HTTP_ACTS;
    return route->list != NULL && walks_far(route->list, query) ? HTTP_SEARCHES
                                                                : HTTP_PAGES;
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

/* Who this is, by the session cookie; the session's last use is noted. With the
 * account its sessions end. */
static void find_account(struct visit *visit)
{
    const char *token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE);
    unsigned idle = (unsigned)visit->config->session_idle_minutes;
    struct session session;
    struct account account;
    if (!session_find(visit->db, visit->now, idle, token, &session) ||
        session.stage != SESSION_FULL ||
        !account_find(visit->db, session.account_name, &account) ||
        account.state != ACCOUNT_ACTIVE ||
        account_has_ended(&account, visit->now))
        return;
    visit->caller.has_account = true;
    visit->caller.session = session;
    visit->caller.account = account;
    visit->caller.scope = scope_of(&visit->caller.account, visit->now);
    if (!session_wants_touch(&visit->caller.session, visit->now, idle))
        return;
    portal_act_later(visit->portal, visit->now, touch, &visit->caller.session,
                     sizeof(visit->caller.session));
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
         "frame-src 'self'; form-action 'self'; base-uri 'none'; "
         "frame-ancestors 'none'"},
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

/* Where to go on after the login, with its query. An address too long to carry
 * along is forgotten. */
static void send_to_login(struct visit *visit)
{
    const struct http_request *request = visit->request.http;
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

/* --- what stands against a visit --- */

static enum refused judge_reading(enum form_reading reading)
{
    static const enum refused REFUSALS[] = {
        [FORM_GOOD] = REFUSED_NONE,
        [FORM_MALFORMED] = REFUSED_REQUEST,
        [FORM_NOT_UTF8] = REFUSED_ENCODING,
        [FORM_TOO_MANY] = REFUSED_FIELD_COUNT,
        [FORM_OUT_OF_ROOM] = REFUSED_INTERNAL,
    };
    return REFUSALS[reading];
}

/* What the server found, or the plan, before there was a visit. */
static enum refused judge_found(const struct http_request *http)
{
    static const enum refused OF_UPLOAD[] = {
        [UPLOAD_GOOD] = REFUSED_REQUEST,
        [UPLOAD_MALFORMED] = REFUSED_REQUEST,
        [UPLOAD_NOT_UTF8] = REFUSED_ENCODING,
        [UPLOAD_TOO_MANY] = REFUSED_FIELD_COUNT,
        [UPLOAD_FILES] = REFUSED_FILE_COUNT,
        [UPLOAD_TOO_LONG] = REFUSED_BODY_SIZE,
        [UPLOAD_NO_MEMORY] = REFUSED_INTERNAL,
    };
    if (http->upload != NULL && http->refused == 400)
        return OF_UPLOAD[upload_state(http->upload)];
    if (http->refused == refused_status(REFUSED_UPLOAD_RUNNING))
        return REFUSED_UPLOAD_RUNNING;
    return refused_of_status(http->refused);
}

/* Of the query, without whose language nobody can be answered. */
static enum refused judge_request(struct visit *visit,
                                  const struct target *target)
{
    enum form_reading query = form_parse(
        &visit->request.query, visit->request.http->query, visit->arena);
    if (visit->request.http->refused != 0)
        return judge_found(visit->request.http);
    if (target->reading != FORM_GOOD)
        return judge_reading(target->reading);
    if (query != FORM_GOOD)
        return judge_reading(query);
    if (target->route != NULL)
        return REFUSED_NONE;
    return target->has_get || target->has_post ? REFUSED_METHOD
                                               : REFUSED_NO_PAGE;
}

static enum refused judge_caller(const struct visit *visit,
                                 const struct route *route)
{
    const char *token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE);
    if (!needs_login(route))
        return REFUSED_NONE;
    if (!visit->caller.has_account)
        return token[0] != '\0' ? REFUSED_SESSION_ENDED : REFUSED_LOGIN;
    if (!route_is_open(route, &visit->caller.account))
        return REFUSED_ROLE;
    return visit_needs_factor(visit) && !route->is_before_factor
               ? REFUSED_SECOND_FACTOR
               : REFUSED_NONE;
}

static const char FORM_TYPE[] = "application/x-www-form-urlencoded";
static const char JSON_TYPE[] = "application/json";
static const char FORM_WITH_FILES_TYPE[] = "multipart/form-data";

static bool is_of_type(struct slice content_type, const char *wanted)
{
    struct slice name;
    return slice_next(&content_type, ';', &name) &&
           slice_equal_nocase(slice_trim(name), slice_of_text(wanted));
}

static enum refused read_form(struct visit *visit, const struct route *route)
{
    const struct http_request *http = visit->request.http;
    if (http->upload != NULL) {
        visit->request.form = *upload_fields(http->upload);
        return REFUSED_NONE;
    }
    if (route->is_json_alone)
        return is_of_type(http->content_type, JSON_TYPE) ? REFUSED_NONE
                                                         : REFUSED_CONTENT_TYPE;
    if (!is_of_type(http->content_type, FORM_TYPE))
        return REFUSED_CONTENT_TYPE;
    return judge_reading(form_parse(&visit->request.form,
                                    visit->request.http->body, visit->arena));
}

/* Forms of pages that everybody sees carry the token of the form cookie, also
 * when somebody has logged in meanwhile in another window. */
static enum refused judge_token(struct visit *visit, const struct route *route)
{
    if (needs_login(route))
        return session_csrf_matches(visit->caller.session.csrf,
                                    form_get(&visit->request.form, "csrf"))
                   ? REFUSED_NONE
                   : REFUSED_FORM_EXPIRED;
    if (!visit_has_form_cookie(visit))
        return REFUSED_COOKIE;
    return visit_has_form_token(visit) ? REFUSED_NONE : REFUSED_FORM_EXPIRED;
}

static enum refused judge(struct visit *visit, const struct route *route)
{
    enum refused refusal = judge_caller(visit, route);
    if (refusal == REFUSED_NONE && route->method == HTTP_POST &&
        !route->is_for_programs)
        refusal = read_form(visit, route);
    if (refusal == REFUSED_NONE && route->needs_token)
        refusal = judge_token(visit, route);
    return refusal;
}

/* --- before the body --- */

/* Who asks what, from where; what is answered is not there yet. */
static void begin_visit(struct visit *visit, struct portal *portal,
                        struct portal_worker *worker, struct wall_time now,
                        const struct http_request *request)
{
    const struct proxies *proxies = portal_proxies(portal);
    *visit = (struct visit){
        .portal = portal,
        .config = portal_config_of(portal),
        .worker = worker,
        .db = worker->db,
        .arena = worker->arena,
        .now = now,
        .visitor = proxies_visitor(proxies, &request->peer, &request->proxy),
        .way = proxies_way(proxies, &request->peer, &request->proxy),
        .request = {.http = request},
    };
    form_parse_cookies(&visit->request.cookies, request->cookies,
                       visit->config->secure_cookie, visit->arena);
}

/* Nothing of a stranger's file is read: who sends it is asked first. */
static void plan_upload(struct visit *visit, const struct route *route,
                        struct http_plan *plan)
{
    const struct upload_limits limits = {
        route->files,
        route->file_types != 0 ? route->file_types : ATTACHMENT_READABLE};
    find_account(visit);
    enum refused refusal = judge_caller(visit, route);
    plan->lane = HTTP_UPLOADS;
    plan->refused = refusal != REFUSED_NONE ? refused_status(refusal) : 0;
    if (plan->refused != 0)
        return;
    plan->upload = upload_new(portal_attachments(visit->portal),
                              visit->caller.account.name, &limits);
    if (plan->upload == NULL)
        plan->refused = refused_status(REFUSED_UPLOAD_RUNNING);
}

struct http_plan route_plan(const struct site *site, struct portal *portal,
                            struct wall_time now,
                            const struct http_request *request)
{
    struct http_plan plan = {HTTP_BODY_MAX, HTTP_AT_ONCE, 0, NULL};
    struct arena *arena = arena_new(2 * HTTP_ADDRESS_MAX);
    struct target target = {0};
    if (arena != NULL)
        target = find_target(site, request, arena);
    plan.body_limit = body_limit_of(portal, target.route);
    if (target.route != NULL)
        plan.lane = lane_of(target.route, request->query);
    if (target.route != NULL && target.route->files > 0 &&
        is_of_type(request->content_type, FORM_WITH_FILES_TYPE)) {
        struct portal_worker *worker = portal_take_worker(portal);
        struct visit visit;
        begin_visit(&visit, portal, worker, now, request);
        plan_upload(&visit, target.route, &plan);
        portal_return_worker(portal, worker);
    }
    arena_free(arena);
    return plan;
}

/* --- refusing --- */

static size_t limit_of(const struct visit *visit, enum refused refusal,
                       const struct route *route)
{
    if (refusal == REFUSED_ADDRESS_SIZE)
        return HTTP_ADDRESS_MAX;
    return refusal == REFUSED_HEADER_SIZE ? HTTP_HEADER_MAX
                                          : body_limit_of(visit->portal, route);
}

/* With the numbers and names that these sentences have. */
static void say(struct visit *visit, const struct target *target,
                enum refused refusal)
{
    const char *get = target->has_get ? "GET, HEAD" : "";
    const char *comma = target->has_get && target->has_post ? ", " : "";
    const char *methods = arena_format(visit->arena, "%s%s%s", get, comma,
                                       target->has_post ? "POST" : "");
    struct refused_words words = {
        .refusal = refusal,
        .values = TEXT_ARGUMENTS(
            text_size("limit", limit_of(visit, refusal, target->route)),
            text_count("fields", FORM_FIELDS_MAX),
            text_count("files",
                       target->route != NULL ? target->route->files : 0),
            text_plain("type",
                       target->route != NULL && target->route->is_json_alone
                           ? JSON_TYPE
                           : FORM_TYPE),
            text_plain("methods", methods != NULL ? methods : "")),
    };
    /* RFC 9110, 15.5.6 */
    if (refusal == REFUSED_METHOD && methods != NULL)
        http_response_header(visit->response, "Allow", "%s", methods);
    visit_refuse_with(visit, &words);
}

/* A refused act leaves a row; one that anybody can cause does not. A page that
 * needs a login leads there. */
static void refuse(struct visit *visit, const struct target *target,
                   enum refused refusal)
{
    const struct route *route = target->route;
    int status = refused_status(refusal);
    if (status == 401 && !visit->request.wants_json &&
        visit->request.http->method != HTTP_POST) {
        send_to_login(visit);
        return;
    }
    if (refusal == REFUSED_SECOND_FACTOR && !visit->request.wants_json &&
        visit->request.http->method != HTTP_POST) {
        visit_redirect(visit, "/account/second-factor");
        return;
    }
    if (route != NULL && visit->caller.has_account && status == 403)
        visit_audit(visit, route->method == HTTP_POST ? "post" : "get",
                    route->pattern, "DENIED");
    say(visit, target, refusal);
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
    struct target target = find_target(site, visit->request.http, visit->arena);
    visit->site = site;
    visit->menu = target.route != NULL ? target.route->menu : MENU_NONE;
    visit->request.wants_json = target.wants_json;
    memcpy(visit->request.arguments, target.arguments,
           sizeof(target.arguments));
    enum refused refusal = judge_request(visit, &target);
    find_language(visit);
    find_account(visit);
    if (refusal == REFUSED_NONE)
        refusal = judge(visit, target.route);
    else if (refused_status(refusal) == 401 || refused_status(refusal) == 403)
        refusal = judge_caller(visit, target.route); /* which it was */
    if (refusal == REFUSED_NONE && target.route->lane == HTTP_EXPORTS &&
        !begin_export(visit))
        refusal = REFUSED_EXPORT_RUNNING;
    if (refusal != REFUSED_NONE)
        refuse(visit, &target, refusal);
    else if (target.route->handler == NULL)
        list_page_answer(visit, target.route->list, target.route->pattern);
    else
        target.route->handler(visit);
}

void route_dispatch(const struct site *site, const struct template_set *pages,
                    struct portal *portal, struct portal_worker *worker,
                    struct wall_time now, const struct http_request *request,
                    struct http_response *response)
{
    struct visit visit;
    begin_visit(&visit, portal, worker, now, request);
    visit.pages = pages;
    visit.response = response;
    visit.model = model_new(worker->arena);
    add_safety_headers(&visit, response);
    run(site, &visit);
    bool is_kept = false;
    for (size_t i = 0; i < response->header_count; i++)
        is_kept |= strcmp(response->headers[i].name, "Cache-Control") == 0;
    if (!is_kept)
        http_response_header(response, "Cache-Control", "no-store");
}
