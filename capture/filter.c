/*
 * The order is the point: nothing is handed on before the filter is proved.
 *
 *   1. attach a filter under which nothing passes (eBPF: the real program with
 *      empty maps; classic: one instruction)
 *   2. throw away what was queued without a filter; then nothing may come
 *   3. let the registered prefixes pass; the kernel confirms what is attached
 *   4. lock it, so that nobody can take it off this descriptor again
 */
#include "capture/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pcap/dlt.h>

#include "capture/filter_classic.h"
#include "capture/filter_ebpf.h"
#include "capture/filter_plan.h"

enum { DRAIN_MS = 300 }; /* several times the ring's time-out */

struct filter {
    enum filter_kind kind;
    const struct endpoint_list *endpoints;
    struct filter_plan *plan;  /* in force */
    struct wall_time from, to; /* it holds in [from, to) */
    struct filter_ebpf *ebpf;  /* NULL when classic */
};

static bool find_link(const struct capture *capture, enum filter_link *link,
                      struct error_text *error)
{
    static const struct {
        int type;
        enum filter_link link;
    } links[] = {
        {DLT_EN10MB, FILTER_LINK_ETHERNET},
        {DLT_RAW, FILTER_LINK_RAW},
        {DLT_LINUX_SLL, FILTER_LINK_COOKED},
        {DLT_LINUX_SLL2, FILTER_LINK_COOKED},
    };
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (links[i].type == capture_link_type(capture)) {
            *link = links[i].link;
            return true;
        }
    return error_set(error, "kernel filter: link type %s is not supported",
                     capture_link_name(capture));
}

/* Step 2. */
static bool prove_silence(struct capture *capture, struct error_text *error)
{
    int64_t late = capture_drain(capture, DRAIN_MS);
    if (late < 0)
        return error_set(error, "kernel filter: reading failed: %s",
                         capture_error(capture));
    if (late > 0)
        return error_set(error, "kernel filter: not in force: packets still "
                                "arrive where none may");
    return true;
}

static bool lock(int fd, struct error_text *error)
{
    int locked = 1;
    socklen_t size = sizeof(locked);
    if (setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &locked, size) != 0)
        return error_set(error, "kernel filter: cannot be locked: %s",
                         strerror(errno));
    locked = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &locked, &size) != 0 ||
        !locked)
        return error_set(error, "kernel filter: the kernel did not lock it");
    return true;
}

static bool start_ebpf(struct filter *f, const struct filter_plan *plan,
                       enum filter_link link, struct capture *capture,
                       uint32_t snap_length, struct error_text *error)
{
    f->ebpf = filter_ebpf_load(plan, link, snap_length, error);
    return f->ebpf != NULL &&
           filter_ebpf_attach(f->ebpf, capture_fd(capture), error) &&
           prove_silence(capture, error) &&
           filter_ebpf_fill(f->ebpf, NULL, plan, error);
}

static bool start_classic(const struct filter_plan *plan, enum filter_link link,
                          struct capture *capture, uint32_t snap_length,
                          struct error_text *error)
{
    int fd = capture_fd(capture);
    struct filter_classic *classic =
        filter_classic_new(plan, link, snap_length, error);
    bool good = classic != NULL && filter_classic_refuse_all(fd, error) &&
                prove_silence(capture, error) &&
                filter_classic_attach(classic, fd, error);
    filter_classic_free(classic);
    return good;
}

/* Steps 1 to 3; with `auto`, eBPF first. */
static bool start(struct filter *f, enum filter_kind wanted,
                  const struct filter_plan *plan, struct capture *capture,
                  uint32_t snap_length, struct error_text *error)
{
    enum filter_link link = FILTER_LINK_ETHERNET;
    if (!find_link(capture, &link, error))
        return false;
    if (wanted != FILTER_CLASSIC) {
        f->kind = FILTER_EBPF;
        if (start_ebpf(f, plan, link, capture, snap_length, error))
            return true;
        filter_ebpf_free(f->ebpf);
        f->ebpf = NULL;
        if (wanted == FILTER_EBPF)
            return false;
        log_warn("%s; trying a classic kernel filter instead",
                 error != NULL ? error->text : "no eBPF filter");
    }
    f->kind = FILTER_CLASSIC;
    return start_classic(plan, link, capture, snap_length, error);
}

struct filter *filter_attach(enum filter_kind wanted,
                             const struct endpoint_list *endpoints,
                             struct capture *capture, uint32_t snap_length,
                             struct wall_time now, struct error_text *error)
{
    struct filter *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        error_set(error, "kernel filter: no memory");
        return NULL;
    }
    f->endpoints = endpoints;
    f->plan = filter_plan_new(endpoints, now, error);
    endpoint_list_steady(endpoints, now, &f->from, &f->to);
    if (f->plan != NULL &&
        start(f, wanted, f->plan, capture, snap_length, error) &&
        lock(capture_fd(capture), error))
        return f;
    filter_free(f);
    return NULL;
}

void filter_free(struct filter *f)
{
    if (f == NULL)
        return;
    filter_ebpf_free(f->ebpf);
    filter_plan_free(f->plan);
    free(f);
}

struct wall_time filter_valid_to(const struct filter *f)
{
    return f->to;
}

bool filter_keep_valid(struct filter *f, struct wall_time now,
                       struct error_text *error)
{
    if (f->from.us <= now.us && now.us < f->to.us)
        return true;
    if (f->ebpf == NULL)
        return error_set(error, "kernel filter: the validity of endpoints "
                                "changes, and a classic filter cannot follow; "
                                "start the probe again");
    struct filter_plan *plan = filter_plan_new(f->endpoints, now, error);
    if (plan == NULL || !filter_ebpf_fill(f->ebpf, f->plan, plan, error)) {
        filter_plan_free(plan);
        return false;
    }
    filter_plan_free(f->plan);
    f->plan = plan;
    endpoint_list_steady(f->endpoints, now, &f->from, &f->to);
    return true;
}

enum filter_kind filter_kind(const struct filter *f)
{
    return f->kind;
}

const char *filter_kind_text(enum filter_kind kind)
{
    static const char *const texts[] = {"auto", "ebpf", "cbpf"};
    return texts[kind];
}

size_t filter_rule_count(const struct filter *f)
{
    return filter_plan_rule_count(f->plan);
}

struct filter_counters filter_counters(const struct filter *f)
{
    struct filter_counters counters = {0};
    if (f->ebpf == NULL)
        return counters;
    struct filter_ebpf_counters c = filter_ebpf_counters(f->ebpf);
    return (struct filter_counters){.is_known = true,
                                    .seen_packets = c.seen_packets,
                                    .seen_octets = c.seen_octets,
                                    .matched_packets = c.matched_packets,
                                    .matched_octets = c.matched_octets};
}
