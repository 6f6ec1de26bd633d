#include "collector/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/collector_config.h"
#include "common/slice.h"

enum { BACKLOG = 4096, SPARE_FDS = 128, PORT_LEN = 8 };

static bool split_address(const char *text, char host[static LISTEN_LEN],
                          char port[static PORT_LEN])
{
    struct slice name, number;
    return slice_split_port(slice_of_text(text), &name, &number) &&
           slice_copy(name, host, LISTEN_LEN) &&
           slice_copy(number, port, PORT_LEN);
}

static int listen_on(const struct addrinfo *a)
{
    int on = 1, off = 0;
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int listener_open(const char *address, struct error_text *error)
{
    char host[LISTEN_LEN], port[PORT_LEN];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (!split_address(address, host, port)) {
        error_set(error, "%s: not HOST:PORT", address);
        return -1;
    }
    int failed = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (failed != 0) {
        error_set(error, "%s: %s", address, gai_strerror(failed));
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
        fd = listen_on(a);
    if (fd < 0)
        error_set(error, "%s: %s", address, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

static void write_label(const struct sockaddr_storage *a, socklen_t length,
                        char label[static LISTENER_LABEL_LEN])
{
    char host[48], port[PORT_LEN];
    if (getnameinfo((const struct sockaddr *)a, length, host, sizeof(host),
                    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(label, LISTENER_LABEL_LEN, "unknown address");
    else
        snprintf(label, LISTENER_LABEL_LEN,
                 a->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

void listener_log(int fd)
{
    struct sockaddr_storage a;
    socklen_t length = sizeof(a);
    char label[LISTENER_LABEL_LEN];
    if (getsockname(fd, (struct sockaddr *)&a, &length) != 0)
        return;
    write_label(&a, length, label);
    log_info("listening on %s", label);
}

int listener_accept(int fd, char label[static LISTENER_LABEL_LEN])
{
    struct sockaddr_storage a = {0};
    socklen_t length = sizeof(a);
    int on = 1;
    int peer = accept4(fd, (struct sockaddr *)&a, &length,
                       SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer < 0)
        return -1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(peer, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    write_label(&a, length, label);
    return peer;
}

void listener_raise_limit(uint64_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur >= connections + SPARE_FDS)
        return;
    limit.rlim_cur = connections + SPARE_FDS;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur < connections + SPARE_FDS)
        log_warn("only %llu descriptors for %llu connections",
                 (unsigned long long)limit.rlim_cur,
                 (unsigned long long)connections);
}
