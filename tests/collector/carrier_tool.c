/*
 * Carriers' files for tests and benchmarks; the same records in each form.
 *
 *   carrier_tool numbers FILE COUNT   accounts gz000000 and on, of which each
 *                          has one address (10.0.0.0 and on) without end
 *   carrier_tool csv FILE COUNT       records of 2026-11-20 (UTC), in turn by
 *                          number and by address, to 203.0.113.10:443
 *   carrier_tool ipfix FILE COUNT     the same as biflows (RFC 5103), number
 *                          and address both or address alone
 *   carrier_tool uniflows FILE COUNT  the same, each way in a record
 *   carrier_tool hash KEY KIND NUMBER a number as the registry has it
 *
 * ACCOUNTS in the environment: how many there are (1000).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/wire/ipfix.h"
#include "common/wire/number.h"

enum {
    TEMPLATE = 256,
    RECORDS_EACH = 16, /* of a message */
    CLOUD = (int)0xcb00710a,
    INSIDE = 0x0a000000,
    PORT = 40000,
};
static const uint64_t DAY_MS = UINT64_C(1795132800000);

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "carrier_tool: %s\n", what);
    exit(1);
}

static uint64_t accounts(void)
{
    const char *text = getenv("ACCOUNTS");
    return text != NULL ? strtoull(text, NULL, 10) : 1000;
}

struct row {
    uint64_t start_ms, end_ms, account, up, down, packets_up, packets_down;
    bool has_number;
};

static struct row row_of(uint64_t i, uint64_t count)
{
    uint64_t start_ms = DAY_MS + i * 86000000 / count;
    return (struct row){
        .start_ms = start_ms,
        .end_ms = start_ms + 900,
        .account = i / 2 % accounts(),
        .up = 1000 + i % 5000,
        .down = 9000 + i % 7000,
        .packets_up = 10 + i % 5,
        .packets_down = 12 + i % 7,
        .has_number = i % 2 == 0,
    };
}

/* --- tables --- */

static void write_numbers(FILE *out, uint64_t count)
{
    fprintf(out, "number,kind,address,port_from,port_to,from,to\n");
    for (uint64_t i = 0; i < count; i++)
        fprintf(out,
                "gz%06" PRIu64 ",broadband_account,10.%" PRIu64 ".%" PRIu64
                ".%" PRIu64 ",,,2026-11-01T00:00:00+08:00,\n",
                i, i >> 16 & 255, i >> 8 & 255, i & 255);
}

static void print_time(FILE *out, uint64_t ms)
{
    uint64_t of_day = ms - DAY_MS;
    fprintf(out,
            "2026-11-20T%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64
            "Z,",
            of_day / 3600000, of_day / 60000 % 60, of_day / 1000 % 60,
            of_day % 1000);
}

static void write_csv(FILE *out, uint64_t count)
{
    fprintf(out, "start,end,number,user_address,cloud_address,cloud_port,"
                 "protocol,octets_up,octets_down,packets_up,packets_down\n");
    for (uint64_t i = 0; i < count; i++) {
        struct row r = row_of(i, count);
        print_time(out, r.start_ms);
        print_time(out, r.end_ms);
        if (r.has_number)
            fprintf(out, "gz%06" PRIu64 ",", r.account);
        else
            fprintf(out, ",10.%" PRIu64 ".%" PRIu64 ".%" PRIu64,
                    r.account >> 16 & 255, r.account >> 8 & 255,
                    r.account & 255);
        fprintf(out,
                ",203.0.113.10,443,tcp,%" PRIu64 ",%" PRIu64 ",%" PRIu64
                ",%" PRIu64 "\n",
                r.up, r.down, r.packets_up, r.packets_down);
    }
}

/* --- IPFIX --- */

static const struct {
    uint16_t id, length;
} FIELDS[] = {
    {8, 4},   {12, 4},  {7, 2}, {11, 2}, {4, 1},
    {152, 8}, {153, 8}, {1, 8}, {2, 8},  {371, IPFIX_VARIABLE},
};
enum {
    FIELD_COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]),
    REVERSE_COUNT = 2, /* octets and packets back */
};

static void add_template(struct buffer *b, bool is_biflow)
{
    size_t reverse = is_biflow ? REVERSE_COUNT : 0;
    buffer_add_u16(b, IPFIX_SET_TEMPLATE);
    buffer_add_u16(b, (uint16_t)(8 + 4 * FIELD_COUNT + 8 * reverse));
    buffer_add_u16(b, TEMPLATE);
    buffer_add_u16(b, (uint16_t)(FIELD_COUNT + reverse));
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        buffer_add_u16(b, FIELDS[i].id);
        buffer_add_u16(b, FIELDS[i].length);
    }
    for (size_t i = 0; i < reverse; i++) {
        buffer_add_u16(b, (uint16_t)(0x8001 + i));
        buffer_add_u16(b, 8);
        buffer_add_u32(b, IPFIX_ENTERPRISE_REVERSE);
    }
}

enum way { BOTH, UP, DOWN };

static void add_record(struct buffer *b, const struct row *r, enum way way)
{
    char name[32] = "";
    uint32_t user = INSIDE + (uint32_t)r->account, cloud = (uint32_t)CLOUD;
    if (r->has_number)
        snprintf(name, sizeof(name), "gz%06" PRIu64, r->account);
    buffer_add_u32(b, way == DOWN ? cloud : user);
    buffer_add_u32(b, way == DOWN ? user : cloud);
    buffer_add_u16(b, way == DOWN ? 443 : PORT);
    buffer_add_u16(b, way == DOWN ? PORT : 443);
    buffer_add_u8(b, 6);
    buffer_add_u64(b, r->start_ms);
    buffer_add_u64(b, r->end_ms);
    buffer_add_u64(b, way == DOWN ? r->down : r->up);
    buffer_add_u64(b, way == DOWN ? r->packets_down : r->packets_up);
    buffer_add_u8(b, (uint8_t)strlen(name));
    buffer_add_text(b, name);
    if (way == BOTH) {
        buffer_add_u64(b, r->down);
        buffer_add_u64(b, r->packets_down);
    }
}

static void write_ipfix(FILE *out, uint64_t count, bool is_biflow)
{
    uint32_t sequence = 0;
    for (uint64_t at = 0; at < count; at += RECORDS_EACH) {
        struct buffer b;
        buffer_init(&b, IPFIX_MESSAGE_MAX);
        buffer_add_u16(&b, IPFIX_VERSION);
        buffer_add_u16(&b, 0);
        buffer_add_u32(&b, (uint32_t)(DAY_MS / 1000 + 86400));
        buffer_add_u32(&b, sequence);
        buffer_add_u32(&b, 1);
        if (at == 0)
            add_template(&b, is_biflow);
        size_t set = b.length;
        buffer_add_u16(&b, TEMPLATE);
        buffer_add_u16(&b, 0);
        for (uint64_t i = at; i < count && i < at + RECORDS_EACH; i++) {
            struct row r = row_of(i, count);
            add_record(&b, &r, is_biflow ? BOTH : UP);
            if (!is_biflow)
                add_record(&b, &r, DOWN);
            sequence += is_biflow ? 1 : 2;
        }
        buffer_put_u16(&b, set + 2, (uint16_t)(b.length - set));
        buffer_put_u16(&b, 2, (uint16_t)b.length);
        if (b.failed || fwrite(b.data, 1, b.length, out) != b.length)
            fail("a message could not be written");
        buffer_clear(&b);
    }
}

/* --- numbers of the registry --- */

static int print_hash(char **argv)
{
    struct secret key;
    struct error_text error;
    enum number_kind kind;
    struct number number;
    char hex[DIGEST_HEX_LEN];
    if (!secret_load(argv[0], &key, &error))
        fail(error.text);
    if (!number_kind_from(slice_of_text(argv[1]), &kind) ||
        number_read(kind, slice_of_text(argv[2]), &number) != NULL)
        fail("not a number of that kind");
    digest_to_hex(number_hash(&key, &number), hex);
    printf("%s\n", hex);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "hash") == 0)
        return print_hash(argv + 2);
    if (argc != 4)
        fail("wrong usage; see the source");
    FILE *out = fopen(argv[2], "wb");
    uint64_t count = strtoull(argv[3], NULL, 10);
    if (out == NULL)
        fail(argv[2]);
    if (strcmp(argv[1], "numbers") == 0)
        write_numbers(out, count);
    else if (strcmp(argv[1], "csv") == 0)
        write_csv(out, count);
    else if (strcmp(argv[1], "ipfix") == 0)
        write_ipfix(out, count, true);
    else if (strcmp(argv[1], "uniflows") == 0)
        write_ipfix(out, count, false);
    else
        fail("wrong usage; see the source");
    return fclose(out) == 0 ? 0 : 1;
}
