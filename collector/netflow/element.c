/*
 * Numbers are those of the IANA registry, which has NetFlow v9's of Cisco as
 * its first block; 231, 232, 298 and 299 are how security appliances count
 * both ways of a connection. flowStartMicroseconds and -Nanoseconds are NTP
 * times (RFC 7011 6.1.9, 6.1.10). The vendors' NetStream uses the same numbers.
 */
#include "collector/netflow/element.h"

#include "collector/netflow/netflow_record.h"
#include "common/wire/ipfix.h"

#define REVERSE IPFIX_ENTERPRISE_REVERSE

#define PLACE(member)                                                          \
    {                                                                          \
        offsetof(struct netflow_record, member),                               \
            sizeof(((struct netflow_record *)NULL)->member)                    \
    }

const struct netflow_place netflow_places[SLOT_COUNT] = {
    [SLOT_OCTETS] = PLACE(octets),
    [SLOT_PACKETS] = PLACE(packets),
    [SLOT_ROCTETS] = PLACE(roctets),
    [SLOT_RPACKETS] = PLACE(rpackets),
    [SLOT_START] = PLACE(start_ms),
    [SLOT_END] = PLACE(end_ms),
    [SLOT_SELECTOR] = PLACE(selector),
    [SLOT_INIT] = PLACE(init_ms),
    [SLOT_FLOW_ID] = PLACE(flow_id),
    [SLOT_INPUT] = PLACE(input),
    [SLOT_OUTPUT] = PLACE(output),
    [SLOT_ONE_IN] = PLACE(one_in),
    [SLOT_INTERVAL] = PLACE(interval),
    [SLOT_SPACE] = PLACE(space),
    [SLOT_SIZE] = PLACE(size),
    [SLOT_SAMPLED_FROM] = PLACE(sampled_from),
    [SLOT_PROBABILITY] = PLACE(probability),
    [SLOT_SOURCE_PORT] = PLACE(source_port),
    [SLOT_DESTINATION_PORT] = PLACE(destination_port),
    [SLOT_POST_SOURCE_PORT] = PLACE(post_source_port),
    [SLOT_POST_DESTINATION_PORT] = PLACE(post_destination_port),
    [SLOT_TCP_FLAGS] = PLACE(tcp_flags),
    [SLOT_RTCP_FLAGS] = PLACE(rtcp_flags),
    [SLOT_PROTOCOL] = PLACE(protocol),
    [SLOT_DIRECTION] = PLACE(direction),
    [SLOT_END_REASON] = PLACE(end_reason),
    [SLOT_SOURCE] = PLACE(source),
    [SLOT_DESTINATION] = PLACE(destination),
    [SLOT_POST_SOURCE] = PLACE(post_source),
    [SLOT_POST_DESTINATION] = PLACE(post_destination),
    [SLOT_SOURCE6] = PLACE(source6),
    [SLOT_DESTINATION6] = PLACE(destination6),
    [SLOT_USER_NAME] = {offsetof(struct netflow_record, user_name), 0},
    [SLOT_IMSI] = {offsetof(struct netflow_record, imsi), 0},
    [SLOT_MSISDN] = {offsetof(struct netflow_record, msisdn), 0},
};

static const struct netflow_element elements[] = {
    {0, 1, SLOT_OCTETS, SENSE_PLAIN, 8, 0},  /* octetDeltaCount */
    {0, 85, SLOT_OCTETS, SENSE_TOTAL, 8, 1}, /* octetTotalCount */
    {0, 231, SLOT_OCTETS, SENSE_PLAIN, 8, 2},
    {0, 2, SLOT_PACKETS, SENSE_PLAIN, 8, 0},  /* packetDeltaCount */
    {0, 86, SLOT_PACKETS, SENSE_TOTAL, 8, 1}, /* packetTotalCount */
    {0, 298, SLOT_PACKETS, SENSE_PLAIN, 8, 2},
    {REVERSE, 1, SLOT_ROCTETS, SENSE_PLAIN, 8, 0},
    {REVERSE, 85, SLOT_ROCTETS, SENSE_TOTAL, 8, 1},
    {0, 232, SLOT_ROCTETS, SENSE_PLAIN, 8, 2},
    {REVERSE, 2, SLOT_RPACKETS, SENSE_PLAIN, 8, 0},
    {REVERSE, 86, SLOT_RPACKETS, SENSE_TOTAL, 8, 1},
    {0, 299, SLOT_RPACKETS, SENSE_PLAIN, 8, 2},
    {0, 152, SLOT_START, SENSE_MILLISECONDS, 8, 0},
    {0, 154, SLOT_START, SENSE_NTP, 8, 1},
    {0, 156, SLOT_START, SENSE_NTP, 8, 2},
    {0, 158, SLOT_START, SENSE_DELTA_US, 4, 3},
    {0, 22, SLOT_START, SENSE_UPTIME, 4, 4},
    {0, 150, SLOT_START, SENSE_SECONDS, 4, 5},
    {0, 153, SLOT_END, SENSE_MILLISECONDS, 8, 0},
    {0, 155, SLOT_END, SENSE_NTP, 8, 1},
    {0, 157, SLOT_END, SENSE_NTP, 8, 2},
    {0, 159, SLOT_END, SENSE_DELTA_US, 4, 3},
    {0, 21, SLOT_END, SENSE_UPTIME, 4, 4},
    {0, 151, SLOT_END, SENSE_SECONDS, 4, 5},
    {0, 302, SLOT_SELECTOR, SENSE_PLAIN, 8, 0}, /* selectorId */
    {0, 48, SLOT_SELECTOR, SENSE_PLAIN, 8, 1},  /* samplerId */
    {0, 160, SLOT_INIT, SENSE_PLAIN, 8, 0},     /* systemInitTime */
    {0, 148, SLOT_FLOW_ID, SENSE_PLAIN, 8, 0},
    {0, 10, SLOT_INPUT, SENSE_PLAIN, 4, 0},
    {0, 14, SLOT_OUTPUT, SENSE_PLAIN, 4, 0},
    {0, 34, SLOT_ONE_IN, SENSE_PLAIN, 4, 0},    /* samplingInterval */
    {0, 50, SLOT_ONE_IN, SENSE_PLAIN, 4, 1},    /* samplerRandomInterval */
    {0, 305, SLOT_INTERVAL, SENSE_PLAIN, 4, 0}, /* samplingPacketInterval */
    {0, 306, SLOT_SPACE, SENSE_PLAIN, 4, 0},    /* samplingPacketSpace */
    {0, 309, SLOT_SIZE, SENSE_PLAIN, 4, 0},
    {0, 310, SLOT_SAMPLED_FROM, SENSE_PLAIN, 4, 0},
    {0, 311, SLOT_PROBABILITY, SENSE_PLAIN, 8, 0}, /* samplingProbability */
    {0, 7, SLOT_SOURCE_PORT, SENSE_PLAIN, 2, 0},
    {0, 180, SLOT_SOURCE_PORT, SENSE_PLAIN, 2, 1}, /* UDP's */
    {0, 182, SLOT_SOURCE_PORT, SENSE_PLAIN, 2, 2}, /* TCP's */
    {0, 11, SLOT_DESTINATION_PORT, SENSE_PLAIN, 2, 0},
    {0, 181, SLOT_DESTINATION_PORT, SENSE_PLAIN, 2, 1},
    {0, 183, SLOT_DESTINATION_PORT, SENSE_PLAIN, 2, 2},
    {0, 227, SLOT_POST_SOURCE_PORT, SENSE_PLAIN, 2, 0},
    {0, 228, SLOT_POST_DESTINATION_PORT, SENSE_PLAIN, 2, 0},
    {0, 6, SLOT_TCP_FLAGS, SENSE_PLAIN, 2, 0},
    {REVERSE, 6, SLOT_RTCP_FLAGS, SENSE_PLAIN, 2, 0},
    {0, 4, SLOT_PROTOCOL, SENSE_PLAIN, 1, 0},
    {0, 61, SLOT_DIRECTION, SENSE_PLAIN, 1, 0},
    {0, 136, SLOT_END_REASON, SENSE_PLAIN, 1, 0},
    {0, 8, SLOT_SOURCE, SENSE_IPV4, 4, 0},
    {0, 27, SLOT_SOURCE, SENSE_IPV6, 16, 1},
    {0, 12, SLOT_DESTINATION, SENSE_IPV4, 4, 0},
    {0, 28, SLOT_DESTINATION, SENSE_IPV6, 16, 1},
    {0, 225, SLOT_POST_SOURCE, SENSE_IPV4, 4, 0},
    {0, 281, SLOT_POST_SOURCE, SENSE_IPV6, 16, 1},
    {0, 226, SLOT_POST_DESTINATION, SENSE_IPV4, 4, 0},
    {0, 282, SLOT_POST_DESTINATION, SENSE_IPV6, 16, 1},
    {0, 371, SLOT_USER_NAME, SENSE_TEXT, 0, 0}, /* userName */
    {0, 455, SLOT_IMSI, SENSE_TEXT, 0, 0},      /* mobileIMSI */
    {0, 456, SLOT_MSISDN, SENSE_TEXT, 0, 0},    /* mobileMSISDN */
};

const struct netflow_element *netflow_element_find(uint32_t enterprise,
                                                   uint16_t id)
{
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
        if (elements[i].id == id && elements[i].enterprise == enterprise)
            return &elements[i];
    return NULL;
}
