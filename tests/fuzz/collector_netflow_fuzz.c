/* A session of a foreign exporter: the first byte chooses UDP or a stream, the
 * rest is taken as messages in a row. What they tell is aggregated. */
#include <stdlib.h>

#include "collector/netflow/aggregate.h"
#include "tests/fuzz/fuzz.h"

enum { FLOWS = 64, BUDGET = 1 << 20 };
static const int64_t NOW_MS = INT64_C(1764040800000);

struct fuzzing {
    struct netflow_aggregate *aggregate;
    struct netflow_origin origin;
};

static void take_record(void *context, const struct netflow_record *record)
{
    struct fuzzing *f = context;
    netflow_aggregate_add(f->aggregate, &f->origin, record, NOW_MS);
}

/* The ledger refuses batches with records that are not valid. */
static void take_flow(void *context, uint32_t exporter, bool is_scaled,
                      const struct flow_record *flow)
{
    (void)context;
    (void)exporter;
    (void)is_scaled;
    if (!flow_record_is_valid(flow))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secret key = {{1}};
    struct netflow_tally tally = {0};
    struct netflow_budget budget = {0, BUDGET};
    if (size == 0)
        return 0;
    static struct endpoint_list *endpoints;
    if (endpoints == NULL)
        endpoints = endpoint_list_any();
    struct fuzzing f = {
        netflow_aggregate_new(FLOWS, &key, take_flow, NULL),
        {.is_any_time = (data[0] & 2) != 0, .tally = &tally},
    };
    netflow_aggregate_set_endpoints(f.aggregate, endpoints);
    struct netflow_session *session = netflow_session_new(
        data[0] & 1 ? NETFLOW_STREAM : NETFLOW_UDP, 1800000, &budget);
    for (data++, size--; size > 0;) {
        int64_t length = netflow_message_length(data, size, true);
        if (length <= 0 || (size_t)length > size)
            length = (int64_t)size;
        netflow_session_take(session, data, (size_t)length, NOW_MS, take_record,
                             &f);
        data += length;
        size -= (size_t)length;
    }
    netflow_aggregate_drain(f.aggregate, NOW_MS, true);
    netflow_session_free(session);
    netflow_aggregate_free(f.aggregate);
    if (budget.used != 0)
        abort();
    return 0;
}
