/*
 * The only file that knows libpcap.
 *
 * The ring's time-out, not "immediate mode", bounds how long a packet waits:
 * with immediate mode libpcap falls back from TPACKET_V3 to V2, whose fixed
 * frames hold fewer packets in the same memory. A filter text is never given
 * to libpcap: pcap_setfilter() turns to filtering in user space, with success
 * as its answer, when the kernel refuses the program.
 */
#include "probe/capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <pcap/pcap.h>

#include "common/slice.h"
#include "probe/capture/pcap_file.h"

enum { RING_TIMEOUT_MS = 50 };
static const int64_t YEAR_10000_S = INT64_C(253402300800);

struct capture {
    pcap_t *pcap; /* NULL when it is a plain file, or left to another process */
    int left_fd;  /* kept then; -1: none */
    struct pcap_file *file;
    bool is_live;
    int64_t last_us; /* time of the packet before */
    uint64_t delivered, received, dropped;
    uint32_t last_received, last_dropped; /* as libpcap had them: 32 bits */
    capture_packet_fn *fn;                /* of the running dispatch */
    void *context;
    char link_name[32];
    struct error_text error; /* the last one, as we tell it */
};

static struct capture *capture_wrap(pcap_t *pcap, struct pcap_file *file,
                                    bool is_live)
{
    struct capture *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        if (pcap != NULL)
            pcap_close(pcap);
        pcap_file_close(file);
        return NULL;
    }
    c->pcap = pcap;
    c->left_fd = -1;
    c->file = file;
    c->is_live = is_live;
    const char *name = pcap_datalink_val_to_name(capture_link_type(c));
    if (!slice_copy(slice_of_text(name ? name : "unknown"), c->link_name,
                    sizeof(c->link_name)))
        c->link_name[0] = '?';
    return c;
}

/* libpcap's own text names the cause only for some of its errors. */
static bool activate_error(pcap_t *pcap, const char *interface, int status,
                           struct error_text *error)
{
    if (status == PCAP_ERROR_NO_SUCH_DEVICE)
        return error_set(error, "interface %s: there is no such interface",
                         interface);
    if (status == PCAP_ERROR_PERM_DENIED ||
        status == PCAP_ERROR_PROMISC_PERM_DENIED)
        return error_set(error,
                         "interface %s: no permission to capture "
                         "(CAP_NET_RAW is needed)",
                         interface);
    if (status == PCAP_ERROR_IFACE_NOT_UP)
        return error_set(error, "interface %s: it is not up", interface);
    const char *why = pcap_geterr(pcap);
    return error_set(error, "interface %s: %s", interface,
                     why[0] ? why : pcap_statustostr(status));
}

static bool set_options(pcap_t *pcap, const struct capture_options *options)
{
    int buffer = (int)(options->buffer_mb * 1024 * 1024);
    return pcap_set_snaplen(pcap, (int)options->snap_length) == 0 &&
           pcap_set_promisc(pcap, options->is_promiscuous) == 0 &&
           pcap_set_timeout(pcap, RING_TIMEOUT_MS) == 0 &&
           pcap_set_buffer_size(pcap, buffer) == 0;
}

struct capture *capture_open_live(const struct capture_options *options,
                                  struct error_text *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = NULL;
    if (options->buffer_mb == 0 || options->buffer_mb > 2047 ||
        options->snap_length == 0 || options->snap_length > 262144) {
        error_set(error, "buffer or snap length out of bounds");
        return NULL;
    }
    pcap = pcap_create(options->interface, reason);
    if (pcap == NULL || !set_options(pcap, options)) {
        error_set(error, "interface %s: %s", options->interface, reason);
        goto fail;
    }
    int status = pcap_activate(pcap);
    if (status < 0) {
        activate_error(pcap, options->interface, status, error);
        goto fail;
    }
    /* Version 2 of the cooked header tells the interface of a packet, so that
     * one which passes two of "any" can be told to be the same. */
    if (pcap_datalink(pcap) == DLT_LINUX_SLL)
        (void)pcap_set_datalink(pcap, DLT_LINUX_SLL2);
    if (pcap_setnonblock(pcap, 1, reason) != 0 ||
        pcap_get_selectable_fd(pcap) < 0) {
        error_set(error, "interface %s: %s", options->interface, reason);
        goto fail;
    }
    return capture_wrap(pcap, NULL, true);
fail:
    if (pcap != NULL)
        pcap_close(pcap);
    return NULL;
}

/* By its first bytes; no capture begins with one of these. */
static const struct {
    uint8_t magic[4];
    size_t length;
    const char *name, *command;
} compressions[] = {
    {{0x1f, 0x8b}, 2, "gzip", "gzip -dc"},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, "zstd", "zstd -dc"},
    {{0xfd, '7', 'z', 'X'}, 4, "xz", "xz -dc"},
    {{'B', 'Z', 'h'}, 3, "bzip2", "bzip2 -dc"},
};

/* Only the first byte can be given back to a pipe; when it is that of no
 * compression, nothing more is read here. */
static bool check_compression(FILE *file, const char *path,
                              struct error_text *error)
{
    uint8_t start[4] = {0};
    int first = getc(file);
    for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]);
         i++) {
        if (first != compressions[i].magic[0])
            continue;
        start[0] = (uint8_t)first;
        size_t length = 1 + fread(start + 1, 1, sizeof(start) - 1, file);
        if (length < sizeof(start) ||
            memcmp(start, compressions[i].magic, compressions[i].length) != 0)
            return error_set(error, "%s: not a capture file", path);
        return error_set(error,
                         "%s: compressed with %s; use: %s %s | "
                         "... -r -",
                         path, compressions[i].name, compressions[i].command,
                         strcmp(path, "-") == 0 ? "FILE" : path);
    }
    if (first != EOF)
        (void)ungetc(first, file);
    return true;
}

struct capture *capture_open_file(const char *path, struct error_text *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct pcap_file *plain = pcap_file_open(path);
    if (plain != NULL)
        return capture_wrap(NULL, plain, false);
    pcap_t *pcap = NULL;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (check_compression(file, path, error)) {
        pcap = pcap_fopen_offline(file, reason);
        if (pcap == NULL)
            error_set(error, "%s: %s", path, reason);
    }
    if (pcap != NULL)
        return capture_wrap(pcap, NULL, false);
    if (file != stdin)
        (void)fclose(file);
    return NULL;
}

void capture_close(struct capture *capture)
{
    if (capture == NULL)
        return;
    if (capture->pcap != NULL)
        pcap_close(capture->pcap);
    if (capture->left_fd >= 0)
        close(capture->left_fd);
    pcap_file_close(capture->file);
    free(capture);
}

/* libpcap would also take the ring from the socket, which the kernel refuses
 * while the other process has it mapped. */
bool capture_leave(struct capture *c, bool keeps_descriptor)
{
    int fd = capture_fd(c);
    int copy = keeps_descriptor ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (keeps_descriptor && copy < 0)
        return false;
    pcap_close(c->pcap);
    c->pcap = NULL;
    if (copy < 0)
        return true;
    c->left_fd = dup3(copy, fd, O_CLOEXEC);
    close(copy);
    return c->left_fd >= 0;
}

int capture_link_type(const struct capture *capture)
{
    return capture->file != NULL ? pcap_file_link_type(capture->file)
                                 : pcap_datalink(capture->pcap);
}

const char *capture_link_name(const struct capture *capture)
{
    return capture->link_name;
}

int capture_fd(const struct capture *capture)
{
    return capture->is_live ? pcap_get_selectable_fd(capture->pcap) : -1;
}

bool capture_join_fanout(struct capture *capture, uint16_t group,
                         struct error_text *error)
{
    int value = group | PACKET_FANOUT_HASH << 16;
    return setsockopt(capture_fd(capture), SOL_PACKET, PACKET_FANOUT, &value,
                      sizeof(value)) == 0 ||
           error_set(error, "packet fanout group %u: %s", group,
                     strerror(errno));
}

/* A file can claim any time. Outside the years 1970 to 9999 the packet is
 * handed on at the time of the one before it, and empty: undecodable. */
static inline void hand_on(struct capture *c, const uint8_t *data,
                           size_t captured, size_t length, int64_t seconds,
                           int64_t fraction_us)
{
    int64_t us = seconds >= 0 && seconds < YEAR_10000_S
                     ? seconds * 1000000 + fraction_us
                     : -1;
    bool is_dated = us >= 0 && us < YEAR_10000_S * 1000000;
    struct capture_packet packet = {
        .data = data,
        .captured = is_dated ? captured : 0,
        .length = length < captured ? captured : length,
        .when = {is_dated ? us : c->last_us},
    };
    c->last_us = packet.when.us;
    c->delivered++;
    c->fn(c->context, &packet);
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header,
                      const u_char *data)
{
    hand_on((struct capture *)user, data, header->caplen, header->len,
            header->ts.tv_sec, header->ts.tv_usec);
}

static enum capture_status dispatch_file(struct capture *c, int max)
{
    struct pcap_record r;
    for (int i = 0; i < max; i++) {
        enum pcap_status status = pcap_file_next(c->file, &r);
        if (status != PCAP_FILE_RECORD)
            return status == PCAP_FILE_END ? CAPTURE_END : CAPTURE_FAILED;
        hand_on(c, r.data, r.captured, r.length, r.seconds, r.fraction_us);
    }
    return CAPTURE_OK;
}

enum capture_status capture_dispatch(struct capture *capture, int max,
                                     capture_packet_fn *fn, void *context)
{
    capture->fn = fn;
    capture->context = context;
    if (capture->file != NULL)
        return dispatch_file(capture, max);
    int count = pcap_dispatch(capture->pcap, max, on_packet, (u_char *)capture);
    if (count < 0)
        return CAPTURE_FAILED;
    return count == 0 && !capture->is_live ? CAPTURE_END : CAPTURE_OK;
}

static void discard(void *context, const struct capture_packet *packet)
{
    (void)packet;
    uint64_t *count = context;
    ++*count;
}

int64_t capture_drain(struct capture *capture, int duration_ms)
{
    struct pollfd wait = {.fd = capture_fd(capture), .events = POLLIN};
    int64_t start = mono_now().us, end = start + duration_ms * 1000LL;
    int64_t late_from = end - duration_ms * 1000LL / 3;
    uint64_t late = 0, early = 0;
    for (int64_t now = start; now < end; now = mono_now().us) {
        uint64_t *count = now >= late_from ? &late : &early;
        if (capture_dispatch(capture, -1, discard, count) == CAPTURE_FAILED)
            return -1;
        if (poll(&wait, 1, 10) < 0 && errno != EINTR)
            return -1;
    }
    return (int64_t)late;
}

struct capture_counters capture_counters(struct capture *capture)
{
    struct pcap_stat stat = {0};
    if (capture->is_live && capture->pcap != NULL &&
        pcap_stats(capture->pcap, &stat) == 0) {
        /* They wrap; differences modulo 2^32 do not mind. Not ps_ifdrop: it is
         * read from files, which a reader can open no longer; and who knows
         * whether a packet that the interface dropped was a registered one. */
        capture->received += (uint32_t)(stat.ps_recv - capture->last_received);
        capture->dropped += (uint32_t)(stat.ps_drop - capture->last_dropped);
        capture->last_received = stat.ps_recv;
        capture->last_dropped = stat.ps_drop;
    }
    return (struct capture_counters){.received = capture->received,
                                     .dropped = capture->dropped,
                                     .delivered = capture->delivered};
}

/* A pcapng file may have interfaces of several kinds; libpcap gives the link
 * type once for the whole file, and stops at another one. */
const char *capture_error(struct capture *capture)
{
    if (capture->file != NULL)
        return pcap_file_error(capture->file);
    const char *reason = pcap_geterr(capture->pcap);
    bool is_mixed = strstr(reason, "of the first interface") != NULL;
    error_set(&capture->error, "%s%s", reason,
              is_mixed ? "; take the interfaces apart first: tshark -r FILE "
                         "-Y frame.interface_id==0 -w PART, and so on"
                       : "");
    return capture->error.text;
}
