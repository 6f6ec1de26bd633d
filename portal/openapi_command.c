/*
 * The description of the interface for programs: portal/pages/api.yaml, with what
 * tables say of themselves in place of its lines "#{name}".
 */
#include "portal/openapi_command.h"

#include <stdio.h>

#include "common/buffer.h"
#include "common/log.h"
#include "portal/http/route.h"
#include "portal/list/list_openapi.h"
#include "portal/pages/site.h"
#include "portal/record/table_json.h"
#include "portal/show/refused.h"

enum { DOCUMENT_MAX = 1024 * 1024 };

static const char DOCUMENT[] =
#include "portal/pages/api.yaml.inc"
    ;

/* What each list of the site says of itself. */
static void add_lists(void (*add)(const struct list *list, struct buffer *out),
                      struct buffer *out)
{
    for (size_t i = 0; i < SITE.count; i++)
        if (SITE.routes[i].list != NULL && SITE.routes[i].has_json)
            add(SITE.routes[i].list, out);
}

static void add_list_paths(struct buffer *out)
{
    add_lists(list_openapi_path, out);
}

static void add_list_schemas(struct buffer *out)
{
    add_lists(list_openapi_schema, out);
}

static void add_line(struct slice line, struct buffer *out)
{
    static const struct {
        const char *mark;
        void (*add)(struct buffer *out);
    } PARTS[] = {
        {"#{list_paths}", add_list_paths},
        {"#{list_schemas}", add_list_schemas},
        {"#{responses}", refused_openapi_responses},
        {"#{error}", refused_openapi},
        {"#{table_row}", table_json_openapi},
    };
    for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
        if (slice_equal_text(line, PARTS[i].mark)) {
            PARTS[i].add(out);
            return;
        }
    }
    buffer_add_slice(out, line);
    buffer_add_text(out, "\n");
}

int command_openapi(int argc, char **argv)
{
    struct buffer out;
    struct slice rest = slice_of_bytes(DOCUMENT, sizeof(DOCUMENT) - 2), line;
    if (argc > 1) {
        log_error("openapi: %s is not expected", argv[1]);
        return 2;
    }
    buffer_init(&out, DOCUMENT_MAX);
    while (slice_next(&rest, '\n', &line))
        add_line(line, &out);
    bool good = !out.failed &&
                fwrite(out.data, 1, out.length, stdout) == out.length &&
                fflush(stdout) == 0;
    buffer_clear(&out);
    return good ? 0 : 1;
}
