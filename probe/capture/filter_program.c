/*
 * The program is a chain of blocks, written twice: level 0 for the packet, and
 * level 1 for the packet inside a tunnel, which is looked at when nothing of
 * the outer one is registered. A block is entered with
 *
 *   ethernet   r8 at a MAC header
 *   ethertype  r8 behind an ethertype, which is in r0
 *   ppp        r8 at PPP's protocol
 *   version    r8 at an IP header of either version
 *   ipv4, ipv6 r8 at an IP header
 *   transport  r9 at what follows the IP header, its protocol in r0
 *   fragment   a later fragment: by address alone
 *   tunnel     as transport, the protocol in STACK_PROTOCOL; level 0 only
 *
 * r6 is the packet (as LD_ABS and LD_IND want it), r7 the counters of this
 * processor. IP headers are copied to the stack in one call; the rest is read
 * piece by piece. A packet that ends too early ends the program with 0:
 * refused. So refused is counted as seen without matched.
 *
 * The kernel's verifier follows every path and joins two only when it knows the
 * same of both. Therefore r8 is made a number that it does not know, see
 * forget_offset(): without that it looks at half a million instructions, of the
 * million at which it gives up, instead of at ten thousand.
 */
#include "probe/capture/filter_program.h"

#include <stddef.h>

/* Frame: offsets from r10. */
enum stack {
    STACK_SOURCE_SET = -8, /* what the trie has, or 0 */
    STACK_DESTINATION_SET = -16,
    STACK_SOURCE_PORT = -24,
    STACK_DESTINATION_PORT = -32,
    STACK_CLASS = -40,
    STACK_PROTOCOL = -56,
    STACK_KEY = -80,     /* prefix length, then up to 16 bytes */
    STACK_HEADER = -128, /* IPv4 without options, or IPv6 */
};

struct level {
    int ethernet, ethertype, ppp, version, ipv4, ipv6;
    int transport, fragment, tunnel;
};

struct generator {
    struct ebpf_code *c;
    const struct filter_maps *maps;
    int refuse, match;
    struct level levels[2];
    struct level *at; /* being written */
};

static void count_packet(struct generator *g, enum filter_counter first)
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
    ebpf_jump_if(c, BPF_JGE, 0, g->maps->processors, g->refuse);
    ebpf_map_value(c, 7, g->maps->counters);
    ebpf_math(c, BPF_MUL, 0, FILTER_COUNTER_STRIDE);
    ebpf_math_with(c, BPF_ADD, 7, 0);
    count_packet(g, COUNT_SEEN);
}

/* To where the link begins. */
static void enter(struct generator *g, enum filter_link link)
{
    struct ebpf_code *c = g->c;
    ebpf_set(c, 8, 0);
    if (link == FILTER_LINK_RAW) {
        ebpf_jump(c, g->at->version);
    } else if (link == FILTER_LINK_COOKED) {
        ebpf_load(c, BPF_W, 0, 6, offsetof(struct __sk_buff, protocol));
        ebpf_emit(c, BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 16);
        ebpf_jump(c, g->at->ethertype);
    } else {
        ebpf_jump(c, g->at->ethernet);
    }
}

/* --- between link and IP --- */

/* r0 is an ethertype; behind tags, r8 moves on and r0 is the inner one. */
static void pass_tags(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int done = ebpf_label(c);
    for (int i = 0; i < FILTER_TAGS_MAX; i++) {
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

/* Where r0 is a length (IEEE 802.3), LLC and SNAP must follow, with an
 * ethertype behind them. */
static void pass_llc(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int done = ebpf_label(c);
    ebpf_jump_if(c, BPF_JGE, 0, 1536, done);
    ebpf_packet(c, BPF_W, 8, 0);
    ebpf_math(c, BPF_RSH, 0, 8);
    ebpf_jump_if(c, BPF_JNE, 0, 0xaaaa03, g->refuse);
    ebpf_packet(c, BPF_W, 8, 3);
    ebpf_math(c, BPF_RSH, 0, 8);
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->refuse);
    ebpf_packet(c, BPF_H, 8, 6);
    ebpf_math(c, BPF_ADD, 8, 8);
    ebpf_place(c, done);
}

static void pass_labels(struct generator *g)
{
    struct ebpf_code *c = g->c;
    for (int i = 0; i < FILTER_LABELS_MAX; i++) {
        ebpf_packet(c, BPF_B, 8, 2);
        ebpf_math(c, BPF_ADD, 8, 4);
        ebpf_jump_if(c, BPF_JSET, 0, 1, g->at->version);
    }
    ebpf_jump(c, g->refuse);
}

static void write_ethertype(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int labels = ebpf_label(c), session = ebpf_label(c);
    ebpf_place(c, g->at->ethertype);
    pass_tags(g);
    pass_llc(g);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x0800, g->at->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x86dd, g->at->ipv6);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x8847, labels);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x8848, labels);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x8864, session);
    ebpf_jump(c, g->refuse);
    ebpf_place(c, labels);
    pass_labels(g);
    ebpf_place(c, session); /* PPPoE: version, type, code, then 4 bytes */
    ebpf_packet(c, BPF_H, 8, 0);
    ebpf_jump_if(c, BPF_JNE, 0, 0x1100, g->refuse);
    ebpf_math(c, BPF_ADD, 8, 6);
}

/* Address and control may stand in front; a protocol whose first byte is odd
 * is one byte only (RFC 1661 section 6.5). */
static void write_ppp(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int plain = ebpf_label(c), known = ebpf_label(c);
    ebpf_place(c, g->at->ppp);
    ebpf_packet(c, BPF_H, 8, 0);
    ebpf_jump_if(c, BPF_JNE, 0, 0xff03, plain);
    ebpf_math(c, BPF_ADD, 8, 2);
    ebpf_packet(c, BPF_H, 8, 0);
    ebpf_place(c, plain);
    ebpf_math(c, BPF_ADD, 8, 2);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_AND, 1, 0x100);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, known);
    ebpf_math(c, BPF_RSH, 0, 8);
    ebpf_math(c, BPF_SUB, 8, 1);
    ebpf_place(c, known);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x0021, g->at->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x0057, g->at->ipv6);
    ebpf_jump(c, g->refuse);
}

static void write_link(struct generator *g, bool has_ethernet)
{
    struct ebpf_code *c = g->c;
    if (has_ethernet) {
        ebpf_place(c, g->at->ethernet);
        ebpf_packet(c, BPF_H, 8, 12);
        ebpf_math(c, BPF_ADD, 8, 14);
    }
    write_ethertype(g);
    write_ppp(g);
}

static void write_version(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_place(c, g->at->version);
    ebpf_packet(c, BPF_B, 8, 0);
    ebpf_math(c, BPF_RSH, 0, 4);
    ebpf_jump_if(c, BPF_JEQ, 0, 4, g->at->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 6, g->at->ipv6);
    ebpf_jump(c, g->refuse);
}

/* --- IP --- */

/* Adds a 0 of which the verifier does not know that it is one. */
static void forget_offset(struct generator *g)
{
    ebpf_load(g->c, BPF_DW, 0, 7, COUNT_NOTHING * 8);
    ebpf_math_with(g->c, BPF_ADD, 8, 0);
}

/* The IP header to the stack; its version is checked. */
static void copy_header(struct generator *g, int32_t length, int32_t version)
{
    struct ebpf_code *c = g->c;
    forget_offset(g);
    ebpf_move(c, 1, 6);
    ebpf_move(c, 2, 8);
    ebpf_move(c, 3, 10);
    ebpf_math(c, BPF_ADD, 3, STACK_HEADER);
    ebpf_set(c, 4, length);
    ebpf_call(c, BPF_FUNC_skb_load_bytes);
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->refuse);
    ebpf_load(c, BPF_B, 0, 10, STACK_HEADER);
    ebpf_math(c, BPF_RSH, 0, 4);
    ebpf_jump_if(c, BPF_JNE, 0, version, g->refuse);
}

/* A field of the header on the stack, in host order, to r0. */
static void load_field(struct generator *g, uint8_t size, int16_t offset)
{
    ebpf_load(g->c, size, 0, 10, (int16_t)(STACK_HEADER + offset));
    if (size != BPF_B)
        ebpf_emit(g->c, BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0,
                  size == BPF_H ? 16 : 32);
}

/* Goes to `none` unless the hint bit number r0 (16 bits) of a family is set. */
static void test_hint(struct generator *g, int family, int none)
{
    struct ebpf_code *c = g->c;
    ebpf_map_value(c, 2, g->maps->hints);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_RSH, 1, 3);
    ebpf_math(c, BPF_AND, 1, FILTER_HINT_BYTES - 1);
    ebpf_math_with(c, BPF_ADD, 2, 1);
    ebpf_load(c, BPF_B, 1, 2, (int16_t)(family * FILTER_HINT_BYTES));
    ebpf_math(c, BPF_AND, 0, 7);
    ebpf_math_with(c, BPF_RSH, 1, 0);
    ebpf_math(c, BPF_AND, 1, 1);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, none);
}

/* Looks the address at `offset` of the header up; what is found goes to
 * `slot`. */
static void walk_trie(struct generator *g, int16_t offset, int words, int trie,
                      int16_t slot, int none)
{
    struct ebpf_code *c = g->c;
    for (int i = 0; i < words; i++) {
        ebpf_load(c, BPF_W, 0, 10, (int16_t)(STACK_HEADER + offset + 4 * i));
        ebpf_store(c, BPF_W, 10, (int16_t)(STACK_KEY + 4 + 4 * i), 0);
    }
    ebpf_set(c, 1, 32 * words);
    ebpf_store(c, BPF_W, 10, STACK_KEY, 1);
    ebpf_map(c, 1, trie);
    ebpf_move(c, 2, 10);
    ebpf_math(c, BPF_ADD, 2, STACK_KEY);
    ebpf_call(c, BPF_FUNC_map_lookup_elem);
    ebpf_jump_if(c, BPF_JEQ, 0, 0, none);
    ebpf_load(c, BPF_DW, 1, 0, 0);
    ebpf_store(c, BPF_DW, 10, slot, 1);
}

static void clear_slot(struct generator *g, int16_t slot)
{
    ebpf_set(g->c, 1, 0);
    ebpf_store(g->c, BPF_DW, 10, slot, 1);
}

static void look_up_ipv4(struct generator *g, int16_t offset, int16_t slot)
{
    int none = ebpf_label(g->c);
    clear_slot(g, slot);
    load_field(g, BPF_H, offset);
    test_hint(g, 0, none);
    walk_trie(g, offset, 1, g->maps->trie4, slot, none);
    ebpf_place(g->c, none);
}

static void look_up_ipv6(struct generator *g, int16_t offset, int16_t slot)
{
    struct ebpf_code *c = g->c;
    int none = ebpf_label(c);
    clear_slot(g, slot);
    load_field(g, BPF_W, offset);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_RSH, 1, 16);
    ebpf_math_with(c, BPF_XOR, 0, 1);
    ebpf_math(c, BPF_AND, 0, 0xffff);
    test_hint(g, 1, none);
    walk_trie(g, offset, 4, g->maps->trie6, slot, none);
    ebpf_place(c, none);
}

static void write_ipv4(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_place(c, g->at->ipv4);
    copy_header(g, 20, 4);
    look_up_ipv4(g, 12, STACK_SOURCE_SET);
    look_up_ipv4(g, 16, STACK_DESTINATION_SET);
    load_field(g, BPF_B, 0);
    ebpf_math(c, BPF_AND, 0, 0x0f);
    ebpf_jump_if(c, BPF_JLT, 0, 5, g->refuse);
    ebpf_math(c, BPF_LSH, 0, 2);
    ebpf_move(c, 9, 8);
    ebpf_math_with(c, BPF_ADD, 9, 0);
    load_field(g, BPF_H, 6);
    ebpf_math(c, BPF_AND, 0, 0x1fff);
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->at->fragment);
    load_field(g, BPF_B, 9);
    ebpf_jump(c, g->at->transport);
}

/* One extension header, if r0 says that r9 is at one; else goes to transport. */
static void pass_extension(struct generator *g)
{
    struct ebpf_code *c = g->c;
    int option = ebpf_label(c), fragment = ebpf_label(c);
    int next = ebpf_label(c), authentication = ebpf_label(c);
    for (size_t i = 0; i < sizeof(filter_ipv6_options); i++)
        ebpf_jump_if(c, BPF_JEQ, 0, filter_ipv6_options[i], option);
    ebpf_jump_if(c, BPF_JEQ, 0, 51, authentication);
    ebpf_jump_if(c, BPF_JEQ, 0, 44, fragment);
    ebpf_jump(c, g->at->transport);
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
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->at->fragment);
    ebpf_set(c, 0, 8);
    ebpf_place(c, next);
    ebpf_move(c, 8, 9);
    ebpf_math_with(c, BPF_ADD, 9, 0);
    ebpf_packet(c, BPF_B, 8, 0);
}

static void write_ipv6(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_place(c, g->at->ipv6);
    copy_header(g, 40, 6);
    look_up_ipv6(g, 8, STACK_SOURCE_SET);
    look_up_ipv6(g, 24, STACK_DESTINATION_SET);
    load_field(g, BPF_B, 6);
    ebpf_move(c, 9, 8);
    ebpf_math(c, BPF_ADD, 9, 40);
    for (int i = 0; i < FILTER_EXTENSIONS_MAX; i++)
        pass_extension(g);
    for (size_t i = 0; i < sizeof(filter_ipv6_options); i++)
        ebpf_jump_if(c, BPF_JEQ, 0, filter_ipv6_options[i], g->refuse);
    ebpf_jump_if(c, BPF_JEQ, 0, 51, g->refuse);
    ebpf_jump_if(c, BPF_JEQ, 0, 44, g->refuse);
}

/* --- ports --- */

/* Protocol in r0; class and both ports go to the stack. */
static void read_ports(struct generator *g)
{
    static const struct {
        uint8_t protocol, class;
    } kinds[] = {
        {6, PORT_CLASS_TCP}, {17, PORT_CLASS_UDP}, {132, PORT_CLASS_SCTP}};
    struct ebpf_code *c = g->c;
    int has_ports = ebpf_label(c), done = ebpf_label(c);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ebpf_set(c, 1, kinds[i].class);
        ebpf_jump_if(c, BPF_JEQ, 0, kinds[i].protocol, has_ports);
    }
    ebpf_set(c, 1, PORT_CLASS_OTHER);
    ebpf_store(c, BPF_DW, 10, STACK_CLASS, 1);
    ebpf_set(c, 1, 0);
    ebpf_store(c, BPF_DW, 10, STACK_SOURCE_PORT, 1);
    ebpf_store(c, BPF_DW, 10, STACK_DESTINATION_PORT, 1);
    ebpf_jump(c, done);
    ebpf_place(c, has_ports);
    ebpf_store(c, BPF_DW, 10, STACK_CLASS, 1);
    ebpf_packet(c, BPF_W, 9, 0);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_RSH, 1, 16);
    ebpf_store(c, BPF_DW, 10, STACK_SOURCE_PORT, 1);
    ebpf_math(c, BPF_AND, 0, 0xffff);
    ebpf_store(c, BPF_DW, 10, STACK_DESTINATION_PORT, 0);
    ebpf_place(c, done);
}

/* r1 is what the trie has, r3 the port: matches when the port is within the
 * range that is told there; else goes to `other`. */
static void check_first_range(struct generator *g, int other)
{
    struct ebpf_code *c = g->c;
    ebpf_move(c, 2, 1);
    ebpf_math(c, BPF_RSH, 2, 48);
    ebpf_load(c, BPF_DW, 4, 10, STACK_CLASS);
    ebpf_jump_with(c, BPF_JNE, 2, 4, other);
    ebpf_move(c, 2, 1);
    ebpf_math(c, BPF_AND, 2, 0xffff);
    ebpf_jump_with(c, BPF_JGT, 3, 2, other);
    ebpf_move(c, 2, 1);
    ebpf_math(c, BPF_RSH, 2, 16);
    ebpf_math(c, BPF_AND, 2, 0xffff);
    ebpf_jump_with(c, BPF_JGE, 3, 2, g->match);
}

/* Matches when the side's port set has its port. */
static void check_side(struct generator *g, int16_t set_slot, int16_t port_slot)
{
    struct ebpf_code *c = g->c;
    int other = ebpf_label(c), next = ebpf_label(c);
    ebpf_load(c, BPF_DW, 1, 10, set_slot);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, next);
    ebpf_load(c, BPF_DW, 3, 10, port_slot);
    check_first_range(g, other);
    ebpf_place(c, other);
    ebpf_math(c, BPF_RSH, 1, 32);
    ebpf_math(c, BPF_AND, 1, 0xffff);
    ebpf_math(c, BPF_SUB, 1, 1);
    ebpf_store(c, BPF_W, 10, STACK_KEY, 1);
    ebpf_map(c, 1, g->maps->sets);
    ebpf_move(c, 2, 10);
    ebpf_math(c, BPF_ADD, 2, STACK_KEY);
    ebpf_call(c, BPF_FUNC_map_lookup_elem);
    ebpf_jump_if(c, BPF_JEQ, 0, 0, next);
    ebpf_load(c, BPF_DW, 1, 10, STACK_CLASS);
    ebpf_math(c, BPF_LSH, 1, 13);
    ebpf_load(c, BPF_DW, 2, 10, port_slot);
    ebpf_move(c, 3, 2);
    ebpf_math(c, BPF_RSH, 3, 3);
    ebpf_math_with(c, BPF_ADD, 1, 3);
    ebpf_jump_if(c, BPF_JGE, 1, sizeof(struct filter_set_bits), next);
    ebpf_math_with(c, BPF_ADD, 0, 1);
    ebpf_load(c, BPF_B, 1, 0, 0);
    ebpf_math(c, BPF_AND, 2, 7);
    ebpf_math_with(c, BPF_RSH, 1, 2);
    ebpf_jump_if(c, BPF_JSET, 1, 1, g->match);
    ebpf_place(c, next);
}

/* r1 is not 0 when one of the addresses is registered. */
static void load_found(struct generator *g)
{
    ebpf_load(g->c, BPF_DW, 1, 10, STACK_SOURCE_SET);
    ebpf_load(g->c, BPF_DW, 2, 10, STACK_DESTINATION_SET);
    ebpf_math_with(g->c, BPF_OR, 1, 2);
}

static void write_transport(struct generator *g)
{
    struct ebpf_code *c = g->c;
    ebpf_place(c, g->at->transport);
    ebpf_store(c, BPF_DW, 10, STACK_PROTOCOL, 0);
    load_found(g);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, g->at->tunnel);
    read_ports(g);
    check_side(g, STACK_SOURCE_SET, STACK_SOURCE_PORT);
    check_side(g, STACK_DESTINATION_SET, STACK_DESTINATION_PORT);
    ebpf_jump(c, g->at->tunnel);
    ebpf_place(c, g->at->fragment);
    load_found(g);
    ebpf_jump_if(c, BPF_JNE, 1, 0, g->match);
    ebpf_jump(c, g->refuse);
}

/* --- tunnels; the checks are those of probe/meter/decode.c --- */

/* r0 is GRE's first half word, of version 1. */
static void write_pptp(struct generator *g, const struct level *inner)
{
    struct ebpf_code *c = g->c;
    ebpf_move(c, 8, 0); /* flag 0x80: 4 bytes more */
    ebpf_math(c, BPF_RSH, 8, 5);
    ebpf_math(c, BPF_AND, 8, 4);
    ebpf_math(c, BPF_AND, 0, 0xff7f);
    ebpf_jump_if(c, BPF_JNE, 0, 0x3001, g->refuse);
    ebpf_math_with(c, BPF_ADD, 8, 9);
    ebpf_math(c, BPF_ADD, 8, 12);
    ebpf_packet(c, BPF_H, 9, 2);
    ebpf_jump_if(c, BPF_JNE, 0, 0x880b, g->refuse);
    ebpf_jump(c, inner->ppp);
}

static void write_gre(struct generator *g, const struct level *inner)
{
    static const uint8_t shifts[] = {13, 11, 10}; /* flag to 4 or 0 */
    struct ebpf_code *c = g->c;
    int current = ebpf_label(c);
    ebpf_packet(c, BPF_H, 9, 0);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_AND, 1, 7);
    ebpf_jump_if(c, BPF_JNE, 1, 1, current);
    write_pptp(g, inner);
    ebpf_place(c, current);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_AND, 1, 0x4fff);
    ebpf_jump_if(c, BPF_JNE, 1, 0, g->refuse);
    ebpf_move(c, 8, 9);
    ebpf_math(c, BPF_ADD, 8, 4);
    for (size_t i = 0; i < sizeof(shifts); i++) {
        ebpf_move(c, 1, 0);
        ebpf_math(c, BPF_RSH, 1, shifts[i]);
        ebpf_math(c, BPF_AND, 1, 4);
        ebpf_math_with(c, BPF_ADD, 8, 1);
    }
    ebpf_packet(c, BPF_H, 9, 2);
    ebpf_jump_if(c, BPF_JEQ, 0, 0x6558, inner->ethernet);
    ebpf_jump(c, inner->ethertype);
}

static void write_vxlan(struct generator *g, const struct level *inner)
{
    struct ebpf_code *c = g->c;
    ebpf_packet(c, BPF_W, 9, 8);
    ebpf_math(c, BPF_AND, 0, 0x7fb70000);
    ebpf_jump_if(c, BPF_JNE, 0, 0x08000000, g->refuse);
    ebpf_packet(c, BPF_B, 9, 15);
    ebpf_jump_if(c, BPF_JNE, 0, 0, g->refuse);
    ebpf_move(c, 8, 9);
    ebpf_math(c, BPF_ADD, 8, 16);
    ebpf_jump(c, inner->ethernet);
}

/* r8 behind the first 12 bytes of GTP-U, whose last is the next type. */
static void pass_gtp_extensions(struct generator *g, const struct level *inner)
{
    struct ebpf_code *c = g->c;
    ebpf_packet(c, BPF_B, 8, -1);
    for (int i = 0; i < FILTER_GTP_EXTENSIONS_MAX; i++) {
        ebpf_jump_if(c, BPF_JEQ, 0, 0, inner->version);
        ebpf_packet(c, BPF_B, 8, 0);
        ebpf_jump_if(c, BPF_JEQ, 0, 0, g->refuse);
        ebpf_math(c, BPF_LSH, 0, 2);
        ebpf_math_with(c, BPF_ADD, 8, 0);
        ebpf_packet(c, BPF_B, 8, -1);
    }
    ebpf_jump_if(c, BPF_JEQ, 0, 0, inner->version);
    ebpf_jump(c, g->refuse);
}

static void write_gtp(struct generator *g, const struct level *inner)
{
    struct ebpf_code *c = g->c;
    ebpf_packet(c, BPF_H, 9, 4); /* length of the datagram */
    ebpf_move(c, 8, 0);
    ebpf_packet(c, BPF_H, 9, 10);
    ebpf_math(c, BPF_ADD, 0, 16);
    ebpf_math_with(c, BPF_SUB, 8, 0);
    ebpf_jump_if(c, BPF_JNE, 8, 0, g->refuse);
    ebpf_packet(c, BPF_H, 9, 8);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_AND, 1, 0xf8ff);
    ebpf_jump_if(c, BPF_JNE, 1, 0x30ff, g->refuse);
    ebpf_move(c, 8, 9);
    ebpf_math(c, BPF_ADD, 8, 16);
    ebpf_move(c, 1, 0);
    ebpf_math(c, BPF_AND, 1, 0x0700);
    ebpf_jump_if(c, BPF_JEQ, 1, 0, inner->version);
    ebpf_math(c, BPF_ADD, 8, 4);
    ebpf_math(c, BPF_AND, 0, 0x0400);
    ebpf_jump_if(c, BPF_JEQ, 0, 0, inner->version);
    pass_gtp_extensions(g, inner);
}

static void write_tunnel(struct generator *g, const struct level *inner)
{
    struct ebpf_code *c = g->c;
    int udp = ebpf_label(c), vxlan = ebpf_label(c), gtp = ebpf_label(c);
    int gre = ebpf_label(c);
    ebpf_place(c, g->at->tunnel);
    ebpf_load(c, BPF_DW, 0, 10, STACK_PROTOCOL);
    ebpf_move(c, 8, 9);
    ebpf_jump_if(c, BPF_JEQ, 0, 17, udp);
    ebpf_jump_if(c, BPF_JEQ, 0, 47, gre);
    ebpf_jump_if(c, BPF_JEQ, 0, 4, inner->ipv4);
    ebpf_jump_if(c, BPF_JEQ, 0, 41, inner->ipv6);
    ebpf_jump(c, g->refuse);
    ebpf_place(c, udp);
    ebpf_packet(c, BPF_H, 9, 2);
    ebpf_jump_if(c, BPF_JEQ, 0, 4789, vxlan);
    ebpf_jump_if(c, BPF_JEQ, 0, 8472, vxlan);
    ebpf_jump_if(c, BPF_JEQ, 0, 2152, gtp);
    ebpf_jump(c, g->refuse);
    ebpf_place(c, vxlan);
    write_vxlan(g, inner);
    ebpf_place(c, gtp);
    write_gtp(g, inner);
    ebpf_place(c, gre);
    write_gre(g, inner);
}

/* --- the whole --- */

static void make_labels(struct ebpf_code *c, struct level *level)
{
    *level = (struct level){.ethernet = ebpf_label(c),
                            .ethertype = ebpf_label(c),
                            .ppp = ebpf_label(c),
                            .version = ebpf_label(c),
                            .ipv4 = ebpf_label(c),
                            .ipv6 = ebpf_label(c),
                            .transport = ebpf_label(c),
                            .fragment = ebpf_label(c),
                            .tunnel = ebpf_label(c)};
}

static void write_ip(struct generator *g)
{
    write_version(g);
    write_ipv4(g);
    write_ipv6(g);
    write_transport(g);
}

bool filter_program_write(struct ebpf_code *c, const struct filter_maps *maps,
                          enum filter_link link, uint32_t snap_length)
{
    ebpf_start(c);
    struct generator g = {
        .c = c, .maps = maps, .refuse = ebpf_label(c), .match = ebpf_label(c)};
    make_labels(c, &g.levels[0]);
    make_labels(c, &g.levels[1]);
    g.at = &g.levels[0];
    begin(&g);
    enter(&g, link);
    if (link != FILTER_LINK_RAW)
        write_link(&g, link == FILTER_LINK_ETHERNET);
    write_ip(&g);
    write_tunnel(&g, &g.levels[1]);
    g.at = &g.levels[1];
    write_link(&g, true);
    write_ip(&g);
    ebpf_place(c, g.levels[1].tunnel); /* one level is looked into */
    ebpf_place(c, g.refuse);
    ebpf_set(c, 0, 0);
    ebpf_exit(c);
    ebpf_place(c, g.match);
    count_packet(&g, COUNT_MATCHED);
    ebpf_set(c, 0, (int32_t)snap_length);
    ebpf_exit(c);
    return ebpf_finish(c);
}
