/* Records are added to a list that is sorted and joined when it is full, so
 * memory is bounded by what comes out. */
#include "collector/report/number_usage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/detail_read.h"
#include "common/columns.h"
#include "common/writer.h"

struct row {
    uint64_t host;
    char endpoint_id[ENDPOINT_ID_LEN];
    int32_t day;
    bool is_sample; /* demo data */
    uint64_t flows, octets, packets, roctets, rpackets;
};

struct rows {
    struct row *list;
    size_t count;
};

static int compare(const void *one, const void *other)
{
    const struct row *a = one, *b = other;
    int order = (a->host > b->host) - (a->host < b->host);
    if (order == 0)
        order = strcmp(a->endpoint_id, b->endpoint_id);
    if (order == 0)
        order = (a->day > b->day) - (a->day < b->day);
    return order != 0 ? order : (int)a->is_sample - (int)b->is_sample;
}

static void join(struct rows *rows)
{
    size_t kept = 0;
    qsort(rows->list, rows->count, sizeof(*rows->list), compare);
    for (size_t i = 0; i < rows->count; i++) {
        struct row *last = kept > 0 ? &rows->list[kept - 1] : NULL;
        const struct row *r = &rows->list[i];
        if (last == NULL || compare(last, r) != 0) {
            rows->list[kept++] = *r;
            continue;
        }
        last->flows += r->flows;
        last->octets += r->octets;
        last->packets += r->packets;
        last->roctets += r->roctets;
        last->rpackets += r->rpackets;
    }
    rows->count = kept;
}

/* At least half of the list is then free again. */
static bool join_within(struct rows *rows, struct error_text *error)
{
    join(rows);
    return rows->count <= NUMBER_USAGE_MAX ||
           error_set(error, "more than %d rows; ask for fewer days",
                     NUMBER_USAGE_MAX);
}

static bool add(struct rows *rows, const struct flow_record *r, bool is_sample,
                struct error_text *error)
{
    if (rows->count == 2 * NUMBER_USAGE_MAX && !join_within(rows, error))
        return false;
    struct row *row = &rows->list[rows->count++];
    *row = (struct row){
        .host = r->host_pseudonym,
        .day = day_of_wall(wall_from_ms(r->start_ms)).number,
        .is_sample = is_sample,
        .flows = 1,
        .octets = r->octets,
        .packets = r->packets,
        .roctets = r->roctets,
        .rpackets = r->rpackets,
    };
    memcpy(row->endpoint_id, r->endpoint_id, sizeof(row->endpoint_id));
    return true;
}

static uint64_t host_of(struct slice hash)
{
    uint64_t host = 0;
    for (size_t i = 0; i < 8 && i < hash.length; i++)
        host = host << 8 | (uint8_t)hash.data[i];
    return host;
}

/* --- reading --- */

struct question {
    struct civil_day from, to;
    const struct digest *only;
};

struct batch {
    uint64_t index; /* of the ledger */
    bool is_sample;
};

static bool add_batch(struct rows *rows, struct detail_reader *reader,
                      const struct batch *batch, const struct question *q,
                      struct error_text *error)
{
    const struct flow_record *records;
    size_t count;
    uint64_t only = q->only != NULL
                        ? host_of(slice_of_bytes(q->only->bytes, DIGEST_LEN))
                        : 0;
    if (!detail_reader_batch(reader, batch->index, &records, &count))
        return error_set(error,
                         "flow detail of batch %" PRIu64 " cannot be read",
                         batch->index);
    for (size_t i = 0; i < count; i++) {
        int32_t day = day_of_wall(wall_from_ms(records[i].start_ms)).number;
        bool is_asked = day >= q->from.number && day < q->to.number &&
                        (q->only == NULL || records[i].host_pseudonym == only);
        if (is_asked && !add(rows, &records[i], batch->is_sample, error))
            return false;
    }
    return true;
}

static bool read_batches(struct db *db, const char *enterprise,
                         const struct question *q, struct rows *rows,
                         struct error_text *error)
{
    struct detail_reader *reader = detail_reader_new(db);
    struct db_statement *s = db_prepare(
        db,
        "SELECT idx, is_sample FROM ledger WHERE enterprise_id = :enterprise "
        "AND source = 'carrier' AND is_counted "
        "AND period_start_ms >= :from AND period_start_ms < :to");
    bool good = reader != NULL && s != NULL;
    enum db_step step = DB_FAILED;
    if (good) {
        db_bind_text(s, ":enterprise", enterprise);
        db_bind_i64(s, ":from", wall_to_ms(day_start(q->from)));
        db_bind_i64(s, ":to", wall_to_ms(day_start(q->to)));
        while (good && (step = db_step(s)) == DB_ROW) {
            struct batch batch = {db_u64(s, 0), db_i64(s, 1) != 0};
            good = add_batch(rows, reader, &batch, q, error);
        }
        db_reset(s);
        if (good && step == DB_FAILED)
            good = error_set(error, "%s", db_error(db));
    } else {
        error_set(error, "%s", reader != NULL ? db_error(db) : "out of memory");
    }
    detail_reader_free(reader);
    return good;
}

/* --- showing --- */

struct name {
    uint64_t host;
    char kind[24], mask[64];
};

static int compare_name(const void *one, const void *other)
{
    const struct name *a = one, *b = other;
    return (a->host > b->host) - (a->host < b->host);
}

/* All numbers by host, sorted. NULL without memory or on failure. */
static struct name *read_names(struct db *db, size_t *count)
{
    struct name *names = NULL;
    size_t capacity = 0;
    struct db_statement *s =
        db_prepare(db, "SELECT hash, kind, mask FROM number");
    enum db_step step = s == NULL ? DB_FAILED : db_step(s);
    *count = 0;
    for (; step == DB_ROW; step = db_step(s)) {
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            struct name *more = realloc(names, capacity * sizeof(*more));
            if (more == NULL)
                break;
            names = more;
        }
        struct name *n = &names[(*count)++];
        *n = (struct name){.host = host_of(db_blob(s, 0))};
        slice_copy(slice_of_text(db_text(s, 1)), n->kind, sizeof(n->kind));
        slice_copy(slice_of_text(db_text(s, 2)), n->mask, sizeof(n->mask));
    }
    if (s != NULL)
        db_reset(s);
    if (*count > 0)
        qsort(names, *count, sizeof(*names), compare_name);
    if (step == DB_DONE && names == NULL)
        names = calloc(1, sizeof(*names));
    if (step == DB_DONE)
        return names;
    free(names);
    return NULL;
}

static const struct name *name_of(const struct name *names, size_t count,
                                  uint64_t host)
{
    static const struct name NONE = {0, "", ""};
    const struct name wanted = {.host = host};
    const struct name *n =
        bsearch(&wanted, names, count, sizeof(*names), compare_name);
    return n != NULL ? n : &NONE;
}

static struct slice number_text(const struct name *n, enum language language)
{
    return slice_of_text(n->mask[0] != '\0'
                             ? n->mask
                             : text_word(language, "", "collector.no_number"));
}

static const struct column COLUMNS[] = {
    {TEXT_KEY("collector.column.number"), 28},
    {TEXT_KEY("collector.column.kind"), 18},
    {TEXT_KEY("collector.column.endpoint"), 24},
    {TEXT_KEY("collector.column.day"), 10},
    {TEXT_KEY("collector.column.demo"), 4},
    {TEXT_KEY("collector.column.flows"), -8},
    {TEXT_KEY("collector.column.octets"), -14},
    {TEXT_KEY("collector.column.packets"), -10},
    {TEXT_KEY("collector.column.octets_back"), -14},
    {TEXT_KEY("collector.column.packets_back"), -10},
};

static void show_table(const struct rows *rows, const struct name *names,
                       size_t count, enum language language, struct buffer *out)
{
    char day[DAY_TEXT_LEN];
    columns_add_heads(out, language, COLUMNS,
                      sizeof(COLUMNS) / sizeof(COLUMNS[0]));
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *r = &rows->list[i];
        const struct name *n = name_of(names, count, r->host);
        day_to_text((struct civil_day){r->day}, day);
        columns_add(out, number_text(n, language), 28);
        buffer_addf(out, " %-18s %-24s %-10s ", n->kind, r->endpoint_id, day);
        columns_add(
            out,
            slice_of_text(
                r->is_sample ? text_word(language, "", "collector.demo") : ""),
            4);
        buffer_addf(out,
                    " %8" PRIu64 " %14" PRIu64 " %10" PRIu64 " %14" PRIu64
                    " %10" PRIu64 "\n",
                    r->flows, r->octets, r->packets, r->roctets, r->rpackets);
    }
}

/* Without a number where there was an address only. */
static void show_json(const struct rows *rows, const struct name *names,
                      size_t count, struct buffer *out)
{
    char day[DAY_TEXT_LEN];
    struct json_writer json;
    json_start(&json, out);
    json_array_begin(&json, NULL);
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *r = &rows->list[i];
        const struct name *n = name_of(names, count, r->host);
        day_to_text((struct civil_day){r->day}, day);
        json_object_begin(&json, NULL);
        if (n->mask[0] != '\0')
            json_text(&json, "number", n->mask);
        else
            json_no_value(&json, "number");
        json_text(&json, "kind", n->kind);
        json_text(&json, "endpoint", r->endpoint_id);
        json_text(&json, "day", day);
        json_text(&json, "source", "carrier");
        json_bool(&json, "sample", r->is_sample);
        json_u64(&json, "flows", r->flows);
        json_u64(&json, "octets", r->octets);
        json_u64(&json, "packets", r->packets);
        json_u64(&json, "roctets", r->roctets);
        json_u64(&json, "rpackets", r->rpackets);
        json_object_end(&json);
    }
    json_array_end(&json);
    buffer_add_text(out, "\n");
}

bool number_usage_report(struct db *usage_db, const char *enterprise_id,
                         struct civil_day from, struct civil_day to,
                         const struct digest *only, bool as_json,
                         enum language language, struct buffer *out,
                         struct error_text *error)
{
    const struct question question = {from, to, only};
    struct rows rows = {calloc(2 * NUMBER_USAGE_MAX, sizeof(struct row)), 0};
    struct name *names = NULL;
    size_t name_count = 0;
    bool good = rows.list != NULL ||
                error_set(error, "out of memory for usage by number");
    good =
        good && read_batches(usage_db, enterprise_id, &question, &rows, error);
    good = good && join_within(&rows, error);
    if (good && (names = read_names(usage_db, &name_count)) == NULL)
        good = error_set(error, "%s", db_error(usage_db));
    if (good && as_json)
        show_json(&rows, names, name_count, out);
    else if (good)
        show_table(&rows, names, name_count, language, out);
    free(names);
    free(rows.list);
    return good;
}
