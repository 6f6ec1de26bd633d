/* doc/portal-api.yaml has each address of the site that answers programs, by each
 * method, and no other one. */
#include <string.h>

#include "common/buffer.h"
#include "portal/http/route.h"
#include "portal/pages/site.h"
#include "tests/test.h"

enum { FILE_MAX = 1024 * 1024, PATH_MAX_LEN = 200, OPERATIONS_MAX = 200 };

struct operation {
    /* As the route has it: a '*' where the document has a {name}. */
    char pattern[PATH_MAX_LEN];
    enum http_method method;
};

/* "  /a/{b}:" */
static bool read_path(struct slice line, char pattern[static PATH_MAX_LEN])
{
    size_t length = 0;
    bool in_name = false;
    if (line.length < 4 || memcmp(line.data, "  /", 3) != 0)
        return false;
    for (size_t i = 2; i + 1 < line.length && length + 1 < PATH_MAX_LEN; i++) {
        char c = line.data[i];
        if (!in_name)
            pattern[length++] = c == '{' ? '*' : c;
        in_name = (in_name || c == '{') && c != '}';
    }
    pattern[length] = '\0';
    return true;
}

static size_t read_document(struct operation *operations)
{
    struct buffer text;
    struct slice rest, line;
    char pattern[PATH_MAX_LEN] = "";
    size_t count = 0;
    if (!buffer_read_file(&text, "doc/portal-api.yaml", FILE_MAX))
        fatal(1, "doc/portal-api.yaml: cannot read");
    rest = buffer_slice(&text);
    while (slice_next(&rest, '\n', &line) && count < OPERATIONS_MAX) {
        bool is_get = slice_equal_text(line, "    get:");
        if (read_path(line, pattern) ||
            (!is_get && !slice_equal_text(line, "    post:")))
            continue;
        operations[count].method = is_get ? HTTP_GET : HTTP_POST;
        memcpy(operations[count++].pattern, pattern, sizeof(pattern));
    }
    buffer_clear(&text);
    return count;
}

static bool is_described(const struct route *route,
                         const struct operation *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i].method == route->method &&
            strcmp(operations[i].pattern, route->pattern) == 0)
            return true;
    return false;
}

static bool is_route(const struct operation *operation)
{
    for (size_t i = 0; i < SITE.count; i++)
        if (SITE.routes[i].has_json &&
            SITE.routes[i].method == operation->method &&
            strcmp(SITE.routes[i].pattern, operation->pattern) == 0)
            return true;
    return false;
}

int main(void)
{
    static struct operation operations[OPERATIONS_MAX];
    size_t count = read_document(operations);
    test_case("each address for programs is described");
    for (size_t i = 0; i < SITE.count; i++)
        if (SITE.routes[i].has_json)
            CHECK_TEXT(is_described(&SITE.routes[i], operations, count)
                           ? SITE.routes[i].pattern
                           : "not there",
                       SITE.routes[i].pattern);
    test_case("and no other one is");
    CHECK(count > 0);
    for (size_t i = 0; i < count; i++)
        CHECK_TEXT(is_route(&operations[i]) ? operations[i].pattern
                                            : "no route",
                   operations[i].pattern);
    return test_end();
}
