/*
 * A scan is a connection: "zINSTREAM\0", pieces with their length as 4 bytes
 * big-endian in front, an empty one at the end. The answer is a line that ends
 * with a zero byte:
 *
 *   stream: OK
 *   stream: Eicar-Test FOUND
 *   INSTREAM size limit exceeded. ERROR
 *
 * The last may come, and the connection be closed, while pieces are still sent;
 * it says nothing about the file, which is then not scanned.
 */
#include "portal/store/virus_scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/slice.h"

enum {
    PIECE_BYTES = 16 * 1024,
    WAIT_S = 20, /* for a step of clamd's; scans of our sizes take one or two */
    ANSWER_LEN = 256,
};

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = WAIT_S};
    if (!slice_copy(slice_of_text(path), address.sun_path,
                    sizeof(address.sun_path))) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static bool send_all(int peer, const void *data, size_t length)
{
    const char *rest = data;
    while (length > 0) {
        ssize_t sent = send(peer, rest, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        rest += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* False when clamd takes no more, or the file cannot be read. */
static bool send_file(int peer, int fd)
{
    char piece[PIECE_BYTES];
    off_t at = 0;
    ssize_t got;
    if (!send_all(peer, "zINSTREAM", sizeof("zINSTREAM")))
        return false;
    do {
        got = pread(fd, piece, sizeof(piece), at);
        if (got < 0)
            return false;
        uint32_t length = htonl((uint32_t)got);
        if (!send_all(peer, &length, sizeof(length)) ||
            !send_all(peer, piece, (size_t)got))
            return false;
        at += got;
    } while (got > 0);
    return true;
}

static struct slice read_answer(int peer, char answer[static ANSWER_LEN])
{
    size_t length = 0;
    while (length < ANSWER_LEN) {
        ssize_t got = recv(peer, answer + length, ANSWER_LEN - length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        if (memchr(answer, '\0', length) != NULL)
            return slice_of_text(answer);
    }
    return (struct slice){0}; /* cut, or none */
}

enum virus_scan virus_scan(const char *socket_path, int fd,
                           struct error_text *said)
{
    char answer[ANSWER_LEN];
    int peer = connect_to(socket_path);
    if (peer < 0) {
        error_set(said, "%s: %s", socket_path, strerror(errno));
        return VIRUS_NO_ANSWER;
    }
    bool is_sent = send_file(peer, fd);
    struct slice line = read_answer(peer, answer);
    close(peer);
    if (line.length == 0) {
        error_set(said, "%s: no answer", socket_path);
        return VIRUS_NO_ANSWER;
    }
    error_set(said, "%.*s", (int)line.length, line.data);
    if (slice_ends_with_nocase(line, SLICE(" FOUND")))
        return VIRUS_FOUND;
    return is_sent && slice_equal(line, SLICE("stream: OK"))
               ? VIRUS_CLEAN
               : VIRUS_NOT_SCANNED;
}
