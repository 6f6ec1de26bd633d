/* Carriers' records as IPFIX: what becomes of each element, what is refused and
 * where; ways that were reported apart. */
#include "collector/carrier/carrier_ipfix.h"

#include <unistd.h>

#include "collector/carrier/carrier_pair.h"
#include "collector/carrier/number_map.h"
#include "tests/collector/netflow/hex.h"
#include "tests/test.h"

enum { ROWS_MAX = 16 };
/* 2026-11-20T02:00:00Z */
static const int64_t EXPORT_S = INT64_C(1795140000);

struct reading {
    struct carrier_record rows[ROWS_MAX];
    size_t count;
    char fault[200], place[200];
    struct error_text error;
    struct carrier_reading result;
    void *file;
    bool is_good;
};

static bool take_row(void *context, const struct carrier_record *record,
                     const char *fault)
{
    struct reading *r = context;
    if (record != NULL && r->count < ROWS_MAX)
        r->rows[r->count++] = *record;
    if (fault != NULL) {
        snprintf(r->fault, sizeof(r->fault), "%s", fault);
        carrier_ipfix.place(r->file, r->place, sizeof(r->place));
    }
    return true;
}

static struct endpoint_list *endpoints(void)
{
    static const char TEXT[] =
        "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
        "shared\n"
        "erp,S,V,203.0.113.0/28,,tcp,443,2020-01-01,,no\n"
        "six,S,V,2001:db8::/48,,tcp,443,2020-01-01,,no\n";
    struct error_text error;
    return endpoint_list_parse(slice_of_text(TEXT), "endpoints", &error);
}

/* --- making messages --- */

/* An element with its value: of `length` bytes, or a text. */
struct field {
    uint32_t enterprise;
    uint16_t id, length;
    uint64_t value;
    const char *text; /* variable length, or with a length padded by zeros */
};

#define V4(a, b, c, d) ((uint64_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define INSIDE         V4(100, 64, 0, 9)
#define PUBLIC         V4(192, 0, 2, 9)
#define CLOUD          V4(203, 0, 113, 1)
#define START_MS       (UINT64_C(1795140000000) - 5000)

/* Length and value as RFC 7011 7 has them. */
static void add_value(struct buffer *b, const struct field *f)
{
    if (f->text == NULL) {
        buffer_add_uint(b, f->value, f->length);
        return;
    }
    size_t length = strlen(f->text);
    if (f->length == 0)
        buffer_add_u8(b, (uint8_t)length);
    buffer_add_text(b, f->text);
    for (size_t i = length; i < f->length; i++)
        buffer_add_u8(b, 0);
}

static void add_template(struct buffer *b, uint16_t id,
                         const struct field *fields, size_t count)
{
    size_t start = b->length;
    buffer_add_u16(b, IPFIX_SET_TEMPLATE);
    buffer_add_u16(b, 0);
    buffer_add_u16(b, id);
    buffer_add_u16(b, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        bool is_variable = f->text != NULL && f->length == 0;
        buffer_add_u16(b, f->id | (f->enterprise != 0 ? 0x8000 : 0));
        buffer_add_u16(b, is_variable ? IPFIX_VARIABLE : f->length);
        if (f->enterprise != 0)
            buffer_add_u32(b, f->enterprise);
    }
    buffer_put_u16(b, start + 2, (uint16_t)(b->length - start));
}

/* A message of one record. */
static void add_message(struct buffer *b, uint32_t sequence, uint16_t id,
                        bool has_template, const struct field *fields,
                        size_t count)
{
    size_t start = b->length;
    buffer_add_u16(b, IPFIX_VERSION);
    buffer_add_u16(b, 0);
    buffer_add_u32(b, (uint32_t)EXPORT_S);
    buffer_add_u32(b, sequence);
    buffer_add_u32(b, 1);
    if (has_template)
        add_template(b, id, fields, count);
    size_t set = b->length;
    buffer_add_u16(b, id);
    buffer_add_u16(b, 0);
    for (size_t i = 0; i < count; i++)
        add_value(b, &fields[i]);
    buffer_put_u16(b, set + 2, (uint16_t)(b->length - set));
    buffer_put_u16(b, start + 2, (uint16_t)(b->length - start));
}

static struct reading read_bytes(const struct buffer *b)
{
    struct endpoint_list *list = endpoints();
    struct reading r = {0};
    FILE *file = tmpfile();
    CHECK(fwrite(b->data, 1, b->length, file) == b->length &&
          fflush(file) == 0);
    r.file = carrier_ipfix_of(dup(fileno(file)), "f", list, &r.error);
    r.is_good = carrier_ipfix.read(r.file, wall_from_s(EXPORT_S), take_row, &r,
                                   &r.result, &r.error);
    carrier_ipfix.close(r.file);
    endpoint_list_free(list);
    fclose(file);
    return r;
}

static struct reading read_one(const struct field *fields, size_t count)
{
    struct buffer b;
    buffer_init(&b, HEX_MESSAGE_MAX);
    add_message(&b, 0, 256, true, fields, count);
    struct reading r = read_bytes(&b);
    buffer_clear(&b);
    return r;
}

/* A plain record; the test's own fields stand behind. */
#define ENDS(source, destination)                                              \
    {0, 8, 4, source, NULL},                                                   \
    {                                                                          \
        0, 12, 4, destination, NULL                                            \
    }
#define PORTS(source, destination)                                             \
    {0, 7, 2, source, NULL},                                                   \
    {                                                                          \
        0, 11, 2, destination, NULL                                            \
    }
#define TCP                                                                    \
    {                                                                          \
        0, 4, 1, 6, NULL                                                       \
    }
#define TIMES                                                                  \
    {0, 152, 8, START_MS, NULL},                                               \
    {                                                                          \
        0, 153, 8, START_MS + 1000, NULL                                       \
    }
#define COUNTS                                                                 \
    {0, 1, 8, 1000, NULL},                                                     \
    {                                                                          \
        0, 2, 8, 10, NULL                                                      \
    }
#define BACK                                                                   \
    {IPFIX_ENTERPRISE_REVERSE, 1, 8, 9000, NULL},                              \
    {                                                                          \
        IPFIX_ENTERPRISE_REVERSE, 2, 4, 12, NULL                               \
    }
#define UPWARD ENDS(INSIDE, CLOUD), PORTS(40000, 443), TCP, TIMES, COUNTS, BACK
#define READ(...)                                                              \
    read_one((const struct field[]){__VA_ARGS__},                              \
             sizeof((const struct field[]){__VA_ARGS__}) /                     \
                 sizeof(struct field))

static bool user_is(const struct carrier_user *user, uint64_t address, int port)
{
    uint8_t bytes[4] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
                        (uint8_t)(address >> 8), (uint8_t)address};
    return user->address.version == 4 && user->port == port &&
           memcmp(user->address.bytes, bytes, 4) == 0;
}

/* --- elements --- */

static void test_sides(void)
{
    test_case("a biflow (RFC 5103): the side that is not registered is the "
              "user's");
    struct reading r = READ(UPWARD);
    CHECK(r.is_good && r.count == 1);
    CHECK(user_is(&r.rows[0].users[0], INSIDE, 40000));
    CHECK_I64(r.rows[0].user_count, 1);
    CHECK_I64(r.rows[0].cloud_port, 443);
    CHECK_I64((int64_t)r.rows[0].octets_up, 1000);
    CHECK_I64((int64_t)r.rows[0].octets_down, 9000);
    CHECK_I64((int64_t)r.rows[0].packets_down, 12);
    CHECK_I64(r.rows[0].start_ms, (int64_t)START_MS);
    CHECK(!r.rows[0].has_number);

    test_case("turned round when the source is the endpoint");
    r = READ(ENDS(CLOUD, INSIDE), PORTS(443, 40000), TCP, TIMES, COUNTS, BACK);
    CHECK(r.is_good && r.count == 1);
    CHECK(user_is(&r.rows[0].users[0], INSIDE, 40000));
    CHECK_I64((int64_t)r.rows[0].octets_up, 9000);
    CHECK_I64((int64_t)r.rows[0].octets_down, 1000);

    test_case("neither side is registered: as it was written");
    r = READ(ENDS(INSIDE, PUBLIC), PORTS(40000, 443), TCP, TIMES, COUNTS);
    CHECK(r.is_good && r.count == 1);
    CHECK_I64(r.rows[0].cloud_address.bytes[0], 192);

    test_case("IPv6");
    r = READ({0, 27, 16, 0, "\xfd"}, {0, 28, 16, 0, "\x20\x01\x0d\xb8"},
             PORTS(40000, 443), TCP, TIMES, COUNTS, BACK);
    CHECK(r.is_good && r.count == 1);
    CHECK_I64(r.rows[0].cloud_address.version, 6);
    CHECK_I64(r.rows[0].users[0].address.bytes[0], 0xfd);
    CHECK_I64((int64_t)r.rows[0].octets_down, 9000);
}

static void test_translation(void)
{
    test_case(
        "behind NAT: the address that the cloud sees, then the inner one");
    struct reading r =
        READ(UPWARD, {0, 225, 4, PUBLIC, NULL}, {0, 227, 2, 2048, NULL});
    CHECK(r.is_good && r.count == 1);
    CHECK_I64(r.rows[0].user_count, 2);
    CHECK(user_is(&r.rows[0].users[0], PUBLIC, 2048));
    CHECK(user_is(&r.rows[0].users[1], INSIDE, 40000));

    test_case("a translator that leaves ports alone");
    r = READ(UPWARD, {0, 225, 4, PUBLIC, NULL});
    CHECK(user_is(&r.rows[0].users[0], PUBLIC, 40000));

    test_case("the way back is translated at its destination");
    r = READ(ENDS(CLOUD, PUBLIC), PORTS(443, 2048), TCP, TIMES, COUNTS, BACK,
             {0, 226, 4, INSIDE, NULL}, {0, 228, 2, 40000, NULL});
    CHECK(user_is(&r.rows[0].users[0], PUBLIC, 2048));
    CHECK(user_is(&r.rows[0].users[1], INSIDE, 40000));
}

static void test_times(void)
{
    static const struct {
        const char *name;
        struct field start, end;
        int64_t start_ms;
    } CASES[] = {
        {"seconds",
         {0, 150, 4, 1795139995, NULL},
         {0, 151, 4, 1795139996, NULL},
         INT64_C(1795139995000)},
        {"NTP time",
         {0, 154, 8, (UINT64_C(1795139995) + 2208988800) << 32, 0},
         {0, 155, 8, (UINT64_C(1795139996) + 2208988800) << 32, NULL},
         INT64_C(1795139995000)},
        {"microseconds before the export",
         {0, 158, 4, 5000000, NULL},
         {0, 159, 4, 4000000, NULL},
         INT64_C(1795139995000)},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        test_case(CASES[i].name);
        struct reading r = READ(ENDS(INSIDE, CLOUD), PORTS(40000, 443), TCP,
                                COUNTS, BACK, CASES[i].start, CASES[i].end);
        CHECK(r.is_good && r.count == 1);
        CHECK_I64(r.rows[0].start_ms, CASES[i].start_ms);
        CHECK_I64(r.rows[0].end_ms, CASES[i].start_ms + 1000);
    }
}

static bool may_be(const struct carrier_record *r, enum number_kind kind)
{
    for (int i = 0; i < r->number_count; i++)
        if (r->numbers[i].kind == kind)
            return true;
    return false;
}

static void test_numbers(void)
{
    static const struct {
        const char *name;
        struct field fields[3];
        int kinds; /* how many it may be */
        enum number_kind one_of;
        const char *text;
    } CASES[] = {
        {"a user name is a number of any kind",
         {{0, 371, 0, 0, "GZ0001@163.gd"}},
         1,
         NUMBER_BROADBAND,
         "GZ0001@163.gd"},
        {"also a mobile number",
         {{0, 371, 0, 0, "13800138000"}},
         3,
         NUMBER_MOBILE,
         "13800138000"},
        {"an MSISDN is a mobile number or a SIM's",
         {{0, 456, 0, 0, "+8613800138000"}},
         2,
         NUMBER_SIM,
         "+8613800138000"},
        {"an MSISDN of a machine is a SIM's",
         {{0, 456, 0, 0, "1064812345678"}},
         1,
         NUMBER_SIM,
         "1064812345678"},
        {"an IMSI is a SIM's",
         {{0, 455, 15, 0, "460001234567890"}},
         1,
         NUMBER_SIM,
         "460001234567890"},
        {"of a fixed length, with zeros behind",
         {{0, 371, 20, 0, "gz0001"}},
         1,
         NUMBER_BROADBAND,
         "gz0001"},
        {"an MSISDN goes before an IMSI and a user name",
         {{0, 371, 0, 0, "gz0001"},
          {0, 455, 0, 0, "460001234567890"},
          {0, 456, 0, 0, "1064812345678"}},
         1,
         NUMBER_SIM,
         "1064812345678"},
        {"an empty one is none",
         {{0, 456, 0, 0, ""}, {0, 371, 0, 0, "gz0001"}},
         1,
         NUMBER_BROADBAND,
         "gz0001"},
        {"what is no number is a number of nobody",
         {{0, 371, 0, 0, "?"}},
         0,
         NUMBER_BROADBAND,
         "?"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct field fields[16] = {UPWARD};
        size_t count = 0;
        while (fields[count].id != 0)
            count++;
        for (size_t k = 0; k < 3 && CASES[i].fields[k].id != 0; k++)
            fields[count++] = CASES[i].fields[k];
        test_case(CASES[i].name);
        struct reading r = read_one(fields, count);
        CHECK(r.is_good && r.count == 1 && r.rows[0].has_number);
        CHECK_I64(r.rows[0].number_count, CASES[i].kinds);
        CHECK_TEXT(r.rows[0].number_text, CASES[i].text);
        if (CASES[i].kinds > 0)
            CHECK(may_be(&r.rows[0], CASES[i].one_of));
    }
}

/* --- what is refused --- */

static void test_faults(void)
{
    static const struct {
        const char *says;
        struct field fields[12];
    } CASES[] = {
        {"no source and destination address", {TCP, TIMES, COUNTS}},
        {"no protocol", {ENDS(INSIDE, CLOUD), TIMES, COUNTS}},
        {"no start", {ENDS(INSIDE, CLOUD), TCP, COUNTS}},
        {"counts nothing", {ENDS(INSIDE, CLOUD), TCP, TIMES}},
        {"before start",
         {ENDS(INSIDE, CLOUD),
          TCP,
          COUNTS,
          {0, 152, 8, START_MS, NULL},
          {0, 153, 8, START_MS - 1, NULL}}},
        {"in the future",
         {ENDS(INSIDE, CLOUD),
          TCP,
          COUNTS,
          {0, 152, 8, START_MS, NULL},
          {0, 153, 8, START_MS + 5001, NULL}}},
        {"more than a day",
         {ENDS(INSIDE, CLOUD),
          TCP,
          COUNTS,
          {0, 152, 8, START_MS - 86400000, NULL},
          {0, 153, 8, START_MS + 1, NULL}}},
        {"fewer than packets",
         {ENDS(INSIDE, CLOUD),
          TCP,
          TIMES,
          {0, 1, 8, 9, NULL},
          {0, 2, 8, 10, NULL}}},
        {"more than 2^42",
         {ENDS(INSIDE, CLOUD),
          TCP,
          TIMES,
          {0, 1, 8, UINT64_C(1) << 43, NULL},
          {0, 2, 8, 10, NULL}}},
        {"sampled", {UPWARD, {0, 34, 4, 100, NULL}}},
        {"total counts",
         {ENDS(INSIDE, CLOUD),
          TCP,
          TIMES,
          {0, 85, 8, 1000, NULL},
          {0, 86, 8, 10, NULL},
          {0, 136, 1, 2, NULL}}},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        size_t count = 0;
        while (count < 12 && CASES[i].fields[count].id != 0)
            count++;
        test_case(CASES[i].says);
        struct reading r = read_one(CASES[i].fields, count);
        CHECK(r.is_good && r.count == 0);
        if (!CHECK(strstr(r.fault, CASES[i].says) != NULL))
            printf("# %s\n", r.fault);
        CHECK_TEXT(r.place, "f: message at byte 0, record 1");
    }
    test_case("total counts of a flow that ended are its counts");
    struct reading r = READ(ENDS(INSIDE, CLOUD), PORTS(40000, 443), TCP, TIMES,
                            {0, 85, 8, 1000, NULL}, {0, 86, 8, 10, NULL},
                            {0, 136, 1, 3, NULL});
    CHECK(r.is_good && r.count == 1);
}

static void test_malformed(void)
{
    static const struct field FIELDS[] = {UPWARD};
    enum { COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]) };
    struct buffer b;
    buffer_init(&b, HEX_MESSAGE_MAX);
    add_message(&b, 0, 256, true, FIELDS, COUNT);
    size_t second = b.length;
    char wanted[100];

    test_case("a file that is cut names the byte");
    add_message(&b, 1, 256, false, FIELDS, COUNT);
    b.length--;
    snprintf(wanted, sizeof(wanted), "f: message at byte %zu: ", second);
    struct reading r = read_bytes(&b);
    CHECK(!r.is_good && strstr(r.error.text, wanted) != NULL);
    b.length = second;

    test_case("records without their template");
    add_message(&b, 1, 257, false, FIELDS, COUNT);
    r = read_bytes(&b);
    CHECK(!r.is_good &&
          strstr(r.error.text, "records without a template") != NULL &&
          strstr(r.error.text, wanted) != NULL);
    b.length = second;

    test_case("what is missing by sequence numbers is told");
    add_message(&b, 8, 256, false, FIELDS, COUNT);
    r = read_bytes(&b);
    CHECK(r.is_good && r.count == 2);
    CHECK_I64((int64_t)r.result.missing, 7);

    test_case("something that is no message");
    buffer_reset(&b);
    buffer_add_text(&b, "start,end,number\n");
    r = read_bytes(&b);
    CHECK(!r.is_good && strstr(r.error.text, "neither NetFlow") != NULL);

    test_case("an empty file has no rows");
    buffer_reset(&b);
    r = read_bytes(&b);
    CHECK(r.is_good && r.count == 0);
    buffer_clear(&b);
}

/* --- ways apart --- */

struct paired {
    struct carrier_record rows[ROWS_MAX];
    size_t count;
    uint64_t up, down;
};

static bool take_paired(void *context, const struct carrier_record *record)
{
    struct paired *p = context;
    if (p->count < ROWS_MAX)
        p->rows[p->count] = *record;
    p->count++;
    p->up += record->octets_up;
    p->down += record->octets_down;
    return true;
}

static struct carrier_record way(int port, int64_t start_ms, uint64_t up,
                                 uint64_t down)
{
    struct carrier_record r = {
        .start_ms = start_ms,
        .end_ms = start_ms + 1000,
        .users = {{.address = {.version = 4, .bytes = {10}}, .port = port}},
        .user_count = 1,
        .cloud_address = {.version = 4, .bytes = {203, 0, 113, 1}},
        .cloud_port = 443,
        .protocol = 6,
        .octets_up = up,
        .octets_down = down,
        .connections = 1,
    };
    return r;
}

static void test_pairs(void)
{
    struct paired p = {0};
    struct carrier_pairs *pairs = carrier_pairs_new(take_paired, &p);
    const struct carrier_record rows[] = {
        way(1, 0, 100, 0),  way(2, 0, 200, 0),   way(1, 10, 0, 111),
        way(1, 3500, 0, 5), way(1, 60000, 7, 0), way(2, 50, 0, 222),
        way(3, 50, 1, 2),   way(4, 0, 10, 0),    way(4, 1000, 20, 0),
        way(4, 900, 0, 11), way(4, 1900, 0, 22),
    };
    test_case("two ways become one record, the oldest first");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK(carrier_pairs_add(pairs, &rows[i]));
    CHECK_I64((int64_t)p.count, 5);
    CHECK_I64((int64_t)p.rows[0].octets_up, 100);
    CHECK_I64((int64_t)p.rows[0].octets_down, 111);
    CHECK_I64(p.rows[0].end_ms, 1010);
    CHECK_I64((int64_t)p.rows[1].octets_down, 222);
    CHECK_I64((int64_t)p.rows[2].octets_up, 1);
    CHECK_I64((int64_t)p.rows[3].octets_up, 10);
    CHECK_I64((int64_t)p.rows[3].octets_down, 11);
    CHECK_I64((int64_t)p.rows[4].octets_down, 22);
    test_case("what is a minute apart stays apart, and comes at the end");
    CHECK(carrier_pairs_end(pairs));
    CHECK_I64((int64_t)p.count, 7);
    CHECK_I64((int64_t)p.rows[5].octets_down, 5);
    CHECK_I64((int64_t)p.rows[6].octets_up, 7);
    test_case("more than may wait: the oldest goes on, nothing is lost");
    p = (struct paired){0};
    for (int i = 0; i < CARRIER_PAIRS_MAX + 10; i++) {
        struct carrier_record r = way(i & 0xffff, i * 10000, 1, 0);
        CHECK(carrier_pairs_add(pairs, &r));
    }
    CHECK_I64((int64_t)p.count, 10);
    CHECK_I64(p.rows[0].start_ms, 0);
    CHECK(carrier_pairs_end(pairs));
    CHECK_I64((int64_t)p.up, CARRIER_PAIRS_MAX + 10);
    carrier_pairs_free(pairs);
}

/* Without the bounds this takes minutes. */
static void test_equal_keys(void)
{
    struct paired p = {0};
    struct carrier_pairs *pairs = carrier_pairs_new(take_paired, &p);
    struct carrier_record r;
    test_case("records of one key, one way and then the other, all come out");
    for (int i = 0; i < CARRIER_PAIRS_MAX; i++) {
        r = way(1, i * INT64_C(10000), 1, 0);
        CHECK(carrier_pairs_add(pairs, &r));
    }
    for (int i = 0; i < CARRIER_PAIRS_MAX / 2; i++) {
        r = way(1, -10000 - i * INT64_C(10000), 0, 1);
        CHECK(carrier_pairs_add(pairs, &r));
    }
    test_case("and the last that wait are found");
    r = way(1, (CARRIER_PAIRS_MAX - CARRIER_PAIR_TRIES) * INT64_C(10000), 0, 9);
    size_t count = p.count;
    CHECK(carrier_pairs_add(pairs, &r));
    CHECK_I64((int64_t)(p.count - count), 1);
    CHECK(carrier_pairs_end(pairs));
    CHECK_I64((int64_t)p.count, CARRIER_PAIRS_MAX + CARRIER_PAIRS_MAX / 2);
    CHECK_I64((int64_t)p.up, CARRIER_PAIRS_MAX);
    carrier_pairs_free(pairs);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    test_sides();
    test_translation();
    test_times();
    test_numbers();
    test_faults();
    test_malformed();
    test_pairs();
    test_equal_keys();
    return test_end();
}
