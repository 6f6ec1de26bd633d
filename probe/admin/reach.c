#include "probe/admin/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/address.h"
#include "common/slice.h"

enum { ADDRESSES_MAX = 4, REFUSAL_MS = 700 };

static bool split(const char *text, struct reach_result *r)
{
    struct slice host, port;
    return slice_split_port(slice_of_text(text), &host, &port) &&
           host.length > 0 && slice_copy(host, r->host, sizeof(r->host)) &&
           slice_copy(port, r->port, sizeof(r->port)) && r->port[0] != '\0';
}

/* The resolver's own patience would be half a minute. */
static struct addrinfo *look_up(struct reach_result *r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    struct address numeric;
    r->is_numeric = address_from_text(slice_of_text(r->host), &numeric);
    setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
    int status = getaddrinfo(r->host, r->port, &hints, &list);
    if (status != 0)
        error_set(&r->why, "%s", gai_strerror(status));
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next)
        r->addresses++;
    return list;
}

static int64_t ms_now(void)
{
    return mono_now().us / 1000;
}

/* False when time is up; `until` in ms_now's time. */
static bool wait_for(int fd, short events, int64_t until)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = until - ms_now();
    return left > 0 && poll(&p, 1, (int)left) > 0;
}

static int connect_to(const struct addrinfo *a, int patience_ms,
                      struct reach_result *r)
{
    int reason = 0;
    socklen_t length = sizeof(reason);
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    getnameinfo(a->ai_addr, a->ai_addrlen, r->address, sizeof(r->address), NULL,
                0, NI_NUMERICHOST);
    if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        reason = errno;
        if (reason == EINPROGRESS &&
            !wait_for(fd, POLLOUT, ms_now() + patience_ms))
            reason = ETIMEDOUT;
        else if (reason == EINPROGRESS)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length);
    } else if (fd < 0) {
        reason = errno;
    }
    if (reason == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    error_set(&r->why, "%s", strerror(reason));
    return -1;
}

static int connect_any(const struct addrinfo *list, int patience_ms,
                       struct reach_result *r)
{
    int fd = -1;
    for (int i = 0; fd < 0 && list != NULL && i < ADDRESSES_MAX; i++) {
        fd = connect_to(list, patience_ms, r);
        list = list->ai_next;
    }
    return fd;
}

/* One operation of TLS, waited for. */
static enum tls_status handshake(struct tls *tls, int fd, int64_t until)
{
    enum tls_status status;
    while ((status = tls_handshake(tls)) == TLS_WANT_READ ||
           status == TLS_WANT_WRITE) {
        if (!wait_for(fd, status == TLS_WANT_READ ? POLLIN : POLLOUT, until))
            break;
    }
    return status;
}

/* With TLS 1.3 the server refuses our certificate after our handshake; a
 * collector that took it says nothing until it is spoken to. */
static bool is_taken(struct tls *tls, int fd)
{
    uint8_t byte;
    size_t done;
    int64_t until = ms_now() + REFUSAL_MS;
    enum tls_status status;
    while ((status = tls_read(tls, &byte, 1, &done)) == TLS_WANT_READ) {
        if (!wait_for(fd, POLLIN, until))
            return true;
    }
    return status == TLS_OK;
}

static enum reach_step speak_tls(struct tls_context *context, const char *name,
                                 int fd, int patience_ms,
                                 struct reach_result *r)
{
    struct tls *tls = tls_connect(context, fd, name);
    enum reach_step step = REACH_TLS;
    if (tls == NULL) {
        error_set(&r->why, "%s: not usable as a name", name);
        return step;
    }
    enum tls_status status = handshake(tls, fd, ms_now() + patience_ms);
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
        error_set(&r->why, "%s", strerror(ETIMEDOUT));
    else if (status != TLS_OK || !is_taken(tls, fd))
        error_set(&r->why, "%s", tls_error(tls));
    else
        step = tls_peer_wants_yz1(tls) ? REACH_DONE : REACH_ALPN;
    tls_free(tls);
    return step;
}

enum reach_step reach_collector(const char *collector, const char *name,
                                struct tls_context *context, int patience_ms,
                                struct reach_result *r)
{
    *r = (struct reach_result){0};
    if (!split(collector, r))
        return REACH_FORM;
    struct addrinfo *list = look_up(r);
    if (list == NULL)
        return REACH_NAME;
    int fd = connect_any(list, patience_ms, r);
    freeaddrinfo(list);
    if (fd < 0)
        return REACH_PORT;
    enum reach_step step = context == NULL
                               ? REACH_TLS
                               : speak_tls(context, name, fd, patience_ms, r);
    close(fd);
    return step;
}
