/*
 * A filter over two captures of different link types, on the loopback interface
 * of a network namespace of our own: it is proved, selects for both, and
 * follows another list; what cannot be followed leaves the old list in force.
 * Without the rights for that it is skipped.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buffer.h"
#include "probe/capture/capture.h"
#include "probe/capture/filter.h"
#include "tests/test.h"

#define HEADER                                                                 \
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"     \
    "shared\n"

enum { CAPTURES = 2, PACKETS = 15 };

static const struct target {
    const char *address;
    uint16_t port;
} targets[] = {{"127.0.0.9", 7000}, {"127.0.0.9", 7001}, {"127.0.0.8", 7000}};

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

/* Datagrams to each target; they are as long as the target's number says. */
static void send_all(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < PACKETS; k++) {
            struct sockaddr_in to = {.sin_family = AF_INET,
                                     .sin_port = htons(targets[i].port)};
            inet_pton(AF_INET, targets[i].address, &to.sin_addr);
            CHECK(sendto(fd, "xxx", i + 1, 0, (struct sockaddr *)&to,
                         sizeof(to)) == (ssize_t)i + 1);
        }
    close(fd);
}

/* The answers (port unreachable) are longer and counted with none. */
static void note(void *context, const struct capture_packet *packet)
{
    unsigned *counts = context;
    for (size_t header = 14; header <= 20; header++) {
        size_t payload = packet->length - header - 28;
        if (packet->length > header + 28 && payload <= 3 &&
            packet->data[header] == 0x45 && packet->data[header + 9] == 17)
            counts[payload - 1]++;
    }
}

/* What comes through each capture must be this much of each target. */
static void expect(struct capture *const captures[static CAPTURES],
                   const bool wanted[static 3], const char *when)
{
    unsigned counts[CAPTURES][3] = {{0}};
    send_all();
    for (int wait = 0; wait < 10; wait++, (void)poll(NULL, 0, 20))
        for (int i = 0; i < CAPTURES; i++)
            CHECK(capture_dispatch(captures[i], -1, note, counts[i]) ==
                  CAPTURE_OK);
    for (int i = 0; i < CAPTURES; i++)
        for (int k = 0; k < 3; k++)
            if (!CHECK(counts[i][k] == (wanted[k] ? PACKETS : 0u)))
                printf("# %s: capture %d, target %d: %u\n", when, i, k,
                       counts[i][k]);
}

static struct endpoint_list *list_of(const char *rows)
{
    struct error_text error = {{0}};
    char text[1024];
    snprintf(text, sizeof(text), HEADER "%s", rows);
    struct endpoint_list *list =
        endpoint_list_parse(slice_of_text(text), "live.csv", &error);
    CHECK(list != NULL);
    return list;
}

/* Too many for a classic program. */
static struct endpoint_list *long_list(void)
{
    struct error_text error = {{0}};
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_add_text(&text, HEADER);
    for (int i = 0; i < 3000; i++)
        buffer_addf(&text, "e%d,S,V,100.%d.%d.7,,udp,7000,,,\n", i, i / 250,
                    i % 250);
    struct endpoint_list *list =
        endpoint_list_parse(buffer_slice(&text), "long.csv", &error);
    CHECK(list != NULL);
    buffer_clear(&text);
    return list;
}

static void check_long(struct filter *filter, enum filter_kind kind,
                       struct capture *const captures[static CAPTURES],
                       struct wall_time now)
{
    static const bool before[3] = {false, false, true}, none[3] = {false};
    struct error_text error = {{0}};
    struct endpoint_list *list = long_list();
    bool good = filter_replace(filter, list, now, &error);
    CHECK(good == (kind == FILTER_EBPF));
    if (kind == FILTER_CLASSIC)
        CHECK(strstr(error.text, "the kernel takes 4096") != NULL);
    expect(captures, good ? none : before, "after the long list");
    /* The filter may go on with the list it was given. */
    CHECK(filter_rule_count(filter) == (good ? 3000 : 1));
    endpoint_list_free(list);
}

static void check_counters(const struct filter *filter, enum filter_kind kind)
{
    struct filter_counters c = filter_counters(filter);
    CHECK(c.is_known == (kind == FILTER_EBPF));
    if (c.is_known)
        CHECK(c.matched_packets >= 2 * PACKETS * CAPTURES &&
              c.seen_packets > c.matched_packets);
    CHECK(strstr(filter_looks_through(filter), "VXLAN") != NULL);
}

static void run(enum filter_kind kind,
                struct capture *const captures[static CAPTURES])
{
    static const bool first[3] = {true, false, false};
    static const bool second[3] = {false, false, true};
    struct endpoint_list *one = list_of("a,S,A,127.0.0.9,,udp,7000,,,\n");
    struct endpoint_list *two = list_of("b,S,B,127.0.0.8,,udp,,,,\n");
    struct error_text error = {{0}};
    struct wall_time now = wall_from_s(1000000000);
    struct filter *filter =
        filter_attach(kind, one, captures, CAPTURES, 256, now, &error);
    if (CHECK(filter != NULL)) {
        CHECK(filter_kind(filter) == kind);
        expect(captures, first, "first list");
        CHECK(filter_replace(filter, two, now, &error));
        expect(captures, second, "second list");
        check_counters(filter, kind);
        check_long(filter, kind, captures, now);
    } else {
        printf("# %s\n", error.text);
    }
    filter_free(filter);
    endpoint_list_free(one);
    endpoint_list_free(two);
}

static void test(enum filter_kind kind)
{
    static const char *const interfaces[CAPTURES] = {"lo", "any"};
    struct capture *captures[CAPTURES] = {NULL};
    struct error_text error = {{0}};
    bool good = true;
    for (int i = 0; i < CAPTURES && good; i++) {
        struct capture_options options = {
            .interface = interfaces[i], .snap_length = 256, .buffer_mb = 1};
        captures[i] = capture_open_live(&options, &error);
        if (!(good = CHECK(captures[i] != NULL)))
            printf("# %s\n", error.text);
    }
    if (good) {
        CHECK(capture_link_type(captures[0]) != capture_link_type(captures[1]));
        run(kind, captures);
    }
    for (int i = 0; i < CAPTURES; i++)
        capture_close(captures[i]);
}

int main(void)
{
    if (unshare(CLONE_NEWNET) != 0 || !bring_up_loopback()) {
        test_case("filter # skip no network namespaces here");
        return test_end();
    }
    test_case("eBPF: two captures, another list, a long one");
    test(FILTER_EBPF);
    test_case("classic: two captures, another list, one that does not fit");
    test(FILTER_CLASSIC);
    return test_end();
}
