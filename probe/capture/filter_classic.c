/*
 * Classic BPF has two registers (A, X), sixteen scratch words, forward jumps
 * only, and conditional jumps of at most 255 instructions. The program:
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
    CODE_LIMIT = 1 << 20, /* far past what the kernel takes */
};

struct filter_classic {
    struct sock_filter *code;
    size_t length;
    bool looks_inside;
};

/* --- assembler --- */

enum jump_part { JUMP_TRUE, JUMP_FALSE, JUMP_LONG };

struct fixup {
    uint32_t at;
    int label;
    enum jump_part part;
};

struct assembler {
    struct sock_filter *code;
    struct fixup *fixups;
    uint32_t *places; /* of labels */
    size_t count, room, fixup_count, fixup_room, label_count, label_room;
    bool failed;
};

static bool make_room(struct assembler *a, void **items, size_t *room,
                      size_t count, size_t size)
{
    if (a->failed || count > CODE_LIMIT) {
        a->failed = true;
    } else if (count >= *room) {
        size_t wanted = *room == 0 ? 256 : *room * 2;
        void *bigger = reallocarray(*items, wanted, size);
        a->failed = bigger == NULL;
        if (bigger != NULL) {
            *items = bigger;
            *room = wanted;
        }
    }
    return !a->failed;
}

static void emit(struct assembler *a, uint16_t code, uint32_t value)
{
    void *items = a->code;
    if (make_room(a, &items, &a->room, a->count, sizeof(*a->code))) {
        a->code = items;
        a->code[a->count++] = (struct sock_filter){.code = code, .k = value};
    }
}

static int label(struct assembler *a)
{
    void *items = a->places;
    if (!make_room(a, &items, &a->label_room, a->label_count,
                   sizeof(*a->places)))
        return 0;
    a->places = items;
    a->places[a->label_count] = 0;
    return (int)a->label_count++;
}

static void place(struct assembler *a, int at)
{
    if (!a->failed)
        a->places[at] = (uint32_t)a->count;
}

/* The jump that is emitted next gets this target. */
static void aim(struct assembler *a, enum jump_part part, int target)
{
    void *items = a->fixups;
    if (make_room(a, &items, &a->fixup_room, a->fixup_count,
                  sizeof(*a->fixups))) {
        a->fixups = items;
        a->fixups[a->fixup_count++] =
            (struct fixup){(uint32_t)a->count, target, part};
    }
}

static void go(struct assembler *a, int target)
{
    aim(a, JUMP_LONG, target);
    emit(a, BPF_JMP | BPF_JA, 0);
}

/* To `target`, however far, when the comparison of A with value holds. */
static void go_if(struct assembler *a, uint16_t comparison, uint32_t value,
                  int target)
{
    int past = label(a);
    aim(a, JUMP_FALSE, past);
    emit(a, BPF_JMP | comparison | BPF_K, value);
    go(a, target);
    place(a, past);
}

static void go_unless(struct assembler *a, uint16_t comparison, uint32_t value,
                      int target)
{
    int past = label(a);
    aim(a, JUMP_TRUE, past);
    emit(a, BPF_JMP | comparison | BPF_K, value);
    go(a, target);
    place(a, past);
}

static bool resolve(struct assembler *a)
{
    for (size_t i = 0; i < a->fixup_count && !a->failed; i++) {
        const struct fixup *f = &a->fixups[i];
        uint32_t target = a->places[f->label];
        uint32_t distance = target - f->at - 1;
        if (target <= f->at || (f->part != JUMP_LONG && distance > 255))
            a->failed = true;
        else if (f->part == JUMP_LONG)
            a->code[f->at].k = distance;
        else if (f->part == JUMP_TRUE)
            a->code[f->at].jt = (uint8_t)distance;
        else
            a->code[f->at].jf = (uint8_t)distance;
    }
    return !a->failed;
}

static void load(struct assembler *a, uint16_t size, uint32_t offset)
{
    emit(a, BPF_LD | size | BPF_IND, offset);
}

static void store(struct assembler *a, enum scratch word)
{
    emit(a, BPF_ST, word);
}

static void reload(struct assembler *a, enum scratch word)
{
    emit(a, BPF_LD | BPF_MEM, word);
}

static void set_word(struct assembler *a, enum scratch word, uint32_t value)
{
    emit(a, BPF_LD | BPF_IMM, value);
    store(a, word);
}

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
    struct assembler *a;
    const int *labels; /* by set + 1: where to go */
    uint32_t offset;   /* of the address from X */
};

/* A piece [low, high) of branches as bare comparisons; `pads` has for each
 * branch the label of its landing pad. */
static void compare_piece(struct assembler *a, const struct branch *branches,
                          const int *pads, size_t low, size_t high)
{
    size_t middle = low + (high - low) / 2;
    int right = high - middle > 1 ? label(a) : pads[middle];
    bool left_is_single = middle - low == 1;
    aim(a, JUMP_TRUE, right);
    if (left_is_single)
        aim(a, JUMP_FALSE, pads[low]);
    emit(a, BPF_JMP | BPF_JGE | BPF_K, branches[middle].start);
    if (!left_is_single)
        compare_piece(a, branches, pads, low, middle);
    if (high - middle > 1) {
        place(a, right);
        compare_piece(a, branches, pads, middle, high);
    }
}

static void search_piece(struct assembler *a, const struct branch *branches,
                         size_t low, size_t high)
{
    int pads[CHUNK], targets[CHUNK], pad_of[CHUNK] = {0};
    int pad_count = 0;
    if (high - low == 1) {
        go(a, branches[low].target);
        return;
    }
    for (size_t i = low; i < high; i++) {
        int k = 0;
        while (k < pad_count && targets[k] != branches[i].target)
            k++;
        if (k == pad_count) {
            targets[k] = branches[i].target;
            pads[k] = label(a);
            pad_count++;
        }
        pad_of[i - low] = pads[k];
    }
    compare_piece(a, branches + low, pad_of, 0, high - low);
    for (int k = 0; k < pad_count; k++) {
        place(a, pads[k]);
        go(a, targets[k]);
    }
}

static void search_branches(struct assembler *a, const struct branch *branches,
                            size_t low, size_t high)
{
    if (high - low <= CHUNK) {
        search_piece(a, branches, low, high);
        return;
    }
    size_t middle = low + (high - low) / 2;
    int right = label(a);
    go_if(a, BPF_JGE, branches[middle].start, right);
    search_branches(a, branches, low, middle);
    place(a, right);
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
    struct assembler *a = s->a;
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
            down[i] = label(a);
        if (value == 0)
            used = 0;
        add_branch(branches, &used, value,
                   is_flat ? s->labels[list[i].set] : down[i]);
        set = list[i + n - 1].set;
        if (!is_flat && value != UINT32_MAX)
            add_branch(branches, &used, value + 1, s->labels[set]);
    }
    load(a, BPF_W, s->offset + 4 * (uint32_t)word);
    search_branches(a, branches, 0, used);
    set = before;
    for (size_t i = 0, n; i < count && !a->failed; i += n) {
        n = group_length(list + i, count - i, word);
        if (!(n == 1 && is_at_start(&list[i], word))) {
            place(a, down[i]);
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
static void search_address(struct assembler *a, const struct filter_plan *plan,
                           int version, uint32_t offset)
{
    size_t sets = filter_plan_set_count(plan), count;
    struct boundary *list = make_boundaries(plan, version, &count);
    int *labels = calloc(sets + 1, sizeof(*labels));
    if (list == NULL || labels == NULL) {
        a->failed = true;
    } else {
        int join = label(a);
        for (size_t i = 0; i <= sets; i++)
            labels[i] = label(a);
        struct search s = {a, labels, offset};
        search_word(&s, list, count, 0, 0);
        for (size_t i = 0; i <= sets; i++) {
            place(a, labels[i]);
            emit(a, BPF_LD | BPF_IMM, (uint32_t)i);
            go(a, join);
        }
        place(a, join);
    }
    free(labels);
    free(list);
}

/* --- headers; blocks as in filter_program.c, offsets in X --- */

struct level {
    int ethernet, ethertype, ppp, version, ipv4, ipv6, join;
};

struct generator {
    struct assembler a;
    const struct filter_plan *plan;
    int refuse, accept;
    struct level levels[2];
    struct level *at; /* being written */
};

/* X moves on; A is lost. */
static void move_x(struct assembler *a, uint32_t bytes)
{
    emit(a, BPF_MISC | BPF_TXA, 0);
    emit(a, BPF_ALU | BPF_ADD | BPF_K, bytes);
    emit(a, BPF_MISC | BPF_TAX, 0);
}

/* A half word at X + offset to A, and X moves on. */
static void load_and_move(struct assembler *a, uint32_t offset, uint32_t bytes)
{
    load(a, BPF_H, offset);
    store(a, WORD_TYPE);
    move_x(a, bytes);
    reload(a, WORD_TYPE);
}

static void math(struct assembler *a, uint16_t operation, uint32_t value)
{
    emit(a, BPF_ALU | operation | BPF_K, value);
}

/* A to X + A + more. */
static void add_to_x(struct assembler *a, uint32_t more)
{
    emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    if (more > 0)
        math(a, BPF_ADD, more);
    emit(a, BPF_MISC | BPF_TAX, 0);
}

static void pass_tags(struct assembler *a)
{
    int done = label(a);
    for (int i = 0; i < FILTER_TAGS_MAX; i++) {
        int tag = label(a);
        go_if(a, BPF_JEQ, 0x8100, tag);
        go_if(a, BPF_JEQ, 0x88a8, tag);
        go_unless(a, BPF_JEQ, 0x9100, done);
        place(a, tag);
        load_and_move(a, 2, 4);
    }
    place(a, done);
}

/* A is less than an ethertype: LLC and SNAP, then an ethertype. */
static void pass_llc(struct generator *g)
{
    struct assembler *a = &g->a;
    int done = label(a);
    go_if(a, BPF_JGE, 1536, done);
    load(a, BPF_W, 0);
    go_unless(a, BPF_JEQ, 0xaaaa0300, g->refuse);
    load(a, BPF_H, 4);
    go_unless(a, BPF_JEQ, 0, g->refuse);
    load_and_move(a, 6, 8);
    place(a, done);
}

static void pass_labels(struct generator *g)
{
    struct assembler *a = &g->a;
    for (int i = 0; i < FILTER_LABELS_MAX; i++) {
        load_and_move(a, 1, 4); /* the lowest bit: of the third byte */
        go_if(a, BPF_JSET, 1, g->at->version);
    }
    go(a, g->refuse);
}

/* A is an ethertype, X the offset behind it. */
static void by_ethertype(struct generator *g)
{
    struct assembler *a = &g->a;
    int session = label(a), labels = label(a);
    place(a, g->at->ethertype);
    pass_tags(a);
    pass_llc(g);
    go_if(a, BPF_JEQ, 0x0800, g->at->ipv4);
    go_if(a, BPF_JEQ, 0x86dd, g->at->ipv6);
    go_if(a, BPF_JEQ, 0x8847, labels);
    go_if(a, BPF_JEQ, 0x8848, labels);
    go_if(a, BPF_JEQ, 0x8864, session);
    go(a, g->refuse);
    place(a, labels);
    pass_labels(g);
    place(a, session); /* PPPoE: version, type, code, then 4 bytes */
    load_and_move(a, 0, 6);
    go_unless(a, BPF_JEQ, 0x1100, g->refuse);
}

static void by_ppp(struct generator *g)
{
    struct assembler *a = &g->a;
    int plain = label(a), wide = label(a);
    place(a, g->at->ppp);
    load(a, BPF_H, 0);
    go_unless(a, BPF_JEQ, 0xff03, plain);
    move_x(a, 2);
    place(a, plain);
    load_and_move(a, 0, 2);
    go_unless(a, BPF_JSET, 0x100, wide);
    math(a, BPF_RSH, 8); /* one byte only: X is one too far */
    store(a, WORD_TYPE);
    move_x(a, (uint32_t)-1);
    reload(a, WORD_TYPE);
    place(a, wide);
    go_if(a, BPF_JEQ, 0x0021, g->at->ipv4);
    go_if(a, BPF_JEQ, 0x0057, g->at->ipv6);
    go(a, g->refuse);
}

static void by_version(struct generator *g)
{
    struct assembler *a = &g->a;
    place(a, g->at->version);
    load(a, BPF_B, 0);
    math(a, BPF_RSH, 4);
    go_if(a, BPF_JEQ, 4, g->at->ipv4);
    go_if(a, BPF_JEQ, 6, g->at->ipv6);
    go(a, g->refuse);
}

static void by_link(struct generator *g)
{
    place(&g->a, g->at->ethernet);
    load_and_move(&g->a, 12, 14);
    by_ethertype(g);
    by_ppp(g);
}

static void enter(struct generator *g, enum filter_link link)
{
    struct assembler *a = &g->a;
    emit(a, BPF_LDX | BPF_IMM, 0);
    if (link == FILTER_LINK_RAW) {
        go(a, g->at->version);
    } else if (link == FILTER_LINK_COOKED) {
        emit(a, BPF_LD | BPF_H | BPF_ABS,
             (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
        go(a, g->at->ethertype);
    } else {
        go(a, g->at->ethernet);
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
    struct assembler *a = &g->a;
    int both = label(a), done = label(a);
    store(a, WORD_PROTOCOL);
    emit(a, BPF_STX, WORD_NEXT);
    set_word(a, WORD_SOURCE_PORT, 0);
    set_word(a, WORD_DESTINATION_PORT, 0);
    reload(a, WORD_PROTOCOL);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int next = label(a);
        go_unless(a, BPF_JEQ, kinds[i].protocol, next);
        set_word(a, WORD_CLASS, kinds[i].class);
        go(a, both);
        place(a, next);
    }
    set_word(a, WORD_CLASS, PORT_CLASS_OTHER);
    go(a, done);
    place(a, fragment);
    set_word(a, WORD_PROTOCOL, 0);
    emit(a, BPF_STX, WORD_NEXT);
    set_word(a, WORD_CLASS, CLASS_FRAGMENT);
    set_word(a, WORD_SOURCE_PORT, 0);
    set_word(a, WORD_DESTINATION_PORT, 0);
    go(a, done);
    place(a, both);
    load(a, BPF_H, 0);
    store(a, WORD_SOURCE_PORT);
    load(a, BPF_H, 2);
    store(a, WORD_DESTINATION_PORT);
    place(a, done);
    emit(a, BPF_LDX | BPF_MEM, WORD_HEADER);
}

static void check_version(struct generator *g, uint32_t version)
{
    struct assembler *a = &g->a;
    emit(a, BPF_STX, WORD_HEADER);
    load(a, BPF_B, 0);
    math(a, BPF_RSH, 4);
    go_unless(a, BPF_JEQ, version, g->refuse);
}

/* Destination to scratch, source in A, then on to the join. */
static void search_both(struct generator *g, int version, uint32_t source,
                        uint32_t destination)
{
    search_address(&g->a, g->plan, version, destination);
    store(&g->a, WORD_DESTINATION_SET);
    search_address(&g->a, g->plan, version, source);
    go(&g->a, g->at->join);
}

static void header_ipv4(struct generator *g)
{
    struct assembler *a = &g->a;
    int fragment = label(a);
    place(a, g->at->ipv4);
    check_version(g, 4);
    load(a, BPF_B, 0);
    math(a, BPF_AND, 0x0f);
    go_unless(a, BPF_JGE, 5, g->refuse);
    math(a, BPF_LSH, 2);
    store(a, WORD_NEXT);
    load(a, BPF_H, 6);
    go_if(a, BPF_JSET, 0x1fff, fragment);
    load(a, BPF_B, 9);
    store(a, WORD_TYPE);
    reload(a, WORD_NEXT);
    add_to_x(a, 0);
    reload(a, WORD_TYPE);
    read_ports(g, fragment);
    search_both(g, 4, 12, 16);
}

/* A: next header, X: its offset. Moves both on by one extension header. */
static void skip_extension(struct generator *g, int done, int later_fragment)
{
    struct assembler *a = &g->a;
    int option = label(a), fragment = label(a), authentication = label(a);
    int next = label(a);
    for (size_t i = 0; i < sizeof(filter_ipv6_options); i++)
        go_if(a, BPF_JEQ, filter_ipv6_options[i], option);
    go_if(a, BPF_JEQ, 44, fragment);
    go_if(a, BPF_JEQ, 51, authentication);
    go(a, done);
    place(a, authentication); /* length in 4 octets, less 2 */
    load(a, BPF_B, 1);
    math(a, BPF_ADD, 2);
    math(a, BPF_LSH, 2);
    go(a, next);
    place(a, fragment);
    load(a, BPF_H, 2);
    go_if(a, BPF_JSET, 0xfff8, later_fragment);
    emit(a, BPF_LD | BPF_IMM, 8);
    go(a, next);
    place(a, option); /* length in 8 octets, the first not counted */
    load(a, BPF_B, 1);
    math(a, BPF_ADD, 1);
    math(a, BPF_LSH, 3);
    place(a, next);
    emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    store(a, WORD_CLASS); /* where the next header begins */
    load(a, BPF_B, 0);
    emit(a, BPF_LDX | BPF_MEM, WORD_CLASS);
}

static void header_ipv6(struct generator *g)
{
    struct assembler *a = &g->a;
    int fragment = label(a), transport = label(a);
    place(a, g->at->ipv6);
    check_version(g, 6);
    load(a, BPF_B, 6);
    store(a, WORD_TYPE);
    move_x(a, 40);
    reload(a, WORD_TYPE);
    for (int i = 0; i < FILTER_EXTENSIONS_MAX; i++)
        skip_extension(g, transport, fragment);
    for (size_t i = 0; i < sizeof(filter_ipv6_options); i++)
        go_if(a, BPF_JEQ, filter_ipv6_options[i], g->refuse);
    go_if(a, BPF_JEQ, 44, g->refuse);
    go_if(a, BPF_JEQ, 51, g->refuse);
    place(a, transport);
    read_ports(g, fragment);
    search_both(g, 6, 8, 24);
}

/* --- port sets --- */

/* Accepts when the port is in the set's ranges; else on to `next`. */
static void test_set(struct generator *g, size_t index, enum scratch port,
                     int next)
{
    struct assembler *a = &g->a;
    struct port_set set = filter_plan_set(g->plan, index);
    for (size_t i = 0; i < set.count; i++) {
        const struct port_range *r = &set.ranges[i];
        int past = label(a);
        reload(a, WORD_CLASS);
        go_unless(a, BPF_JEQ, r->class, past);
        reload(a, port);
        if (r->low > 0)
            go_unless(a, BPF_JGE, r->low, past);
        go_unless(a, BPF_JGT, r->high, g->accept);
        place(a, past);
    }
    go(a, next);
}

/* A is a side's set + 1. */
static void test_side(struct generator *g, enum scratch port)
{
    struct assembler *a = &g->a;
    int next = label(a), ports = label(a);
    size_t sets = filter_plan_set_count(g->plan);
    go_if(a, BPF_JEQ, 0, next);
    emit(a, BPF_MISC | BPF_TAX, 0);
    reload(a, WORD_CLASS);
    go_unless(a, BPF_JEQ, CLASS_FRAGMENT, ports);
    go(a, g->accept);
    place(a, ports);
    for (size_t i = 0; i < sets; i++) {
        int past = label(a);
        emit(a, BPF_MISC | BPF_TXA, 0);
        go_unless(a, BPF_JEQ, (uint32_t)i + 1, past);
        test_set(g, i, port, next);
        place(a, past);
    }
    place(a, next);
}

static void match_ports(struct generator *g)
{
    place(&g->a, g->at->join);
    test_side(g, WORD_SOURCE_PORT);
    reload(&g->a, WORD_DESTINATION_SET);
    test_side(g, WORD_DESTINATION_PORT);
}

/* --- tunnels; the checks are those of probe/meter/decode.c --- */

/* A is GRE's first half word, of version 1. */
static void by_pptp(struct generator *g, const struct level *inner)
{
    struct assembler *a = &g->a;
    store(a, WORD_TYPE);
    math(a, BPF_AND, 0xff7f);
    go_unless(a, BPF_JEQ, 0x3001, g->refuse);
    load(a, BPF_H, 2);
    go_unless(a, BPF_JEQ, 0x880b, g->refuse);
    reload(a, WORD_TYPE); /* flag 0x80: 4 bytes more */
    math(a, BPF_RSH, 5);
    math(a, BPF_AND, 4);
    add_to_x(a, 12);
    go(a, inner->ppp);
}

static void by_gre(struct generator *g, const struct level *inner)
{
    static const uint8_t shifts[] = {13, 11, 10}; /* flag to 4 or 0 */
    struct assembler *a = &g->a;
    int current = label(a);
    load(a, BPF_H, 0);
    store(a, WORD_TYPE);
    math(a, BPF_AND, 7);
    go_unless(a, BPF_JEQ, 1, current);
    reload(a, WORD_TYPE);
    by_pptp(g, inner);
    place(a, current);
    load(a, BPF_H, 2);
    store(a, WORD_CLASS); /* the ethertype, until X has moved */
    reload(a, WORD_TYPE);
    go_if(a, BPF_JSET, 0x4fff, g->refuse);
    for (size_t i = 0; i < sizeof(shifts); i++) {
        reload(a, WORD_TYPE);
        math(a, BPF_RSH, shifts[i]);
        math(a, BPF_AND, 4);
        add_to_x(a, 0);
    }
    move_x(a, 4);
    reload(a, WORD_CLASS);
    go_if(a, BPF_JEQ, 0x6558, inner->ethernet);
    go(a, inner->ethertype);
}

static void by_vxlan(struct generator *g, const struct level *inner)
{
    struct assembler *a = &g->a;
    load(a, BPF_W, 8);
    math(a, BPF_AND, 0x7fb70000);
    go_unless(a, BPF_JEQ, 0x08000000, g->refuse);
    load(a, BPF_B, 15);
    go_unless(a, BPF_JEQ, 0, g->refuse);
    move_x(a, 16);
    go(a, inner->ethernet);
}

/* X four bytes before where the first extension header or IP begins. */
static void pass_gtp_extensions(struct generator *g, const struct level *inner)
{
    struct assembler *a = &g->a;
    for (int i = 0; i <= FILTER_GTP_EXTENSIONS_MAX; i++) {
        int more = label(a);
        load(a, BPF_B, 3); /* type of what follows */
        go_unless(a, BPF_JEQ, 0, more);
        move_x(a, 4);
        go(a, inner->version);
        place(a, more);
        if (i == FILTER_GTP_EXTENSIONS_MAX)
            break;
        load(a, BPF_B, 4);
        go_if(a, BPF_JEQ, 0, g->refuse);
        math(a, BPF_LSH, 2);
        add_to_x(a, 0);
    }
    go(a, g->refuse);
}

static void by_gtp(struct generator *g, const struct level *inner)
{
    struct assembler *a = &g->a;
    int optional = label(a), extended = label(a);
    load(a, BPF_H, 10); /* lengths: its own + 16 = of the datagram */
    math(a, BPF_ADD, 16);
    store(a, WORD_TYPE);
    load(a, BPF_H, 4);
    emit(a, BPF_LDX | BPF_MEM, WORD_TYPE);
    emit(a, BPF_ALU | BPF_SUB | BPF_X, 0);
    emit(a, BPF_LDX | BPF_MEM, WORD_NEXT);
    go_unless(a, BPF_JEQ, 0, g->refuse);
    load(a, BPF_H, 8);
    math(a, BPF_AND, 0xf8ff);
    go_unless(a, BPF_JEQ, 0x30ff, g->refuse);
    load(a, BPF_B, 8);
    go_if(a, BPF_JSET, 7, optional);
    move_x(a, 16);
    go(a, inner->version);
    place(a, optional);
    go_if(a, BPF_JSET, 4, extended);
    move_x(a, 20);
    go(a, inner->version);
    place(a, extended);
    move_x(a, 16);
    pass_gtp_extensions(g, inner);
}

static void by_tunnel(struct generator *g, const struct level *inner)
{
    struct assembler *a = &g->a;
    int udp = label(a), gre = label(a), vxlan = label(a), gtp = label(a);
    emit(a, BPF_LDX | BPF_MEM, WORD_NEXT);
    reload(a, WORD_PROTOCOL);
    go_if(a, BPF_JEQ, 17, udp);
    go_if(a, BPF_JEQ, 47, gre);
    go_if(a, BPF_JEQ, 4, inner->ipv4);
    go_if(a, BPF_JEQ, 41, inner->ipv6);
    go(a, g->refuse);
    place(a, udp);
    load(a, BPF_H, 2);
    go_if(a, BPF_JEQ, 4789, vxlan);
    go_if(a, BPF_JEQ, 8472, vxlan);
    go_if(a, BPF_JEQ, 2152, gtp);
    go(a, g->refuse);
    place(a, vxlan);
    by_vxlan(g, inner);
    place(a, gtp);
    by_gtp(g, inner);
    place(a, gre);
    by_gre(g, inner);
}

/* --- the whole --- */

static void make_labels(struct assembler *a, struct level *level)
{
    *level = (struct level){.ethernet = label(a),
                            .ethertype = label(a),
                            .ppp = label(a),
                            .version = label(a),
                            .ipv4 = label(a),
                            .ipv6 = label(a),
                            .join = label(a)};
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
    struct assembler *a = &g->a;
    g->refuse = label(a);
    g->accept = label(a);
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
    place(a, g->refuse);
    emit(a, BPF_RET | BPF_K, 0);
    place(a, g->accept);
    emit(a, BPF_RET | BPF_K, snap_length);
    return resolve(a);
}

/* NULL without memory, or when it is far too long. */
static struct filter_classic *try(const struct filter_plan *plan,
                                  enum filter_link link, uint32_t snap_length,
                                  bool looks_inside)
{
    struct generator g = {.plan = plan};
    struct filter_classic *f = calloc(1, sizeof(*f));
    bool good = f != NULL && generate(&g, link, snap_length, looks_inside);
    free(g.a.fixups);
    free(g.a.places);
    if (good) {
        *f = (struct filter_classic){g.a.code, g.a.count, looks_inside};
        return f;
    }
    free(g.a.code);
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
