/* Messages in, records out: each protocol by its own rules (RFC 7011, 3954,
 * 5103). Messages are hex; an IPFIX header's length is put in. */
#include "collector/netflow/netflow_session.h"

#include "collector/netflow/sequence.h"
#include "tests/collector/netflow/hex.h"
#include "tests/test.h"

/* 2025-11-25T03:20:00Z, in the headers 69252000. */
static const int64_t EXPORT_MS = INT64_C(1764040704000);

enum { RECORDS_MAX = 64, LIFETIME_MS = 1800000 };

struct rig {
    struct netflow_budget budget;
    struct netflow_session *session;
    struct netflow_record records[RECORDS_MAX];
    size_t count;
    int64_t now_ms;
};

static struct rig rig_new(enum netflow_transport transport)
{
    static struct netflow_budget budget;
    budget = (struct netflow_budget){0, 1 << 20};
    return (struct rig){
        .session = netflow_session_new(transport, LIFETIME_MS, &budget),
        .now_ms = EXPORT_MS,
    };
}

static void take_record(void *context, const struct netflow_record *record)
{
    struct rig *r = context;
    if (r->count < RECORDS_MAX)
        r->records[r->count++] = *record;
}

static enum netflow_status feed(struct rig *r, const char *text)
{
    struct buffer lines, bytes;
    uint32_t counter = 0;
    buffer_init(&lines, HEX_MESSAGE_MAX);
    buffer_init(&bytes, HEX_MESSAGE_MAX);
    buffer_add_text(&lines, text);
    CHECK(hex_bytes(&lines, &bytes, &counter));
    if (bytes.data[1] == 10)
        buffer_put_u16(&bytes, 2, (uint16_t)bytes.length);
    r->count = 0;
    enum netflow_status status = netflow_session_take(
        r->session, bytes.data, bytes.length, r->now_ms, take_record, r);
    buffer_clear(&lines);
    buffer_clear(&bytes);
    return status;
}

static void rig_free(struct rig *r)
{
    netflow_session_free(r->session);
}

static const struct netflow_counters *counted(const struct rig *r)
{
    return netflow_session_counters(r->session);
}

#define H10(sequence) "000a 0000 69252000 " sequence " 00000001 "
#define H9(sequence)  "0009 0001 000f4240 69252000 " sequence " 00000001 "
#define H5(count, sequence, sampling)                                          \
    "0005 " count " 000f4240 69252000 00000000 " sequence " 0000 " sampling " "

/* --- v5 --- */

#define V5_RECORD                                                              \
    "0a000001 c6120001 00000000 0001 0002 00000003 000003e8 000f3e58 "         \
    "000f4240 c001 01bb 00 1b 06 00 0000 0000 00 00 0000 "

static void test_v5(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("v5: addresses, ports, counts, times from the uptime");
    CHECK(feed(&r, H5("0001", "00000000", "0000") V5_RECORD) == NETFLOW_OK);
    CHECK_I64(r.count, 1);
    CHECK_I64(r.records[0].packets, 3);
    CHECK_I64(r.records[0].octets, 1000);
    CHECK_I64(r.records[0].source_port, 0xc001);
    CHECK_I64(r.records[0].destination_port, 443);
    CHECK_I64(r.records[0].tcp_flags, 0x1b);
    CHECK_I64(r.records[0].protocol, 6);
    CHECK_I64(r.records[0].start_ms, EXPORT_MS - 1000);
    CHECK_I64(r.records[0].end_ms, EXPORT_MS);
    CHECK_I64(r.records[0].rate.chosen, 0);

    test_case("v5: sampling of 14 bits, whatever the mode");
    feed(&r, H5("0001", "00000001", "4064") V5_RECORD);
    CHECK_I64(r.records[0].rate.population, 100);
    feed(&r, H5("0001", "00000002", "0064") V5_RECORD);
    CHECK_I64(r.records[0].rate.population, 100);

    test_case("v5: sequence numbers count flows");
    feed(&r, H5("0001", "00000008", "0000") V5_RECORD);
    CHECK_I64(counted(&r)->lost_records, 5);

    test_case("v5: the uptime comes round between a flow and its export");
    feed(&r, "0005 0001 00000064 69252000 00000000 00000009 0000 0000 "
             "0a000001 c6120001 00000000 0001 0002 00000003 000003e8 "
             "ffffff9c 00000032 c001 01bb 00 1b 06 00 0000 0000 00 00 0000");
    CHECK_I64(r.records[0].start_ms, EXPORT_MS - 200);
    CHECK_I64(r.records[0].end_ms, EXPORT_MS - 50);
    rig_free(&r);
}

/* --- v9 --- */

#define V9_TEMPLATE                                                            \
    "0000 0024 0100 0007 0008 0004 000c 0004 0016 0004 0015 0004 0001 0004 "   \
    "0002 0004 0030 0002 "
#define V9_DATA(octets)                                                        \
    "0100 0020 0a000001 c6120001 000f3e58 000f4240 " octets                    \
    " 00000003 0001 0000 "

static void test_v9(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("v9: template and data, padding of two bytes");
    CHECK(feed(&r, H9("00000000") V9_TEMPLATE V9_DATA("000003e8")) ==
          NETFLOW_OK);
    CHECK_I64(r.count, 1);
    CHECK_I64(r.records[0].octets, 1000);
    CHECK_I64(r.records[0].start_ms, EXPORT_MS - 1000);

    test_case("v9: sampling by options data of the sampler");
    feed(&r, H9("00000001") "0001 0016 0101 0004 0008 0001 0004 0030 0002 "
                            "0032 0004 "
                            "0101 000e 00000000 0001 00000064 ");
    CHECK_I64(counted(&r)->options_records, 1);
    feed(&r, H9("00000002") V9_DATA("000003e9"));
    CHECK_I64(r.records[0].rate.population, 100);

    test_case("v9: sequence numbers count messages; records are estimated");
    feed(&r, H9("00000007") V9_DATA("000003ea"));
    CHECK_I64(counted(&r)->lost_messages, 4);
    CHECK_I64(counted(&r)->lost_records, 4); /* (1 + 1 + 1) / 3 a message */

    test_case("v9: a late message was not lost");
    feed(&r, H9("00000004") V9_DATA("000003eb"));
    CHECK_I64(counted(&r)->lost_messages, 3);
    CHECK_I64(counted(&r)->reordered, 1);

    test_case("v9: ids from 32768 on have no enterprise number");
    CHECK(feed(&r,
               H9("00000008") "0000 0010 0102 0002 8001 0004 0001 0004 "
                              "0102 000c 00000001 00000002 ") == NETFLOW_OK);
    CHECK_I64(r.records[0].octets, 2);

    test_case("v9: another definition of a template replaces it");
    CHECK(feed(&r, H9("00000009") "0000 000c 0102 0001 0001 0008 "
                                  "0102 000c 0000000000000007 ") == NETFLOW_OK);
    CHECK_I64(r.records[0].octets, 7);
    rig_free(&r);
}

/* --- IPFIX --- */

static void test_ipfix_fields(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("IPFIX: integers of reduced size, padding");
    feed(&r, H10("00000000") "0002 0010 0100 0002 0001 0005 0002 0003 "
                             "0100 0017 0000000102 000003 0000000304 000005 "
                             "000000");
    CHECK_I64(r.count, 2);
    CHECK_I64(r.records[0].octets, 258);
    CHECK_I64(r.records[1].packets, 5);

    test_case("IPFIX: variable length in one and three bytes");
    feed(&r, H10("00000002") "0002 0010 0101 0002 0060 ffff 0001 0004 "
                             "0101 0014 03 414141 00000007 "
                             "ff0001 41 00000008 ");
    CHECK_I64(r.count, 2);
    CHECK_I64(r.records[1].octets, 8);

    test_case("RFC 5103: reverse counts under enterprise 29305");
    feed(&r, H10("00000004") "0002 0014 0102 0002 0001 0004 8001 0004 "
                             "00007279 0102 000c 00000007 00000008 ");
    CHECK_I64(r.records[0].octets, 7);
    CHECK_I64(r.records[0].roctets, 8);

    test_case("RFC 6313: lists are skipped by their length");
    feed(&r, H10("00000005") "0002 0010 0103 0002 0123 ffff 0001 0004 "
                             "0103 000f 06 ff0001000412 00000009 ");
    CHECK_I64(r.records[0].octets, 9);

    test_case("RFC 5610: type records are options data like other");
    feed(&r, H10("00000006") "0003 0016 0104 0003 0002 015a 0004 012f 0002 "
                             "0155 ffff 0104 000d 00007ed9 0001 02 4141 ");
    CHECK_I64(counted(&r)->options_records, 1);
    CHECK_I64(r.count, 0);

    test_case("RFC 7012: total counts are marked, delta counts come first");
    feed(&r, H10("00000007") "0002 000c 0105 0001 0055 0004 "
                             "0105 0008 00000005 "
                             "0002 0010 0106 0002 0055 0004 0001 0004 "
                             "0106 000c 00000006 00000007 ");
    CHECK_I64(r.records[0].totals, NETFLOW_TOTAL_OCTETS);
    CHECK_I64(r.records[1].totals, 0);
    CHECK_I64(r.records[1].octets, 7);

    test_case("an address after NAT of zeros is none: nothing was translated");
    feed(&r, H10("00000009") "0002 0018 0107 0004 0008 0004 000c 0004 "
                             "00e1 0004 00e2 0004 "
                             "0107 0024 0a000001 c6120005 00000000 00000000 "
                             "0a000001 c6120005 cb007101 c6120005 ");
    CHECK(!r.records[0].has_post_source && !r.records[0].has_post_destination);
    CHECK(r.records[1].has_post_source && r.records[1].has_post_destination);

    test_case("addresses of both versions in a template: each record has one");
#define V6_ONE "20010db8 00000000 00000000 00000001 "
#define V6_TWO "20010db8 00000000 00000000 00000002 "
#define ZERO4  "00000000 "
#define ZERO16 ZERO4 ZERO4 ZERO4 ZERO4
    feed(&r, H10("0000000b") "0002 0028 0108 0004 0008 0004 000c 0004 "
                             "001b 0010 001c 0010 "
                             "0109 0003 001b 0010 001c 0010 0008 0004 "
                             "0108 0054 0a000001 c6120005 " ZERO16 ZERO16 ZERO4
                                 ZERO4 V6_ONE V6_TWO "0109 0028 " V6_ONE V6_TWO
                             "0a000001 ");
    CHECK_I64((int64_t)r.count, 3);
    CHECK_I64(r.records[0].version, 4);
    CHECK(r.records[0].source[0] == 10 && r.records[0].destination[0] == 0xc6);
    CHECK_I64(r.records[1].version, 6);
    CHECK(r.records[1].source[0] == 0x20 && r.records[1].source[15] == 1 &&
          r.records[1].destination[15] == 2);
    test_case("... of which one side has but one: there are none");
    CHECK_I64(r.records[2].version, 0);
    rig_free(&r);
}

/* Start and end elements of 8 or 4 bytes; both bear `value`. */
static int64_t time_of(struct rig *r, const char *sequence, const char *id,
                       const char *length, const char *value)
{
    char text[256];
    snprintf(text, sizeof(text),
             "000a 0000 69252000 %s 00000001 0002 000c 0200 0001 %s %s "
             "0200 00%02zx %s",
             sequence, id, length, 4 + strlen(value) / 2, value);
    CHECK(feed(r, text) == NETFLOW_OK);
    return r->records[0].start_ms;
}

static void test_ipfix_times(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("IPFIX: seconds, milliseconds, NTP, microseconds before export");
    CHECK_I64(time_of(&r, "00000000", "0096", "0004", "69251ff0"),
              EXPORT_MS - 16000);
    CHECK_I64(time_of(&r, "00000001", "0098", "0008", "0000019ab8ff9458"),
              INT64_C(0x19ab8ff9458));
    /* 1764040704 + 2208988800 = 0xecce9e80, half a second behind */
    CHECK_I64(time_of(&r, "00000002", "009a", "0008", "eccf9e8080000000"),
              (INT64_C(0xeccf9e80) - 2208988800) * 1000 + 500);
    CHECK_I64(time_of(&r, "00000003", "009c", "0008", "eccf9e8040000000"),
              (INT64_C(0xeccf9e80) - 2208988800) * 1000 + 250);
    CHECK_I64(time_of(&r, "00000004", "009e", "0004", "000f4240"),
              EXPORT_MS - 1000);

    test_case("IPFIX: uptime without the device's start tells no time");
    CHECK_I64(time_of(&r, "00000005", "0016", "0004", "000f4240"), EXPORT_MS);
    CHECK(counted(&r)->untimed_records >= 1);

    test_case("IPFIX: uptime from systemInitTimeMilliseconds, come round");
    /* Started 2^32 + 1000 ms before the export: uptime 1000 there. */
    feed(&r, H10("00000006") "0003 0012 0201 0002 0001 0095 0004 00a0 0008 "
                             "0201 0010 00000001 00000199b8aad018 ");
    int64_t init_ms = INT64_C(0x199b8aad018);
    uint32_t uptime = (uint32_t)(EXPORT_MS - init_ms);
    char text[16];
    snprintf(text, sizeof(text), "%08x", uptime - 500);
    CHECK_I64(time_of(&r, "00000007", "0016", "0004", text), EXPORT_MS - 500);
    CHECK(EXPORT_MS - init_ms > INT64_C(0xffffffff));
    rig_free(&r);
}

static void test_sampling(void)
{
    static const struct {
        const char *name, *template, *data;
        uint32_t chosen, population;
    } cases[] = {
        {"samplingInterval (34)", "0022 0004", "00000064", 1, 100},
        {"samplerRandomInterval (50)", "0032 0004", "00000064", 1, 100},
        {"packet interval and space (305, 306)", "0131 0004 0132 0004",
         "00000002 00000062", 2, 100},
        {"size and population (309, 310)", "0135 0004 0136 0004",
         "00000001 000003e8", 1, 1000},
        {"samplingProbability (311)", "0137 0008 0139 0000", "3f847ae147ae147b",
         21474836, UINT32_C(1) << 31},
        {"samplingProbability, a float32", "0137 0004", "3c23d70a", 21474836,
         UINT32_C(1) << 31},
        {"a probability above 1 tells nothing", "0137 0004", "40000000", 0, 0},
        {"a probability that is no number", "0137 0004", "7fc00000", 0, 0},
        {"one in 0 tells nothing", "0022 0004", "00000000", 0, 0},
        {"0 of 0 tells nothing", "0135 0004 0136 0004", "00000000 00000000", 0,
         0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig r = rig_new(NETFLOW_UDP);
        char text[512];
        size_t fields = (strlen(cases[i].template) + 1) / 10;
        test_case(cases[i].name);
        snprintf(text, sizeof(text),
                 H10("00000000") "0003 %04zx 0100 %04zx 0001 012e 0008 %s "
                                 "0100 %04zx 0000000000000005 %s "
                                 "0002 0010 0101 0002 012e 0001 0001 0004 "
                                 "0101 0009 05 00000001 "
                                 "0101 0009 06 00000001",
                 14 + 4 * fields, 1 + fields, cases[i].template,
                 12 + 4 * fields, cases[i].data);
        CHECK(feed(&r, text) == NETFLOW_OK);
        CHECK_I64(r.count, 2);
        CHECK_I64(r.records[0].rate.chosen, cases[i].chosen);
        CHECK_I64(r.records[0].rate.population, cases[i].population);
        CHECK_I64(r.records[1].rate.chosen, 0); /* another selector */
        rig_free(&r);
    }
}

/* --- state --- */

#define TEMPLATE "0002 000c 0100 0001 0001 0004 "
#define DATA(n)  "0100 0008 000000" n " "

static void test_sequence(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("IPFIX: a gap is as many records as the numbers skip");
    feed(&r, H10("00000000") TEMPLATE DATA("01"));
    feed(&r, H10("000003e9") DATA("02"));
    CHECK_I64(counted(&r)->lost_records, 1000);

    test_case("what comes late was not lost");
    feed(&r, H10("00000005") DATA("03"));
    CHECK_I64(counted(&r)->lost_records, 999);
    CHECK_I64(counted(&r)->reordered, 1);
    feed(&r, H10("000003ea") DATA("04"));
    CHECK_I64(counted(&r)->lost_records, 999);

    test_case("the same message again is dropped");
    CHECK(feed(&r, H10("000003ea") DATA("04")) == NETFLOW_DUPLICATE);
    CHECK_I64(r.count, 0);
    CHECK_I64(counted(&r)->duplicates, 1);

    test_case("the same number with other bytes is not the same message");
    CHECK(feed(&r, H10("000003ea") DATA("05")) == NETFLOW_OK);
    CHECK_I64(r.count, 1);

    test_case("an exporter that begins anew lost nothing that is known");
    feed(&r, H10("70000000") DATA("06"));
    CHECK_I64(counted(&r)->resets, 1);
    CHECK_I64(counted(&r)->lost_records, 998); /* 5 came late, as above */

    test_case("records that came before their template are none lost");
    feed(&r, H10("70000001") "0101 0008 00000001 ");
    feed(&r, H10("70000004") DATA("07"));
    CHECK_I64(counted(&r)->unread_records, 3);
    CHECK_I64(counted(&r)->lost_records, 998);
    rig_free(&r);
}

/* Most devices have sent less than SEQUENCE_JUMP when they restart. */
static void test_restart(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    char message[256];
    uint32_t number = 0;
    test_case("an exporter that restarts is known from a run of late messages");
    feed(&r, H10("00001000") TEMPLATE DATA("01"));
    feed(&r, H10("00001065") DATA("02"));
    CHECK_I64(counted(&r)->lost_records, 100);
    for (; number < 20; number++) {
        snprintf(message, sizeof(message),
                 "000a 0000 69252000 %08x 00000001 " DATA("03"), number);
        feed(&r, message);
    }
    CHECK_I64(counted(&r)->resets, 1);
    CHECK_I64(counted(&r)->reordered, SEQUENCE_LATE_MAX);
    CHECK_I64(counted(&r)->lost_records, 100);

    test_case("and what it loses then is noticed");
    snprintf(message, sizeof(message),
             "000a 0000 69252000 %08x 00000001 " DATA("04"), number + 7);
    feed(&r, message);
    CHECK_I64(counted(&r)->lost_records, 107);
    rig_free(&r);
}

static void test_templates(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("UDP: a withdrawal is ignored (RFC 7011 8.4)");
    feed(&r, H10("00000000") TEMPLATE DATA("01"));
    feed(&r, H10("00000001") "0002 0008 0100 0000 " DATA("02"));
    CHECK_I64(r.count, 1);

    test_case("a template belongs to its domain");
    feed(&r, "000a 0000 69252000 00000000 00000002 " DATA("01"));
    CHECK_I64(r.count, 0);
    CHECK_I64(counted(&r)->unknown_sets, 1);

    test_case("UDP: a template that is not repeated dies");
    r.now_ms += LIFETIME_MS + 1;
    feed(&r, H10("00000002") DATA("03"));
    CHECK_I64(r.count, 0);
    CHECK_I64(counted(&r)->templates_expired, 1);

    test_case("UDP: one that is repeated lives");
    feed(&r, H10("00000002") TEMPLATE);
    r.now_ms += LIFETIME_MS - 1;
    feed(&r, H10("00000002") TEMPLATE "0100 0004 ");
    r.now_ms += LIFETIME_MS - 1;
    feed(&r, H10("00000002") DATA("04"));
    CHECK_I64(r.count, 1);
    rig_free(&r);

    r = rig_new(NETFLOW_STREAM);
    test_case("stream: a withdrawal is honoured, then another definition is");
    feed(&r, H10("00000000") TEMPLATE DATA("01"));
    feed(&r, H10("00000001") "0002 0008 0100 0000 " DATA("02"));
    CHECK_I64(r.count, 0);
    CHECK(feed(&r, H10("00000002") "0002 000c 0100 0001 0001 0008 ") ==
          NETFLOW_OK);

    test_case("stream: another definition without withdrawal is an error");
    CHECK(feed(&r, H10("00000002") TEMPLATE) == NETFLOW_REDEFINED);

    test_case("stream: templates do not die");
    r.now_ms += 100 * (int64_t)LIFETIME_MS;
    feed(&r, H10("00000002") "0100 000c 0000000000000001 ");
    CHECK_I64(r.count, 1);
    rig_free(&r);
}

static void test_bounds(void)
{
    struct rig r = rig_new(NETFLOW_UDP);
    test_case("the template unused for longest makes room");
    feed(&r, H10("00000000") TEMPLATE);
    for (int i = 0; i < 2 * NETFLOW_TEMPLATES_MAX; i++) {
        char text[128];
        r.now_ms++;
        snprintf(text, sizeof(text),
                 H10("%08x") "0002 000c %04x 0001 0001 0004 " DATA("01"), i,
                 1000 + i);
        feed(&r, text);
        CHECK_I64(r.count, 1);
    }
    CHECK_I64(counted(&r)->templates_evicted, NETFLOW_TEMPLATES_MAX + 1);
    rig_free(&r);
}

static void test_lengths(void)
{
    static const uint8_t v9[] = {0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                 0, 0, 0, 0, 1, 0, 0, 0, 8, 1, 0, 0, 0, 0, 9};
    static const uint8_t ipfix[] = {0, 10, 0, 16, 0, 0, 0, 0};
    static const uint8_t v5[] = {0, 5, 0, 1};
    test_case("messages in a row: where the next one starts");
    CHECK_I64(netflow_message_length(v9, sizeof(v9), true), 28 + 2);
    CHECK_I64(netflow_message_length(v9, 28, true), 28);
    CHECK_I64(netflow_message_length(v9, 28, false), 0);
    CHECK_I64(netflow_message_length(ipfix, sizeof(ipfix), false), 0);
    CHECK_I64(netflow_message_length(ipfix, sizeof(ipfix), true), -1);
    CHECK_I64(netflow_message_length(v5, sizeof(v5), false), 0);
    CHECK_I64(netflow_message_length((const uint8_t *)"\0\7..", 4, false), -1);
}

int main(void)
{
    test_v5();
    test_v9();
    test_ipfix_fields();
    test_ipfix_times();
    test_sampling();
    test_sequence();
    test_restart();
    test_templates();
    test_bounds();
    test_lengths();
    return test_end();
}
