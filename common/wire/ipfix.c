/*
 * The table of information elements: one row each, in the order of
 * enum ipfix_element_id. Numbers, types and names of the first block are the
 * IANA registry's; reverse elements are RFC 5103's; the rest are ours. What
 * each means to people stands in text/ipfix.po, one plain line by its name.
 */
#include "common/wire/ipfix.h"

#define REVERSE IPFIX_ENTERPRISE_REVERSE
#define OURS    YZ_ENTERPRISE

const struct ipfix_element ipfix_elements[IE_COUNT] = {
    [IE_OCTET_DELTA_COUNT] = {0, 1, IPFIX_UNSIGNED, 8, "octetDeltaCount"},
    [IE_PACKET_DELTA_COUNT] = {0, 2, IPFIX_UNSIGNED, 8, "packetDeltaCount"},
    [IE_PROTOCOL_IDENTIFIER] = {0, 4, IPFIX_UNSIGNED, 1, "protocolIdentifier"},
    [IE_TCP_CONTROL_BITS] = {0, 6, IPFIX_UNSIGNED, 2, "tcpControlBits"},
    [IE_DESTINATION_PORT] = {0, 11, IPFIX_UNSIGNED, 2,
                             "destinationTransportPort"},
    [IE_DESTINATION_IPV4] = {0, 12, IPFIX_IPV4, 4, "destinationIPv4Address"},
    [IE_DESTINATION_IPV6] = {0, 28, IPFIX_IPV6, 16, "destinationIPv6Address"},
    [IE_APPLICATION_NAME] = {0, 96, IPFIX_STRING, IPFIX_VARIABLE,
                             "applicationName"},
    [IE_FLOW_END_REASON] = {0, 136, IPFIX_UNSIGNED, 1, "flowEndReason"},
    [IE_FLOW_START_MS] = {0, 152, IPFIX_MILLISECONDS, 8,
                          "flowStartMilliseconds"},
    [IE_FLOW_END_MS] = {0, 153, IPFIX_MILLISECONDS, 8, "flowEndMilliseconds"},
    [IE_INITIATOR_OCTETS] = {0, 231, IPFIX_UNSIGNED, 8, "initiatorOctets"},
    [IE_RESPONDER_OCTETS] = {0, 232, IPFIX_UNSIGNED, 8, "responderOctets"},
    [IE_BIFLOW_DIRECTION] = {0, 239, IPFIX_UNSIGNED, 1, "biflowDirection"},
    [IE_REV_OCTET_DELTA_COUNT] = {REVERSE, 1, IPFIX_UNSIGNED, 8,
                                  "reverseOctetDeltaCount"},
    [IE_REV_PACKET_DELTA_COUNT] = {REVERSE, 2, IPFIX_UNSIGNED, 8,
                                   "reversePacketDeltaCount"},
    [IE_REV_TCP_CONTROL_BITS] = {REVERSE, 6, IPFIX_UNSIGNED, 2,
                                 "reverseTcpControlBits"},
    [IE_ENDPOINT_ID] = {OURS, 1, IPFIX_STRING, IPFIX_VARIABLE, "endpointId"},
    [IE_NAME_EVIDENCE] = {OURS, 2, IPFIX_UNSIGNED, 1, "nameEvidence"},
    [IE_CLIENT_FINGERPRINT] = {OURS, 3, IPFIX_OCTETS, 8, "clientFingerprint"},
    [IE_FLOW_TOKEN] = {OURS, 4, IPFIX_OCTETS, 16, "flowToken"},
    [IE_HOST_PSEUDONYM] = {OURS, 5, IPFIX_UNSIGNED, 8, "hostPseudonym"},
    [IE_HANDSHAKE_RTT_US] = {OURS, 6, IPFIX_UNSIGNED, 4,
                             "handshakeRttMicroseconds"},
    [IE_BURST_COUNT] = {OURS, 7, IPFIX_UNSIGNED, 4, "burstCount"},
    [IE_BATCH_VERSION] = {OURS, 20, IPFIX_UNSIGNED, 1, "batchVersion"},
    [IE_PROBE_ID] = {OURS, 21, IPFIX_STRING, IPFIX_VARIABLE, "probeId"},
    [IE_BOOT_ID] = {OURS, 22, IPFIX_OCTETS, 16, "bootId"},
    [IE_BATCH_SEQUENCE] = {OURS, 23, IPFIX_UNSIGNED, 8, "batchSequence"},
    [IE_PREVIOUS_BATCH_HASH] = {OURS, 24, IPFIX_OCTETS, 32,
                                "previousBatchHash"},
    [IE_PERIOD_START_MS] = {OURS, 25, IPFIX_MILLISECONDS, 8,
                            "periodStartMilliseconds"},
    [IE_PERIOD_END_MS] = {OURS, 26, IPFIX_MILLISECONDS, 8,
                          "periodEndMilliseconds"},
    [IE_CLOCK_QUALITY] = {OURS, 27, IPFIX_UNSIGNED, 1, "clockQuality"},
    [IE_PACKETS_SEEN] = {OURS, 28, IPFIX_UNSIGNED, 8, "packetsSeen"},
    [IE_PACKETS_DROPPED] = {OURS, 29, IPFIX_UNSIGNED, 8, "packetsDropped"},
    [IE_FLOWS_EVICTED] = {OURS, 30, IPFIX_UNSIGNED, 8, "flowsEvicted"},
    [IE_BATCHES_LOST] = {OURS, 31, IPFIX_UNSIGNED, 8, "batchesLost"},
    [IE_SOFTWARE_HASH] = {OURS, 32, IPFIX_OCTETS, 32, "softwareHash"},
    [IE_REGISTRY_VERSION] = {OURS, 33, IPFIX_OCTETS, 32, "registryVersion"},
    [IE_RECORD_COUNT] = {OURS, 34, IPFIX_UNSIGNED, 8, "recordCount"},
    [IE_BATCH_OCTETS] = {OURS, 35, IPFIX_UNSIGNED, 8, "batchOctets"},
    [IE_BATCH_PACKETS] = {OURS, 36, IPFIX_UNSIGNED, 8, "batchPackets"},
    [IE_CONTENT_HASH] = {OURS, 37, IPFIX_OCTETS, 32, "contentHash"},
    [IE_SIGNATURE_ALGORITHM] = {OURS, 38, IPFIX_UNSIGNED, 1,
                                "signatureAlgorithm"},
    [IE_SIGNATURE] = {OURS, 39, IPFIX_OCTETS, 64, "signature"},
    [IE_COLLECTOR_CHALLENGE] = {OURS, 40, IPFIX_OCTETS, 16,
                                "collectorChallenge"},
    [IE_CLOCK_OFFSET_MS] = {OURS, 41, IPFIX_SIGNED, 8,
                            "clockOffsetMilliseconds"},
    [IE_LOSS_FIRST_SEQUENCE] = {OURS, 42, IPFIX_UNSIGNED, 8,
                                "lossFirstSequence"},
    [IE_LOSS_LAST_SEQUENCE] = {OURS, 43, IPFIX_UNSIGNED, 8, "lossLastSequence"},
    [IE_LOSS_REASON] = {OURS, 44, IPFIX_UNSIGNED, 1, "lossReason"},
    [IE_BATCH_HASH] = {OURS, 50, IPFIX_OCTETS, 32, "batchHash"},
    [IE_LEDGER_INDEX] = {OURS, 51, IPFIX_UNSIGNED, 8, "ledgerIndex"},
    [IE_RECEIVED_MS] = {OURS, 52, IPFIX_MILLISECONDS, 8,
                        "receivedMilliseconds"},
    [IE_RECEIPT_STATUS] = {OURS, 53, IPFIX_UNSIGNED, 1, "receiptStatus"},
    [IE_CHALLENGE_ISSUED_MS] = {OURS, 54, IPFIX_MILLISECONDS, 8,
                                "challengeIssuedMilliseconds"},
    [IE_CHALLENGE_EXPIRES_MS] = {OURS, 55, IPFIX_MILLISECONDS, 8,
                                 "challengeExpiresMilliseconds"},
    [IE_CLOCK_REQUEST_MS] = {OURS, 56, IPFIX_MILLISECONDS, 8,
                             "clockRequestMilliseconds"},
    [IE_CLOCK_RECEIVE_MS] = {OURS, 57, IPFIX_MILLISECONDS, 8,
                             "clockReceiveMilliseconds"},
    [IE_CLOCK_TRANSMIT_MS] = {OURS, 58, IPFIX_MILLISECONDS, 8,
                              "clockTransmitMilliseconds"},
    [IE_REGISTRY_SERIAL] = {OURS, 59, IPFIX_UNSIGNED, 8, "registrySerial"},
    [IE_REGISTRY_ISSUED_MS] = {OURS, 60, IPFIX_MILLISECONDS, 8,
                               "registryIssuedMilliseconds"},
    [IE_REGISTRY_FROM] = {OURS, 61, IPFIX_OCTETS, 32, "registryFrom"},
    [IE_CHUNK_INDEX] = {OURS, 62, IPFIX_UNSIGNED, 4, "chunkIndex"},
    [IE_CHUNK_COUNT] = {OURS, 63, IPFIX_UNSIGNED, 4, "chunkCount"},
    [IE_CHUNK] = {OURS, 64, IPFIX_OCTETS, IPFIX_VARIABLE, "chunk"},
};

int ipfix_element_find(uint32_t enterprise, uint16_t id)
{
    for (int i = 0; i < IE_COUNT; i++) {
        if (ipfix_elements[i].id == id &&
            ipfix_elements[i].enterprise == enterprise)
            return i;
    }
    return -1;
}
