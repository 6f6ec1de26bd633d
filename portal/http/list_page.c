#include "portal/http/list_page.h"

#include <string.h>
#include <unistd.h>

#include "portal/list/list_view.h"

static void read_query(struct visit *visit, const struct list *list,
                       struct list_query *query)
{
    *query = (struct list_query){
        .scope = visit->caller.scope,
        .now = visit->now,
        .has_usage = visit->worker->others.is_there[OTHER_USAGE],
        .has_verdict = visit->worker->others.is_there[OTHER_VERDICT],
    };
    for (size_t i = 0; i < list->filter_count; i++)
        query->values[i] =
            form_get(&visit->request.query, list->filters[i].name);
    list_read_after(list, form_get(&visit->request.query, "after"), query,
                    visit->arena);
    list_query_check(list, query, visit->arena);
}

static struct list_view view_of(struct visit *visit, const struct list *list,
                                const struct list_query *query)
{
    return (struct list_view){
        .list = list,
        .query = query,
        .db = visit->db,
        .arena = visit->arena,
        .language = visit->caller.language,
        .wants_totals =
            strcmp(form_get(&visit->request.query, "totals"), "1") == 0};
}

bool list_page_fill(struct visit *visit, const struct list *list)
{
    struct list_query query;
    read_query(visit, list, &query);
    struct list_view view = view_of(visit, list, &query);
    return list_fill(&view, visit->model);
}

void list_page_json(struct visit *visit, const struct list *list)
{
    struct list_query query;
    read_query(visit, list, &query);
    struct list_view view = view_of(visit, list, &query);
    buffer_reset(&visit->response->body);
    visit->response->content_type = "application/json; charset=utf-8";
    if (!list_write_json(&view, &visit->response->body) ||
        visit->response->body.failed)
        visit_fail_db(visit);
}

static void send_file(struct visit *visit, const struct list *list,
                      const struct file_form *form)
{
    struct list_query query;
    bool is_cut = false;
    read_query(visit, list, &query);
    struct list_view view = view_of(visit, list, &query);
    const char *action = arena_format(visit->arena, "%s.export", list->name);
    int fd = list_write_file(&view, form, LIST_FILE_ROWS, &is_cut);
    if (fd < 0 || action == NULL || !visit_audit(visit, action, "", "OK")) {
        if (fd >= 0)
            close(fd);
        visit_fail_db(visit);
        return;
    }
    http_response_file(visit->response, fd);
    visit->response->content_type = form->content_type;
    http_response_header(visit->response, "Content-Disposition",
                         "attachment; filename=\"%s%s.%s\"", list->name,
                         is_cut ? "-part" : "", form->extension);
}

void list_page_answer(struct visit *visit, const struct list *list,
                      const char *pattern)
{
    const char *dot = strrchr(pattern, '.');
    const struct file_form *form = dot != NULL ? file_form_of(dot + 1) : NULL;
    if (form != NULL)
        send_file(visit, list, form);
    else if (visit->request.wants_json)
        list_page_json(visit, list);
    else if (list_page_fill(visit, list))
        visit_show(visit, "list", list->title);
    else
        visit_fail_db(visit);
}
