/* Records to biflows: what counts, how directions meet, what is refused. */
#include "collector/netflow/aggregate.h"

#include "tests/test.h"

enum { FLOWS = 8, FLOWS_MAX = 64 };
static const int64_t NOW_MS = INT64_C(1764040704000);

static const char ENDPOINTS[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "erp,S,V,198.18.0.0/24,,tcp,443,2020-01-01,,no\n"
    "cdn,S,V,198.18.9.9,www.example,tcp,443,2020-01-01,,yes\n"
    "old,S,V,198.18.7.7,,tcp,443,2020-01-01,2021-01-01,no\n"
    "six,S,V,2001:db8::/64,,,,2020-01-01,,no\n";

struct rig {
    struct endpoint_list *endpoints;
    struct netflow_aggregate *aggregate;
    struct netflow_tally tally;
    struct netflow_origin origin;
    struct flow_record flows[FLOWS_MAX];
    bool is_scaled[FLOWS_MAX];
    size_t count;
};

static void take_flow(void *context, uint32_t exporter, bool is_scaled,
                      const struct flow_record *flow)
{
    struct rig *r = context;
    CHECK_I64(exporter, 3);
    CHECK(flow_record_is_valid(flow));
    if (r->count < FLOWS_MAX) {
        r->is_scaled[r->count] = is_scaled;
        r->flows[r->count++] = *flow;
    }
}

static void set_up(struct rig *r)
{
    struct error_text error = {""};
    struct secret key = {{7}};
    *r = (struct rig){0};
    r->endpoints =
        endpoint_list_parse(slice_of_text(ENDPOINTS), "endpoints", &error);
    r->origin = (struct netflow_origin){.number = 3, .tally = &r->tally};
    r->aggregate = netflow_aggregate_new(FLOWS, &key, take_flow, r);
    netflow_aggregate_set_endpoints(r->aggregate, r->endpoints);
}

static void tear_down(struct rig *r)
{
    netflow_aggregate_free(r->aggregate);
    endpoint_list_free(r->endpoints);
}

static void set_address(uint8_t *bytes, const char *text)
{
    struct address a = {0};
    CHECK(address_from_text(slice_of_text(text), &a));
    memcpy(bytes, a.bytes, sizeof(a.bytes));
}

/* A TCP flow of 10 packets, 1000 octets. */
static struct netflow_record flow_of(const char *source, uint16_t source_port,
                                     const char *destination,
                                     uint16_t destination_port)
{
    struct netflow_record r = {
        .octets = 1000,
        .packets = 10,
        .start_ms = NOW_MS - 5000,
        .end_ms = NOW_MS - 1000,
        .source_port = source_port,
        .destination_port = destination_port,
        .tcp_flags = 0x1b,
        .version = strchr(source, ':') != NULL ? 6 : 4,
        .protocol = 6,
    };
    set_address(r.source, source);
    set_address(r.destination, destination);
    return r;
}

static struct netflow_record upward(void)
{
    return flow_of("10.0.0.1", 50000, "198.18.0.5", 443);
}

static struct netflow_record downward(void)
{
    return flow_of("198.18.0.5", 443, "10.0.0.1", 50000);
}

static void add(struct rig *r, struct netflow_record record)
{
    netflow_aggregate_add(r->aggregate, &r->origin, &record, NOW_MS);
}

static void drain(struct rig *r)
{
    r->count = 0;
    netflow_aggregate_drain(r->aggregate, NOW_MS, true);
}

static void test_biflows(struct rig *r)
{
    struct netflow_record record = downward();
    test_case("two directions of one connection are one biflow");
    record.octets = 2000;
    record.start_ms += 20;
    add(r, record);
    add(r, upward());
    drain(r);
    CHECK_I64(r->count, 1);
    CHECK_TEXT(r->flows[0].endpoint_id, "erp");
    CHECK_I64(r->flows[0].octets, 1000);
    CHECK_I64(r->flows[0].roctets, 2000);
    CHECK_I64(r->flows[0].payload, 1000 - 10 * 40);
    CHECK_I64(r->flows[0].direction, 1);
    CHECK_I64(r->flows[0].port, 443);
    CHECK_I64(r->flows[0].name_evidence, NAME_NONE);
    CHECK_I64(r->flows[0].start_ms, NOW_MS - 5000);
    CHECK(flow_record_is_two_way(&r->flows[0]));
    CHECK(!r->is_scaled[0]);

    test_case("PRIV-02: the inside address is a keyed pseudonym");
    uint64_t pseudonym = r->flows[0].host_pseudonym;
    add(r, flow_of("10.0.0.2", 50000, "198.18.0.5", 443));
    drain(r);
    CHECK(pseudonym != 0 && r->flows[0].host_pseudonym != pseudonym);

    test_case("RFC 5103: a record with both directions, either way round");
    record = downward();
    record.roctets = 77;
    record.rpackets = 1;
    add(r, record);
    drain(r);
    CHECK_I64(r->flows[0].octets, 77);
    CHECK_I64(r->flows[0].roctets, 1000);

    test_case("seen coming in and going out, it is one flow");
    record = upward();
    add(r, record);
    record.direction = NETFLOW_EGRESS;
    add(r, record);
    drain(r);
    CHECK_I64(r->flows[0].octets, 1000);

    test_case("behind NAT both directions meet");
    add(r, upward());
    record = flow_of("198.18.0.5", 443, "203.0.113.1", 33333);
    record.has_post_destination = true;
    set_address(record.post_destination, "10.0.0.1");
    record.post_destination_port = 50000;
    add(r, record);
    drain(r);
    CHECK_I64(r->count, 1);

    test_case("IPv6");
    add(r, flow_of("fd00::1", 50000, "2001:db8::5", 443));
    drain(r);
    CHECK_TEXT(r->flows[0].endpoint_id, "six");
    CHECK(r->flows[0].is_ipv6);

    test_case("one direction waits a minute for the other");
    add(r, upward());
    r->count = 0;
    netflow_aggregate_drain(r->aggregate, NOW_MS + 59000, false);
    CHECK_I64(r->count, 0);
    add(r, downward());
    netflow_aggregate_drain(r->aggregate, NOW_MS + 59000, false);
    CHECK_I64(r->count, 1);
    add(r, upward());
    netflow_aggregate_drain(r->aggregate, NOW_MS + 60000, false);
    CHECK_I64(r->count, 2);
}

static void test_refusals(struct rig *r)
{
    struct netflow_record record = upward();
    test_case("PRIV-01: other traffic is dropped and counted");
    add(r, flow_of("10.0.0.1", 50000, "8.8.8.8", 443));
    add(r, flow_of("10.0.0.1", 50000, "198.18.0.5", 80));
    CHECK_I64(r->tally.elsewhere, 2);

    test_case("an endpoint no longer valid is none");
    add(r, flow_of("10.0.0.1", 50000, "198.18.7.7", 443));
    CHECK_I64(r->tally.elsewhere, 3);

    test_case("on a shared address a flow without a name does not count");
    add(r, flow_of("10.0.0.1", 50000, "198.18.9.9", 443));
    CHECK_I64(r->tally.shared, 1);

    test_case("older than 72 h, in the future, ending before it starts");
    record.start_ms = NOW_MS - 73 * INT64_C(3600000);
    add(r, record);
    CHECK_I64(r->tally.old, 1);
    record.start_ms = record.end_ms = NOW_MS + 301000;
    add(r, record);
    CHECK_I64(r->tally.future, 1);
    record.start_ms = NOW_MS;
    record.end_ms = NOW_MS - 1;
    add(r, record);
    CHECK_I64(r->tally.impossible, 1);

    test_case("absurd counts");
    record = upward();
    record.octets = UINT64_MAX;
    add(r, record);
    record.octets = UINT64_C(1) << 39;
    record.rate = (struct netflow_rate){1, UINT32_MAX};
    add(r, record);
    CHECK_I64(r->tally.impossible, 3);

    test_case("no packets at all");
    record = upward();
    record.octets = record.packets = 0;
    add(r, record);
    CHECK_I64(r->tally.empty, 1);
    drain(r);
    CHECK_I64(r->count, 0);
}

static void test_sampling(struct rig *r)
{
    struct netflow_record record = upward();
    test_case("sampled counts are scaled and marked");
    record.rate = (struct netflow_rate){2, 201};
    add(r, record);
    drain(r);
    CHECK_I64(r->flows[0].octets, 100500);
    CHECK(r->is_scaled[0]);

    test_case("the registry's sampling wins over the exporter's");
    r->origin.override = (struct netflow_rate){1, 10};
    add(r, record);
    drain(r);
    CHECK_I64(r->flows[0].octets, 10000);

    test_case("one in one is not sampled");
    r->origin.override = (struct netflow_rate){1, 1};
    add(r, record);
    drain(r);
    CHECK_I64(r->flows[0].octets, 1000);
    CHECK(!r->is_scaled[0]);
    r->origin.override = (struct netflow_rate){0};
}

static struct netflow_record total_of(uint64_t octets, int64_t start_ms)
{
    struct netflow_record record = upward();
    record.totals = NETFLOW_TOTAL_OCTETS | NETFLOW_TOTAL_PACKETS;
    record.octets = octets;
    record.packets = octets / 100;
    record.start_ms = start_ms;
    return record;
}

static void test_totals(struct rig *r)
{
    int64_t start_ms = NOW_MS - 5000;
    test_case("RFC 7012: a total replaces the one before");
    add(r, total_of(1000, start_ms));
    add(r, total_of(1500, start_ms));
    drain(r);
    CHECK_I64(r->flows[0].octets, 1500);
    add(r, total_of(1700, start_ms));
    drain(r);
    CHECK_I64(r->flows[0].octets, 200);

    test_case("the same total again is nothing new");
    uint64_t empty = r->tally.empty;
    add(r, total_of(1700, start_ms));
    CHECK_I64(r->tally.empty, empty + 1);

    test_case("another flow of the same addresses starts at zero");
    add(r, total_of(300, start_ms + 1));
    drain(r);
    CHECK_I64(r->flows[0].octets, 300);

    test_case("a new endpoint list does not count it again");
    netflow_aggregate_set_endpoints(r->aggregate, r->endpoints);
    add(r, total_of(1800, start_ms));
    drain(r);
    CHECK_I64(r->flows[0].octets, 100);

    test_case("of a long flow whose start was not seen only growth counts");
    add(r, total_of(1000000, NOW_MS - 7200000));
    CHECK_I64(r->tally.unsettled, 1);
    add(r, total_of(1000100, NOW_MS - 7200000));
    drain(r);
    CHECK_I64(r->flows[0].octets, 100);

    test_case("a collector that restarts does not count the total again");
    r->origin.since_ms = NOW_MS - 1000;
    add(r, total_of(5000, NOW_MS - 4000));
    CHECK_I64(r->tally.unsettled, 2);
    add(r, total_of(5100, NOW_MS - 4000));
    drain(r);
    CHECK_I64(r->flows[0].octets, 100);
    r->origin.since_ms = 0;
}

static void test_bounds(struct rig *r)
{
    test_case("a full table gives its flows out early and counts on");
    r->count = 0;
    for (uint16_t i = 0; i < 3 * FLOWS; i++)
        add(r, flow_of("10.0.0.1", 1000 + i, "198.18.0.5", 443));
    CHECK_I64(r->tally.early, 2 * FLOWS);
    netflow_aggregate_drain(r->aggregate, NOW_MS, true);
    CHECK_I64(r->count, 3 * FLOWS);
}

int main(void)
{
    struct rig r;
    set_up(&r);
    test_biflows(&r);
    test_refusals(&r);
    test_sampling(&r);
    test_totals(&r);
    test_bounds(&r);
    tear_down(&r);
    return test_end();
}
