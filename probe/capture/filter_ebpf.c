/*
 * The map `sets` has two halves: the sets of the next plan are written into the
 * one that is not in use, then the prefixes go over to them one by one. What is
 * left there from the plan before is taken away only at the next filling, when
 * no packet can still be on its way to it.
 *
 * All maps have room for the longest list that there can be; none of it is
 * taken before it is used.
 */
#include "probe/capture/filter_ebpf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "probe/capture/ebpf_code.h"
#include "probe/capture/filter_program.h"

enum { PREFIX_ROOM = 1 << 20 /* of each family */ };

struct filter_ebpf {
    struct filter_maps maps;
    uint32_t snap_length;
    int programs[FILTER_LINKS];
    bool is_upper_half;     /* of `sets` is in use */
    uint32_t set_counts[2]; /* written into each half */
    size_t mapped_bytes;
    const uint8_t *mapped; /* the counters */
};

/* --- loading --- */

static int make_map(enum bpf_map_type type, const char *name, uint32_t key,
                    uint32_t value, uint32_t entries, uint32_t flags)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
    return bpf_map_create(type, name, key, value, entries, &options);
}

static bool make_maps(struct filter_maps *m)
{
    m->processors = libbpf_num_possible_cpus();
    if (m->processors <= 0)
        return false;
    m->trie4 = make_map(BPF_MAP_TYPE_LPM_TRIE, "yz_trie4", 8, 8, PREFIX_ROOM,
                        BPF_F_NO_PREALLOC);
    m->trie6 = make_map(BPF_MAP_TYPE_LPM_TRIE, "yz_trie6", 20, 8, PREFIX_ROOM,
                        BPF_F_NO_PREALLOC);
    m->sets = make_map(BPF_MAP_TYPE_HASH, "yz_sets", 4,
                       sizeof(struct filter_set_bits), 2 * FILTER_SETS_MAX,
                       BPF_F_NO_PREALLOC);
    m->hints = make_map(BPF_MAP_TYPE_ARRAY, "yz_hints", 4,
                        2 * FILTER_HINT_BYTES, 1, 0);
    uint32_t bytes = (uint32_t)m->processors * FILTER_COUNTER_STRIDE;
    m->counters = make_map(BPF_MAP_TYPE_ARRAY, "yz_counters", 4, bytes, 1,
                           BPF_F_MMAPABLE);
    return m->trie4 >= 0 && m->trie6 >= 0 && m->sets >= 0 && m->hints >= 0 &&
           m->counters >= 0;
}

static bool map_counters(struct filter_ebpf *f)
{
    size_t bytes = (size_t)f->maps.processors * FILTER_COUNTER_STRIDE;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (bytes + page - 1) / page * page;
    void *mapped = mmap(NULL, room, PROT_READ, MAP_SHARED, f->maps.counters, 0);
    if (mapped == MAP_FAILED)
        return false;
    f->mapped = mapped;
    f->mapped_bytes = room;
    return true;
}

/* The verifier's log is for whoever changes the generator. */
static int load_program(const struct ebpf_code *c)
{
    static char log[64 * 1024];
    LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log,
                .log_size = sizeof(log));
    int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "yz_filter",
                           "Apache-2.0", c->code, c->count, &options);
    int saved = errno;
    if (fd < 0 && log[0] != '\0')
        log_debug("the kernel's verifier: %s", log);
    errno = saved;
    return fd;
}

static int silent(enum libbpf_print_level level, const char *format,
                  va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

struct filter_ebpf *filter_ebpf_new(uint32_t snap_length,
                                    struct error_text *error)
{
    struct filter_ebpf *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        error_set(error, "eBPF filter: no memory");
        return NULL;
    }
    struct filter_maps *m = &f->maps;
    m->trie4 = m->trie6 = m->sets = m->hints = m->counters = -1;
    for (int i = 0; i < FILTER_LINKS; i++)
        f->programs[i] = -1;
    f->snap_length = snap_length;
    libbpf_set_print(silent);
    if (make_maps(m) && map_counters(f))
        return f;
    error_set(error, "eBPF filter: the kernel made no maps: %s",
              strerror(errno));
    filter_ebpf_free(f);
    return NULL;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void filter_ebpf_free(struct filter_ebpf *f)
{
    if (f == NULL)
        return;
    if (f->mapped != NULL)
        munmap((void *)(uintptr_t)f->mapped, f->mapped_bytes);
    for (int i = 0; i < FILTER_LINKS; i++)
        close_fd(f->programs[i]);
    close_fd(f->maps.counters);
    close_fd(f->maps.hints);
    close_fd(f->maps.sets);
    close_fd(f->maps.trie6);
    close_fd(f->maps.trie4);
    free(f);
}

int filter_ebpf_program(struct filter_ebpf *f, enum filter_link link,
                        struct error_text *error)
{
    if (f->programs[link] >= 0)
        return f->programs[link];
    struct ebpf_code *code = malloc(sizeof(*code));
    if (code == NULL)
        error_set(error, "eBPF filter: no memory");
    else if (!filter_program_write(code, &f->maps, link, f->snap_length))
        error_set(error, "eBPF filter: the program is too long");
    else if ((f->programs[link] = load_program(code)) < 0)
        error_set(error, "eBPF filter: the kernel refused the program: %s",
                  strerror(errno));
    free(code);
    return f->programs[link];
}

/* --- filling --- */

static void set_range(uint8_t *bits, uint16_t low, uint16_t high)
{
    for (uint32_t port = low; port <= high; port++)
        bits[port / 8] |= (uint8_t)(1u << port % 8);
}

static void set_bits_of(struct filter_set_bits *bits, struct port_set set)
{
    memset(bits, 0, sizeof(*bits));
    for (size_t i = 0; i < set.count; i++) {
        const struct port_range *r = &set.ranges[i];
        set_range(r->class == PORT_CLASS_OTHER ? bits->other
                                               : bits->ports[r->class],
                  r->low, r->high);
    }
}

/* Takes away what the half has from two plans before. */
static bool clean_sets(struct filter_ebpf *f, bool is_upper)
{
    uint32_t *count = &f->set_counts[is_upper];
    for (; *count > 0; --*count) {
        uint32_t key = (is_upper ? FILTER_SETS_MAX : 0) + *count - 1;
        if (bpf_map_delete_elem(f->maps.sets, &key) != 0 && errno != ENOENT)
            return false;
    }
    return true;
}

/* Of a set with one range the tries say everything. */
static bool fill_sets(struct filter_ebpf *f, const struct filter_plan *plan,
                      bool is_upper)
{
    struct filter_set_bits *bits = malloc(sizeof(*bits));
    uint32_t count = (uint32_t)filter_plan_set_count(plan);
    bool good = bits != NULL && clean_sets(f, is_upper);
    for (uint32_t i = 0; i < count && good; i++) {
        struct port_set set = filter_plan_set(plan, i);
        uint32_t key = (is_upper ? FILTER_SETS_MAX : 0) + i;
        if (set.count == 1)
            continue;
        f->set_counts[is_upper] = i + 1;
        set_bits_of(bits, set);
        good = bpf_map_update_elem(f->maps.sets, &key, bits, BPF_ANY) == 0;
    }
    free(bits);
    return good;
}

static int trie_key_of(const struct filter_ebpf *f, const struct prefix *p,
                       struct filter_trie_key *key)
{
    *key = (struct filter_trie_key){.length = p->length};
    memcpy(key->bytes, p->address.bytes, 16);
    return p->address.version == 4 ? f->maps.trie4 : f->maps.trie6;
}

static bool fill_tries(const struct filter_ebpf *f,
                       const struct filter_plan *plan, bool is_upper)
{
    const struct prefix_map *map = filter_plan_map(plan);
    for (size_t i = 0; i < prefix_map_count(map); i++) {
        struct filter_trie_key key;
        int trie = trie_key_of(f, &prefix_map_node(map, i)->prefix, &key);
        uint32_t set = (uint32_t)filter_plan_set_of(plan, (int32_t)i);
        uint64_t value = filter_trie_value(
            (is_upper ? FILTER_SETS_MAX : 0) + set, filter_plan_set(plan, set));
        if (bpf_map_update_elem(trie, &key, &value, BPF_ANY) != 0)
            return false;
    }
    return true;
}

/* Takes the prefixes away that are of the plan before only. */
static bool clean_tries(const struct filter_ebpf *f,
                        const struct filter_plan *before,
                        const struct filter_plan *plan)
{
    const struct prefix_map *map = filter_plan_map(before);
    for (size_t i = 0; i < prefix_map_count(map); i++) {
        const struct prefix *p = &prefix_map_node(map, i)->prefix;
        struct filter_trie_key key;
        int trie = trie_key_of(f, p, &key);
        if (prefix_map_index(filter_plan_map(plan), p) == PREFIX_NONE &&
            bpf_map_delete_elem(trie, &key) != 0 && errno != ENOENT)
            return false;
    }
    return true;
}

/* The hint bits under a prefix: 2^(free bits) from a first one. */
static void hint_prefix(uint8_t *hints, const struct prefix *p)
{
    const uint8_t *b = p->address.bytes;
    unsigned high = (unsigned)b[0] << 8 | b[1];
    unsigned low = (unsigned)b[2] << 8 | b[3];
    if (p->address.version == 4 || p->length < 16) {
        unsigned free_bits = p->length < 16 ? 16u - p->length : 0;
        unsigned first = high, count = 1u << free_bits;
        if (p->address.version == 6) /* folding spreads them everywhere */
            first = 0, count = 65536;
        for (unsigned i = 0; i < count; i++)
            hints[(first + i) / 8] |= (uint8_t)(1u << (first + i) % 8);
        return;
    }
    unsigned count = p->length < 32 ? 1u << (32 - p->length) : 1;
    for (unsigned i = 0; i < count; i++) {
        unsigned bit = high ^ (low + i);
        hints[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

static void hint_plan(uint8_t *hints, const struct filter_plan *plan)
{
    const struct prefix_map *map = filter_plan_map(plan);
    for (size_t i = 0; i < prefix_map_count(map); i++) {
        const struct prefix *p = &prefix_map_node(map, i)->prefix;
        hint_prefix(hints + (p->address.version == 6) * FILTER_HINT_BYTES, p);
    }
}

static bool fill_hints(const struct filter_ebpf *f,
                       const struct filter_plan *plan)
{
    uint8_t *hints = calloc(2, FILTER_HINT_BYTES);
    uint32_t zero = 0;
    if (hints == NULL)
        return false;
    hint_plan(hints, plan);
    bool good = bpf_map_update_elem(f->maps.hints, &zero, hints, BPF_ANY) == 0;
    free(hints);
    return good;
}

/* The hints last: they only spare the tries, which decide. A prefix that is new
 * passes from then on, one that is gone no longer from its removal on. A wider
 * prefix around one that is removed has by then its own new ports. */
static bool go_over(const struct filter_ebpf *f,
                    const struct filter_plan *before,
                    const struct filter_plan *plan, bool is_upper)
{
    return fill_tries(f, plan, is_upper) &&
           (before == NULL || clean_tries(f, before, plan)) &&
           fill_hints(f, plan);
}

bool filter_ebpf_fill(struct filter_ebpf *f, const struct filter_plan *before,
                      const struct filter_plan *plan, struct error_text *error)
{
    bool is_upper = before != NULL && !f->is_upper_half;
    const char *rest = "";
    if (fill_sets(f, plan, is_upper) && go_over(f, before, plan, is_upper)) {
        f->is_upper_half = is_upper;
        return true;
    }
    int saved = errno;
    if (before != NULL) /* its sets are still in the other half */
        rest = go_over(f, plan, before, !is_upper)
                   ? "; those before are in force"
                   : "; what is in force is neither the old list nor the new";
    return error_set(error,
                     "eBPF filter: the kernel took not all prefixes: %s%s",
                     strerror(saved), rest);
}

/* --- in force --- */

bool filter_ebpf_attach(struct filter_ebpf *f, enum filter_link link, int fd,
                        struct error_text *error)
{
    int program = filter_ebpf_program(f, link, error);
    if (program < 0)
        return false;
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) !=
        0)
        return error_set(error, "eBPF filter: cannot be attached: %s",
                         strerror(errno));
    /* A socket without a filter answers 0 instructions, one with a classic
     * filter their number; only an eBPF filter has none to show (EACCES). */
    socklen_t count = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &count) == 0 ||
        errno != EACCES)
        return error_set(error, "eBPF filter: the kernel does not confirm it");
    return true;
}

struct filter_ebpf_counters filter_ebpf_counters(const struct filter_ebpf *f)
{
    struct filter_ebpf_counters sum = {0};
    for (int i = 0; i < f->maps.processors; i++) {
        const volatile uint64_t *counters =
            (const volatile uint64_t
                 *)(const void *)(f->mapped + i * FILTER_COUNTER_STRIDE);
        /* Matched first, so that it is never more than seen. */
        sum.matched_packets += counters[COUNT_MATCHED];
        sum.matched_octets += counters[COUNT_OCTETS];
        sum.seen_packets += counters[COUNT_SEEN];
        sum.seen_octets += counters[COUNT_SEEN_OCTETS];
    }
    return sum;
}
