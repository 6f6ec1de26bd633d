/* Request line, then fields line by line until the empty one. */
#include "probe/meter/http_host.h"

#include <string.h>

#include "probe/meter/hello.h"

/* Servers take no more (Apache: 100); and a request that comes byte by byte is
 * read anew each time. */
enum { FIELDS_MAX = 128 };

static const struct {
    struct slice text; /* with its space */
} methods[] = {
    {{"GET ", 4}},      {{"POST ", 5}},       {{"HEAD ", 5}},
    {{"PUT ", 4}},      {{"DELETE ", 7}},     {{"OPTIONS ", 8}},
    {{"CONNECT ", 8}},  {{"PATCH ", 6}},      {{"TRACE ", 6}},
    {{"PROPFIND ", 9}}, {{"REPORT ", 7}},     {{"MKCOL ", 6}},
    {{"COPY ", 5}},     {{"MOVE ", 5}},       {{"LOCK ", 5}},
    {{"UNLOCK ", 7}},   {{"PROPPATCH ", 10}},
};

/* HTTP_MORE when data is but the beginning of a method. */
static enum http_status match_method(struct slice data, struct slice *method)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct slice m = methods[i].text;
        size_t n = data.length < m.length ? data.length : m.length;
        if (n == 0 || memcmp(data.data, m.data, n) != 0)
            continue;
        *method = m;
        return n == m.length ? HTTP_HOST : HTTP_MORE;
    }
    return HTTP_NOT;
}

/* Takes a line away, without its CR LF or LF. */
static bool take_line(struct slice *rest, struct slice *line)
{
    const char *end = memchr(rest->data, '\n', rest->length);
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - rest->data);
    *line = (struct slice){rest->data, length};
    if (length > 0 && line->data[length - 1] == '\r')
        line->length--;
    rest->data += length + 1;
    rest->length -= length + 1;
    return true;
}

static struct slice without_port(struct slice host)
{
    if (host.length > 0 && host.data[0] == '[') { /* [v6]:port */
        const char *end = memchr(host.data, ']', host.length);
        if (end == NULL)
            return host;
        return (struct slice){host.data + 1, (size_t)(end - host.data) - 1};
    }
    const char *colon = memchr(host.data, ':', host.length);
    if (colon != NULL)
        host.length = (size_t)(colon - host.data);
    return host;
}

static bool is_host_line(struct slice line, struct slice *host)
{
    if (line.length < 5 ||
        !slice_equal_nocase((struct slice){line.data, 5}, SLICE("host:")))
        return false;
    *host = without_port(
        slice_trim((struct slice){line.data + 5, line.length - 5}));
    return true;
}

/* "METHOD target HTTP/1.x" */
static bool is_request_line(struct slice line)
{
    struct slice version = SLICE(" HTTP/1.");
    return line.length > version.length &&
           memcmp(line.data + line.length - version.length - 1, version.data,
                  version.length) == 0;
}

enum http_status http_host_find(struct slice data, struct slice *host)
{
    struct slice method = SLICE(""), line;
    *host = SLICE("");
    enum http_status status = match_method(data, &method);
    if (status != HTTP_HOST)
        return status;
    if (!take_line(&data, &line))
        return HTTP_MORE;
    if (!is_request_line(line))
        return HTTP_NOT;
    if (slice_equal(method, SLICE("CONNECT ")))
        return HTTP_CONNECT;
    for (int i = 0; take_line(&data, &line); i++) {
        if (line.length == 0 || i == FIELDS_MAX)
            return HTTP_NO_HOST;
        if (is_host_line(line, host)) {
            if (hello_is_name(*host))
                return HTTP_HOST;
            *host = SLICE("");
            return HTTP_NO_HOST;
        }
    }
    return HTTP_MORE;
}
