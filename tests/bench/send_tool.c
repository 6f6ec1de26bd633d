/*
 * Traffic for the live benchmarks and the soak, and captures of many flows.
 *
 *   send_tool flood INTERFACE PACKETS_PER_SECOND SECONDS REGISTERED_PERCENT
 *   send_tool endless INTERFACE FLOWS_PER_SECOND SECONDS QUIC.bin...
 *   send_tool capture FLOWS >CAPTURE
 *
 * flood sends the frames of some thousand interleaved TLS sessions, made
 * beforehand, over and over; each round opens and closes them anew. endless
 * sends flows that never come again: TLS hellos with a name, some cut in two
 * with the end missing, QUIC Initials from files, garbage. capture writes
 * FLOWS sessions that are all open at the same time, within 20 seconds.
 *
 * Frames leave by a packet socket past the queueing discipline. Only an
 * interface that is a veth, in a network namespace made by `ip netns add`, is
 * accepted, so that nothing gets out by mistake. Registered is 198.18.0.0/16
 * (RFC 2544), the rest goes to 203.0.0.0/9; ports 443.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/slice.h"

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };
enum {
    FLOOD_FLOWS = 4000,
    FLOOD_DATA = 16, /* data packets of a flow */
    BATCH = 64,      /* frames in one call */
    MSS = 1400,
    HEADS_MAX = 64 * 1024 * 1024,
    FILE_MAX = 1400,
    SECONDS_MAX = 2 * 3600,
    RATE_MAX = 10 * 1000 * 1000,
    CAPTURE_SPAN_US = 20 * 1000 * 1000,
};

struct flow {
    uint32_t client, server;
    uint16_t client_port, server_port;
    uint32_t client_seq, server_seq;
};

/* A frame: bytes of its own, then some of the shared payload. */
struct frame {
    uint32_t offset;
    uint16_t length, shared;
};

struct frames {
    struct buffer bytes;
    struct frame *list;
    size_t count, room;
};

struct sender {
    int socket;
    uint8_t payload[MSS];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH][2];
    struct sockaddr_ll to;
};

static uint32_t mix(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    number ^= number >> 29;
    number *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(number >> 32);
}

static void die(const char *what)
{
    fprintf(stderr, "send_tool: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- frames --- */

static void add_ip(struct buffer *b, const struct flow *f, bool is_up,
                   uint8_t protocol, size_t length)
{
    buffer_add(b, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
    buffer_add_u16(b, 0x4500);
    buffer_add_u16(b, (uint16_t)(20 + length));
    buffer_add(b, "\0\0\x40\0\x40", 5);
    buffer_add_u8(b, protocol);
    buffer_add_u16(b, 0); /* no stack looks at the checksum */
    buffer_add_u32(b, is_up ? f->client : f->server);
    buffer_add_u32(b, is_up ? f->server : f->client);
    buffer_add_u16(b, is_up ? f->client_port : f->server_port);
    buffer_add_u16(b, is_up ? f->server_port : f->client_port);
}

static struct frame *begin_frame(struct frames *out)
{
    if (out->count == out->room) {
        out->room = out->room * 2 + 1024;
        out->list = realloc(out->list, out->room * sizeof(*out->list));
        if (out->list == NULL)
            die("no memory");
    }
    struct frame *frame = &out->list[out->count++];
    *frame = (struct frame){.offset = (uint32_t)out->bytes.length};
    return frame;
}

static void end_frame(struct frames *out, struct frame *frame)
{
    if (out->bytes.failed)
        die("too many frames");
    frame->length = (uint16_t)(out->bytes.length - frame->offset);
}

/* `shared` bytes of payload follow what is given. */
static void add_segment(struct frames *out, struct flow *f, bool is_up,
                        unsigned flags, struct slice payload, size_t shared)
{
    struct frame *frame = begin_frame(out);
    struct buffer *b = &out->bytes;
    uint32_t *seq = is_up ? &f->client_seq : &f->server_seq;
    uint32_t ack = is_up ? f->server_seq : f->client_seq;
    add_ip(b, f, is_up, 6, 20 + payload.length + shared);
    buffer_add_u32(b, *seq);
    buffer_add_u32(b, flags & ACK ? ack : 0);
    buffer_add_u16(b, (uint16_t)(0x5000 | flags));
    buffer_add(b, "\xff\xff\0\0\0\0", 6);
    buffer_add_slice(b, payload);
    frame->shared = (uint16_t)shared;
    end_frame(out, frame);
    *seq += (uint32_t)(payload.length + shared) + ((flags & (SYN | FIN)) != 0);
}

static void add_datagram(struct frames *out, const struct flow *f, bool is_up,
                         struct slice payload)
{
    struct frame *frame = begin_frame(out);
    add_ip(&out->bytes, f, is_up, 17, 8 + payload.length);
    buffer_add_u16(&out->bytes, (uint16_t)(8 + payload.length));
    buffer_add_u16(&out->bytes, 0);
    buffer_add_slice(&out->bytes, payload);
    end_frame(out, frame);
}

/* --- what is in them --- */

static void add_noise(struct buffer *b, uint64_t number, int count)
{
    for (int i = 0; i < count; i++)
        buffer_add_u8(b, (uint8_t)mix(number * 64 + (uint64_t)i));
}

/* ClientHello with server_name, supported_groups, supported_versions, ALPN. */
static struct slice client_hello(uint64_t number)
{
    static struct buffer out = {.limit = 1024};
    char name[64];
    snprintf(name, sizeof(name), "host%" PRIu64 ".erp.example", number);
    size_t length = strlen(name);
    buffer_reset(&out);
    buffer_add(&out, "\x16\3\1\0\0\1\0\0\0\3\3", 11);
    add_noise(&out, number, 32);
    buffer_add_u8(&out, 32);
    add_noise(&out, number + 1, 32);
    buffer_add(&out, "\0\6\x13\1\x13\2\x13\3\1\0", 10);
    size_t extensions = out.length;
    buffer_add_u32(&out, 0);
    buffer_add_u16(&out, (uint16_t)(length + 5));
    buffer_add_u16(&out, (uint16_t)(length + 3));
    buffer_add_u8(&out, 0);
    buffer_add_u16(&out, (uint16_t)length);
    buffer_add_text(&out, name);
    buffer_add(&out, "\0\x0a\0\4\0\2\0\x1d\0\x2b\0\3\2\3\4", 15);
    buffer_add(&out, "\0\x10\0\5\0\3\2h2", 9);
    buffer_put_u16(&out, extensions, (uint16_t)(out.length - extensions - 2));
    buffer_put_u16(&out, 3, (uint16_t)(out.length - 5));
    buffer_put_u16(&out, 7, (uint16_t)(out.length - 9));
    return buffer_slice(&out);
}

static struct slice server_hello(uint64_t number)
{
    static struct buffer out = {.limit = 256};
    static const uint8_t id[32] = {0};
    buffer_reset(&out);
    buffer_add(&out, "\x16\3\3\0\x4a\2\0\0\x46\3\3", 11);
    add_noise(&out, number + 2, 32);
    buffer_add_u8(&out, sizeof(id));
    buffer_add(&out, id, sizeof(id));
    buffer_add(&out, "\x13\1\0\0\0", 5);
    return buffer_slice(&out);
}

static struct slice noise(uint64_t number)
{
    static struct buffer out = {.limit = 1024};
    buffer_reset(&out);
    add_noise(&out, number, 40 + (int)(mix(number) % 400));
    return buffer_slice(&out);
}

static const struct slice nothing = {"", 0};

/* SYN, SYN/ACK, ACK, the hellos. */
static void add_opening(struct frames *out, struct flow *f, int step,
                        uint64_t number)
{
    switch (step) {
    case 0:
        add_segment(out, f, true, SYN, nothing, 0);
        break;
    case 1:
        add_segment(out, f, false, SYN | ACK, nothing, 0);
        break;
    case 2:
        add_segment(out, f, true, ACK, nothing, 0);
        break;
    case 3:
        add_segment(out, f, true, PSH | ACK, client_hello(number), 0);
        break;
    default:
        add_segment(out, f, false, PSH | ACK, server_hello(number), 0);
    }
}

static void add_closing(struct frames *out, struct flow *f)
{
    add_segment(out, f, true, FIN | ACK, nothing, 0);
    add_segment(out, f, false, FIN | ACK, nothing, 0);
    add_segment(out, f, true, ACK, nothing, 0);
}

static struct flow flow_of(uint64_t number, bool is_registered)
{
    uint32_t a = mix(number * 4), b = mix(number * 4 + 1);
    return (struct flow){
        .client = 0x0a000000u | (a & 0xffffff),
        .server = is_registered ? 0xc6120000u | (b & 0xffff)
                                : 0xcb000000u | (b & 0x7fffff),
        .client_port = (uint16_t)(1024 + (b >> 16) % 60000),
        .server_port = 443,
        .client_seq = mix(number * 4 + 2),
        .server_seq = mix(number * 4 + 3),
    };
}

/* --- the socket --- */

/* Are we in a namespace that `ip netns add` made? The machine's own has no
 * name there. */
static bool is_named_namespace(void)
{
    struct stat own, named;
    bool is_found = false;
    DIR *folder = opendir("/run/netns");
    if (folder == NULL || stat("/proc/self/ns/net", &own) != 0)
        die("/run/netns");
    for (struct dirent *e; !is_found && (e = readdir(folder)) != NULL;)
        is_found = fstatat(dirfd(folder), e->d_name, &named, 0) == 0 &&
                   named.st_ino == own.st_ino && named.st_dev == own.st_dev;
    closedir(folder);
    return is_found;
}

static bool is_veth(int socket, const char *interface)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (void *)&info};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
    return ioctl(socket, SIOCETHTOOL, &request) == 0 &&
           strcmp(info.driver, "veth") == 0;
}

static void open_sender(struct sender *s, const char *interface)
{
    int bypass = 1, room = 1 << 22;
    s->socket = socket(AF_PACKET, SOCK_RAW, 0);
    if (s->socket < 0)
        die("packet socket");
    if (!is_named_namespace() || !is_veth(s->socket, interface)) {
        fprintf(stderr,
                "send_tool: %s: only a veth in a network namespace made by "
                "`ip netns add`\n",
                interface);
        exit(2);
    }
    setsockopt(s->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
               sizeof(bypass));
    setsockopt(s->socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    s->to = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_ifindex = (int)if_nametoindex(interface),
                                 .sll_halen = 6};
    memcpy(s->payload, "\x17\3\3\x05\x73", 5);
    for (int i = 0; i < BATCH; i++)
        s->messages[i].msg_hdr = (struct msghdr){.msg_name = &s->to,
                                                 .msg_namelen = sizeof(s->to),
                                                 .msg_iov = s->parts[i],
                                                 .msg_iovlen = 2};
}

static void send_frames(struct sender *s, const struct frames *frames,
                        size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct frame *f = &frames->list[first + i];
        s->parts[i][0].iov_base = frames->bytes.data + f->offset;
        s->parts[i][0].iov_len = f->length;
        s->parts[i][1].iov_base = s->payload;
        s->parts[i][1].iov_len = f->shared;
    }
    for (size_t done = 0; done < count;) {
        int n = sendmmsg(s->socket, s->messages + done,
                         (unsigned)(count - done), 0);
        if (n < 0 && errno != ENOBUFS && errno != EINTR)
            die("cannot send");
        done += n > 0 ? (size_t)n : 0;
    }
}

/* Sleeps until `done` of `rate` a second are due again; false at the end. */
static bool keep_pace(struct mono_time start, uint64_t done, uint64_t rate,
                      uint64_t seconds)
{
    int64_t due_us = start.us + (int64_t)(done * 1000000 / rate);
    int64_t end_us = start.us + (int64_t)seconds * 1000000;
    int64_t now_us = mono_now().us;
    while (now_us < due_us && now_us < end_us) {
        struct timespec pause = {.tv_nsec = 50000}; /* never waits busily */
        nanosleep(&pause, NULL);
        now_us = mono_now().us;
    }
    return now_us < end_us;
}

static void tell(uint64_t sent, struct mono_time start)
{
    uint64_t ms = (uint64_t)(mono_now().us - start.us) / 1000 + 1;
    printf("sent %" PRIu64 " packets in %" PRIu64 " ms: %" PRIu64
           " packets/s\n",
           sent, ms, sent * 1000 / ms);
}

/* --- the three commands --- */

static void make_flood(struct frames *out, uint64_t percent)
{
    static struct flow flows[FLOOD_FLOWS];
    enum { OPENING = 5, STEPS = OPENING + FLOOD_DATA + 1 };
    for (int step = 0; step < STEPS; step++) {
        for (uint64_t i = 0; i < FLOOD_FLOWS; i++) {
            if (step == 0)
                flows[i] = flow_of(i, i % 100 < percent);
            if (step < OPENING)
                add_opening(out, &flows[i], step, i);
            else if (step < OPENING + FLOOD_DATA)
                add_segment(out, &flows[i], step % 4 == 0, PSH | ACK, nothing,
                            step % 4 == 0 ? 120 : 200 + step * 53);
            else
                add_closing(out, &flows[i]);
        }
    }
}

static int flood(const char *interface, uint64_t rate, uint64_t seconds,
                 uint64_t percent)
{
    static struct sender sender;
    struct frames frames = {.bytes = {.limit = HEADS_MAX}};
    uint64_t sent = 0;
    size_t next = 0;
    open_sender(&sender, interface);
    make_flood(&frames, percent);
    struct mono_time start = mono_now();
    while (keep_pace(start, sent, rate, seconds)) {
        size_t left = frames.count - next;
        size_t count = left < BATCH ? left : BATCH;
        send_frames(&sender, &frames, next, count);
        sent += count;
        next = count == left ? 0 : next + count;
    }
    tell(sent, start);
    free(frames.list);
    buffer_clear(&frames.bytes);
    return 0;
}

/* Nine kinds in turn: most are whole sessions, some stay open, some hellos
 * miss their end, some flows are QUIC, some garbage over TCP or UDP. */
static void make_endless(struct frames *out, uint64_t number,
                         struct slice initial)
{
    struct flow f = flow_of(number, true);
    unsigned kind = (unsigned)(number % 9);
    out->count = 0;
    buffer_reset(&out->bytes);
    if (kind >= 7) {
        add_datagram(out, &f, true, kind == 7 ? initial : noise(number));
        add_datagram(out, &f, false, noise(number + 1));
        return;
    }
    for (int step = 0; step < 3; step++)
        add_opening(out, &f, step, number);
    struct slice hello = kind == 6 ? noise(number) : client_hello(number);
    if (kind == 5)
        hello.length /= 2;
    add_segment(out, &f, true, PSH | ACK, hello, 0);
    add_opening(out, &f, 4, number);
    add_segment(out, &f, false, PSH | ACK, nothing, 600);
    if (kind < 4)
        add_closing(out, &f);
}

static int endless(const char *interface, uint64_t rate, uint64_t seconds,
                   int file_count, char **files)
{
    static struct sender sender;
    static struct buffer initials[8];
    struct frames frames = {.bytes = {.limit = HEADS_MAX}};
    uint64_t sent = 0, flows = 0;
    for (int i = 0; i < file_count; i++)
        if (!buffer_read_file(&initials[i], files[i], FILE_MAX))
            die(files[i]);
    open_sender(&sender, interface);
    /* Another start, other flows. */
    uint64_t first = (uint64_t)wall_now().us;
    struct mono_time start = mono_now();
    while (keep_pace(start, flows, rate, seconds)) {
        uint64_t number = first + flows++;
        make_endless(
            &frames, number,
            buffer_slice(&initials[number / 9 % (uint64_t)file_count]));
        send_frames(&sender, &frames, 0, frames.count);
        sent += frames.count;
    }
    tell(sent, start);
    for (int i = 0; i < file_count; i++)
        buffer_clear(&initials[i]);
    free(frames.list);
    buffer_clear(&frames.bytes);
    return 0;
}

static void add_le32(struct buffer *b, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        buffer_add_u8(b, (uint8_t)(value >> (8 * i)));
}

/* The frames gathered, as records of a capture, and forgets them. */
static void write_frames(struct frames *frames, uint64_t when_us)
{
    static const uint8_t payload[MSS];
    static struct buffer head = {.limit = 64};
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *f = &frames->list[i];
        uint32_t length = (uint32_t)f->length + f->shared;
        buffer_reset(&head);
        add_le32(&head, (uint32_t)(when_us / 1000000));
        add_le32(&head, (uint32_t)(when_us % 1000000));
        add_le32(&head, length);
        add_le32(&head, length);
        fwrite(head.data, 1, head.length, stdout);
        fwrite(frames->bytes.data + f->offset, 1, f->length, stdout);
        fwrite(payload, 1, f->shared, stdout);
    }
    frames->count = 0;
    buffer_reset(&frames->bytes);
}

static int capture(uint64_t flow_count)
{
    static const uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0,
                                       0,    0,    0,    0,    0, 0, 0, 0,
                                       0,    0,    4,    0,    1, 0, 0, 0};
    struct frames frames = {.bytes = {.limit = HEADS_MAX}};
    const uint64_t start_us = UINT64_C(1700000000000000);
    fwrite(header, 1, sizeof(header), stdout);
    for (uint64_t i = 0; i < 2 * flow_count; i++) {
        uint64_t number = i % flow_count;
        struct flow f = flow_of(number, true);
        /* A number each, so that no two are the same by chance. */
        f.client = 0x0a000000u | (uint32_t)number;
        if (i < flow_count)
            for (int step = 0; step < 5; step++)
                add_opening(&frames, &f, step, number);
        else
            add_segment(&frames, &f, true, PSH | ACK, nothing, 64);
        write_frames(&frames,
                     start_us + i * CAPTURE_SPAN_US / (2 * flow_count));
    }
    free(frames.list);
    buffer_clear(&frames.bytes);
    return fflush(stdout) == 0 ? 0 : 1;
}

static uint64_t number_of(const char *text, uint64_t min, uint64_t max)
{
    uint64_t value;
    if (parse_u64(slice_of_text(text), min, max, &value))
        return value;
    fprintf(stderr, "send_tool: %s: from %" PRIu64 " to %" PRIu64 "\n", text,
            min, max);
    exit(2);
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "flood") == 0 && argc == 6)
        return flood(argv[2], number_of(argv[3], 1, RATE_MAX),
                     number_of(argv[4], 1, SECONDS_MAX),
                     number_of(argv[5], 0, 100));
    if (strcmp(command, "endless") == 0 && argc >= 6 && argc <= 5 + 8)
        return endless(argv[2], number_of(argv[3], 1, RATE_MAX),
                       number_of(argv[4], 1, SECONDS_MAX), argc - 5, argv + 5);
    if (strcmp(command, "capture") == 0 && argc == 3)
        return capture(number_of(argv[2], 1, 10000000));
    fputs("usage: send_tool flood INTERFACE PACKETS_PER_SECOND SECONDS "
          "REGISTERED_PERCENT\n"
          "       send_tool endless INTERFACE FLOWS_PER_SECOND SECONDS "
          "QUIC.bin...\n"
          "       send_tool capture FLOWS\n",
          stderr);
    return 2;
}
