/*
 * ENDPOINTS.csv in, answers out.
 *
 * Every (address row, port range) is an entry; entries hang on the node of
 * their prefix (prefix_map.h), the more definite first. A search finds the
 * longest prefix around the address and walks up to the wider ones until an
 * entry fits. Names are kept apart, sorted by endpoint, so that a wildcard is
 * found by cutting labels off the front of the name in question.
 */
#include "common/wire/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/prefix_map.h"
#include "common/wire/flow_record.h"
#include "common/writer.h"

enum {
    ROWS_MAX = 1000000,
    ENTRIES_MAX = 4000000,
    RANGES_PER_ROW = 64,
    HOST_MAX = 254, /* 253 characters (RFC 1035) and NUL */
};

enum column {
    COLUMN_ID,
    COLUMN_SUPPLIER,
    COLUMN_SERVICE,
    COLUMN_ADDRESS,
    COLUMN_HOST,
    COLUMN_PROTOCOL,
    COLUMN_PORTS,
    COLUMN_VALID_FROM,
    COLUMN_VALID_TO,
    COLUMN_SHARED,
    COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
    "id",       "supplier", "service",    "address",  "host",
    "protocol", "ports",    "valid_from", "valid_to", "shared"};

struct endpoint {
    const char *id;
    bool is_shared, has_hosts;
};

struct entry {
    struct prefix prefix;
    int32_t node, endpoint;
    struct wall_time from, to; /* [from, to) */
    uint16_t low, high;
    uint8_t protocol; /* 0: any */
};

struct host {
    const char *name; /* lower case, no final dot, no "*." */
    int32_t endpoint;
    bool is_wildcard;
};

struct endpoint_list {
    bool is_any;
    struct digest version;
    struct arena *texts;
    struct endpoint *endpoints;
    struct entry *entries;
    struct host *hosts;
    size_t endpoint_count, entry_count, host_count;
    size_t endpoint_room, entry_room, host_room;
    int32_t *ids; /* hash of ids: index + 1, 0 empty */
    size_t id_room;
    struct prefix_map *map;
    uint32_t *first_entry; /* by node; one more at the end */
};

/* --- growing --- */

/* Room for one more item; doubles. */
static bool grow(void **items, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *bigger = reallocarray(*items, wanted, size);
    if (bigger == NULL)
        return false;
    *items = bigger;
    *room = wanted;
    return true;
}

static size_t hash_of_text(const char *text)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* Where the id stands in the hash, or the empty place for it. */
static size_t id_place(const struct endpoint_list *list, const char *id)
{
    size_t mask = list->id_room - 1;
    size_t place = hash_of_text(id) & mask;
    while (list->ids[place] != 0 &&
           strcmp(list->endpoints[list->ids[place] - 1].id, id) != 0)
        place = (place + 1) & mask;
    return place;
}

static bool grow_ids(struct endpoint_list *list)
{
    if (list->endpoint_count * 2 < list->id_room)
        return true;
    free(list->ids);
    list->id_room = list->id_room == 0 ? 256 : list->id_room * 2;
    list->ids = calloc(list->id_room, sizeof(*list->ids));
    if (list->ids == NULL)
        return false;
    for (size_t i = 0; i < list->endpoint_count; i++)
        list->ids[id_place(list, list->endpoints[i].id)] = (int32_t)i + 1;
    return true;
}

/* --- reading --- */

/* One row, checked, not yet in the list. */
struct row {
    char id[ENDPOINT_ID_LEN];
    bool has_address, is_shared, is_wildcard;
    struct prefix prefix;
    char host[HOST_MAX];
    uint8_t protocol;
    struct {
        uint16_t low, high;
    } ranges[RANGES_PER_ROW];
    size_t range_count;
    struct wall_time from, to;
};

static bool read_id(struct slice text, struct row *row)
{
    return slice_is_id(text) && slice_copy(text, row->id, sizeof(row->id));
}

/* Lower case without its final dot; false when it is no host name, which has
 * the characters of an id. */
static bool normal_host(struct slice text, char name[static HOST_MAX])
{
    if (text.length > 0 && text.data[text.length - 1] == '.')
        text.length--;
    if (!slice_is_id(text) || !slice_copy(text, name, HOST_MAX))
        return false;
    for (char *c = name; *c != '\0'; c++)
        *c = slice_lower(*c);
    return true;
}

static bool read_host(struct slice text, struct row *row)
{
    if (text.length == 0)
        return true;
    if (text.length > 2 && memcmp(text.data, "*.", 2) == 0) {
        row->is_wildcard = true;
        text = slice_of_bytes(text.data + 2, text.length - 2);
    }
    return normal_host(text, row->host);
}

static bool read_protocol(struct slice text, struct row *row)
{
    if (text.length == 0 || slice_equal_nocase(text, SLICE("tcp")) ||
        slice_equal_nocase(text, SLICE("udp"))) {
        if (text.length > 0)
            row->protocol = slice_lower(text.data[0]) == 't' ? 6 : 17;
        return true;
    }
    return false;
}

/* "443", "8000-8010", lists of them; empty is every port. */
static bool read_ports(struct slice text, struct row *row)
{
    struct slice part, rest = text;
    if (text.length == 0) {
        row->ranges[0].high = UINT16_MAX;
        row->range_count = 1;
        return true;
    }
    while (slice_next(&rest, ',', &part)) {
        uint64_t low = 0, high = 0;
        struct slice first = {0}, last = slice_trim(part);
        slice_next(&last, '-', &first);
        if (row->range_count == RANGES_PER_ROW ||
            !parse_u64(slice_trim(first), 1, UINT16_MAX, &low))
            return false;
        high = low;
        if (last.data != NULL &&
            !parse_u64(slice_trim(last), low, UINT16_MAX, &high))
            return false;
        row->ranges[row->range_count].low = (uint16_t)low;
        row->ranges[row->range_count++].high = (uint16_t)high;
    }
    return true;
}

static bool read_shared(struct slice text, bool *value)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"", false},   {"no", false}, {"0", false},  {"false", false},
                 {"yes", true}, {"1", true},   {"true", true}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_equal_nocase(text, slice_of_text(words[i].word))) {
            *value = words[i].value;
            return true;
        }
    return false;
}

/* Names the column that is wrong, or gives NULL. */
static const char *read_row(const struct slice *fields, struct row *row)
{
    const struct slice address = fields[COLUMN_ADDRESS];
    *row = (struct row){.from = {INT64_MIN}, .to = {INT64_MAX}};
    if (!read_id(fields[COLUMN_ID], row))
        return "id: 1 to 39 letters, digits, \".\", \"_\" or \"-\"";
    row->has_address = address.length > 0;
    if (row->has_address && !prefix_from_text(address, &row->prefix))
        return "address: neither an IP address nor a CIDR prefix without "
               "host bits";
    if (!read_host(fields[COLUMN_HOST], row))
        return "host: not a host name or \"*.name\"";
    if (!row->has_address && row->host[0] == '\0')
        return "a row needs an address or a host";
    if (!read_protocol(fields[COLUMN_PROTOCOL], row))
        return "protocol: tcp, udp or empty";
    if (!read_ports(fields[COLUMN_PORTS], row))
        return "ports: such as \"443\" or \"443,8000-8010\", at most 64 ranges";
    if (fields[COLUMN_VALID_FROM].length > 0 &&
        !wall_from_text(fields[COLUMN_VALID_FROM], &row->from))
        return "valid_from: not a date or time";
    if (fields[COLUMN_VALID_TO].length > 0 &&
        !wall_from_text(fields[COLUMN_VALID_TO], &row->to))
        return "valid_to: not a date or time";
    if (row->from.us >= row->to.us)
        return "valid_to: not after valid_from";
    if (!read_shared(fields[COLUMN_SHARED], &row->is_shared))
        return "shared: yes or no";
    return NULL;
}

/* --- the list --- */

static int32_t endpoint_of_row(struct endpoint_list *list,
                               const struct row *row)
{
    if (!grow_ids(list))
        return ENDPOINT_NONE;
    size_t place = id_place(list, row->id);
    if (list->ids[place] != 0)
        return list->ids[place] - 1;
    void *items = list->endpoints;
    bool done = grow(&items, &list->endpoint_room, list->endpoint_count,
                     sizeof(*list->endpoints));
    list->endpoints = items;
    char *id = arena_copy_text(list->texts, slice_of_text(row->id));
    if (!done || id == NULL)
        return ENDPOINT_NONE;
    list->endpoints[list->endpoint_count] =
        (struct endpoint){.id = id, .is_shared = row->is_shared};
    list->ids[place] = (int32_t)++list->endpoint_count;
    return list->ids[place] - 1;
}

static bool add_entries(struct endpoint_list *list, const struct row *row,
                        int32_t endpoint)
{
    for (size_t i = 0; i < row->range_count; i++) {
        void *items = list->entries;
        bool done = list->entry_count < ENTRIES_MAX &&
                    grow(&items, &list->entry_room, list->entry_count,
                         sizeof(*list->entries));
        list->entries = items;
        if (!done)
            return false;
        list->entries[list->entry_count++] =
            (struct entry){.prefix = row->prefix,
                           .endpoint = endpoint,
                           .protocol = row->protocol,
                           .low = row->ranges[i].low,
                           .high = row->ranges[i].high,
                           .from = row->from,
                           .to = row->to};
    }
    return true;
}

static bool add_host(struct endpoint_list *list, const struct row *row,
                     int32_t endpoint)
{
    void *items = list->hosts;
    bool done =
        grow(&items, &list->host_room, list->host_count, sizeof(*list->hosts));
    list->hosts = items;
    char *name = arena_copy_text(list->texts, slice_of_text(row->host));
    if (!done || name == NULL)
        return false;
    list->endpoints[endpoint].has_hosts = true;
    list->hosts[list->host_count++] = (struct host){
        .name = name, .endpoint = endpoint, .is_wildcard = row->is_wildcard};
    return true;
}

/* A sentence, or NULL when the row is in the list. */
static const char *add_row(struct endpoint_list *list, const struct row *row)
{
    static const char no_memory[] = "too many rows for the memory";
    int32_t endpoint = endpoint_of_row(list, row);
    if (endpoint == ENDPOINT_NONE)
        return no_memory;
    if (list->endpoints[endpoint].is_shared != row->is_shared)
        return "shared: differs from an earlier row of the same id";
    if (row->has_address && !add_entries(list, row, endpoint))
        return no_memory;
    if (row->host[0] != '\0' && !add_host(list, row, endpoint))
        return no_memory;
    return NULL;
}

static int weight(const struct entry *e)
{
    return (e->protocol != 0) + (e->low > 0 || e->high < UINT16_MAX);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (weight(x) != weight(y))
        return weight(y) - weight(x);
    if (x->endpoint != y->endpoint)
        return x->endpoint < y->endpoint ? -1 : 1;
    return (int)x->low - (int)y->low;
}

static int compare_hosts(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    if (x->endpoint != y->endpoint)
        return x->endpoint < y->endpoint ? -1 : 1;
    if (x->is_wildcard != y->is_wildcard)
        return x->is_wildcard ? 1 : -1;
    return strcmp(x->name, y->name);
}

static bool make_map(struct endpoint_list *list)
{
    size_t count = list->entry_count;
    struct prefix *prefixes = calloc(count + 1, sizeof(*prefixes));
    if (prefixes == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        prefixes[i] = list->entries[i].prefix;
    list->map = prefix_map_new(prefixes, count);
    free(prefixes);
    return list->map != NULL;
}

/* Entries sorted by node, and where each node's begin. */
static bool finish(struct endpoint_list *list)
{
    if (!make_map(list))
        return false;
    size_t nodes = prefix_map_count(list->map);
    list->first_entry = calloc(nodes + 1, sizeof(*list->first_entry));
    if (list->first_entry == NULL)
        return false;
    for (size_t i = 0; i < list->entry_count; i++)
        list->entries[i].node =
            prefix_map_index(list->map, &list->entries[i].prefix);
    if (list->entry_count > 0)
        qsort(list->entries, list->entry_count, sizeof(*list->entries),
              compare_entries);
    if (list->host_count > 0)
        qsort(list->hosts, list->host_count, sizeof(*list->hosts),
              compare_hosts);
    for (size_t i = 0, node = 0; node <= nodes; node++) {
        while (i < list->entry_count && list->entries[i].node < (int32_t)node)
            i++;
        list->first_entry[node] = (uint32_t)i;
    }
    return true;
}

static bool check_header(const struct slice *fields, int count)
{
    if (count != COLUMN_COUNT)
        return false;
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (!slice_equal_text(slice_trim(fields[i]), column_names[i]))
            return false;
    return true;
}

/* All rows; "NAME:LINE: reason" in error. */
static bool read_rows(struct endpoint_list *list, struct slice text,
                      const char *name, struct error_text *error)
{
    struct buffer scratch;
    struct slice fields[COLUMN_COUNT];
    struct row row;
    const char *fault = NULL;
    unsigned line = 0, rows = 0;
    buffer_init(&scratch, 64 * 1024);
    int count = csv_read(&text, &scratch, fields, COLUMN_COUNT, &line);
    if (!check_header(fields, count))
        fault = "the header must be id,supplier,service,address,host,"
                "protocol,ports,valid_from,valid_to,shared";
    while (fault == NULL) {
        count = csv_read(&text, &scratch, fields, COLUMN_COUNT, &line);
        if (count == 0)
            break;
        for (int i = 0; i < count; i++)
            fields[i] = slice_trim(fields[i]);
        if (count == 1 && fields[0].length == 0)
            continue; /* an empty line */
        if (count != COLUMN_COUNT)
            fault = "not ten fields";
        else if (++rows > ROWS_MAX)
            fault = "more than 1000000 rows";
        else if ((fault = read_row(fields, &row)) == NULL)
            fault = add_row(list, &row);
    }
    buffer_clear(&scratch);
    return fault == NULL || error_set(error, "%s:%u: %s", name, line, fault);
}

struct endpoint_list *endpoint_list_parse(struct slice text, const char *name,
                                          struct error_text *error)
{
    struct endpoint_list *list = calloc(1, sizeof(*list));
    if (list != NULL)
        list->texts = arena_new(2 * (size_t)ENDPOINT_BYTES_MAX);
    if (list == NULL || list->texts == NULL) {
        error_set(error, "%s: no memory", name);
        goto fail;
    }
    list->version = digest_of(text.data, text.length);
    if (!read_rows(list, text, name, error))
        goto fail;
    if (!finish(list)) {
        error_set(error, "%s: no memory", name);
        goto fail;
    }
    return list;
fail:
    endpoint_list_free(list);
    return NULL;
}

struct endpoint_list *endpoint_list_load(const char *path,
                                         struct error_text *error)
{
    struct buffer text;
    struct endpoint_list *list = NULL;
    if (buffer_read_file(&text, path, ENDPOINT_BYTES_MAX))
        list = endpoint_list_parse(buffer_slice(&text), path, error);
    else
        error_set(error, "%s: %s", path, strerror(errno));
    buffer_clear(&text);
    return list;
}

struct endpoint_list *endpoint_list_any(void)
{
    struct endpoint_list *list = calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    list->is_any = true;
    list->endpoints = calloc(1, sizeof(*list->endpoints));
    if (list->endpoints == NULL || !finish(list)) {
        endpoint_list_free(list);
        return NULL;
    }
    list->endpoints[0].id = "any";
    list->endpoint_count = 1;
    return list;
}

void endpoint_list_free(struct endpoint_list *list)
{
    if (list == NULL)
        return;
    prefix_map_free(list->map);
    arena_free(list->texts);
    free(list->endpoints);
    free(list->entries);
    free(list->hosts);
    free(list->ids);
    free(list->first_entry);
    free(list);
}

bool endpoint_list_is_any(const struct endpoint_list *list)
{
    return list->is_any;
}

struct digest endpoint_list_version(const struct endpoint_list *list)
{
    return list->version;
}

/* --- answers --- */

struct question {
    uint8_t protocol;
    uint16_t port;
    struct wall_time when;
    const struct slice *name; /* NULL: any */
};

static bool fits(const struct endpoint_list *list, const struct entry *e,
                 const struct question *q)
{
    return (e->protocol == 0 || e->protocol == q->protocol) &&
           e->low <= q->port && q->port <= e->high &&
           e->from.us <= q->when.us && q->when.us < e->to.us &&
           (q->name == NULL ||
            endpoint_host_matches(list, e->endpoint, *q->name));
}

static int find(const struct endpoint_list *list, const struct address *a,
                const struct question *q)
{
    int32_t node = prefix_map_find(list->map, a);
    while (node != PREFIX_NONE) {
        for (uint32_t i = list->first_entry[node];
             i < list->first_entry[node + 1]; i++)
            if (fits(list, &list->entries[i], q))
                return list->entries[i].endpoint;
        node = prefix_map_node(list->map, (size_t)node)->parent;
    }
    return ENDPOINT_NONE;
}

int endpoint_find(const struct endpoint_list *list, const struct address *a,
                  uint8_t protocol, uint16_t port, struct wall_time when)
{
    if (list->is_any)
        return 0;
    struct question q = {.protocol = protocol, .port = port, .when = when};
    return find(list, a, &q);
}

int endpoint_find_by_name(const struct endpoint_list *list,
                          const struct address *a, uint8_t protocol,
                          uint16_t port, struct wall_time when,
                          struct slice name)
{
    struct question q = {
        .protocol = protocol, .port = port, .when = when, .name = &name};
    return find(list, a, &q);
}

const uint8_t *endpoint_list_near(const struct endpoint_list *list)
{
    return prefix_map_near(list->map);
}

int endpoint_find_id(const struct endpoint_list *list, const char *id)
{
    if (list->ids == NULL) /* the any-list, or an empty one */
        return list->endpoint_count > 0 &&
                       strcmp(list->endpoints[0].id, id) == 0
                   ? 0
                   : ENDPOINT_NONE;
    int32_t number = list->ids[id_place(list, id)];
    return number != 0 ? number - 1 : ENDPOINT_NONE;
}

const char *endpoint_id(const struct endpoint_list *list, int index)
{
    return list->endpoints[index].id;
}

bool endpoint_is_shared(const struct endpoint_list *list, int index)
{
    return list->endpoints[index].is_shared;
}

bool endpoint_has_hosts(const struct endpoint_list *list, int index)
{
    return list->endpoints[index].has_hosts;
}

static bool has_host(const struct endpoint_list *list, int index,
                     const char *name, bool is_wildcard)
{
    struct host wanted = {
        .name = name, .endpoint = index, .is_wildcard = is_wildcard};
    return list->host_count > 0 &&
           bsearch(&wanted, list->hosts, list->host_count, sizeof(*list->hosts),
                   compare_hosts) != NULL;
}

bool endpoint_host_matches(const struct endpoint_list *list, int index,
                           struct slice name)
{
    char text[HOST_MAX];
    if (!list->endpoints[index].has_hosts || !normal_host(name, text))
        return false;
    if (has_host(list, index, text, false))
        return true;
    for (const char *dot = strchr(text, '.'); dot != NULL;
         dot = strchr(dot + 1, '.'))
        if (dot != text && has_host(list, index, dot + 1, true))
            return true;
    return false;
}

size_t endpoint_rule_count(const struct endpoint_list *list)
{
    return list->entry_count;
}

struct endpoint_rule endpoint_rule_at(const struct endpoint_list *list,
                                      size_t index)
{
    const struct entry *e = &list->entries[index];
    return (struct endpoint_rule){.prefix = e->prefix,
                                  .protocol = e->protocol,
                                  .port_low = e->low,
                                  .port_high = e->high,
                                  .from = e->from,
                                  .to = e->to};
}

void endpoint_list_steady(const struct endpoint_list *list,
                          struct wall_time when, struct wall_time *from,
                          struct wall_time *to)
{
    *from = (struct wall_time){INT64_MIN};
    *to = (struct wall_time){INT64_MAX};
    for (size_t i = 0; i < list->entry_count; i++) {
        const struct wall_time ends[] = {list->entries[i].from,
                                         list->entries[i].to};
        for (int k = 0; k < 2; k++)
            if (ends[k].us <= when.us && ends[k].us > from->us)
                *from = ends[k];
            else if (ends[k].us > when.us && ends[k].us < to->us)
                *to = ends[k];
    }
}
