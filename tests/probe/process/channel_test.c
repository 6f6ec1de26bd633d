/* The channel: a far end that sends what is no message, or descriptors. */
#include "probe/process/channel.h"

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.h"

static int count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* As a reader may that is no longer ours: bytes, and descriptors with them. */
static bool send_along(int to, const void *bytes, size_t length, int count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(8 * sizeof(int))];
    } control = {.room = {0}};
    struct iovec data = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (count > 0) {
        size_t size = (size_t)count * sizeof(int);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *h = CMSG_FIRSTHDR(&message);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(size);
        for (int i = 0; i < count; i++)
            memcpy(CMSG_DATA(h) + (size_t)i * sizeof(int), &to, sizeof(int));
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)length;
}

static const uint32_t counters[2] = {CHANNEL_COUNTERS, 0};

static void test_descriptors(void)
{
    int fds[2];
    struct channel_message m;
    CHECK(channel_pair(fds));
    struct channel *uplink = channel_new(fds[0]);
    int before = count_descriptors();
    test_case("what a reader sends along does not fill up our descriptors");
    for (int count = 0; count <= 8; count++) {
        CHECK(send_along(fds[1], counters, sizeof(counters), count));
        CHECK_I64(channel_receive(uplink, &m), CHANNEL_MESSAGE);
        CHECK_I64(m.type, CHANNEL_COUNTERS);
    }
    CHECK_I64(channel_take_fd(uplink), CHANNEL_NO_FD);
    CHECK_I64(count_descriptors(), before);
    test_case("nor does it keep the channel open when the reader is gone");
    close(fds[1]);
    CHECK_I64(channel_receive(uplink, &m), CHANNEL_CLOSED);
    channel_free(uplink);
}

static void test_list(void)
{
    int fds[2];
    struct channel_message m;
    CHECK(channel_pair(fds));
    struct channel *uplink = channel_new(fds[0]);
    struct channel *reader = channel_new(fds[1]);
    channel_accept_fds(reader);
    int before = count_descriptors();
    test_case("a list's descriptor comes to the reader, the last one stays");
    for (int i = 0; i < 3; i++) {
        CHECK(channel_send_fd(uplink, CHANNEL_LIST, STDOUT_FILENO));
        CHECK_I64(channel_receive(reader, &m), CHANNEL_MESSAGE);
        CHECK_I64(m.type, CHANNEL_LIST);
    }
    CHECK_I64(count_descriptors(), before + 1);
    int fd = channel_take_fd(reader);
    CHECK(fd >= 0);
    close(fd);
    CHECK_I64(channel_take_fd(reader), CHANNEL_NO_FD);
    channel_free(uplink);
    CHECK_I64(channel_receive(reader, &m), CHANNEL_CLOSED);
    channel_free(reader);
}

static void test_malformed(void)
{
    static const struct {
        const char *name;
        uint32_t header[2];
        size_t length;
        enum channel_status status, at_end;
    } cases[] = {
        {"nothing", {0}, 0, CHANNEL_NOTHING, CHANNEL_CLOSED},
        {"half a header", {1, 8}, 5, CHANNEL_NOTHING, CHANNEL_CLOSED},
        {"a header alone", {1, 8}, 8, CHANNEL_NOTHING, CHANNEL_CLOSED},
        {"the longest",
         {1, CHANNEL_MESSAGE_MAX},
         8,
         CHANNEL_NOTHING,
         CHANNEL_CLOSED},
        {"one byte more",
         {1, CHANNEL_MESSAGE_MAX + 1},
         8,
         CHANNEL_BROKEN,
         CHANNEL_BROKEN},
        {"no bound", {1, UINT32_MAX}, 8, CHANNEL_BROKEN, CHANNEL_BROKEN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fds[2];
        struct channel_message m;
        CHECK(channel_pair(fds));
        struct channel *uplink = channel_new(fds[0]);
        test_case(cases[i].name);
        CHECK(cases[i].length == 0 ||
              send_along(fds[1], cases[i].header, cases[i].length, 0));
        CHECK_I64(channel_receive(uplink, &m), cases[i].status);
        close(fds[1]);
        CHECK_I64(channel_receive(uplink, &m), cases[i].at_end);
        channel_free(uplink);
    }
}

int main(void)
{
    test_descriptors();
    test_list();
    test_malformed();
    return test_end();
}
