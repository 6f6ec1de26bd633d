/* Times and milliseconds have three decimals; an unknown round-trip time is 0,
 * unknown text is empty; end_reason is the number of RFC 7012. */
#include "probe/local.h"

#include <string.h>

#include "common/writer.h"

static void add_address(struct json_writer *json, const char *key,
                        const struct address *address)
{
    char text[ADDRESS_TEXT_LEN];
    address_to_text(address, text);
    json_text(json, key, text);
}

static void add_side(struct json_writer *json, const struct flow *flow)
{
    json_u64(json, "packets", flow->forward.packets);
    json_u64(json, "octets", flow->forward.octets);
    json_u64(json, "rpackets", flow->reverse.packets);
    json_u64(json, "roctets", flow->reverse.octets);
    json_u64(json, "payload", flow->forward.payload);
    json_u64(json, "rpayload", flow->reverse.payload);
    json_u64(json, "flags", flow->forward.tcp_flags);
    json_u64(json, "rflags", flow->reverse.tcp_flags);
}

static void add_token(struct json_writer *json, const struct flow *flow)
{
    static const uint8_t none[FLOW_TOKEN_LEN];
    if (memcmp(flow->token, none, FLOW_TOKEN_LEN) == 0)
        json_text(json, "token", "");
    else
        json_hex(json, "token", flow->token, FLOW_TOKEN_LEN);
}

static const char *tls_version_text(uint16_t version)
{
    static const struct {
        uint16_t version;
        const char *text;
    } versions[] = {{0x0304, "1.3"},
                    {0x0303, "1.2"},
                    {0x0302, "1.1"},
                    {0x0301, "1.0"},
                    {0x0300, "3.0"}};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (versions[i].version == version)
            return versions[i].text;
    return "";
}

void local_add_flow(struct buffer *out, const struct flow *flow)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_thousandths(&json, "start", wall_to_ms(flow->start));
    json_thousandths(&json, "end", wall_to_ms(flow->end));
    json_u64(&json, "proto", flow->key.protocol);
    add_address(&json, "src", &flow->key.source);
    json_u64(&json, "sport", flow->key.source_port);
    add_address(&json, "dst", &flow->key.destination);
    json_u64(&json, "dport", flow->key.destination_port);
    add_side(&json, flow);
    json_u64(&json, "vlan", flow->key.vlan);
    json_text(&json, "name", flow->name);
    json_text(&json, "name_source", name_evidence_text(flow->name_source));
    json_text(&json, "app", flow->application);
    add_token(&json, flow);
    json_text(&json, "fingerprint", flow->fingerprint_text);
    json_thousandths(&json, "rtt_ms", flow->rtt_us);
    json_u64(&json, "end_reason", flow->end_reason);
    json_thousandths(&json, "rtt_client_ms", flow->rtt_client_us);
    json_u64(&json, "retransmissions", flow->forward.retransmissions);
    json_u64(&json, "rretransmissions", flow->reverse.retransmissions);
    json_text(&json, "tls_version", tls_version_text(flow->tls_version));
    json_text(&json, "alpn", flow->alpn);
    json_bool(&json, "answered", flow->is_answered);
    json_object_end(&json);
    buffer_add_u8(out, '\n');
}

void local_add_summary(struct buffer *out,
                       const struct meter_counters *counters)
{
    struct json_writer json;
    uint64_t undecodable = 0;
    for (int i = 0; i < UNDECODABLE_COUNT; i++)
        undecodable += counters->undecodable[i];
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_object_begin(&json, "summary");
    json_u64(&json, "packets", counters->packets);
    json_u64(&json, "octets", counters->octets);
    json_u64(&json, "undecodable", undecodable);
    json_u64(&json, "filtered", counters->filtered);
    json_u64(&json, "flows", counters->flows);
    json_u64(&json, "evicted", counters->evicted);
    json_u64(&json, "duplicates", counters->duplicates);
    json_u64(&json, "texts_missed", counters->texts_missed);
    json_object_end(&json);
    json_object_end(&json);
    buffer_add_u8(out, '\n');
}
