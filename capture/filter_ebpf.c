/*
 * Maps:
 *
 *   trie4, trie6  longest prefix -> port set number + 1
 *   sets          port set number -> struct set_bits: a bit a port. Two halves:
 *                 the sets of the next plan are written beside those in use,
 *                 then the prefixes go over to them one by one
 *   hints         a bit for each value of the upper 16 bits of an IPv4 address
 *                 (IPv6: of its first 32 bits folded to 16) under which
 *                 anything is registered. Most packets have no such address on
 *                 either side and are refused for the price of two bit tests;
 *                 the tries are walked only for the rest.
 *   counters      one cache line a processor, mapped into our memory
 *
 * Registers: r6 the packet (as LD_ABS and LD_IND want it), r7 the counters of
 * this processor, r8 the offset of the IP header, r9 the offset of what comes
 * after it. On the stack are the port sets found for the two addresses, and
 * which bit of a port set each side asks for.
 *
 * A packet that ends too early ends the program with 0: refused. So refused is
 * counted as seen without matched.
 */
#include "capture/filter_ebpf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "capture/ebpf_code.h"

enum {
    HINT_BYTES = 8192, /* of one family */
    COUNTER_STRIDE = 64,
    SETS_SPARE = 16, /* more than the first plan has, for later ones */
    TAGS_MAX = 3,
    EXTENSIONS_MAX = 6,
};

/* Value of the map `sets`; offsets below are into it. */
struct set_bits {
    uint8_t other[8]; /* first bit */
    uint8_t tcp[8192];
    uint8_t udp[8192];
};

/* Frame: offsets from r10. */
enum stack {
    STACK_SOURCE_SET = -8,
    STACK_DESTINATION_SET = -16,
    STACK_SOURCE_BYTE = -24, /* of struct set_bits */
    STACK_SOURCE_BIT = -32,
    STACK_DESTINATION_BYTE = -40,
    STACK_DESTINATION_BIT = -48,
    STACK_KEY = -80, /* prefix length, then up to 16 bytes */
};

enum counter { COUNT_SEEN, COUNT_SEEN_OCTETS, COUNT_MATCHED, COUNT_OCTETS };

struct trie_key {
    uint32_t length;
    uint8_t bytes[16];
};

struct filter_ebpf {
    int trie4, trie6, sets, hints, counters, program;
    int processors;
    uint32_t half_room; /* of `sets` */
    bool is_upper_half; /* in use */
    size_t mapped_bytes;
    const uint8_t *mapped; /* the counters */
};

/* --- the program --- */

struct generator {
    struct ebpf_code *c;
    const struct filter_ebpf *f;
    int refuse, match, ipv4, ipv6, transport;
};

static void count_packet(struct generator *g, enum counter first)
{
    struct ebpf_code *c = g->c;
    int16_t packets = (int16_t)(first * 8), octets = (int16_t)(packets + 8);
    ebpf_load(c, BPF_DW, 1, 7, packets);
    ebpf_math(c, BPF_ADD, 1, 1);
    ebpf_store(c, BPF_DW, 7, packets, 1);
    ebpf_load(c, BPF_W, 2, 6, offsetof(struct __sk_buff, len));
    ebpf_load(c, BPF_DW, 1, 7, octets);
    ebpf_math_with(c, BPF_ADD, 1, 2);
    ebpf_store(c, BPF_DW, 7, octets, 1);
}

/* r7 to this processor's counters, and the packet is counted as seen. */
static void begin(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_move(c, 6, 1);
    ebpf_call(c, BPF_FUNC_get_smp_processor_id);
    ebpf_jump_if(c, BPF_JGE, 0, g->f->processors, g->refuse);
    ebpf_map_value(c, 7, g->f->counters);
    ebpf_math(c, BPF_MUL, 0, COUNTER_STRIDE);
    ebpf_math_with(c, BPF_ADD, 7, 0);
    count_packet(g, COUNT_SEEN);
}

/* r0 is an ethertype; behind tags, r8 moves on and r0 is the inner one. */
static void skip_tags(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int done = ebpf_label(c);
    for (int i = 0; i < TAGS_MAX; i++) {
        int tag = ebpf_label(c);
        ebpf_jump_if(c, BPF_JEQ, 0, 0x8100, tag);
        ebpf_jump_if(c, BPF_JEQ, 0, 0x88a8, tag);
        ebpf_jump_if(c, BPF_JEQ, 0, 0x9100, tag);
        ebpf_jump(c, done);
        ebpf_place(c, tag);
        ebpf_packet(c, BPF_H, 8, 2);
        ebpf_math(c, BPF_ADD, 8, 4);
    }
    ebpf_place(c, done);
}

static void by_ethertype(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int session = ebpf_label(c);
    skip_tags(g);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x0800, g->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x86dd, g->ipv6);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x8864, session);
    ebpf_jump(c, g->refuse);
    ebpf_place(c, session); /* PPPoE: 6 bytes, then PPP's protocol */
    ebpf_packet(c, BPF_H, 8, 6);
    ebpf_math(c, BPF_ADD, 8, 8);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x0021, g->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x0057, g->ipv6);
    ebpf_jump(c, g->refuse);
}

static void by_version(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_packet(c, BPF_B, 8, 0);
    ebpf_math(c, BPF_RSH, 0, 4);
    ebpf_jump_if(c, BPF_JEQ, 0, 4, g->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 6, g->ipv6);
    ebpf_jump(c, g->refuse);
}

static void find_header(struct generator *g, enum filter_link link)
{
    struct ebpf_code *c = g->c;
    ebpf_set(c, 8, 0);
    if (link == FILTER_LINK_RAW) {
        by_version(g);
    } else if (link == FILTER_LINK_COOKED) {
        ebpf_load(c, BPF_W, 0, 6, offsetof(struct __sk_buff, protocol));
        ebpf_emit(c, BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 16);
        by_ethertype(g);
    } else {
        ebpf_packet(c, BPF_H, 8, 12);
        ebpf_math(c, BPF_ADD, 8, 14);
        by_ethertype(g);
    }
}

/* Goes to `none` unless the hint bit number r0 (16 bits) of a family is set. */
static void test_hint(struct generator *g, int family, int none)
{
    struct ebpf_code *c = g->c;
    ebpf_map_value(c, 2, g->f->hints);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_RSH, 1, 3);
    ebpf_math(c, BPF_AND, 1, HINT_BYTES - 1);
    ebpf_math_with(c, BPF_ADD, 2, 1);
    ebpf_load(c, BPF_B, 1, 2, (int16_t)(family * HINT_BYTES));
    ebpf_math(c, BPF_AND, 0, 7);
    ebpf_math_with(c, BPF_RSH, 1, 0);
    ebpf_math(c, BPF_AND, 1, 1);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, none);
}

/* Looks up the key on the stack; what is found goes to `slot`. */
static void walk_trie(struct generator *g, int trie, int16_t slot, int none)
{
    struct ebpf_code *c = g->c;
    ebpf_map(c, 1, trie);
    ebpf_move(c, 2, 10);
    ebpf_math(c, BPF_ADD, 2, STACK_KEY);
    ebpf_call(c, BPF_FUNC_map_lookup_elem);
    ebpf_jump_if(c, BPF_JEQ, 0, 0, none);
    ebpf_load(c, BPF_W, 1, 0, 0);
    ebpf_store(c, BPF_DW, 10, slot, 1);
}

static void key_word(struct generator *g, int word)
{
    ebpf_emit(g->c, BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 32);
    ebpf_store(g->c, BPF_W, 10, (int16_t)(STACK_KEY + 4 + word * 4), 0);
}

static void key_length(struct generator *g, int32_t bits)
{
    ebpf_set(g->c, 1, bits);
    ebpf_store(g->c, BPF_W, 10, STACK_KEY, 1);
}

static void look_up_ipv4(struct generator *g, int32_t offset, int16_t slot)
{
    struct ebpf_code *c = g->c;
    int none = ebpf_label(c);
    ebpf_set(c, 1, 0);
    ebpf_store(c, BPF_DW, 10, slot, 1);
    ebpf_packet(c, BPF_W, 8, offset);
    ebpf_move(c, 9, 0);
    ebpf_math(c, BPF_RSH, 0, 16);
    test_hint(g, 0, none);
    ebpf_move(c, 0, 9);
    key_word(g, 0);
    key_length(g, 32);
    walk_trie(g, g->f->trie4, slot, none);
    ebpf_place(c, none);
}

static void look_up_ipv6(struct generator *g, int32_t offset, int16_t slot)
{
    struct ebpf_code *c = g->c;
    int none = ebpf_label(c);
    ebpf_set(c, 1, 0);
    ebpf_store(c, BPF_DW, 10, slot, 1);
    ebpf_packet(c, BPF_W, 8, offset);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_RSH, 1, 16);
    ebpf_math_with(c, BPF_XOR, 0, 1);
    ebpf_math(c, BPF_AND, 0, 0xffff);
    test_hint(g, 1, none);
    for (int word = 0; word < 4; word++) {
        ebpf_packet(c, BPF_W, 8, offset + word * 4);
        key_word(g, word);
    }
    key_length(g, 128);
    walk_trie(g, g->f->trie6, slot, none);
    ebpf_place(c, none);
}

static void refuse_unless_found(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_load(c, BPF_DW, 1, 10, STACK_SOURCE_SET);
    ebpf_load(c, BPF_DW, 2, 10, STACK_DESTINATION_SET);
    ebpf_math_with(c, BPF_OR, 1, 2);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, g->refuse);
}

static void check_version(struct generator *g, int32_t version)
{
    ebpf_packet(g->c, BPF_B, 8, 0);
    ebpf_math(g->c, BPF_RSH, 0, 4);
    ebpf_jump_if(g->c, BPF_JNE, 0, version, g->refuse);
}

/* Leaves r9 at the transport header and its protocol in r0. */
static void header_ipv4(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_place(c, g->ipv4);
    check_version(g, 4);
    look_up_ipv4(g, 12, STACK_SOURCE_SET);
    look_up_ipv4(g, 16, STACK_DESTINATION_SET);
    refuse_unless_found(g);
    ebpf_packet(c, BPF_H, 8, 6);
    ebpf_math(c, BPF_AND, 0, 0x1fff);
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->match); /* a later fragment */
    ebpf_packet(c, BPF_B, 8, 0);
    ebpf_math(c, BPF_AND, 0, 0x0f);
    ebpf_jump_if(c, BPF_JLT, 0, 5, g->refuse);
    ebpf_math(c, BPF_LSH, 0, 2);
    ebpf_move(c, 9, 8);
    ebpf_math_with(c, BPF_ADD, 9, 0);
    ebpf_packet(c, BPF_B, 8, 9);
    ebpf_jump(c, g->transport);
}

/* One extension header, if r0 says that r9 is at one; else goes to `done`. */
static void skip_extension(struct generator *g, int done)
{
    struct ebpf_code *c = g->c;
    int option = ebpf_label(c), fragment = ebpf_label(c);
    int next = ebpf_label(c), authentication = ebpf_label(c);
    ebpf_jump_if(c, BPF_JEQ, 0, 0, option);
    ebpf_jump_if(c, BPF_JEQ, 0, 43, option);
    ebpf_jump_if(c, BPF_JEQ, 0, 60, option);
    ebpf_jump_if(c, BPF_JEQ, 0, 51, authentication);
    ebpf_jump_if(c, BPF_JEQ, 0, 44, fragment);
    ebpf_jump(c, done);
    ebpf_place(c, option); /* length in 8 octets, the first not counted */
    ebpf_packet(c, BPF_B, 9, 1);
    ebpf_math(c, BPF_ADD, 0, 1);
    ebpf_math(c, BPF_LSH, 0, 3);
    ebpf_jump(c, next);
    ebpf_place(c, authentication); /* length in 4 octets, less 2 */
    ebpf_packet(c, BPF_B, 9, 1);
    ebpf_math(c, BPF_ADD, 0, 2);
    ebpf_math(c, BPF_LSH, 0, 2);
    ebpf_jump(c, next);
    ebpf_place(c, fragment);
    ebpf_packet(c, BPF_H, 9, 2);
    ebpf_math(c, BPF_AND, 0, 0xfff8);
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->match); /* a later fragment */
    ebpf_set(c, 0, 8);
    ebpf_place(c, next);
    ebpf_move(c, 8, 9);
    ebpf_math_with(c, BPF_ADD, 9, 0);
    ebpf_packet(c, BPF_B, 8, 0);
}

static void header_ipv6(struct generator *g)
{
    static const uint8_t extensions[] = {0, 43, 44, 51, 60};
    struct ebpf_code *c = g->c;
    ebpf_place(c, g->ipv6);
    check_version(g, 6);
    look_up_ipv6(g, 8, STACK_SOURCE_SET);
    look_up_ipv6(g, 24, STACK_DESTINATION_SET);
    refuse_unless_found(g);
    ebpf_packet(c, BPF_B, 8, 6);
    ebpf_move(c, 9, 8);
    ebpf_math(c, BPF_ADD, 9, 40);
    for (int i = 0; i < EXTENSIONS_MAX; i++)
        skip_extension(g, g->transport);
    for (size_t i = 0; i < sizeof(extensions); i++)
        ebpf_jump_if(c, BPF_JEQ, 0, extensions[i], g->refuse);
}

/* The port at r9 + offset as byte and bit of struct set_bits, whose class
 * begins at `base`. */
static void locate_port(struct generator *g, int32_t offset, size_t base,
                        int16_t byte_slot, int16_t bit_slot)
{
    struct ebpf_code *c = g->c;
    ebpf_packet(c, BPF_H, 9, offset);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_RSH, 1, 3);
    ebpf_math(c, BPF_ADD, 1, (int32_t)base);
    ebpf_store(c, BPF_DW, 10, byte_slot, 1);
    ebpf_math(c, BPF_AND, 0, 7);
    ebpf_store(c, BPF_DW, 10, bit_slot, 0);
}

static void locate_both(struct generator *g, size_t base, int done)
{
    locate_port(g, 0, base, STACK_SOURCE_BYTE, STACK_SOURCE_BIT);
    locate_port(g, 2, base, STACK_DESTINATION_BYTE, STACK_DESTINATION_BIT);
    ebpf_jump(g->c, done);
}

/* Matches when the side's port set has the bit that was located. */
static void check_side(struct generator *g, int16_t set_slot, int16_t byte_slot,
                       int16_t bit_slot)
{
    struct ebpf_code *c = g->c;
    int next = ebpf_label(c);
    ebpf_load(c, BPF_DW, 1, 10, set_slot);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, next);
    ebpf_math(c, BPF_SUB, 1, 1);
    ebpf_store(c, BPF_W, 10, STACK_KEY, 1);
    ebpf_map(c, 1, g->f->sets);
    ebpf_move(c, 2, 10);
    ebpf_math(c, BPF_ADD, 2, STACK_KEY);
    ebpf_call(c, BPF_FUNC_map_lookup_elem);
    ebpf_jump_if(c, BPF_JEQ, 0, 0, next);
    ebpf_load(c, BPF_DW, 1, 10, byte_slot);
    ebpf_jump_if(c, BPF_JGE, 1, sizeof(struct set_bits), next);
    ebpf_math_with(c, BPF_ADD, 0, 1);
    ebpf_load(c, BPF_B, 1, 0, 0);
    ebpf_load(c, BPF_DW, 2, 10, bit_slot);
    ebpf_math(c, BPF_AND, 2, 7);
    ebpf_math_with(c, BPF_RSH, 1, 2);
    ebpf_math(c, BPF_AND, 1, 1);
    ebpf_jump_if(c, BPF_JNE, 1, 0, g->match);
    ebpf_place(c, next);
}

static void ports(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int tcp = ebpf_label(c), udp = ebpf_label(c), located = ebpf_label(c);
    ebpf_place(c, g->transport);
    ebpf_jump_if(c, BPF_JEQ, 0, 6, tcp);
    ebpf_jump_if(c, BPF_JEQ, 0, 17, udp);
    ebpf_set(c, 1, 0);
    ebpf_store(c, BPF_DW, 10, STACK_SOURCE_BYTE, 1);
    ebpf_store(c, BPF_DW, 10, STACK_SOURCE_BIT, 1);
    ebpf_store(c, BPF_DW, 10, STACK_DESTINATION_BYTE, 1);
    ebpf_store(c, BPF_DW, 10, STACK_DESTINATION_BIT, 1);
    ebpf_jump(c, located);
    ebpf_place(c, tcp);
    locate_both(g, offsetof(struct set_bits, tcp), located);
    ebpf_place(c, udp);
    locate_both(g, offsetof(struct set_bits, udp), located);
    ebpf_place(c, located);
    check_side(g, STACK_SOURCE_SET, STACK_SOURCE_BYTE, STACK_SOURCE_BIT);
    check_side(g, STACK_DESTINATION_SET, STACK_DESTINATION_BYTE,
               STACK_DESTINATION_BIT);
}

static bool generate(struct ebpf_code *c, const struct filter_ebpf *f,
                     enum filter_link link, uint32_t snap_length)
{
    ebpf_start(c);
    struct generator g = {.c = c,
                          .f = f,
                          .refuse = ebpf_label(c),
                          .match = ebpf_label(c),
                          .ipv4 = ebpf_label(c),
                          .ipv6 = ebpf_label(c),
                          .transport = ebpf_label(c)};
    begin(&g);
    find_header(&g, link);
    header_ipv4(&g);
    header_ipv6(&g);
    ports(&g);
    ebpf_place(c, g.refuse);
    ebpf_set(c, 0, 0);
    ebpf_exit(c);
    ebpf_place(c, g.match);
    count_packet(&g, COUNT_MATCHED);
    ebpf_set(c, 0, (int32_t)snap_length);
    ebpf_exit(c);
    return ebpf_finish(c);
}

/* --- loading --- */

static int make_map(enum bpf_map_type type, const char *name, uint32_t key,
                    uint32_t value, size_t entries, uint32_t flags)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
    return bpf_map_create(type, name, key, value,
                          entries > 0 ? (uint32_t)entries : 1, &options);
}

static bool make_maps(struct filter_ebpf *f, const struct filter_plan *plan)
{
    size_t prefixes = filter_plan_room(plan);
    f->half_room = (uint32_t)filter_plan_set_count(plan) + SETS_SPARE;
    f->processors = libbpf_num_possible_cpus();
    if (f->processors <= 0)
        return false;
    f->trie4 = make_map(BPF_MAP_TYPE_LPM_TRIE, "yz_trie4", 8, 4, prefixes,
                        BPF_F_NO_PREALLOC);
    f->trie6 = make_map(BPF_MAP_TYPE_LPM_TRIE, "yz_trie6", 20, 4, prefixes,
                        BPF_F_NO_PREALLOC);
    f->sets = make_map(BPF_MAP_TYPE_ARRAY, "yz_sets", 4,
                       sizeof(struct set_bits), 2 * (size_t)f->half_room, 0);
    f->hints =
        make_map(BPF_MAP_TYPE_ARRAY, "yz_hints", 4, 2 * HINT_BYTES, 1, 0);
    size_t bytes = (size_t)f->processors * COUNTER_STRIDE;
    f->counters = make_map(BPF_MAP_TYPE_ARRAY, "yz_counters", 4,
                           (uint32_t)bytes, 1, BPF_F_MMAPABLE);
    if (f->trie4 < 0 || f->trie6 < 0 || f->sets < 0 || f->hints < 0 ||
        f->counters < 0)
        return false;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (bytes + page - 1) / page * page;
    void *mapped = mmap(NULL, room, PROT_READ, MAP_SHARED, f->counters, 0);
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

struct filter_ebpf *filter_ebpf_load(const struct filter_plan *plan,
                                     enum filter_link link,
                                     uint32_t snap_length,
                                     struct error_text *error)
{
    struct filter_ebpf *f = calloc(1, sizeof(*f));
    struct ebpf_code *code = malloc(sizeof(*code));
    if (f != NULL)
        f->trie4 = f->trie6 = f->sets = f->hints = f->counters = f->program =
            -1;
    libbpf_set_print(silent);
    if (f == NULL || code == NULL) {
        error_set(error, "eBPF filter: no memory");
        goto fail;
    }
    if (!make_maps(f, plan)) {
        error_set(error, "eBPF filter: the kernel made no maps: %s",
                  strerror(errno));
        goto fail;
    }
    if (!generate(code, f, link, snap_length)) {
        error_set(error, "eBPF filter: the program is too long");
        goto fail;
    }
    f->program = load_program(code);
    if (f->program < 0) {
        error_set(error, "eBPF filter: the kernel refused the program: %s",
                  strerror(errno));
        goto fail;
    }
    free(code);
    return f;
fail:
    free(code);
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
    close_fd(f->program);
    close_fd(f->counters);
    close_fd(f->hints);
    close_fd(f->sets);
    close_fd(f->trie6);
    close_fd(f->trie4);
    free(f);
}

int filter_ebpf_program(const struct filter_ebpf *f)
{
    return f->program;
}

/* --- filling --- */

static void set_range(uint8_t *bits, uint16_t low, uint16_t high)
{
    for (uint32_t port = low; port <= high; port++)
        bits[port / 8] |= (uint8_t)(1u << port % 8);
}

/* Into the half that begins at `first`. */
static bool fill_sets(const struct filter_ebpf *f,
                      const struct filter_plan *plan, uint32_t first)
{
    struct set_bits *bits = malloc(sizeof(*bits));
    bool good = bits != NULL;
    if (filter_plan_set_count(plan) > f->half_room) {
        errno = E2BIG;
        good = false;
    }
    for (uint32_t i = 0; i < filter_plan_set_count(plan) && good; i++) {
        struct port_set set = filter_plan_set(plan, i);
        uint32_t key = first + i;
        memset(bits, 0, sizeof(*bits));
        uint8_t *classes[] = {bits->tcp, bits->udp, bits->other};
        for (size_t k = 0; k < set.count; k++)
            set_range(classes[set.ranges[k].class], set.ranges[k].low,
                      set.ranges[k].high);
        good = bpf_map_update_elem(f->sets, &key, bits, BPF_ANY) == 0;
    }
    free(bits);
    return good;
}

static int trie_key_of(const struct filter_ebpf *f, const struct prefix *p,
                       struct trie_key *key)
{
    *key = (struct trie_key){.length = p->length};
    memcpy(key->bytes, p->address.bytes, 16);
    return p->address.version == 4 ? f->trie4 : f->trie6;
}

static bool fill_tries(const struct filter_ebpf *f,
                       const struct filter_plan *plan, uint32_t first)
{
    const struct prefix_map *map = filter_plan_map(plan);
    for (size_t i = 0; i < prefix_map_count(map); i++) {
        struct trie_key key;
        int trie = trie_key_of(f, &prefix_map_node(map, i)->prefix, &key);
        uint32_t set = (uint32_t)filter_plan_set_of(plan, (int32_t)i);
        uint32_t value = first + set + 1;
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
        struct trie_key key;
        int trie = trie_key_of(f, p, &key);
        if (prefix_map_index(filter_plan_map(plan), p) == PREFIX_NONE &&
            bpf_map_delete_elem(trie, &key) != 0)
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
        hint_prefix(hints + (p->address.version == 6) * HINT_BYTES, p);
    }
}

static bool fill_hints(const struct filter_ebpf *f,
                       const struct filter_plan *plan)
{
    uint8_t *hints = calloc(2, HINT_BYTES);
    uint32_t zero = 0;
    if (hints == NULL)
        return false;
    hint_plan(hints, plan);
    bool good = bpf_map_update_elem(f->hints, &zero, hints, BPF_ANY) == 0;
    free(hints);
    return good;
}

/* The hints last: they only spare the tries, which decide. A prefix that is new
 * passes from then on, one that is gone no longer from its removal on. A wider
 * prefix around one that is removed has by then its own new ports. */
bool filter_ebpf_fill(struct filter_ebpf *f, const struct filter_plan *before,
                      const struct filter_plan *plan, struct error_text *error)
{
    bool is_upper = before != NULL && !f->is_upper_half;
    uint32_t first = is_upper ? f->half_room : 0;
    if (!fill_sets(f, plan, first) || !fill_tries(f, plan, first) ||
        (before != NULL && !clean_tries(f, before, plan)) ||
        !fill_hints(f, plan))
        return error_set(error,
                         "eBPF filter: the kernel took not all prefixes: %s",
                         strerror(errno));
    f->is_upper_half = is_upper;
    return true;
}

/* --- in force --- */

bool filter_ebpf_attach(const struct filter_ebpf *f, int fd,
                        struct error_text *error)
{
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &f->program,
                   sizeof(f->program)) != 0)
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
    for (int i = 0; i < f->processors; i++) {
        const volatile uint64_t *counters =
            (const volatile uint64_t *)(const void *)(f->mapped +
                                                      i * COUNTER_STRIDE);
        /* Matched first, so that it is never more than seen. */
        sum.matched_packets += counters[COUNT_MATCHED];
        sum.matched_octets += counters[COUNT_OCTETS];
        sum.seen_packets += counters[COUNT_SEEN];
        sum.seen_octets += counters[COUNT_SEEN_OCTETS];
    }
    return sum;
}
