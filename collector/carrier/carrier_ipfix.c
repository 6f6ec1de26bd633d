/* Messages from a block that is filled as they are used up; the session reads
 * each, and its records are made carriers' records one by one. */
#include "collector/carrier/carrier_ipfix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/carrier/carrier_pair.h"
#include "collector/carrier/number_map.h"
#include "collector/netflow/netflow_session.h"
#include "common/wire/ipfix.h"

enum { BLOCK = 512 * 1024, BUDGET = 16 * 1024 * 1024, END_ACTIVE = 2 };

struct ipfix_file {
    int fd;
    char *name;
    const struct endpoint_list *endpoints;
    uint8_t *block;
    size_t start, end; /* what of the block is not taken yet */
    bool at_end;
    uint64_t offset; /* of the message, in the file */
    /* While it is read: */
    struct netflow_budget budget;
    struct netflow_session *session;
    struct carrier_pairs *pairs;
    struct digest_stream *digest;
    struct wall_time now;
    uint64_t record; /* of the message, from 1 */
    uint64_t untimed;
    carrier_row_fn *fn;
    void *context;
    bool is_stopped; /* by the callback */
    bool has_failed; /* without memory */
};

/* --- one record --- */

static struct address address_of(const uint8_t *bytes, uint8_t version)
{
    struct address a = {.version = version};
    memcpy(a.bytes, bytes, version == 4 ? 4 : 16);
    return a;
}

static void add_user(struct carrier_record *r, const uint8_t *bytes,
                     uint8_t version, uint16_t port)
{
    struct carrier_user *user = &r->users[r->user_count++];
    user->address = address_of(bytes, version);
    user->port = port != 0 ? port : NUMBER_PORT_UNKNOWN;
}

/* A translator may leave the port as it is, and then not tell it. */
static uint16_t after_nat(uint16_t post, uint16_t port)
{
    return post != 0 ? post : port;
}

static void set_upward(struct carrier_record *r, const struct netflow_record *n)
{
    r->cloud_address = address_of(n->destination, n->version);
    r->cloud_port = n->destination_port;
    if (n->has_post_source)
        add_user(r, n->post_source, n->version,
                 after_nat(n->post_source_port, n->source_port));
    add_user(r, n->source, n->version, n->source_port);
    r->octets_up = n->octets;
    r->packets_up = n->packets;
    r->octets_down = n->roctets;
    r->packets_down = n->rpackets;
}

static void set_downward(struct carrier_record *r,
                         const struct netflow_record *n)
{
    r->cloud_address = address_of(n->source, n->version);
    r->cloud_port = n->source_port;
    add_user(r, n->destination, n->version, n->destination_port);
    if (n->has_post_destination)
        add_user(r, n->post_destination, n->version,
                 after_nat(n->post_destination_port, n->destination_port));
    r->octets_up = n->roctets;
    r->packets_up = n->rpackets;
    r->octets_down = n->octets;
    r->packets_down = n->packets;
}

static bool is_endpoint(const struct ipfix_file *f,
                        const struct netflow_record *n, const uint8_t *bytes,
                        uint16_t port)
{
    struct address address = address_of(bytes, n->version);
    return endpoint_find(f->endpoints, &address, n->protocol, port,
                         wall_from_ms(n->start_ms)) != ENDPOINT_NONE;
}

/* Turns it to the endpoint; false when neither side is one, then it stays as
 * it was written. */
static bool orient(const struct ipfix_file *f, const struct netflow_record *n,
                   struct carrier_record *r)
{
    bool is_up = is_endpoint(f, n, n->destination, n->destination_port);
    bool is_down = !is_up && is_endpoint(f, n, n->source, n->source_port);
    if (is_down)
        set_downward(r, n);
    else
        set_upward(r, n);
    return is_up || is_down;
}

/* Fields of a fixed length are filled up with zeros or blanks. */
static struct slice without_padding(struct slice text)
{
    while (text.length > 0 && text.data[text.length - 1] == '\0')
        text.length--;
    return slice_trim(text);
}

static void set_number(struct carrier_record *r, const struct netflow_record *n)
{
    const struct {
        struct slice text;
        unsigned kinds;
    } numbers[] = {
        {n->msisdn, 1u << NUMBER_MOBILE | 1u << NUMBER_SIM},
        {n->imsi, 1u << NUMBER_SIM},
        {n->user_name, CARRIER_ANY_KIND},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct slice text = without_padding(numbers[i].text);
        if (text.length == 0)
            continue;
        carrier_record_number(r, text, numbers[i].kinds);
        return;
    }
}

/* What makes it no record of a connection. */
static const char *objection(struct ipfix_file *f,
                             const struct netflow_record *n)
{
    uint64_t untimed = netflow_session_counters(f->session)->untimed_records;
    bool is_untimed = untimed != f->untimed;
    f->untimed = untimed;
    if (n->version == 0)
        return "no source and destination address of one version";
    if (n->protocol == 0)
        return "no protocol";
    if (is_untimed)
        return "no start or no end";
    if (n->rate.chosen > 0 && n->rate.population > n->rate.chosen)
        return "its counts are sampled";
    if (n->totals != 0 && (n->end_reason == 0 || n->end_reason == END_ACTIVE))
        return "total counts of a flow whose end is not told; delta counts "
               "are needed";
    return n->octets + n->packets + n->roctets + n->rpackets == 0
               ? "it counts nothing"
               : NULL;
}

static bool row(struct ipfix_file *f, const struct carrier_record *record,
                const char *fault)
{
    if (!f->fn(f->context, record, fault))
        f->is_stopped = true;
    return !f->is_stopped;
}

static bool take_paired(void *context, const struct carrier_record *record)
{
    return row(context, record, NULL);
}

static void take_record(void *context, const struct netflow_record *n)
{
    struct ipfix_file *f = context;
    struct carrier_record r;
    f->record++;
    if (f->is_stopped)
        return;
    memset(&r, 0, sizeof(r));
    const char *fault = objection(f, n);
    bool is_registered = false;
    if (fault == NULL) {
        r.start_ms = n->start_ms;
        r.end_ms = n->end_ms;
        r.protocol = n->protocol;
        r.connections = 1;
        is_registered = orient(f, n, &r);
        set_number(&r, n);
        fault = carrier_record_fault(&r, f->now);
    }
    if (fault != NULL)
        row(f, NULL, fault);
    else if (!is_registered)
        row(f, &r, NULL);
    else if (!carrier_pairs_add(f->pairs, &r) && !f->is_stopped)
        f->is_stopped = f->has_failed = true;
}

/* --- the file --- */

void *carrier_ipfix_of(int fd, const char *name,
                       const struct endpoint_list *endpoints,
                       struct error_text *error)
{
    struct ipfix_file *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        close(fd);
        error_set(error, "%s: out of memory", name);
        return NULL;
    }
    *f = (struct ipfix_file){.fd = fd,
                             .name = strdup(name),
                             .endpoints = endpoints,
                             .block = malloc(BLOCK)};
    if (f->name != NULL && f->block != NULL)
        return f;
    error_set(error, "%s: out of memory", name);
    carrier_ipfix.close(f);
    return NULL;
}

static void *open_file(const char *path, const struct endpoint_list *endpoints,
                       struct error_text *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return carrier_ipfix_of(fd, path, endpoints, error);
    error_set(error, "%s: %s", path, strerror(errno));
    return NULL;
}

static void close_file(void *file)
{
    struct ipfix_file *f = file;
    close(f->fd);
    free(f->name);
    free(f->block);
    free(f);
}

/* More bytes behind those that are there. */
static bool fill(struct ipfix_file *f)
{
    ssize_t n;
    memmove(f->block, f->block + f->start, f->end - f->start);
    f->end -= f->start;
    f->start = 0;
    do
        n = read(f->fd, f->block + f->end, BLOCK - f->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return false;
    digest_stream_add(f->digest, f->block + f->end, (size_t)n);
    f->end += (size_t)n;
    f->at_end = n == 0;
    return true;
}

/* Length of the next message, 0 at the end of the file. One that is none has
 * the length that is left: reading it tells what is wrong. */
static bool next_message(struct ipfix_file *f, size_t *length)
{
    for (;;) {
        size_t left = f->end - f->start;
        int64_t found =
            netflow_message_length(f->block + f->start, left, f->at_end);
        if (found == 0 && !f->at_end && left < BLOCK) {
            if (!fill(f))
                return false;
            continue;
        }
        *length = found > 0                  ? (size_t)found
                  : left < IPFIX_MESSAGE_MAX ? left
                                             : IPFIX_MESSAGE_MAX;
        return true;
    }
}

static bool message_error(const struct ipfix_file *f, struct error_text *error,
                          const char *what, const char *why)
{
    return error_set(error, "%s: message at byte %" PRIu64 ": %s%s%s", f->name,
                     f->offset, what, *why != '\0' ? ": " : "", why);
}

static bool take_message(struct ipfix_file *f, size_t length,
                         struct error_text *error)
{
    const struct netflow_counters *n = netflow_session_counters(f->session);
    uint64_t unknown = n->unknown_sets;
    f->record = 0;
    enum netflow_status status =
        netflow_session_take(f->session, f->block + f->start, length,
                             wall_to_ms(f->now), take_record, f);
    if (f->has_failed)
        return error_set(error, "%s: out of memory", f->name);
    if (f->is_stopped)
        return false;
    if (status != NETFLOW_OK)
        return message_error(f, error, netflow_status_text(status), "");
    if (n->unknown_sets != unknown)
        return message_error(f, error, "records without a template",
                             netflow_session_refusal(f->session));
    f->start += length;
    f->offset += length;
    return true;
}

static bool read_messages(struct ipfix_file *f, struct error_text *error)
{
    size_t length;
    for (;;) {
        if (!next_message(f, &length))
            return error_set(error, "%s: %s", f->name, strerror(errno));
        if (length == 0)
            return carrier_pairs_end(f->pairs);
        if (!take_message(f, length, error))
            return false;
    }
}

static bool read_file(void *file, struct wall_time now, carrier_row_fn *fn,
                      void *context, struct carrier_reading *reading,
                      struct error_text *error)
{
    struct ipfix_file *f = file;
    f->start = f->end = 0;
    f->offset = f->untimed = 0;
    f->at_end = f->is_stopped = f->has_failed = false;
    f->budget = (struct netflow_budget){0, BUDGET};
    f->session = netflow_session_new(NETFLOW_STREAM, 0, &f->budget);
    f->pairs = carrier_pairs_new(take_paired, f);
    f->digest = digest_stream_new();
    f->now = now;
    f->fn = fn;
    f->context = context;
    bool good = f->session != NULL && f->pairs != NULL
                    ? lseek(f->fd, 0, SEEK_SET) == 0 ||
                          error_set(error, "%s: %s", f->name, strerror(errno))
                    : error_set(error, "%s: out of memory", f->name);
    if (good && (good = read_messages(f, error)))
        *reading = (struct carrier_reading){
            .hash = digest_stream_now(f->digest),
            .missing = netflow_session_counters(f->session)->lost_records,
        };
    netflow_session_free(f->session);
    carrier_pairs_free(f->pairs);
    digest_stream_free(f->digest);
    return good;
}

static void place(const void *file, char *text, size_t size)
{
    const struct ipfix_file *f = file;
    snprintf(text, size, "%s: message at byte %" PRIu64 ", record %" PRIu64,
             f->name, f->offset, f->record);
}

static bool reject_header(const void *file, FILE *out)
{
    (void)file;
    return carrier_csv_write_header(out);
}

static bool reject(const void *file, const struct carrier_record *record,
                   FILE *out)
{
    (void)file;
    return carrier_csv_write(record, out);
}

const struct carrier_form carrier_ipfix = {
    .name = "carrier-ipfix",
    .open = open_file,
    .close = close_file,
    .read = read_file,
    .place = place,
    .reject_header = reject_header,
    .reject = reject,
};
