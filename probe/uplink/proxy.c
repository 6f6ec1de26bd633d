#include "probe/uplink/proxy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"

bool proxy_parse(const char *text, struct proxy *proxy)
{
    static const char scheme[] = "http://";
    if (strncmp(text, scheme, sizeof(scheme) - 1) == 0)
        text += sizeof(scheme) - 1;
    const char *at = strrchr(text, '@');
    struct slice host, port;
    uint64_t number;
    *proxy = (struct proxy){.address = slice_of_text(at ? at + 1 : text)};
    if (at != NULL && (at == text ||
                       !slice_copy((struct slice){text, (size_t)(at - text)},
                                   proxy->user, sizeof(proxy->user)) ||
                       strchr(proxy->user, ':') == NULL))
        return false;
    return slice_split_port(proxy->address, &host, &port) && host.length > 0 &&
           parse_u64(port, 1, 65535, &number);
}

void proxy_request(const struct proxy *proxy, const char *target,
                   struct buffer *out)
{
    buffer_addf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", target, target);
    if (proxy->user[0] != '\0') {
        buffer_add_text(out, "Proxy-Authorization: Basic ");
        base64_add_word(out, slice_of_text(proxy->user));
        buffer_add_text(out, "\r\n");
    }
    buffer_add_text(out, "\r\n");
}

/* The three digits of "HTTP/1.x NNN", 0 when it is none. */
static uint64_t status_of(struct slice line)
{
    uint64_t status = 0;
    if (line.length < 12 || memcmp(line.data, "HTTP/1.", 7) != 0 ||
        line.data[8] != ' ' ||
        !parse_u64((struct slice){line.data + 9, 3}, 100, 599, &status))
        return 0;
    return status;
}

static enum proxy_answer refuse(char reason[static 160], uint64_t status)
{
    if (status == 407)
        snprintf(reason, 160,
                 "the proxy wants a name and a password it knows "
                 "(407); set proxy = USER:PASSWORD@HOST:PORT");
    else if (status != 0)
        snprintf(reason, 160, "the proxy refuses to connect (%" PRIu64 ")",
                 status);
    else
        snprintf(reason, 160, "the proxy answers something else than HTTP");
    return PROXY_REFUSED;
}

enum proxy_answer proxy_answer(struct slice answer, char reason[static 160])
{
    static const char end[] = "\r\n\r\n";
    struct slice rest = answer, line;
    const char *found =
        answer.length > 0 ? memmem(answer.data, answer.length, end, 4) : NULL;
    if (found == NULL && answer.length < PROXY_ANSWER_MAX) {
        static const char begin[] = "HTTP/1.";
        size_t length = answer.length < 7 ? answer.length : 7;
        return length == 0 || memcmp(answer.data, begin, length) == 0
                   ? PROXY_MORE
                   : refuse(reason, 0);
    }
    uint64_t status =
        found != NULL && slice_next(&rest, '\n', &line) ? status_of(line) : 0;
    if (status < 200 || status > 299)
        return refuse(reason, status);
    /* TLS begins with us: nothing can have come behind the header. */
    return found + 4 == answer.data + answer.length ? PROXY_OPEN
                                                    : refuse(reason, 0);
}
