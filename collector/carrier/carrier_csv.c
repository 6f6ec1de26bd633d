/*
 * Rows of carriers' tables:
 *
 *   start,end,number,kind,user_address,user_port,cloud_address,cloud_port,
 *   protocol,octets_up,octets_down,packets_up,packets_down,connections
 *
 * `kind` of the number (common/wire/number.h) may be left out: then every kind that
 * the number could be is looked for. Times have a zone; up is towards the
 * cloud.
 */
#include "collector/carrier/carrier_form.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "collector/carrier/number_import.h"
#include "collector/ledger/intake.h"
#include "common/text.h"
#include "common/writer.h"

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

static const char *read_times(const struct csv_file *file,
                              struct carrier_record *r)
{
    if (!csv_time_read(csv_file_field(file, START), &r->start_ms) ||
        !csv_time_read(csv_file_field(file, END), &r->end_ms))
        return "start, end: not times with date, clock and zone, such as "
               "2026-11-23T08:00:00+08:00";
    return NULL;
}

static const char *read_numbers(const struct csv_file *file,
                                struct carrier_record *r)
{
    static char text[120];
    struct slice number = csv_file_field(file, NUMBER);
    struct slice kind = csv_file_field(file, KIND);
    enum number_kind only;
    unsigned kinds = CARRIER_ANY_KIND;
    if (kind.length > 0) {
        if (!number_kind_from(kind, &only))
            return "kind: none of broadband_account, mobile_number, iot_sim";
        kinds = 1u << only;
    }
    if (number.length == 0)
        return NULL;
    const char *fault = carrier_record_number(r, number, kinds);
    if (fault == NULL)
        return NULL;
    snprintf(text, sizeof(text), "number: %s",
             text_word(LANGUAGE_EN, "", fault));
    return text;
}

static const char *read_user_side(const struct csv_file *file,
                                  struct carrier_record *r)
{
    struct slice address = csv_file_field(file, USER_ADDRESS);
    struct slice port = csv_file_field(file, USER_PORT);
    uint64_t value;
    struct carrier_user *user = &r->users[0];
    r->user_count = address.length > 0;
    if (address.length > 0 && !address_from_text(address, &user->address))
        return "user_address: not an address";
    user->port = NUMBER_PORT_UNKNOWN;
    if (port.length > 0) {
        if (!parse_u64(port, 0, NUMBER_PORT_MAX, &value))
            return "user_port: not from 0 to 65535";
        user->port = (int)value;
    }
    const char *fault = read_numbers(file, r);
    if (fault != NULL)
        return fault;
    return r->user_count > 0 || r->has_number
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
    memset(record, 0, sizeof(*record));
    const char *fault = read_times(file, record);
    if (fault == NULL)
        fault = read_user_side(file, record);
    if (fault == NULL)
        fault = read_cloud_side(file, record);
    if (fault == NULL)
        fault = read_counts(file, record);
    return fault != NULL ? fault : carrier_record_fault(record, now);
}

/* --- the form --- */

static void *open_table(const char *path, const struct endpoint_list *endpoints,
                        struct error_text *error)
{
    (void)endpoints;
    return csv_file_open(path, CARRIER_COLUMNS, CARRIER_COLUMN_COUNT, error);
}

static void close_table(void *file)
{
    csv_file_close(file);
}

static bool read_table(void *file, struct wall_time now, carrier_row_fn *fn,
                       void *context, struct carrier_reading *reading,
                       struct error_text *error)
{
    struct carrier_record record;
    enum csv_status status;
    if (!csv_file_rewind(file, error))
        return false;
    while ((status = csv_file_next(file)) != CSV_END) {
        if (status == CSV_FAILED)
            return error_set(error, "%s:%" PRIu64 ": %s", csv_file_name(file),
                             csv_file_line(file), csv_file_fault(file));
        const char *fault = status == CSV_ROW
                                ? carrier_row_read(file, now, &record)
                                : csv_file_fault(file);
        if (!fn(context, fault == NULL ? &record : NULL, fault))
            return false;
    }
    *reading = (struct carrier_reading){.hash = csv_file_digest(file)};
    return true;
}

static void place_in_table(const void *file, char *text, size_t size)
{
    snprintf(text, size, "%s:%" PRIu64, csv_file_name(file),
             csv_file_line(file));
}

static bool reject_header(const void *file, FILE *out)
{
    return fprintf(out, "%s\n", csv_file_header(file)) > 0;
}

static bool reject_row(const void *file, const struct carrier_record *record,
                       FILE *out)
{
    struct slice raw = csv_file_raw(file);
    (void)record;
    return fwrite(raw.data, 1, raw.length, out) == raw.length &&
           fputc('\n', out) != EOF;
}

const struct carrier_form carrier_csv = {
    .name = "carrier-csv",
    .open = open_table,
    .close = close_table,
    .read = read_table,
    .place = place_in_table,
    .reject_header = reject_header,
    .reject = reject_row,
};

/* --- records of other forms as rows --- */

bool carrier_csv_write_header(FILE *out)
{
    for (size_t i = 0; i < CARRIER_COLUMN_COUNT; i++)
        if (fprintf(out, "%s%s", i > 0 ? "," : "", CARRIER_COLUMNS[i].name) < 0)
            return false;
    return fputc('\n', out) != EOF;
}

/* Quoted; what no line can hold, and what only spoils a terminal, as "?". */
static void write_number(const char *text, FILE *out)
{
    fputc('"', out);
    for (const char *t = text; *t != '\0'; t++) {
        if (*t == '"')
            fputc('"', out);
        fputc((unsigned char)*t < ' ' || *t == 0x7f ? '?' : *t, out);
    }
    fputc('"', out);
}

bool carrier_csv_write(const struct carrier_record *record, FILE *out)
{
    const struct carrier_record *r = record;
    char start[WALL_TEXT_LEN], end[WALL_TEXT_LEN];
    char user[ADDRESS_TEXT_LEN] = "", port[8] = "", cloud[ADDRESS_TEXT_LEN];
    wall_to_text(wall_from_ms(r->start_ms), start);
    wall_to_text(wall_from_ms(r->end_ms), end);
    address_to_text(&r->cloud_address, cloud);
    if (r->user_count > 0) {
        address_to_text(&r->users[0].address, user);
        if (r->users[0].port != NUMBER_PORT_UNKNOWN)
            snprintf(port, sizeof(port), "%d", r->users[0].port);
    }
    fprintf(out, "%s,%s,", start, end);
    if (r->has_number)
        write_number(r->number_text, out);
    return fprintf(out,
                   ",%s,%s,%s,%s,%u,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64
                   ",%" PRIu64 ",%" PRIu64 "\n",
                   r->number_count == 1 ? number_kind_text(r->numbers[0].kind)
                                        : "",
                   user, port, cloud, r->cloud_port, r->protocol, r->octets_up,
                   r->octets_down, r->packets_up, r->packets_down,
                   r->connections) > 0;
}
