/*
 * Classic BPF has two registers (A, X) and sixteen scratch words; jumps are as
 * in classic_code.h. The program:
 *
 *   find the IP header (offset in X), then the class of ports and both ports
 *   IPv4 or IPv6: search the destination, then the source address
 *   join: for each side with a port set, test its port
 *   tunnel: find the packet inside, and all of this once more for it
 *
 * With the part for tunnels the program is about twice as long. Where that does
 * not fit, it is left out, and filter_classic_looks_inside() says so.
 *
 * An address search is a tree of comparisons over ranges sorted by their
 * starts. A piece of at most CHUNK ranges is laid out as bare comparisons that
 * jump straight to landing pads behind the piece; larger pieces are split with
 * a long jump. IPv6 addresses are searched 32 bits at a time: where several
 * ranges begin within one value of a word, that value goes down to the next
 * word. So n prefixes of IPv4 cost about 4n instructions for both sides.
 */
#include "probe/capture/filter_classic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/filter.h>

#include "probe/capture/classic_code.h"

enum scratch {
    WORD_HEADER, /* offset of the IP header */
    WORD_TYPE,   /* ethertype, next header, while X moves */
    WORD_CLASS,  /* enum port_class, or CLASS_FRAGMENT */
    WORD_SOURCE_PORT,
    WORD_DESTINATION_PORT,
    WORD_DESTINATION_SET, /* set + 1, 0: none */
    WORD_PROTOCOL,        /* 0 for later fragments: no tunnel */
    WORD_NEXT,            /* offset of what follows the IP header */
};

enum {
    CLASS_FRAGMENT = PORT_CLASS_OTHER + 1, /* no ports to test */
    CHUNK = 100,
};

struct filter_classic {
    struct sock_filter *code;
    size_t length;
    bool looks_inside;
};

/* --- address search --- */

/* A place where what is decided about an address changes. */
struct boundary {
    uint32_t words[4];
    uint32_t set; /* + 1; 0: none */
};

struct branch {
    uint32_t start;
    int target; /* label */
};

struct search {
    struct classic_code *a;
    const int *labels; /* by set + 1: where to go */
    uint32_t offset;   /* of the address from X */
};

/* A piece [low, high) of branches as bare comparisons; `pads` has for each
 * branch the label of its landing pad. */
static void compare_piece(struct classic_code *a, const struct branch *branches,
                          const int *pads, size_t low, size_t high)
{
    size_t middle = low + (high - low) / 2;
    int right = high - middle > 1 ? classic_label(a) : pads[middle];
    bool left_is_single = middle - low == 1;
    classic_aim(a, CLASSIC_TRUE, right);
    if (left_is_single)
        classic_aim(a, CLASSIC_FALSE, pads[low]);
    classic_emit(a, BPF_JMP | BPF_JGE | BPF_K, branches[middle].start);
    if (!left_is_single)
        compare_piece(a, branches, pads, low, middle);
    if (high - middle > 1) {
        classic_place(a, right);
        compare_piece(a, branches, pads, middle, high);
    }
}

static void search_piece(struct classic_code *a, const struct branch *branches,
                         size_t low, size_t high)
{
    int pads[CHUNK], targets[CHUNK], pad_of[CHUNK] = {0};
    int pad_count = 0;
    if (high - low == 1) {
        classic_jump(a, branches[low].target);
        return;
    }
    for (size_t i = low; i < high; i++) {
        int k = 0;
        while (k < pad_count && targets[k] != branches[i].target)
            k++;
        if (k == pad_count) {
            targets[k] = branches[i].target;
            pads[k] = classic_label(a);
            pad_count++;
        }
        pad_of[i - low] = pads[k];
    }
    compare_piece(a, branches + low, pad_of, 0, high - low);
    for (int k = 0; k < pad_count; k++) {
        classic_place(a, pads[k]);
        classic_jump(a, targets[k]);
    }
}

static void search_branches(struct classic_code *a,
                            const struct branch *branches, size_t low,
                            size_t high)
{
    if (high - low <= CHUNK) {
        search_piece(a, branches, low, high);
        return;
    }
    size_t middle = low + (high - low) / 2;
    int right = classic_label(a);
    classic_jump_if(a, BPF_JGE, branches[middle].start, right);
    search_branches(a, branches, low, middle);
    classic_place(a, right);
    search_branches(a, branches, middle, high);
}

/* Boundaries from `first` on that share `word`, up to `count`. */
static size_t group_length(const struct boundary *list, size_t count, int word)
{
    size_t n = 1;
    while (n < count && list[n].words[word] == list[0].words[word])
        n++;
    return n;
}

static bool is_at_start(const struct boundary *b, int word)
{
    for (int i = word + 1; i < 4; i++)
        if (b->words[i] != 0)
            return false;
    return true;
}

static void add_branch(struct branch *branches, size_t *count, uint32_t start,
                       int target)
{
    if (*count > 0 && branches[*count - 1].target == target)
        return;
    branches[(*count)++] = (struct branch){start, target};
}

/* Searches `word` of the address among boundaries that agree in the words
 * before; `before` is the set + 1 in force ahead of the first of them. */
static void search_word(const struct search *s, const struct boundary *list,
                        size_t count, int word, uint32_t before)
{
    struct classic_code *a = s->a;
    struct branch *branches = calloc(2 * count + 1, sizeof(*branches));
    int *down = calloc(count + 1, sizeof(*down)); /* label of a deeper group */
    size_t used = 0;
    uint32_t set = before;
    if (branches == NULL || down == NULL) {
        a->failed = true;
        goto out;
    }
    add_branch(branches, &used, 0, s->labels[before]);
    for (size_t i = 0, n; i < count; i += n) {
        uint32_t value = list[i].words[word];
        n = group_length(list + i, count - i, word);
        bool is_flat = n == 1 && is_at_start(&list[i], word);
        if (!is_flat)
            down[i] = classic_label(a);
        if (value == 0)
            used = 0;
        add_branch(branches, &used, value,
                   is_flat ? s->labels[list[i].set] : down[i]);
        set = list[i + n - 1].set;
        if (!is_flat && value != UINT32_MAX)
            add_branch(branches, &used, value + 1, s->labels[set]);
    }
    classic_load(a, BPF_W, s->offset + 4 * (uint32_t)word);
    search_branches(a, branches, 0, used);
    set = before;
    for (size_t i = 0, n; i < count && !a->failed; i += n) {
        n = group_length(list + i, count - i, word);
        if (!(n == 1 && is_at_start(&list[i], word))) {
            classic_place(a, down[i]);
            search_word(s, list + i, n, word + 1, set);
        }
        set = list[i + n - 1].set;
    }
out:
    free(branches);
    free(down);
}

static uint32_t word_at(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

/* Where sets change; neighbours with the same set are joined. */
static struct boundary *make_boundaries(const struct filter_plan *plan,
                                        int version, size_t *count)
{
    size_t ranges;
    const struct prefix_range *r =
        prefix_map_ranges(filter_plan_map(plan), version, &ranges);
    struct boundary *list = calloc(ranges + 1, sizeof(*list));
    uint32_t current = 0;
    *count = 0;
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < ranges; i++) {
        uint32_t set = (uint32_t)(filter_plan_set_of(plan, r[i].node) + 1);
        if (set == current)
            continue;
        struct boundary *b = &list[(*count)++];
        for (int word = 0; word < (version == 4 ? 1 : 4); word++)
            b->words[word] = word_at(r[i].start + 4 * word);
        b->set = current = set;
    }
    return list;
}

/* Leaves the set + 1 of the address at X + offset in A. */
static void search_address(struct classic_code *a,
                           const struct filter_plan *plan, int version,
                           uint32_t offset)
{
    size_t sets = filter_plan_set_count(plan), count;
    struct boundary *list = make_boundaries(plan, version, &count);
    int *labels = calloc(sets + 1, sizeof(*labels));
    if (list == NULL || labels == NULL) {
        a->failed = true;
    } else {
        int join = classic_label(a);
        for (size_t i = 0; i <= sets; i++)
            labels[i] = classic_label(a);
        struct search s = {a, labels, offset};
        search_word(&s, list, count, 0, 0);
        for (size_t i = 0; i <= sets; i++) {
            classic_place(a, labels[i]);
            classic_emit(a, BPF_LD | BPF_IMM, (uint32_t)i);
            classic_jump(a, join);
        }
        classic_place(a, join);
    }
    free(labels);
    free(list);
}

/* --- headers; blocks as in filter_program.c, offsets in X --- */

struct level {
    int ethernet, ethertype, ppp, version, ipv4, ipv6, join;
};

struct generator {
    struct classic_code a;
    const struct filter_plan *plan;
    int refuse, accept;
    struct level levels[2];
    struct level *at; /* being written */
};

/* X moves on; A is lost. */
static void move_x(struct classic_code *a, uint32_t bytes)
{
    classic_emit(a, BPF_MISC | BPF_TXA, 0);
    classic_emit(a, BPF_ALU | BPF_ADD | BPF_K, bytes);
    classic_emit(a, BPF_MISC | BPF_TAX, 0);
}

/* A half word at X + offset to A, and X moves on. */
static void load_and_move(struct classic_code *a, uint32_t offset,
                          uint32_t bytes)
{
    classic_load(a, BPF_H, offset);
    classic_store(a, WORD_TYPE);
    move_x(a, bytes);
    classic_reload(a, WORD_TYPE);
}

static void math(struct classic_code *a, uint16_t operation, uint32_t value)
{
    classic_emit(a, BPF_ALU | operation | BPF_K, value);
}

/* A to X + A + more. */
static void add_to_x(struct classic_code *a, uint32_t more)
{
    classic_emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    if (more > 0)
        math(a, BPF_ADD, more);
    classic_emit(a, BPF_MISC | BPF_TAX, 0);
}

static void pass_tags(struct classic_code *a)
{
    int done = classic_label(a);
    for (int i = 0; i < FILTER_TAGS_MAX; i++) {
        int tag = classic_label(a);
        classic_jump_if(a, BPF_JEQ, 0x8100, tag);
        classic_jump_if(a, BPF_JEQ, 0x88a8, tag);
        classic_jump_unless(a, BPF_JEQ, 0x9100, done);
        classic_place(a, tag);
        load_and_move(a, 2, 4);
    }
    classic_place(a, done);
}

/* A is less than an ethertype: LLC and SNAP, then an ethertype. */
static void pass_llc(struct generator *g)
{
    struct classic_code *a = &g->a;
    int done = classic_label(a);
    classic_jump_if(a, BPF_JGE, 1536, done);
    classic_load(a, BPF_W, 0);
    classic_jump_unless(a, BPF_JEQ, 0xaaaa0300, g->refuse);
    classic_load(a, BPF_H, 4);
    classic_jump_unless(a, BPF_JEQ, 0, g->refuse);
    load_and_move(a, 6, 8);
    classic_place(a, done);
}

static void pass_labels(struct generator *g)
{
    struct classic_code *a = &g->a;
    for (int i = 0; i < FILTER_LABELS_MAX; i++) {
        load_and_move(a, 1, 4); /* the lowest bit: of the third byte */
        classic_jump_if(a, BPF_JSET, 1, g->at->version);
    }
    classic_jump(a, g->refuse);
}

/* A is an ethertype, X the offset behind it. */
static void by_ethertype(struct generator *g)
{
    struct classic_code *a = &g->a;
    int session = classic_label(a), labels = classic_label(a);
    classic_place(a, g->at->ethertype);
    pass_tags(a);
    pass_llc(g);
    classic_jump_if(a, BPF_JEQ, 0x0800, g->at->ipv4);
    classic_jump_if(a, BPF_JEQ, 0x86dd, g->at->ipv6);
    classic_jump_if(a, BPF_JEQ, 0x8847, labels);
    classic_jump_if(a, BPF_JEQ, 0x8848, labels);
    classic_jump_if(a, BPF_JEQ, 0x8864, session);
    classic_jump(a, g->refuse);
    classic_place(a, labels);
    pass_labels(g);
    classic_place(a, session); /* PPPoE: version, type, code, then 4 bytes */
    load_and_move(a, 0, 6);
    classic_jump_unless(a, BPF_JEQ, 0x1100, g->refuse);
}

static void by_ppp(struct generator *g)
{
    struct classic_code *a = &g->a;
    int plain = classic_label(a), wide = classic_label(a);
    classic_place(a, g->at->ppp);
    classic_load(a, BPF_H, 0);
    classic_jump_unless(a, BPF_JEQ, 0xff03, plain);
    move_x(a, 2);
    classic_place(a, plain);
    load_and_move(a, 0, 2);
    classic_jump_unless(a, BPF_JSET, 0x100, wide);
    math(a, BPF_RSH, 8); /* one byte only: X is one too far */
    classic_store(a, WORD_TYPE);
    move_x(a, (uint32_t)-1);
    classic_reload(a, WORD_TYPE);
    classic_place(a, wide);
    classic_jump_if(a, BPF_JEQ, 0x0021, g->at->ipv4);
    classic_jump_if(a, BPF_JEQ, 0x0057, g->at->ipv6);
    classic_jump(a, g->refuse);
}

static void by_version(struct generator *g)
{
    struct classic_code *a = &g->a;
    classic_place(a, g->at->version);
    classic_load(a, BPF_B, 0);
    math(a, BPF_RSH, 4);
    classic_jump_if(a, BPF_JEQ, 4, g->at->ipv4);
    classic_jump_if(a, BPF_JEQ, 6, g->at->ipv6);
    classic_jump(a, g->refuse);
}

static void by_link(struct generator *g)
{
    classic_place(&g->a, g->at->ethernet);
    load_and_move(&g->a, 12, 14);
    by_ethertype(g);
    by_ppp(g);
}

static void enter(struct generator *g, enum filter_link link)
{
    struct classic_code *a = &g->a;
    classic_emit(a, BPF_LDX | BPF_IMM, 0);
    if (link == FILTER_LINK_RAW) {
        classic_jump(a, g->at->version);
    } else if (link == FILTER_LINK_COOKED) {
        classic_emit(a, BPF_LD | BPF_H | BPF_ABS,
                     (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
        classic_jump(a, g->at->ethertype);
    } else {
        classic_jump(a, g->at->ethernet);
    }
}

/* A is the protocol, X the offset of its header. Leaves class and ports in
 * scratch, X at the IP header again. */
static void read_ports(struct generator *g, int fragment)
{
    static const struct {
        uint8_t protocol, class;
    } kinds[] = {
        {6, PORT_CLASS_TCP}, {17, PORT_CLASS_UDP}, {132, PORT_CLASS_SCTP}};
    struct classic_code *a = &g->a;
    int both = classic_label(a), done = classic_label(a);
    classic_store(a, WORD_PROTOCOL);
    classic_emit(a, BPF_STX, WORD_NEXT);
    classic_set_word(a, WORD_SOURCE_PORT, 0);
    classic_set_word(a, WORD_DESTINATION_PORT, 0);
    classic_reload(a, WORD_PROTOCOL);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int next = classic_label(a);
        classic_jump_unless(a, BPF_JEQ, kinds[i].protocol, next);
        classic_set_word(a, WORD_CLASS, kinds[i].class);
        classic_jump(a, both);
        classic_place(a, next);
    }
    classic_set_word(a, WORD_CLASS, PORT_CLASS_OTHER);
    classic_jump(a, done);
    classic_place(a, fragment);
    classic_set_word(a, WORD_PROTOCOL, 0);
    classic_emit(a, BPF_STX, WORD_NEXT);
    classic_set_word(a, WORD_CLASS, CLASS_FRAGMENT);
    classic_set_word(a, WORD_SOURCE_PORT, 0);
    classic_set_word(a, WORD_DESTINATION_PORT, 0);
    classic_jump(a, done);
    classic_place(a, both);
    classic_load(a, BPF_H, 0);
    classic_store(a, WORD_SOURCE_PORT);
    classic_load(a, BPF_H, 2);
    classic_store(a, WORD_DESTINATION_PORT);
    classic_place(a, done);
    classic_emit(a, BPF_LDX | BPF_MEM, WORD_HEADER);
}

static void check_version(struct generator *g, uint32_t version)
{
    struct classic_code *a = &g->a;
    classic_emit(a, BPF_STX, WORD_HEADER);
    classic_load(a, BPF_B, 0);
    math(a, BPF_RSH, 4);
    classic_jump_unless(a, BPF_JEQ, version, g->refuse);
}

/* Destination to scratch, source in A, then on to the join. */
static void search_both(struct generator *g, int version, uint32_t source,
                        uint32_t destination)
{
    search_address(&g->a, g->plan, version, destination);
    classic_store(&g->a, WORD_DESTINATION_SET);
    search_address(&g->a, g->plan, version, source);
    classic_jump(&g->a, g->at->join);
}

static void header_ipv4(struct generator *g)
{
    struct classic_code *a = &g->a;
    int fragment = classic_label(a);
    classic_place(a, g->at->ipv4);
    check_version(g, 4);
    classic_load(a, BPF_B, 0);
    math(a, BPF_AND, 0x0f);
    classic_jump_unless(a, BPF_JGE, 5, g->refuse);
    math(a, BPF_LSH, 2);
    classic_store(a, WORD_NEXT);
    classic_load(a, BPF_H, 6);
    classic_jump_if(a, BPF_JSET, 0x1fff, fragment);
    classic_load(a, BPF_B, 9);
    classic_store(a, WORD_TYPE);
    classic_reload(a, WORD_NEXT);
    add_to_x(a, 0);
    classic_reload(a, WORD_TYPE);
    read_ports(g, fragment);
    search_both(g, 4, 12, 16);
}

/* A: next header, X: its offset. Moves both on by one extension header. */
static void skip_extension(struct generator *g, int done, int later_fragment)
{
    struct classic_code *a = &g->a;
    int option = classic_label(a), fragment = classic_label(a),
        authentication = classic_label(a);
    int next = classic_label(a);
    for (size_t i = 0; i < sizeof(filter_ipv6_options); i++)
        classic_jump_if(a, BPF_JEQ, filter_ipv6_options[i], option);
    classic_jump_if(a, BPF_JEQ, 44, fragment);
    classic_jump_if(a, BPF_JEQ, 51, authentication);
    classic_jump(a, done);
    classic_place(a, authentication); /* length in 4 octets, less 2 */
    classic_load(a, BPF_B, 1);
    math(a, BPF_ADD, 2);
    math(a, BPF_LSH, 2);
    classic_jump(a, next);
    classic_place(a, fragment);
    classic_load(a, BPF_H, 2);
    classic_jump_if(a, BPF_JSET, 0xfff8, later_fragment);
    classic_emit(a, BPF_LD | BPF_IMM, 8);
    classic_jump(a, next);
    classic_place(a, option); /* length in 8 octets, the first not counted */
    classic_load(a, BPF_B, 1);
    math(a, BPF_ADD, 1);
    math(a, BPF_LSH, 3);
    classic_place(a, next);
    classic_emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    classic_store(a, WORD_CLASS); /* where the next header begins */
    classic_load(a, BPF_B, 0);
    classic_emit(a, BPF_LDX | BPF_MEM, WORD_CLASS);
}

static void header_ipv6(struct generator *g)
{
    struct classic_code *a = &g->a;
    int fragment = classic_label(a), transport = classic_label(a);
    classic_place(a, g->at->ipv6);
    check_version(g, 6);
    classic_load(a, BPF_B, 6);
    classic_store(a, WORD_TYPE);
    move_x(a, 40);
    classic_reload(a, WORD_TYPE);
    for (int i = 0; i < FILTER_EXTENSIONS_MAX; i++)
        skip_extension(g, transport, fragment);
    for (size_t i = 0; i < sizeof(filter_ipv6_options); i++)
        classic_jump_if(a, BPF_JEQ, filter_ipv6_options[i], g->refuse);
    classic_jump_if(a, BPF_JEQ, 44, g->refuse);
    classic_jump_if(a, BPF_JEQ, 51, g->refuse);
    classic_place(a, transport);
    read_ports(g, fragment);
    search_both(g, 6, 8, 24);
}

/* --- port sets --- */

/* Accepts when the port is in the set's ranges; else on to `next`. */
static void test_set(struct generator *g, size_t index, enum scratch port,
                     int next)
{
    struct classic_code *a = &g->a;
    struct port_set set = filter_plan_set(g->plan, index);
    for (size_t i = 0; i < set.count; i++) {
        const struct port_range *r = &set.ranges[i];
        int past = classic_label(a);
        classic_reload(a, WORD_CLASS);
        classic_jump_unless(a, BPF_JEQ, r->class, past);
        classic_reload(a, port);
        if (r->low > 0)
            classic_jump_unless(a, BPF_JGE, r->low, past);
        classic_jump_unless(a, BPF_JGT, r->high, g->accept);
        classic_place(a, past);
    }
    classic_jump(a, next);
}

/* A is a side's set + 1. */
static void test_side(struct generator *g, enum scratch port)
{
    struct classic_code *a = &g->a;
    int next = classic_label(a), ports = classic_label(a);
    size_t sets = filter_plan_set_count(g->plan);
    classic_jump_if(a, BPF_JEQ, 0, next);
    classic_emit(a, BPF_MISC | BPF_TAX, 0);
    classic_reload(a, WORD_CLASS);
    classic_jump_unless(a, BPF_JEQ, CLASS_FRAGMENT, ports);
    classic_jump(a, g->accept);
    classic_place(a, ports);
    for (size_t i = 0; i < sets; i++) {
        int past = classic_label(a);
        classic_emit(a, BPF_MISC | BPF_TXA, 0);
        classic_jump_unless(a, BPF_JEQ, (uint32_t)i + 1, past);
        test_set(g, i, port, next);
        classic_place(a, past);
    }
    classic_place(a, next);
}

static void match_ports(struct generator *g)
{
    classic_place(&g->a, g->at->join);
    test_side(g, WORD_SOURCE_PORT);
    classic_reload(&g->a, WORD_DESTINATION_SET);
    test_side(g, WORD_DESTINATION_PORT);
}

/* --- tunnels; the checks are those of probe/meter/decode.c --- */

/* A is GRE's first half word, of version 1. */
static void by_pptp(struct generator *g, const struct level *inner)
{
    struct classic_code *a = &g->a;
    classic_store(a, WORD_TYPE);
    math(a, BPF_AND, 0xff7f);
    classic_jump_unless(a, BPF_JEQ, 0x3001, g->refuse);
    classic_load(a, BPF_H, 2);
    classic_jump_unless(a, BPF_JEQ, 0x880b, g->refuse);
    classic_reload(a, WORD_TYPE); /* flag 0x80: 4 bytes more */
    math(a, BPF_RSH, 5);
    math(a, BPF_AND, 4);
    add_to_x(a, 12);
    classic_jump(a, inner->ppp);
}

static void by_gre(struct generator *g, const struct level *inner)
{
    static const uint8_t shifts[] = {13, 11, 10}; /* flag to 4 or 0 */
    struct classic_code *a = &g->a;
    int current = classic_label(a);
    classic_load(a, BPF_H, 0);
    classic_store(a, WORD_TYPE);
    math(a, BPF_AND, 7);
    classic_jump_unless(a, BPF_JEQ, 1, current);
    classic_reload(a, WORD_TYPE);
    by_pptp(g, inner);
    classic_place(a, current);
    classic_load(a, BPF_H, 2);
    classic_store(a, WORD_CLASS); /* the ethertype, until X has moved */
    classic_reload(a, WORD_TYPE);
    classic_jump_if(a, BPF_JSET, 0x4fff, g->refuse);
    for (size_t i = 0; i < sizeof(shifts); i++) {
        classic_reload(a, WORD_TYPE);
        math(a, BPF_RSH, shifts[i]);
        math(a, BPF_AND, 4);
        add_to_x(a, 0);
    }
    move_x(a, 4);
    classic_reload(a, WORD_CLASS);
    classic_jump_if(a, BPF_JEQ, 0x6558, inner->ethernet);
    classic_jump(a, inner->ethertype);
}

static void by_vxlan(struct generator *g, const struct level *inner)
{
    struct classic_code *a = &g->a;
    classic_load(a, BPF_W, 8);
    math(a, BPF_AND, 0x7fb70000);
    classic_jump_unless(a, BPF_JEQ, 0x08000000, g->refuse);
    classic_load(a, BPF_B, 15);
    classic_jump_unless(a, BPF_JEQ, 0, g->refuse);
    move_x(a, 16);
    classic_jump(a, inner->ethernet);
}

/* X four bytes before where the first extension header or IP begins. */
static void pass_gtp_extensions(struct generator *g, const struct level *inner)
{
    struct classic_code *a = &g->a;
    for (int i = 0; i <= FILTER_GTP_EXTENSIONS_MAX; i++) {
        int more = classic_label(a);
        classic_load(a, BPF_B, 3); /* type of what follows */
        classic_jump_unless(a, BPF_JEQ, 0, more);
        move_x(a, 4);
        classic_jump(a, inner->version);
        classic_place(a, more);
        if (i == FILTER_GTP_EXTENSIONS_MAX)
            break;
        classic_load(a, BPF_B, 4);
        classic_jump_if(a, BPF_JEQ, 0, g->refuse);
        math(a, BPF_LSH, 2);
        add_to_x(a, 0);
    }
    classic_jump(a, g->refuse);
}

static void by_gtp(struct generator *g, const struct level *inner)
{
    struct classic_code *a = &g->a;
    int optional = classic_label(a), extended = classic_label(a);
    classic_load(a, BPF_H, 10); /* lengths: its own + 16 = of the datagram */
    math(a, BPF_ADD, 16);
    classic_store(a, WORD_TYPE);
    classic_load(a, BPF_H, 4);
    classic_emit(a, BPF_LDX | BPF_MEM, WORD_TYPE);
    classic_emit(a, BPF_ALU | BPF_SUB | BPF_X, 0);
    classic_emit(a, BPF_LDX | BPF_MEM, WORD_NEXT);
    classic_jump_unless(a, BPF_JEQ, 0, g->refuse);
    classic_load(a, BPF_H, 8);
    math(a, BPF_AND, 0xf8ff);
    classic_jump_unless(a, BPF_JEQ, 0x30ff, g->refuse);
    classic_load(a, BPF_B, 8);
    classic_jump_if(a, BPF_JSET, 7, optional);
    move_x(a, 16);
    classic_jump(a, inner->version);
    classic_place(a, optional);
    classic_jump_if(a, BPF_JSET, 4, extended);
    move_x(a, 20);
    classic_jump(a, inner->version);
    classic_place(a, extended);
    move_x(a, 16);
    pass_gtp_extensions(g, inner);
}

static void by_tunnel(struct generator *g, const struct level *inner)
{
    struct classic_code *a = &g->a;
    int udp = classic_label(a), gre = classic_label(a),
        vxlan = classic_label(a), gtp = classic_label(a);
    classic_emit(a, BPF_LDX | BPF_MEM, WORD_NEXT);
    classic_reload(a, WORD_PROTOCOL);
    classic_jump_if(a, BPF_JEQ, 17, udp);
    classic_jump_if(a, BPF_JEQ, 47, gre);
    classic_jump_if(a, BPF_JEQ, 4, inner->ipv4);
    classic_jump_if(a, BPF_JEQ, 41, inner->ipv6);
    classic_jump(a, g->refuse);
    classic_place(a, udp);
    classic_load(a, BPF_H, 2);
    classic_jump_if(a, BPF_JEQ, 4789, vxlan);
    classic_jump_if(a, BPF_JEQ, 8472, vxlan);
    classic_jump_if(a, BPF_JEQ, 2152, gtp);
    classic_jump(a, g->refuse);
    classic_place(a, vxlan);
    by_vxlan(g, inner);
    classic_place(a, gtp);
    by_gtp(g, inner);
    classic_place(a, gre);
    by_gre(g, inner);
}

/* --- the whole --- */

static void make_labels(struct classic_code *a, struct level *level)
{
    *level = (struct level){.ethernet = classic_label(a),
                            .ethertype = classic_label(a),
                            .ppp = classic_label(a),
                            .version = classic_label(a),
                            .ipv4 = classic_label(a),
                            .ipv6 = classic_label(a),
                            .join = classic_label(a)};
}

static void by_ip(struct generator *g)
{
    by_version(g);
    header_ipv4(g);
    header_ipv6(g);
    match_ports(g);
}

static bool generate(struct generator *g, enum filter_link link,
                     uint32_t snap_length, bool looks_inside)
{
    struct classic_code *a = &g->a;
    g->refuse = classic_label(a);
    g->accept = classic_label(a);
    make_labels(a, &g->levels[0]);
    make_labels(a, &g->levels[1]);
    g->at = &g->levels[0];
    enter(g, link);
    if (link != FILTER_LINK_RAW)
        by_link(g);
    by_ip(g);
    if (looks_inside) {
        by_tunnel(g, &g->levels[1]);
        g->at = &g->levels[1];
        by_link(g);
        by_ip(g);
    }
    classic_place(a, g->refuse);
    classic_emit(a, BPF_RET | BPF_K, 0);
    classic_place(a, g->accept);
    classic_emit(a, BPF_RET | BPF_K, snap_length);
    return classic_finish(a);
}

/* NULL without memory, or when it is far too long. */
static struct filter_classic *try(const struct filter_plan *plan,
                                  enum filter_link link, uint32_t snap_length,
                                  bool looks_inside)
{
    struct generator g = {.plan = plan};
    struct filter_classic *f = calloc(1, sizeof(*f));
    bool good = f != NULL && generate(&g, link, snap_length, looks_inside);
    if (good) {
        f->code = classic_take(&g.a, &f->length);
        f->looks_inside = looks_inside;
        return f;
    }
    classic_clear(&g.a);
    free(f);
    return NULL;
}

struct filter_classic *filter_classic_new(const struct filter_plan *plan,
                                          enum filter_link link,
                                          uint32_t snap_length,
                                          struct error_text *error)
{
    struct filter_classic *f = try(plan, link, snap_length, true);
    if (f == NULL || f->length > FILTER_CLASSIC_MAX) {
        filter_classic_free(f);
        f = try(plan, link, snap_length, false);
    }
    if (f != NULL && f->length <= FILTER_CLASSIC_MAX)
        return f;
    if (f != NULL)
        error_set(error,
                  "classic kernel filter: %zu prefixes need %zu instructions, "
                  "the kernel takes %d; eBPF has no such bound",
                  prefix_map_count(filter_plan_map(plan)), f->length,
                  FILTER_CLASSIC_MAX);
    else
        error_set(error, "classic kernel filter: no memory, or far too long");
    filter_classic_free(f);
    return NULL;
}

void filter_classic_free(struct filter_classic *f)
{
    if (f == NULL)
        return;
    free(f->code);
    free(f);
}

size_t filter_classic_length(const struct filter_classic *f)
{
    return f->length;
}

bool filter_classic_looks_inside(const struct filter_classic *f)
{
    return f->looks_inside;
}

/* --- in force --- */

static bool attach(const struct sock_filter *code, size_t length, int fd,
                   struct error_text *error)
{
    struct sock_fprog program = {.len = (unsigned short)length,
                                 .filter = (struct sock_filter *)code};
    struct sock_filter back[FILTER_CLASSIC_MAX];
    socklen_t count = FILTER_CLASSIC_MAX;
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                   sizeof(program)) != 0)
        return error_set(error, "classic kernel filter: cannot be attached: %s",
                         strerror(errno));
    if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, back, &count) != 0 ||
        count != length || memcmp(back, code, length * sizeof(*code)) != 0)
        return error_set(error, "classic kernel filter: the kernel does not "
                                "show what was attached");
    return true;
}

bool filter_classic_attach(const struct filter_classic *f, int fd,
                           struct error_text *error)
{
    return attach(f->code, f->length, fd, error);
}

bool filter_classic_refuse_all(int fd, struct error_text *error)
{
    static const struct sock_filter refuse = {.code = BPF_RET | BPF_K};
    return attach(&refuse, 1, fd, error);
}
