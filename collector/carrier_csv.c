/*
 * Rows of carriers' tables:
 *
 *   start,end,number,kind,user_address,user_port,cloud_address,cloud_port,
 *   protocol,octets_up,octets_down,packets_up,packets_down,connections
 *
 * `kind` of the number (common/number.h) may be left out: then every kind that
 * the number could be is looked for. Times have a zone; up is towards the
 * cloud.
 */
#include "collector/carrier.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "collector/number_import.h"
#include "ledger/intake.h"

enum {
    START,
    END,
    NUMBER,
    KIND,
    USER_ADDRESS,
    USER_PORT,
    CLOUD_ADDRESS,
    CLOUD_PORT,
    PROTOCOL,
    OCTETS_UP,
    OCTETS_DOWN,
    PACKETS_UP,
    PACKETS_DOWN,
    CONNECTIONS,
};
enum { TCP = 6, UDP = 17 };

const struct csv_column CARRIER_COLUMNS[] = {
    [START] = {"start", true},
    [END] = {"end", true},
    [NUMBER] = {"number", false},
    [KIND] = {"kind", false},
    [USER_ADDRESS] = {"user_address", false},
    [USER_PORT] = {"user_port", false},
    [CLOUD_ADDRESS] = {"cloud_address", true},
    [CLOUD_PORT] = {"cloud_port", true},
    [PROTOCOL] = {"protocol", true},
    [OCTETS_UP] = {"octets_up", true},
    [OCTETS_DOWN] = {"octets_down", true},
    [PACKETS_UP] = {"packets_up", true},
    [PACKETS_DOWN] = {"packets_down", true},
    [CONNECTIONS] = {"connections", false},
};
const size_t CARRIER_COLUMN_COUNT =
    sizeof(CARRIER_COLUMNS) / sizeof(CARRIER_COLUMNS[0]);

static const char *read_times(const struct csv_file *file, struct wall_time now,
                              struct carrier_record *r)
{
    if (!csv_time_read(csv_file_field(file, START), &r->start_ms) ||
        !csv_time_read(csv_file_field(file, END), &r->end_ms))
        return "start, end: not times with date, clock and zone, such as "
               "2026-11-23T08:00:00+08:00";
    if (r->end_ms < r->start_ms)
        return "end: before start";
    if (r->end_ms > wall_to_ms(now))
        return "end: in the future";
    return r->end_ms - r->start_ms <= CARRIER_DURATION_S * INT64_C(1000)
               ? NULL
               : "end: more than a day after start";
}

static const char *read_numbers(const struct csv_file *file,
                                struct carrier_record *r)
{
    static char text[120];
    struct slice number = csv_file_field(file, NUMBER);
    struct slice kind = csv_file_field(file, KIND);
    enum number_kind only = NUMBER_KIND_COUNT;
    const char *fault = NULL;
    if (kind.length > 0 && !number_kind_from(kind, &only))
        return "kind: none of broadband_account, mobile_number, iot_sim";
    if (number.length == 0)
        return NULL;
    for (int k = 0; k < NUMBER_KIND_COUNT; k++) {
        if (only != NUMBER_KIND_COUNT && (int)only != k)
            continue;
        const char *why = number_read((enum number_kind)k, number,
                                      &r->numbers[r->number_count]);
        if (why == NULL)
            r->number_count++;
        else
            fault = why;
    }
    if (r->number_count > 0)
        return NULL;
    snprintf(text, sizeof(text), "number: it %s", fault);
    return text;
}

static const char *read_user_side(const struct csv_file *file,
                                  struct carrier_record *r)
{
    struct slice address = csv_file_field(file, USER_ADDRESS);
    struct slice port = csv_file_field(file, USER_PORT);
    uint64_t value;
    r->has_address = address.length > 0;
    if (r->has_address && !address_from_text(address, &r->user_address))
        return "user_address: not an address";
    r->user_port = NUMBER_PORT_UNKNOWN;
    if (port.length > 0) {
        if (!parse_u64(port, 0, NUMBER_PORT_MAX, &value))
            return "user_port: not from 0 to 65535";
        r->user_port = (int)value;
    }
    const char *fault = read_numbers(file, r);
    if (fault != NULL)
        return fault;
    return r->has_address || r->number_count > 0
               ? NULL
               : "number, user_address: one of the two is needed";
}

static const char *read_cloud_side(const struct csv_file *file,
                                   struct carrier_record *r)
{
    struct slice protocol = csv_file_field(file, PROTOCOL);
    uint64_t value;
    if (!address_from_text(csv_file_field(file, CLOUD_ADDRESS),
                           &r->cloud_address))
        return "cloud_address: not an address";
    if (!parse_u64(csv_file_field(file, CLOUD_PORT), 0, NUMBER_PORT_MAX,
                   &value))
        return "cloud_port: not from 0 to 65535";
    r->cloud_port = (uint16_t)value;
    if (slice_equal_nocase(protocol, SLICE("tcp")))
        value = TCP;
    else if (slice_equal_nocase(protocol, SLICE("udp")))
        value = UDP;
    else if (!parse_u64(protocol, 1, UINT8_MAX, &value))
        return "protocol: neither tcp nor udp nor a number";
    r->protocol = (uint8_t)value;
    return NULL;
}

static const char *read_counts(const struct csv_file *file,
                               struct carrier_record *r)
{
    static const struct {
        int column;
        size_t member;
        const char *fault;
    } COUNTS[] = {
#define COUNT(column, member)                                                  \
    {column, offsetof(struct carrier_record, member),                          \
     #member ": not a number up to 2^42"}
        COUNT(OCTETS_UP, octets_up),
        COUNT(OCTETS_DOWN, octets_down),
        COUNT(PACKETS_UP, packets_up),
        COUNT(PACKETS_DOWN, packets_down),
#undef COUNT
    };
    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++)
        if (!parse_u64(csv_file_field(file, (size_t)COUNTS[i].column), 0,
                       INTAKE_RECORD_OCTETS_MAX,
                       (uint64_t *)((char *)r + COUNTS[i].member)))
            return COUNTS[i].fault;
    if (r->octets_up < r->packets_up || r->octets_down < r->packets_down)
        return "octets: fewer than packets";
    struct slice connections = csv_file_field(file, CONNECTIONS);
    r->connections = 1;
    return connections.length == 0 ||
                   parse_u64(connections, 1, CARRIER_CONNECTIONS_MAX,
                             &r->connections)
               ? NULL
               : "connections: not from 1 to 1000";
}

const char *carrier_row_read(const struct csv_file *file, struct wall_time now,
                             struct carrier_record *record)
{
    memset(record, 0, sizeof(*record)); /* it is hashed whole */
    const char *fault = read_times(file, now, record);
    if (fault == NULL)
        fault = read_user_side(file, record);
    if (fault == NULL)
        fault = read_cloud_side(file, record);
    return fault != NULL ? fault : read_counts(file, record);
}
