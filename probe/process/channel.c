/* What is read lies in one buffer: whole messages are handed out from its
 * front, and it is refilled when they are used up. */
#include "probe/process/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buffer.h"

enum {
    HEADER_LEN = 8,
    QUEUE_HIGH = 1024 * 1024, /* then the sender waits */
    QUEUE_MAX = QUEUE_HIGH + HEADER_LEN + CHANNEL_MESSAGE_MAX,
    CHUNK = 64 * 1024,
    SOCKET_BYTES = 1024 * 1024,
    FD_WAIT_MS = 5000,
};

struct channel {
    int fd;
    bool accepts_fds;
    int passed; /* descriptor that came, or CHANNEL_NO_FD */
    struct buffer out, in;
    size_t in_done; /* bytes of `in` handed out */
};

bool channel_pair(int fds[static 2])
{
    int size = SOCKET_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   fds) != 0)
        return false;
    for (int i = 0; i < 2; i++) /* as much as the system allows */
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return true;
}

struct channel *channel_new(int fd)
{
    struct channel *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        close(fd);
        return NULL;
    }
    c->fd = fd;
    c->passed = CHANNEL_NO_FD;
    buffer_init(&c->out, QUEUE_MAX);
    buffer_init(&c->in, CHUNK + HEADER_LEN + CHANNEL_MESSAGE_MAX);
    return c;
}

void channel_free(struct channel *c)
{
    if (c == NULL)
        return;
    if (c->passed != CHANNEL_NO_FD)
        close(c->passed);
    close(c->fd);
    buffer_clear(&c->out);
    buffer_clear(&c->in);
    free(c);
}

void channel_accept_fds(struct channel *c)
{
    c->accepts_fds = true;
}

int channel_fd(const struct channel *c)
{
    return c->fd;
}

bool channel_has_queued(const struct channel *c)
{
    return c->out.length > 0;
}

/* --- sending --- */

bool channel_flush(struct channel *c)
{
    size_t done = 0;
    bool is_open = true;
    while (done < c->out.length) {
        ssize_t n =
            send(c->fd, c->out.data + done, c->out.length - done, MSG_NOSIGNAL);
        if (n > 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            is_open = errno == EAGAIN || errno == ENOBUFS;
            break;
        }
    }
    buffer_consume(&c->out, done);
    return is_open;
}

static void wait_for_room(struct channel *c, int timeout_ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLOUT};
    (void)poll(&p, 1, timeout_ms);
}

static void add_header(struct buffer *out, enum channel_type type,
                       size_t length)
{
    uint32_t header[2] = {(uint32_t)type, (uint32_t)length};
    buffer_add(out, header, sizeof(header));
}

bool channel_send(struct channel *c, enum channel_type type, const void *data,
                  size_t length)
{
    while (c->out.length >= QUEUE_HIGH) {
        if (!channel_flush(c))
            return false;
        if (c->out.length >= QUEUE_HIGH)
            wait_for_room(c, -1);
    }
    add_header(&c->out, type, length);
    buffer_add(&c->out, data, length);
    return length <= CHANNEL_MESSAGE_MAX && !c->out.failed;
}

/* One byte is enough to carry a descriptor; the rest of the header follows in
 * the queue. */
static bool send_carrier(struct channel *c, const uint8_t *byte, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    struct iovec data = {(void *)(uintptr_t)byte, 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    struct cmsghdr *h = CMSG_FIRSTHDR(&message);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fd, sizeof(fd));
    return sendmsg(c->fd, &message, MSG_NOSIGNAL) == 1;
}

bool channel_send_fd(struct channel *c, enum channel_type type, int fd)
{
    struct buffer header;
    for (int waited = 0; channel_has_queued(c); waited += 100) {
        if (!channel_flush(c) || waited >= FD_WAIT_MS)
            return false;
        if (channel_has_queued(c))
            wait_for_room(c, 100);
    }
    buffer_init(&header, HEADER_LEN);
    add_header(&header, type, 0);
    bool good = !header.failed && send_carrier(c, header.data, fd);
    if (good)
        buffer_add(&c->out, header.data + 1, HEADER_LEN - 1);
    buffer_clear(&header);
    return good && channel_flush(c);
}

/* --- receiving --- */

/* The uplink, which is trusted, sends one at a time. */
static void take_control(struct channel *c, struct msghdr *message)
{
    struct cmsghdr *h = CMSG_FIRSTHDR(message);
    if (h == NULL || h->cmsg_level != SOL_SOCKET ||
        h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(int)))
        return;
    if (c->passed != CHANNEL_NO_FD)
        close(c->passed);
    memcpy(&c->passed, CMSG_DATA(h), sizeof(c->passed));
}

static enum channel_status fill(struct channel *c)
{
    char room[CMSG_SPACE(sizeof(int))];
    buffer_consume(&c->in, c->in_done);
    c->in_done = 0;
    uint8_t *at = buffer_extend(&c->in, CHUNK);
    if (at == NULL)
        return CHANNEL_BROKEN;
    c->in.length -= CHUNK;
    struct iovec data = {at, CHUNK};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (c->accepts_fds) {
        message.msg_control = room;
        message.msg_controllen = sizeof(room);
    }
    ssize_t n = recvmsg(c->fd, &message, MSG_CMSG_CLOEXEC);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return CHANNEL_CLOSED;
    if (n < 0)
        return CHANNEL_NOTHING;
    take_control(c, &message);
    c->in.length += (size_t)n;
    return CHANNEL_MESSAGE;
}

/* The next message of those that were read. */
static enum channel_status take(struct channel *c, struct channel_message *m)
{
    uint32_t header[2];
    size_t left = c->in.length - c->in_done;
    if (left < HEADER_LEN)
        return CHANNEL_NOTHING;
    memcpy(header, c->in.data + c->in_done, HEADER_LEN);
    if (header[1] > CHANNEL_MESSAGE_MAX)
        return CHANNEL_BROKEN;
    if (left - HEADER_LEN < header[1])
        return CHANNEL_NOTHING;
    *m = (struct channel_message){.type = header[0],
                                  .data = c->in.data + c->in_done + HEADER_LEN,
                                  .length = header[1]};
    c->in_done += HEADER_LEN + header[1];
    return CHANNEL_MESSAGE;
}

enum channel_status channel_receive(struct channel *c,
                                    struct channel_message *message)
{
    enum channel_status status = take(c, message);
    while (status == CHANNEL_NOTHING) {
        enum channel_status more = fill(c);
        if (more != CHANNEL_MESSAGE)
            return more;
        status = take(c, message);
    }
    return status;
}

int channel_take_fd(struct channel *c)
{
    int fd = c->passed;
    c->passed = CHANNEL_NO_FD;
    return fd;
}
