/*
 * What the eBPF kernel filter costs a packet: BPF_PROG_TEST_RUN over made-up
 * packets, each with many addresses so that the cache does not flatter.
 *
 *   filter_tool PREFIXES REPEAT
 *
 * Prints how long it takes to make the plan and to fill the maps, then a line a
 * kind of packet: its name, nanoseconds of an empty filter, nanoseconds of ours,
 * packets that passed, of how many. Needs the rights for eBPF; ends with 3
 * without them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/wire/endpoint.h"
#include "probe/capture/filter_ebpf.h"
#include "probe/capture/filter_plan.h"

enum { SAMPLES = 256, PREFIX_MAX = 1000000, DUMMY = 14, FRAME_MAX = 256 };

static uint64_t random_state = 88172645463325252u;
static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

/* Nine of ten are IPv4 /24s from 1.0.0.0 to 126.255.255.0, the others IPv6
 * /48s in 2400::/12. */
struct probe_directory {
    uint32_t *v4; /* upper 24 bits */
    uint64_t *v6; /* upper 48 bits */
    size_t v4_count, v6_count;
    struct buffer text;
};

static void make_registry(struct probe_directory *r, size_t count)
{
    r->v4 = calloc(count, sizeof(*r->v4));
    r->v6 = calloc(count, sizeof(*r->v6));
    if (r->v4 == NULL || r->v6 == NULL)
        exit(1);
    buffer_init(&r->text, 256 << 20);
    buffer_add_text(&r->text, "id,supplier,service,address,host,protocol,ports,"
                              "valid_from,valid_to,shared\n");
    for (size_t i = 0; i < count; i++) {
        const char *rest = "tcp,443";
        if (i % 10 != 9) {
            uint32_t a =
                (1 + next_random() % 126) << 16 | next_random() % 65536;
            r->v4[r->v4_count++] = a;
            buffer_addf(&r->text, "e%zu,S,V,%u.%u.%u.0/24,,%s,,,\n", i, a >> 16,
                        a >> 8 & 255, a & 255, rest);
        } else {
            uint64_t a =
                (uint64_t)(0x2400 + next_random() % 16) << 32 | next_random();
            r->v6[r->v6_count++] = a;
            buffer_addf(&r->text, "e%zu,S,V,%x:%x:%x::/48,,%s,,,\n", i,
                        (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
                        (unsigned)(a & 0xffff), rest);
        }
    }
}

/* --- packets --- */

struct frame {
    uint8_t bytes[FRAME_MAX];
    uint32_t length;
};

static void put(struct frame *f, const void *data, size_t length)
{
    memcpy(f->bytes + f->length, data, length);
    f->length += (uint32_t)length;
}

static void put_number(struct frame *f, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        f->bytes[f->length++] = (uint8_t)(value >> (8 * i));
}

/* The kernel takes an Ethernet header off before it runs a socket filter. */
static void begin(struct frame *f)
{
    memset(f, 0, sizeof(*f));
    put(f, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", DUMMY);
}

static void put_ethernet(struct frame *f, unsigned type)
{
    put(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    put_number(f, type, 2);
}

static void put_ipv4(struct frame *f, unsigned protocol, uint32_t to)
{
    put_number(f, 0x45000064, 4);
    put_number(f, 0x00014000, 4);
    put_number(f, 0x40000000 | protocol << 16, 4);
    put_number(f, 0x0a000000 | next_random() % 65536, 4);
    put_number(f, to, 4);
}

static void put_ports(struct frame *f, unsigned to, size_t rest)
{
    put_number(f, 32768 + next_random() % 32768, 2);
    put_number(f, to, 2);
    memset(f->bytes + f->length, 0, rest);
    f->length += (uint32_t)rest;
}

static uint32_t registered(const struct probe_directory *r)
{
    return r->v4[next_random() % r->v4_count] << 8 | next_random() % 256;
}

/* Above all that is registered. */
static uint32_t unregistered(void)
{
    return 0xc0000000 | next_random() % (1 << 29);
}

static void tcp_registered(struct frame *f, const struct probe_directory *r)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 6, registered(r));
    put_ports(f, 443, 60);
}

static void tcp_unregistered(struct frame *f, const struct probe_directory *r)
{
    (void)r;
    put_ethernet(f, 0x0800);
    put_ipv4(f, 6, unregistered());
    put_ports(f, 443, 60);
}

/* In the /16 of a registered prefix: a trie is walked. */
static void tcp_neighbour(struct frame *f, const struct probe_directory *r)
{
    uint32_t a = r->v4[next_random() % r->v4_count] << 8;
    put_ethernet(f, 0x0800);
    put_ipv4(f, 6, a ^ 0x00000100 ^ next_random() % 256);
    put_ports(f, 80, 60);
}

static void udp_unregistered(struct frame *f, const struct probe_directory *r)
{
    (void)r;
    put_ethernet(f, 0x0800);
    put_ipv4(f, 17, unregistered());
    put_ports(f, 443, 60);
}

static void vlan_registered(struct frame *f, const struct probe_directory *r)
{
    put_ethernet(f, 0x8100);
    put_number(f, 7 << 16 | 0x0800, 4);
    put_ipv4(f, 6, registered(r));
    put_ports(f, 443, 60);
}

static void put_ipv6(struct frame *f, uint64_t upper)
{
    put_ethernet(f, 0x86dd);
    put_number(f, 0x60000000, 4);
    put_number(f, 64 << 16 | 6 << 8 | 64, 4);
    put_number(f, 0x20010db8, 4);
    put_number(f, next_random(), 4);
    put_number(f, next_random(), 8);
    put_number(f, upper, 6);
    put_number(f, next_random(), 10);
    put_ports(f, 443, 60);
}

static void ipv6_registered(struct frame *f, const struct probe_directory *r)
{
    put_ipv6(f, r->v6[next_random() % r->v6_count]);
}

static void ipv6_unregistered(struct frame *f, const struct probe_directory *r)
{
    (void)r;
    put_ipv6(f, (uint64_t)0x2a00 << 32 | next_random());
}

static void put_vxlan(struct frame *f, uint32_t to)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 17, unregistered());
    put_ports(f, 4789, 0);
    put_number(f, 100 << 16, 4);
    put_number(f, 0x08000000, 4);
    put_number(f, 0x00001200, 4);
    put_ethernet(f, 0x0800);
    put_ipv4(f, 6, to);
    put_ports(f, 443, 60);
}

static void vxlan_registered(struct frame *f, const struct probe_directory *r)
{
    put_vxlan(f, registered(r));
}

static void vxlan_unregistered(struct frame *f, const struct probe_directory *r)
{
    (void)r;
    put_vxlan(f, unregistered());
}

static const struct kind {
    const char *name;
    void (*make)(struct frame *f, const struct probe_directory *r);
} kinds[] = {
    {"registered", tcp_registered},
    {"unregistered", tcp_unregistered},
    {"unregistered-near", tcp_neighbour},
    {"unregistered-udp", udp_unregistered},
    {"vlan-registered", vlan_registered},
    {"ipv6-registered", ipv6_registered},
    {"ipv6-unregistered", ipv6_unregistered},
    {"vxlan-registered", vxlan_registered},
    {"vxlan-unregistered", vxlan_unregistered},
};

/* --- runs --- */

static int empty_program(void)
{
    static const struct bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K},
        {.code = BPF_JMP | BPF_EXIT},
    };
    return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "yz_empty", "Apache-2.0",
                         code, 2, NULL);
}

/* Nanoseconds a run, in tenths; what the program answers to *passed. */
static uint64_t run(int program, const struct frame *frames, unsigned repeat,
                    unsigned *passed)
{
    uint64_t sum = 0;
    *passed = 0;
    for (int i = 0; i < SAMPLES; i++) {
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frames[i].bytes,
                    .data_size_in = frames[i].length, .repeat = (int)repeat);
        if (bpf_prog_test_run_opts(program, &options) != 0) {
            perror("BPF_PROG_TEST_RUN");
            exit(1);
        }
        sum += options.duration;
        *passed += options.retval != 0;
    }
    return sum * 10 / SAMPLES;
}

static int64_t since_ms(struct mono_time start)
{
    return (mono_now().us - start.us) / 1000;
}

/* The program with all prefixes in its maps. */
static int fill(const struct probe_directory *r)
{
    struct error_text error = {{0}};
    struct mono_time start = mono_now();
    struct endpoint_list *list =
        endpoint_list_parse(buffer_slice(&r->text), "bench", &error);
    int64_t list_ms = since_ms(start);
    start = mono_now();
    struct filter_plan *plan =
        list ? filter_plan_new(list, wall_from_s(1), &error) : NULL;
    int64_t plan_ms = since_ms(start);
    start = mono_now();
    struct filter_ebpf *f = plan ? filter_ebpf_new(262144, &error) : NULL;
    int program = f ? filter_ebpf_program(f, FILTER_LINK_ETHERNET, &error) : -1;
    if (program < 0 || !filter_ebpf_fill(f, NULL, plan, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(3);
    }
    printf("loaded list_ms %lld plan_ms %lld fill_ms %lld\n",
           (long long)list_ms, (long long)plan_ms, (long long)since_ms(start));
    return program;
}

int main(int argc, char **argv)
{
    static struct frame frames[SAMPLES];
    struct probe_directory registry = {0};
    uint64_t prefixes, repeat;
    if (argc != 3 ||
        !parse_u64(slice_of_text(argv[1]), 10, PREFIX_MAX, &prefixes) ||
        !parse_u64(slice_of_text(argv[2]), 1, 1000000, &repeat)) {
        fprintf(stderr, "usage: filter_tool PREFIXES REPEAT\n");
        return 2;
    }
    make_registry(&registry, prefixes);
    int program = fill(&registry), empty = empty_program();
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        unsigned passed, none;
        for (int i = 0; i < SAMPLES; i++) {
            begin(&frames[i]);
            kinds[k].make(&frames[i], &registry);
        }
        uint64_t base = run(empty, frames, (unsigned)repeat, &none);
        uint64_t ours = run(program, frames, (unsigned)repeat, &passed);
        printf("%s %llu.%llu %llu.%llu %u %d\n", kinds[k].name,
               (unsigned long long)base / 10, (unsigned long long)base % 10,
               (unsigned long long)ours / 10, (unsigned long long)ours % 10,
               passed, SAMPLES);
    }
    return 0;
}
