/*
 * The order is the point: nothing is handed on before the filter is proved.
 *
 *   1. attach a filter under which nothing passes (eBPF: the real program with
 *      empty maps; classic: one instruction), to every capture
 *   2. throw away what was queued without a filter; then nothing may come
 *   3. let the registered prefixes pass; the kernel confirms what is attached
 *   4. eBPF: lock it, so that nobody can take it off this descriptor again
 */
#include "probe/capture/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pcap/dlt.h>

#include "probe/capture/filter_classic.h"
#include "probe/capture/filter_ebpf.h"
#include "probe/capture/filter_plan.h"

enum {
    DRAIN_MS = 300,      /* several times the ring's time-out */
    DRAIN_MORE_MS = 100, /* of a capture that was silent during the first */
};

struct place {
    int fd;
    enum filter_link link;
};

struct filter {
    enum filter_kind kind;
    uint32_t snap_length;
    const struct endpoint_list *endpoints;
    struct filter_plan *plan;                     /* in force */
    struct wall_time from, to;                    /* it holds in [from, to) */
    struct filter_ebpf *ebpf;                     /* NULL when classic */
    struct filter_classic *classic[FILTER_LINKS]; /* those in use */
    struct place *places;
    size_t place_count;
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
static bool prove_silence(struct capture *const captures[], size_t count,
                          struct error_text *error)
{
    for (size_t i = 0; i < count; i++) {
        int64_t late =
            capture_drain(captures[i], i == 0 ? DRAIN_MS : DRAIN_MORE_MS);
        if (late < 0)
            return error_set(error, "kernel filter: reading failed: %s",
                             capture_error(captures[i]));
        if (late > 0)
            return error_set(error, "kernel filter: not in force: packets "
                                    "still arrive where none may");
    }
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

/* --- eBPF --- */

static bool start_ebpf(struct filter *f, struct capture *const captures[],
                       struct error_text *error)
{
    f->ebpf = filter_ebpf_new(f->snap_length, error);
    if (f->ebpf == NULL)
        return false;
    for (size_t i = 0; i < f->place_count; i++)
        if (!filter_ebpf_attach(f->ebpf, f->places[i].link, f->places[i].fd,
                                error))
            return false;
    if (!prove_silence(captures, f->place_count, error) ||
        !filter_ebpf_fill(f->ebpf, NULL, f->plan, error))
        return false;
    for (size_t i = 0; i < f->place_count; i++)
        if (!lock(f->places[i].fd, error))
            return false;
    return true;
}

/* --- classic --- */

static void free_classic(struct filter_classic *classic[static FILTER_LINKS])
{
    for (int i = 0; i < FILTER_LINKS; i++)
        filter_classic_free(classic[i]);
}

/* A program for each kind of link there is. */
static bool make_classic(const struct filter *f, const struct filter_plan *plan,
                         struct filter_classic *out[static FILTER_LINKS],
                         struct error_text *error)
{
    for (size_t i = 0; i < f->place_count; i++) {
        enum filter_link link = f->places[i].link;
        if (out[link] == NULL)
            out[link] = filter_classic_new(plan, link, f->snap_length, error);
        if (out[link] == NULL)
            return false;
    }
    return true;
}

static bool
attach_classic(const struct filter *f,
               struct filter_classic *const programs[static FILTER_LINKS],
               struct error_text *error)
{
    for (size_t i = 0; i < f->place_count; i++)
        if (!filter_classic_attach(programs[f->places[i].link], f->places[i].fd,
                                   error))
            return false;
    return true;
}

static bool start_classic(struct filter *f, struct capture *const captures[],
                          struct error_text *error)
{
    if (!make_classic(f, f->plan, f->classic, error))
        return false;
    for (size_t i = 0; i < f->place_count; i++)
        if (!filter_classic_refuse_all(f->places[i].fd, error))
            return false;
    return prove_silence(captures, f->place_count, error) &&
           attach_classic(f, f->classic, error);
}

static bool replace_classic(struct filter *f, const struct filter_plan *plan,
                            struct error_text *error)
{
    struct filter_classic *programs[FILTER_LINKS] = {NULL};
    bool is_made = make_classic(f, plan, programs, error);
    if (is_made && attach_classic(f, programs, error)) {
        free_classic(f->classic);
        memcpy(f->classic, programs, sizeof(programs));
        return true;
    }
    if (is_made) /* some may have it already */
        (void)attach_classic(f, f->classic, NULL);
    free_classic(programs);
    return false;
}

/* --- either --- */

/* Steps 1 to 4; with `auto`, eBPF first. */
static bool start(struct filter *f, enum filter_kind wanted,
                  struct capture *const captures[], struct error_text *error)
{
    if (wanted != FILTER_CLASSIC) {
        f->kind = FILTER_EBPF;
        if (start_ebpf(f, captures, error))
            return true;
        filter_ebpf_free(f->ebpf);
        f->ebpf = NULL;
        if (wanted == FILTER_EBPF)
            return false;
        log_warn("%s; trying a classic kernel filter instead",
                 error != NULL ? error->text : "no eBPF filter");
    }
    f->kind = FILTER_CLASSIC;
    return start_classic(f, captures, error);
}

static bool note_places(struct filter *f, struct capture *const captures[],
                        size_t count, struct error_text *error)
{
    f->places = calloc(count + 1, sizeof(*f->places));
    if (f->places == NULL)
        return error_set(error, "kernel filter: no memory");
    for (; f->place_count < count; f->place_count++) {
        struct place *p = &f->places[f->place_count];
        p->fd = capture_fd(captures[f->place_count]);
        if (!find_link(captures[f->place_count], &p->link, error))
            return false;
    }
    return true;
}

struct filter *filter_attach(enum filter_kind wanted,
                             const struct endpoint_list *endpoints,
                             struct capture *const captures[], size_t count,
                             uint32_t snap_length, struct wall_time now,
                             struct error_text *error)
{
    struct filter *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        error_set(error, "kernel filter: no memory");
        return NULL;
    }
    f->snap_length = snap_length;
    f->endpoints = endpoints;
    f->plan = filter_plan_new(endpoints, now, error);
    endpoint_list_steady(endpoints, now, &f->from, &f->to);
    if (f->plan != NULL && note_places(f, captures, count, error) &&
        start(f, wanted, captures, error))
        return f;
    filter_free(f);
    return NULL;
}

void filter_free(struct filter *f)
{
    if (f == NULL)
        return;
    filter_ebpf_free(f->ebpf);
    free_classic(f->classic);
    filter_plan_free(f->plan);
    free(f->places);
    free(f);
}

struct wall_time filter_valid_to(const struct filter *f)
{
    return f->to;
}

bool filter_replace(struct filter *f, const struct endpoint_list *endpoints,
                    struct wall_time now, struct error_text *error)
{
    struct filter_plan *plan = filter_plan_new(endpoints, now, error);
    if (plan == NULL)
        return false;
    if (!(f->ebpf != NULL ? filter_ebpf_fill(f->ebpf, f->plan, plan, error)
                          : replace_classic(f, plan, error))) {
        filter_plan_free(plan);
        return false;
    }
    filter_plan_free(f->plan);
    f->plan = plan;
    f->endpoints = endpoints;
    endpoint_list_steady(endpoints, now, &f->from, &f->to);
    return true;
}

bool filter_keep_valid(struct filter *f, struct wall_time now,
                       struct error_text *error)
{
    return (f->from.us <= now.us && now.us < f->to.us) ||
           filter_replace(f, f->endpoints, now, error);
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

const char *filter_looks_through(const struct filter *f)
{
    for (int i = 0; i < FILTER_LINKS; i++)
        if (f->classic[i] != NULL &&
            !filter_classic_looks_inside(f->classic[i]))
            return "VLAN, LLC/SNAP, PPPoE, MPLS; no tunnels: the classic "
                   "program has no room for them with so many prefixes";
    return "VLAN, LLC/SNAP, PPPoE, MPLS; GRE, PPTP, IP in IP, 6in4, VXLAN, "
           "GTP-U";
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
