/*
 * Everything that is known of the carrier and what the file has beyond it stand
 * in one map while a file is taken: overlaps are found by its sealing, and what
 * of it has a line is new.
 */
#include "collector/carrier/number_import.h"

#include <stdio.h>
#include <string.h>

#include "collector/ledger/source_batch.h"
#include "common/text.h"

enum { NUMBER, KIND, ADDRESS, PORT_FROM, PORT_TO, FROM, TO };
enum { PREFIX_MIN_V4 = 24, PREFIX_MIN_V6 = 48, BARE_DATE = 10 };

const struct csv_column NUMBER_COLUMNS[] = {
    [NUMBER] = {"number", true},
    [KIND] = {"kind", true},
    [ADDRESS] = {"address", true},
    [PORT_FROM] = {"port_from", false},
    [PORT_TO] = {"port_to", false},
    [FROM] = {"from", true},
    [TO] = {"to", true},
};
const size_t NUMBER_COLUMN_COUNT =
    sizeof(NUMBER_COLUMNS) / sizeof(NUMBER_COLUMNS[0]);

bool csv_time_read(struct slice text, int64_t *ms)
{
    struct wall_time time;
    if (text.length <= BARE_DATE || !wall_from_text(text, &time))
        return false;
    *ms = wall_to_ms(time);
    return true;
}

bool carrier_is_name(const char *name)
{
    return strlen(name) < SOURCE_NAME_LEN && slice_is_id(slice_of_text(name));
}

/* --- one row --- */

static bool is_unicast(const struct address *a)
{
    static const uint8_t LOW[15] = {0};
    if (a->version == 4)
        return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
    return a->bytes[0] != 0xff && memcmp(a->bytes, LOW, sizeof(LOW)) != 0;
}

static const char *read_address(struct slice text,
                                struct number_interval *interval)
{
    struct prefix prefix;
    if (!prefix_from_text(text, &prefix))
        return "address: neither an address nor a prefix";
    if (!is_unicast(&prefix.address))
        return "address: none that an access can have";
    if (prefix.length <
        (prefix.address.version == 4 ? PREFIX_MIN_V4 : PREFIX_MIN_V6))
        return "address: a prefix wider than /24 (IPv6: /48)";
    number_interval_address(interval, &prefix);
    return NULL;
}

static const char *read_ports(const struct csv_file *file,
                              struct number_interval *interval)
{
    struct slice from = csv_file_field(file, PORT_FROM);
    struct slice to = csv_file_field(file, PORT_TO);
    uint64_t first = 0, last = NUMBER_PORT_MAX;
    interval->port_from = 0;
    interval->port_to = NUMBER_PORT_MAX;
    if (from.length == 0 && to.length == 0)
        return NULL;
    if (!parse_u64(from, 0, NUMBER_PORT_MAX, &first) ||
        !parse_u64(to, 0, NUMBER_PORT_MAX, &last))
        return "port_from, port_to: two ports from 0 to 65535, or none";
    if (last < first)
        return "port_to: before port_from";
    if (interval->length != 128)
        return "port_from, port_to: ports of a whole prefix";
    interval->port_from = (uint16_t)first;
    interval->port_to = (uint16_t)last;
    return NULL;
}

static const char *read_times(const struct csv_file *file, struct wall_time now,
                              struct number_interval *interval)
{
    static const char NO_TIME[] = "not a time with date, clock and zone, such "
                                  "as 2026-11-23T08:00:00+08:00";
    static char text[sizeof(NO_TIME) + 8];
    struct slice to = csv_file_field(file, TO);
    interval->to_ms = NUMBER_STILL;
    if (!csv_time_read(csv_file_field(file, FROM), &interval->from_ms)) {
        snprintf(text, sizeof(text), "from: %s", NO_TIME);
        return text;
    }
    if (to.length > 0 && !csv_time_read(to, &interval->to_ms)) {
        snprintf(text, sizeof(text), "to: %s", NO_TIME);
        return text;
    }
    if (interval->to_ms == interval->from_ms)
        return "to: the period has no length";
    if (interval->to_ms < interval->from_ms)
        return "to: before from";
    int64_t now_ms = wall_to_ms(now);
    if (interval->from_ms > now_ms)
        return "from: in the future";
    if (interval->to_ms != NUMBER_STILL && interval->to_ms > now_ms)
        return "to: in the future (leave it empty while the period lasts)";
    return NULL;
}

const char *number_row_read(const struct csv_file *file, struct wall_time now,
                            struct number *number,
                            struct number_interval *interval)
{
    static char text[100];
    enum number_kind kind;
    if (!number_kind_from(csv_file_field(file, KIND), &kind))
        return "kind: none of broadband_account, mobile_number, iot_sim";
    const char *fault = number_read(kind, csv_file_field(file, NUMBER), number);
    if (fault != NULL) {
        snprintf(text, sizeof(text), "number: %s",
                 text_word(LANGUAGE_EN, "", fault));
        return text;
    }
    fault = read_address(csv_file_field(file, ADDRESS), interval);
    if (fault == NULL)
        fault = read_ports(file, interval);
    return fault != NULL ? fault : read_times(file, now, interval);
}

/* --- the tables --- */

static bool find_or_add_number(struct db *db, const struct secret *key,
                               const struct number *number,
                               uint32_t *number_key)
{
    char mask[NUMBER_LEN];
    struct digest hash = number_hash(key, number);
    struct db_statement *s =
        db_prepare(db, "SELECT key FROM number WHERE hash = :hash");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        *number_key = (uint32_t)db_i64(s, 0);
    db_reset(s);
    if (step != DB_DONE)
        return step == DB_ROW;
    s = db_prepare(db, "INSERT INTO number (kind, hash, mask) "
                       "VALUES (:kind, :hash, :mask)");
    if (s == NULL)
        return false;
    number_mask(number, mask);
    db_bind_text(s, ":kind", number_kind_text(number->kind));
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":mask", mask);
    bool good = db_do(s);
    *number_key = (uint32_t)db_last_rowid(db);
    return good;
}

static bool store_interval(struct db *db, const char *carrier,
                           const struct number_interval *n)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO number_interval (carrier, address, prefix_length, "
            "port_from, port_to, from_ms, to_ms, number) VALUES (:carrier, "
            ":address, :length, :port_from, :port_to, :from, :to, :number) "
            "ON CONFLICT DO UPDATE SET to_ms = :to");
    if (s == NULL)
        return false;
    db_bind_text(s, ":carrier", carrier);
    db_bind_blob(s, ":address", n->address, sizeof(n->address));
    db_bind_i64(s, ":length", n->length);
    db_bind_i64(s, ":port_from", n->port_from);
    db_bind_i64(s, ":port_to", n->port_to);
    db_bind_i64(s, ":from", n->from_ms);
    db_bind_i64(s, ":to", n->to_ms);
    db_bind_i64(s, ":number", n->number);
    return db_do(s);
}

static bool add_known(struct number_map *map, struct db *db,
                      const char *carrier, int64_t from_ms, int64_t to_ms,
                      struct error_text *error)
{
    struct db_statement *s = db_prepare(
        db, "SELECT address, prefix_length, port_from, port_to, from_ms, "
            "to_ms, number FROM number_interval WHERE carrier = :carrier "
            "AND from_ms < :to AND to_ms > :from");
    enum db_step step = DB_FAILED;
    bool good = s != NULL;
    if (s != NULL) {
        db_bind_text(s, ":carrier", carrier);
        db_bind_i64(s, ":from", from_ms);
        db_bind_i64(s, ":to", to_ms);
        while (good && (step = db_step(s)) == DB_ROW) {
            struct number_interval n = {
                .length = (uint8_t)db_i64(s, 1),
                .port_from = (uint16_t)db_i64(s, 2),
                .port_to = (uint16_t)db_i64(s, 3),
                .from_ms = db_i64(s, 4),
                .to_ms = db_i64(s, 5),
                .number = (uint32_t)db_i64(s, 6),
            };
            memcpy(n.address, db_blob(s, 0).data, sizeof(n.address));
            good = number_map_add(map, &n);
        }
        db_reset(s);
    }
    if (!good && s != NULL)
        return error_set(error, "%s: more than %d intervals of numbers",
                         carrier, NUMBER_INTERVALS_MAX);
    return step == DB_DONE || error_set(error, "%s", db_error(db));
}

static void ignore_conflict(void *context, const struct number_interval *a,
                            const struct number_interval *b)
{
    (void)context, (void)a, (void)b;
}

struct number_map *number_map_load(struct db *usage_db, const char *carrier,
                                   int64_t from_ms, int64_t to_ms,
                                   struct error_text *error)
{
    struct number_map *map = number_map_new();
    if (map == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (add_known(map, usage_db, carrier, from_ms, to_ms, error)) {
        if (number_map_seal(map, ignore_conflict, NULL))
            return map;
        error_set(error, "%s: kept intervals of numbers overlap", carrier);
    }
    number_map_free(map);
    return NULL;
}

/* --- a file --- */

struct taking {
    struct db *db;
    const struct secret *key;
    const char *carrier;
    struct csv_file *file;
    struct wall_time now;
    struct number_map *map;
    struct number_import_result *result;
    struct csv_faults *faults;
    struct error_text *error;
};

static void name_conflict(void *context, const struct number_interval *a,
                          const struct number_interval *b)
{
    struct taking *t = context;
    const char *name = csv_file_name(t->file);
    const struct number_interval *late = a->line > b->line ? a : b;
    const struct number_interval *early = late == a ? b : a;
    const char *whom = a->number == b->number ? "this number's" : "another's";
    if (early->line == 0)
        csv_faults_add(t->faults, name, late->line,
                       "address, ports and period overlap %s from before",
                       whom);
    else
        csv_faults_add(t->faults, name, late->line,
                       "address, ports and period overlap %s in line %u", whom,
                       early->line);
}

static bool take_row(struct taking *t)
{
    struct number number;
    struct number_interval interval = {0};
    uint64_t line = csv_file_line(t->file);
    t->result->rows++;
    const char *fault = number_row_read(t->file, t->now, &number, &interval);
    if (fault != NULL) {
        csv_faults_add(t->faults, csv_file_name(t->file), line, "%s", fault);
        return true;
    }
    interval.line = (uint32_t)line;
    if (!find_or_add_number(t->db, t->key, &number, &interval.number))
        return error_set(t->error, "%s", db_error(t->db));
    return number_map_has(t->map, &interval) ||
           number_map_add(t->map, &interval) ||
           error_set(t->error, "%s: more than %d intervals of numbers",
                     csv_file_name(t->file), NUMBER_INTERVALS_MAX);
}

static bool take_rows(struct taking *t)
{
    enum csv_status status;
    while ((status = csv_file_next(t->file)) != CSV_END) {
        if (status == CSV_FAILED)
            return error_set(t->error, "%s:%llu: %s", csv_file_name(t->file),
                             (unsigned long long)csv_file_line(t->file),
                             csv_file_fault(t->file));
        if (status == CSV_BAD_ROW)
            csv_faults_add(t->faults, csv_file_name(t->file),
                           csv_file_line(t->file), "%s",
                           csv_file_fault(t->file));
        else if (!take_row(t))
            return false;
    }
    return true;
}

static bool store_new(struct taking *t)
{
    for (size_t i = 0; i < number_map_count(t->map); i++) {
        const struct number_interval *n = number_map_at(t->map, i);
        if (n->line == 0)
            continue;
        if (!store_interval(t->db, t->carrier, n))
            return error_set(t->error, "%s", db_error(t->db));
        t->result->added++;
    }
    return true;
}

static bool take_all(struct taking *t)
{
    if (!add_known(t->map, t->db, t->carrier, INT64_MIN, INT64_MAX, t->error))
        return false;
    number_map_sort(t->map);
    if (!take_rows(t))
        return false;
    bool is_sealed = number_map_seal(t->map, name_conflict, t);
    if (t->faults->count > 0)
        return false;
    return is_sealed ? store_new(t) : error_set(t->error, "out of memory");
}

/* What number_import_file does, of an open table of NUMBER_COLUMNS. */
static bool import_csv(struct db *usage_db, const struct secret *key,
                       const char *carrier, struct csv_file *file,
                       struct wall_time now,
                       struct number_import_result *result,
                       struct csv_faults *faults, struct error_text *error)
{
    struct taking t = {usage_db,         key,    carrier, file, now,
                       number_map_new(), result, faults,  error};
    *result = (struct number_import_result){0};
    if (t.map == NULL)
        return error_set(error, "out of memory");
    bool good =
        db_begin(usage_db) || error_set(error, "%s", db_error(usage_db));
    if (good) {
        good = take_all(&t);
        if (!good)
            db_rollback(usage_db);
        else if (!db_commit(usage_db))
            good = error_set(error, "%s", db_error(usage_db));
    }
    number_map_free(t.map);
    return good;
}

bool number_import_file(struct db *usage_db, const struct secret *key,
                        const char *carrier, const char *path,
                        struct wall_time now,
                        struct number_import_result *result,
                        struct csv_faults *faults, struct error_text *error)
{
    struct csv_file *file =
        csv_file_open(path, NUMBER_COLUMNS, NUMBER_COLUMN_COUNT, error);
    if (file == NULL)
        return false;
    bool good =
        import_csv(usage_db, key, carrier, file, now, result, faults, error);
    csv_file_close(file);
    return good;
}
