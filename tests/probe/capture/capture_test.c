/*
 * Files that are no captures are refused with what to do; and packet fanout, on
 * the loopback interface of a network namespace of our own: both directions of
 * a flow come to the same member. Without the rights for that it is skipped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/capture/capture.h"
#include "tests/test.h"

/* --- files --- */

static const struct {
    const char *name, *bytes;
    size_t length;
    const char *says;
} refused[] = {
    {"gzip", "\x1f\x8b\x08\0\0\0\0\0", 8, "gzip -dc"},
    {"zstd", "\x28\xb5\x2f\xfd\x04\0\0\0", 8, "zstd -dc"},
    {"xz",
     "\xfd"
     "7zXZ\0\0\4",
     8, "xz -dc"},
    {"bzip2", "BZh91AY&", 8, "bzip2 -dc"},
    {"almost gzip", "\x1f\x8c\x08\0\0\0\0\0", 8, "not a capture file"},
    {"one byte", "\x1f", 1, "not a capture file"},
    {"text", "hello, world", 12, "unknown file format"},
    {"empty", "", 0, "truncated dump file"},
};

static bool write_file(char path[static 32], const void *bytes, size_t length)
{
    memcpy(path, "/tmp/yz-capture-XXXXXX", sizeof("/tmp/yz-capture-XXXXXX"));
    int fd = mkstemp(path);
    bool good = fd >= 0 && write(fd, bytes, length) == (ssize_t)length;
    close(fd);
    return good;
}

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct error_text error = {{0}};
        char path[32], name[64];
        snprintf(name, sizeof(name), "refused: %s", refused[i].name);
        test_case(name);
        CHECK(write_file(path, refused[i].bytes, refused[i].length));
        CHECK(capture_open_file(path, &error) == NULL);
        if (!CHECK(strstr(error.text, refused[i].says) != NULL &&
                   strstr(error.text, path) != NULL))
            printf("# %s\n", error.text);
        unlink(path);
    }
    struct error_text error = {{0}};
    test_case("refused: no such file");
    CHECK(capture_open_file("/nowhere/x.pcap", &error) == NULL);
    CHECK(strcmp(error.text, "/nowhere/x.pcap: No such file or directory") ==
          0);
}

static void ignore(void *context, const struct capture_packet *packet)
{
    (void)packet;
    ++*(int *)context;
}

/* pcapng: section, an Ethernet and a raw interface, an empty packet of each. */
static const uint8_t mixed[] = {
    0x0a,
    0x0d,
    0x0d,
    0x0a,
    28,
    0,
    0,
    0,
    0x4d,
    0x3c,
    0x2b,
    0x1a,
    1,
    0,
    0,
    0,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    28,
    0,
    0,
    0,
    /* interfaces */
    1,
    0,
    0,
    0,
    20,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    0,
    20,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    20,
    0,
    0,
    0,
    101,
    0,
    0,
    0,
    0,
    0,
    4,
    0,
    20,
    0,
    0,
    0,
    /* packets */
    6,
    0,
    0,
    0,
    32,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    32,
    0,
    0,
    0,
    6,
    0,
    0,
    0,
    32,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    32,
    0,
    0,
    0,
};

static void test_mixed(void)
{
    struct error_text error = {{0}};
    char path[32];
    int count = 0;
    enum capture_status status = CAPTURE_OK;
    test_case("pcapng with interfaces of two kinds ends with what to do");
    CHECK(write_file(path, mixed, sizeof(mixed)));
    struct capture *c = capture_open_file(path, &error);
    if (CHECK(c != NULL)) {
        while (status == CAPTURE_OK)
            status = capture_dispatch(c, 10, ignore, &count);
        CHECK_I64(status, CAPTURE_FAILED);
        if (!CHECK(strstr(capture_error(c), "frame.interface_id") != NULL))
            printf("# %s\n", capture_error(c));
    }
    capture_close(c);
    unlink(path);
}

/* --- fanout --- */

enum { FLOWS = 48, MEMBERS = 3, PORT = 20000 };

/* Which member got the packets of a flow's two directions; -1: none did. */
struct seen {
    int member;
    int by[FLOWS][2];
};

static void note(void *context, const struct capture_packet *packet)
{
    struct seen *seen = context;
    const uint8_t *udp = packet->data + 14 + 20;
    if (packet->captured < 14 + 28 || packet->data[23] != 17)
        return;
    int from = (udp[0] << 8 | udp[1]) - PORT,
        to = (udp[2] << 8 | udp[3]) - PORT;
    int flow = from < to ? from : to, direction = from > to;
    if (flow >= 0 && flow < FLOWS && from + to == 2 * flow + 1000)
        seen->by[flow][direction] = seen->member;
}

static bool bring_up_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool good = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    good = good && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return good;
}

static int bound_socket(const char *address, int port, struct sockaddr_in *name)
{
    *name = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &name->sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)name, sizeof(*name)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void exchange(int flow)
{
    struct sockaddr_in names[2];
    int one = bound_socket("127.0.0.1", PORT + flow, &names[0]);
    int two = bound_socket("127.0.0.2", PORT + flow + 1000, &names[1]);
    if (CHECK(one >= 0 && two >= 0)) {
        CHECK(sendto(one, "x", 1, 0, (struct sockaddr *)&names[1],
                     sizeof(names[1])) == 1);
        CHECK(sendto(two, "y", 1, 0, (struct sockaddr *)&names[0],
                     sizeof(names[0])) == 1);
    }
    close(one);
    close(two);
}

static void run_fanout(struct capture *members[static MEMBERS])
{
    struct seen seen;
    int used[MEMBERS] = {0};
    memset(seen.by, -1, sizeof(seen.by));
    for (int flow = 0; flow < FLOWS; flow++)
        exchange(flow);
    for (int wait = 0; wait < 20; wait++, (void)poll(NULL, 0, 20))
        for (seen.member = 0; seen.member < MEMBERS; seen.member++)
            CHECK(capture_dispatch(members[seen.member], -1, note, &seen) ==
                  CAPTURE_OK);
    for (int flow = 0; flow < FLOWS; flow++) {
        int member = seen.by[flow][0];
        if (CHECK(member >= 0 && member == seen.by[flow][1]))
            used[member]++;
    }
    for (int i = 0; i < MEMBERS; i++)
        CHECK(used[i] > 0);
}

static void test_fanout(void)
{
    struct capture_options options = {
        .interface = "lo", .snap_length = 256, .buffer_mb = 1};
    struct capture *members[MEMBERS] = {NULL};
    struct error_text error = {{0}};
    if (unshare(CLONE_NEWNET) != 0 || !bring_up_loopback()) {
        test_case("fanout # skip no network namespaces here");
        return;
    }
    test_case("fanout: both directions of a flow come to one member");
    bool good = true;
    for (int i = 0; i < MEMBERS && good; i++) {
        members[i] = capture_open_live(&options, &error);
        good = CHECK(members[i] != NULL) &&
               CHECK(capture_join_fanout(members[i], 7, &error));
    }
    if (good)
        run_fanout(members);
    else
        printf("# %s\n", error.text);
    for (int i = 0; i < MEMBERS; i++)
        capture_close(members[i]);
}

int main(void)
{
    test_refused();
    test_mixed();
    test_fanout();
    return test_end();
}
