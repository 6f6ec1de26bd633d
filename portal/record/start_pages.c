/* See start_pages.h. Pages name the files with a hash of their content, and a
 * browser keeps for a year what it got by such an address; asked for without it,
 * or with another one, a file is looked at again soon, and cheaply by its ETag. */
#include "portal/record/start_pages.h"

#include <string.h>

#include "portal/pages/versions.inc"
#include "portal/record/work_pages.h"

static const char STYLE[] =
#include "portal/pages/style.css.inc"
    ;
static const char ICON[] =
#include "portal/pages/icon.svg.inc"
    ;

static void add_programmes(struct visit *visit)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT id, title_zh, title_en FROM programme ORDER BY id");
    model_list(visit->model, "programmes");
    while (s != NULL && db_step(s) == DB_ROW) {
        struct model *m = model_append(visit->model, "programmes");
        model_text(m, "title", visit_name(visit, db_text(s, 1), db_text(s, 2)));
    }
}

void start_show(struct visit *visit)
{
    if (visit->caller.has_account) {
        work_show(visit);
        return;
    }
    add_programmes(visit);
    visit_show(visit, "start", "start.title");
}

static void send_file(struct visit *visit, const char *type, const char *data,
                      const char *version)
{
    struct http_response *response = visit->response;
    const char *asked = form_get(&visit->request.query, "v");
    const char *tag = arena_format(visit->arena, "W/\"%s\"", version);
    if (tag == NULL) {
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    http_response_header(response, "ETag", "%s", tag);
    http_response_header(response, "Cache-Control", "public, max-age=%s",
                         strcmp(asked, version) == 0 ? "31536000, immutable"
                                                     : "300");
    if (slice_equal_text(visit->request.http->if_none_match, tag)) {
        response->status = 304;
        return;
    }
    response->content_type = type;
    buffer_add_text(&response->body, data);
}

void start_style(struct visit *visit)
{
    send_file(visit, "text/css; charset=utf-8", STYLE, STYLE_VERSION);
}

void start_icon(struct visit *visit)
{
    send_file(visit, "image/svg+xml", ICON, ICON_VERSION);
}
