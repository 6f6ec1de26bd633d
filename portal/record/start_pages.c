/* See start_pages.h. Files carry a hash of their content as ETag, so that a
 * browser asks again cheaply and never shows an old one for long. */
#include "portal/record/start_pages.h"

#include <string.h>

#include "common/crypto/digest.h"

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
    add_programmes(visit);
    visit_show(visit, "start", "start.title");
}

static void send_file(struct visit *visit, const char *type, const char *data)
{
    struct http_response *response = visit->response;
    struct digest digest = digest_of(data, strlen(data));
    char hex[DIGEST_HEX_LEN], tag[24] = "\"";
    digest_to_hex(digest, hex);
    memcpy(tag + 1, hex, 16);
    memcpy(tag + 17, "\"", 2);
    http_response_header(response, "ETag", "%s", tag);
    http_response_header(response, "Cache-Control", "public, max-age=300");
    if (slice_equal_text(visit->request.http->if_none_match, tag)) {
        response->status = 304;
        return;
    }
    response->content_type = type;
    buffer_add_text(&response->body, data);
}

void start_style(struct visit *visit)
{
    send_file(visit, "text/css; charset=utf-8", STYLE);
}

void start_icon(struct visit *visit)
{
    send_file(visit, "image/svg+xml", ICON);
}
