/*
 * Cells are found through an open-addressed index; before they are written
 * they are sorted, because ordered upserts into the table's tree cost half of
 * random ones, and because the same batch must always do the same work.
 *
 * A batch names few endpoints and hosts, many times: each is given a number
 * within the batch where it first appears, and the database is asked about it
 * once.
 */
#include "collector/ledger/usage.h"

#include <stdlib.h>
#include <string.h>

#include "collector/ledger/host_set.h"
#include "collector/ledger/ledger.h"
#include "common/wire/batch.h"

enum {
    FIRST_CELLS = 64,
    BUCKET_MS = USAGE_BUCKET_S * 1000,
    MINUTE_MS = 60000,
    KEY_SLOTS = 1 << 12,
    HOST_SLOTS = 1 << 16,
    HOST_SET_MAX = 64 * 1024 * 1024,
};

struct cell {
    int64_t endpoint; /* number in the batch; its key while it is written */
    int64_t bucket;   /* seconds since 1970 */
    uint64_t flows, octets, packets, roctets, rpackets;
    uint64_t names_confirmed, names_mismatched;
    uint32_t minutes;
};

struct sighting {
    int64_t endpoint, bucket, host; /* host: pseudonym; its number then */
};

struct endpoint {
    char id[ENDPOINT_ID_LEN];
};

/* Open-addressed: number + 1 of a thing, 0: empty; 2 * capacity of them. */
struct usage_sums {
    struct cell *cells;
    size_t count, capacity;
    uint32_t *index;
    struct endpoint *endpoints;
    size_t endpoint_count, endpoint_capacity;
    uint32_t *endpoint_index;
    size_t last_endpoint; /* of the record before */
    struct sighting *seen;
    size_t seen_count, seen_capacity;
};

struct usage_scope usage_scope_of(const struct ledger_row *row)
{
    return (struct usage_scope){
        row->enterprise_id, row->site_id,   ledger_source_text(row->source),
        row->is_sample,     row->is_scaled, 0};
}

/* --- adding up --- */

struct usage_sums *usage_sums_new(void)
{
    return calloc(1, sizeof(struct usage_sums));
}

void usage_sums_free(struct usage_sums *sums)
{
    if (sums == NULL)
        return;
    free(sums->cells);
    free(sums->index);
    free(sums->endpoints);
    free(sums->endpoint_index);
    free(sums->seen);
    free(sums);
}

static void clear_index(uint32_t *index, size_t capacity)
{
    if (index != NULL)
        memset(index, 0, 2 * capacity * sizeof(*index));
}

void usage_sums_reset(struct usage_sums *sums)
{
    sums->count = sums->seen_count = sums->endpoint_count = 0;
    clear_index(sums->index, sums->capacity);
    clear_index(sums->endpoint_index, sums->endpoint_capacity);
}

size_t usage_sums_size(const struct usage_sums *sums)
{
    return sums->capacity * (sizeof(struct cell) + 2 * sizeof(uint32_t)) +
           sums->seen_capacity * sizeof(struct sighting) +
           sums->endpoint_capacity * sizeof(struct endpoint);
}

static uint32_t *slot_of(struct usage_sums *u, int64_t endpoint, int64_t bucket)
{
    size_t mask = 2 * u->capacity - 1;
    uint64_t hash = ((uint64_t)endpoint * 1000003u + (uint64_t)bucket / 300) *
                    UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = (hash >> 32) & mask;; i = (i + 1) & mask) {
        uint32_t number = u->index[i];
        if (number == 0 || (u->cells[number - 1].endpoint == endpoint &&
                            u->cells[number - 1].bucket == bucket))
            return &u->index[i];
    }
}

static uint32_t *endpoint_slot(struct usage_sums *u, const char *id)
{
    size_t mask = 2 * u->endpoint_capacity - 1;
    uint32_t hash = slice_hash(slice_of_text(id));
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t number = u->endpoint_index[i];
        if (number == 0 || strcmp(u->endpoints[number - 1].id, id) == 0)
            return &u->endpoint_index[i];
    }
}

/* Doubles a table and empties its index; the caller fills that again. */
static bool grow(void **items, size_t size, uint32_t **index, size_t *capacity)
{
    size_t wanted = *capacity ? 2 * *capacity : FIRST_CELLS;
    void *more = realloc(*items, wanted * size);
    if (more == NULL)
        return false;
    *items = more;
    uint32_t *fresh = calloc(2 * wanted, sizeof(*fresh));
    if (fresh == NULL)
        return false;
    free(*index);
    *index = fresh;
    *capacity = wanted;
    return true;
}

static bool grow_cells(struct usage_sums *u)
{
    if (!grow((void **)&u->cells, sizeof(*u->cells), &u->index, &u->capacity))
        return false;
    for (size_t i = 0; i < u->count; i++)
        *slot_of(u, u->cells[i].endpoint, u->cells[i].bucket) = (uint32_t)i + 1;
    return true;
}

static bool grow_endpoints(struct usage_sums *u)
{
    if (!grow((void **)&u->endpoints, sizeof(*u->endpoints), &u->endpoint_index,
              &u->endpoint_capacity))
        return false;
    for (size_t i = 0; i < u->endpoint_count; i++)
        *endpoint_slot(u, u->endpoints[i].id) = (uint32_t)i + 1;
    return true;
}

static enum usage_added cell_of(struct usage_sums *u, int64_t endpoint,
                                int64_t bucket, struct cell **cell)
{
    if (u->count == USAGE_CELLS_MAX)
        return USAGE_TOO_MANY_CELLS;
    if (u->count == u->capacity && !grow_cells(u))
        return USAGE_NO_MEMORY;
    uint32_t *slot = slot_of(u, endpoint, bucket);
    if (*slot == 0) {
        u->cells[u->count] = (struct cell){endpoint, bucket};
        *slot = (uint32_t)++u->count;
    }
    *cell = &u->cells[*slot - 1];
    return USAGE_ADDED;
}

static bool number_endpoint(struct usage_sums *u, const char *id,
                            int64_t *number)
{
    if (u->last_endpoint < u->endpoint_count &&
        strcmp(u->endpoints[u->last_endpoint].id, id) == 0) {
        *number = (int64_t)u->last_endpoint;
        return true;
    }
    if (u->endpoint_count == u->endpoint_capacity && !grow_endpoints(u))
        return false;
    uint32_t *slot = endpoint_slot(u, id);
    if (*slot == 0) {
        struct endpoint *e = &u->endpoints[u->endpoint_count];
        slice_copy(slice_of_text(id), e->id, sizeof(e->id));
        *slot = (uint32_t)++u->endpoint_count;
    }
    u->last_endpoint = *slot - 1;
    *number = *slot - 1;
    return true;
}

static bool add_sighting(struct usage_sums *u, struct sighting seen)
{
    if (u->seen_count == u->seen_capacity) {
        size_t capacity = u->seen_capacity ? 2 * u->seen_capacity : FIRST_CELLS;
        struct sighting *more = realloc(u->seen, capacity * sizeof(*more));
        if (more == NULL)
            return false;
        u->seen = more;
        u->seen_capacity = capacity;
    }
    u->seen[u->seen_count++] = seen;
    return true;
}

static enum usage_added mark_minutes(struct usage_sums *u, int64_t endpoint,
                                     const struct flow_record *r)
{
    int64_t last = r->end_ms / MINUTE_MS;
    for (int64_t minute = r->start_ms / MINUTE_MS; minute <= last;) {
        struct cell *cell;
        enum usage_added added =
            cell_of(u, endpoint, minute / 5 * USAGE_BUCKET_S, &cell);
        if (added != USAGE_ADDED)
            return added;
        do
            cell->minutes |= 1u << (minute % 5);
        while (++minute <= last && minute % 5 != 0);
    }
    return USAGE_ADDED;
}

/* Counts were bounded at intake so that no batch can pass 64 bits. */
enum usage_added usage_sums_add(struct usage_sums *sums,
                                const struct flow_record *record)
{
    const struct flow_record *r = record;
    int64_t bucket = r->start_ms / BUCKET_MS * USAGE_BUCKET_S;
    int64_t endpoint;
    struct cell *cell;
    if (!number_endpoint(sums, r->endpoint_id, &endpoint))
        return USAGE_NO_MEMORY;
    enum usage_added added = cell_of(sums, endpoint, bucket, &cell);
    if (added != USAGE_ADDED)
        return added;
    cell->flows++;
    cell->octets += r->octets;
    cell->packets += r->packets;
    cell->roctets += r->roctets;
    cell->rpackets += r->rpackets;
    cell->names_mismatched += r->name_evidence == NAME_MISMATCH;
    cell->names_confirmed += r->name_evidence == NAME_SNI ||
                             r->name_evidence == NAME_QUIC_SNI ||
                             r->name_evidence == NAME_HTTP_HOST;
    struct sighting seen = {endpoint, bucket, (int64_t)r->host_pseudonym};
    if (!add_sighting(sums, seen))
        return USAGE_NO_MEMORY;
    return flow_record_is_two_way(r) ? mark_minutes(sums, endpoint, r)
                                     : USAGE_ADDED;
}

/* --- keys --- */

struct key_slot {
    int64_t key; /* 0: empty */
    char text[ENDPOINT_ID_LEN];
};

struct host_slot {
    int64_t scope, pseudonym, number; /* number 0: empty */
};

struct usage_table {
    struct db *db;
    struct key_slot endpoints[KEY_SLOTS];
    struct host_slot hosts[HOST_SLOTS];
    int64_t *keys; /* of the batch's endpoints */
    size_t key_capacity;
    struct buffer set;
    int64_t *numbers; /* of one cell's hosts */
    size_t number_capacity;
};

struct usage_table *usage_table_new(struct db *db)
{
    struct usage_table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->db = db;
    buffer_init(&t->set, HOST_SET_MAX);
    return t;
}

void usage_table_free(struct usage_table *table)
{
    if (table == NULL)
        return;
    buffer_clear(&table->set);
    free(table->keys);
    free(table->numbers);
    free(table);
}

void usage_table_forget(struct usage_table *table)
{
    memset(table->endpoints, 0, sizeof(table->endpoints));
    memset(table->hosts, 0, sizeof(table->hosts));
}

static struct key_slot *key_slot_of(struct usage_table *t, const char *text)
{
    return &t->endpoints[slice_hash(slice_of_text(text)) % KEY_SLOTS];
}

static bool find_endpoint(struct db *db, const char *id, int64_t *key)
{
    struct db_statement *s =
        db_prepare(db, "SELECT key FROM endpoint_key WHERE endpoint_id = :id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", id);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        *key = db_i64(s, 0);
    db_reset(s);
    if (step != DB_DONE)
        return step == DB_ROW;
    s = db_prepare(db, "INSERT INTO endpoint_key (endpoint_id) VALUES (:id)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", id);
    if (!db_do(s))
        return false;
    *key = db_last_rowid(db);
    return true;
}

/* The key of an endpoint id, made when it is new. */
static bool endpoint_key(struct usage_table *table, const char *endpoint_id,
                         int64_t *key)
{
    struct key_slot *slot = key_slot_of(table, endpoint_id);
    if (slot->key != 0 && strcmp(slot->text, endpoint_id) == 0) {
        *key = slot->key;
        return true;
    }
    if (!find_endpoint(table->db, endpoint_id, key))
        return false;
    bool is_kept =
        slice_copy(slice_of_text(endpoint_id), slot->text, sizeof(slot->text));
    slot->key = is_kept ? *key : 0;
    return true;
}

/* --- writing --- */

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_cells(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    int order = compare_i64(x->endpoint, y->endpoint);
    return order != 0 ? order : compare_i64(x->bucket, y->bucket);
}

static int compare_sightings(const void *a, const void *b)
{
    const struct sighting *x = a, *y = b;
    int order = compare_i64(x->endpoint, y->endpoint);
    if (order == 0)
        order = compare_i64(x->bucket, y->bucket);
    return order != 0 ? order : compare_i64(x->host, y->host);
}

static bool select_scope(struct db *db, const struct usage_scope *scope,
                         int64_t *key)
{
    struct db_statement *s = db_prepare(
        db, "SELECT key FROM usage_scope WHERE enterprise_id = :enterprise "
            "AND site_id = :site AND source = :source AND is_sample = :sample");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", scope->enterprise_id);
    db_bind_text(s, ":site", scope->site_id);
    db_bind_text(s, ":source", scope->source);
    db_bind_i64(s, ":sample", scope->is_sample);
    enum db_step step = db_step(s);
    *key = step == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return step != DB_FAILED;
}

static bool find_scope(struct db *db, const struct usage_scope *scope,
                       int64_t *key)
{
    if (!select_scope(db, scope, key))
        return false;
    if (*key != 0)
        return true;
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO usage_scope (enterprise_id, site_id, source, is_sample, "
        "next_host) VALUES (:enterprise, :site, :source, :sample, 1)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", scope->enterprise_id);
    db_bind_text(s, ":site", scope->site_id);
    db_bind_text(s, ":source", scope->source);
    db_bind_i64(s, ":sample", scope->is_sample);
    bool good = db_do(s);
    *key = db_last_rowid(db);
    return good;
}

/* A host's number in its scope, made when it is new. */
static bool find_host(struct db *db, int64_t scope, int64_t pseudonym,
                      int64_t *number)
{
    struct db_statement *s =
        db_prepare(db, "SELECT number FROM host_key WHERE scope = :scope AND "
                       "pseudonym = :pseudonym");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    db_bind_i64(s, ":pseudonym", pseudonym);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        *number = db_i64(s, 0);
    db_reset(s);
    if (step != DB_DONE)
        return step == DB_ROW;
    s = db_prepare(db, "INSERT INTO host_key (scope, pseudonym, number) "
                       "VALUES (:scope, :pseudonym, (SELECT next_host FROM "
                       "usage_scope WHERE key = :scope)) RETURNING number");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    db_bind_i64(s, ":pseudonym", pseudonym);
    bool good = db_step(s) == DB_ROW;
    *number = good ? db_i64(s, 0) : 0;
    if (!good || db_step(s) != DB_DONE)
        return false;
    s = db_prepare(db, "UPDATE usage_scope SET next_host = next_host + 1 "
                       "WHERE key = :scope");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    return db_do(s);
}

static bool host_number(struct usage_table *t, int64_t scope, int64_t pseudonym,
                        int64_t *number)
{
    uint64_t hash = ((uint64_t)pseudonym ^ (uint64_t)scope * 1000003u) *
                    UINT64_C(0x9e3779b97f4a7c15);
    struct host_slot *slot = &t->hosts[hash >> 48 & (HOST_SLOTS - 1)];
    if (slot->number == 0 || slot->scope != scope ||
        slot->pseudonym != pseudonym) {
        if (!find_host(t->db, scope, pseudonym, number))
            return false;
        *slot = (struct host_slot){scope, pseudonym, *number};
    }
    *number = slot->number;
    return true;
}

static bool read_set(struct usage_table *t, int64_t scope,
                     const struct cell *cell, struct db_statement **s,
                     struct slice *known)
{
    *s = db_prepare(t->db, "SELECT hosts FROM usage_host WHERE scope = :scope "
                           "AND endpoint = :endpoint AND bucket = :bucket");
    if (*s == NULL)
        return false;
    db_bind_i64(*s, ":scope", scope);
    db_bind_i64(*s, ":endpoint", cell->endpoint);
    db_bind_i64(*s, ":bucket", cell->bucket);
    enum db_step step = db_step(*s);
    *known = step == DB_ROW ? db_blob(*s, 0) : SLICE("");
    return step != DB_FAILED;
}

static bool write_set(struct usage_table *t, int64_t scope,
                      const struct cell *cell)
{
    struct db_statement *s = db_prepare(
        t->db, "INSERT INTO usage_host (scope, endpoint, bucket, hosts) "
               "VALUES (:scope, :endpoint, :bucket, :hosts) "
               "ON CONFLICT DO UPDATE SET hosts = excluded.hosts");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    db_bind_i64(s, ":endpoint", cell->endpoint);
    db_bind_i64(s, ":bucket", cell->bucket);
    db_bind_blob(s, ":hosts", t->set.data, t->set.length);
    return db_do(s);
}

/* Joins `count` ascending host numbers to those known of the cell; *added is
 * how many were new there. */
static bool join_hosts(struct usage_table *t, int64_t scope,
                       const struct cell *cell, size_t count, size_t *added)
{
    struct db_statement *s;
    struct slice known;
    *added = 0;
    if (count == 0)
        return true;
    if (!read_set(t, scope, cell, &s, &known))
        return false;
    buffer_reset(&t->set);
    bool good = host_set_merge(known, t->numbers, count, &t->set, added);
    db_reset(s);
    return good && (*added == 0 || write_set(t, scope, cell));
}

/* The sightings of one cell, which start at u->seen[*next], as different
 * numbers in t->numbers; moves *next behind them. */
static size_t hosts_of_cell(struct usage_table *t, const struct usage_sums *u,
                            const struct cell *cell, size_t *next)
{
    size_t count = 0;
    for (; *next < u->seen_count; (*next)++) {
        const struct sighting *seen = &u->seen[*next];
        if (seen->endpoint != cell->endpoint || seen->bucket != cell->bucket)
            break;
        if (count == 0 || t->numbers[count - 1] != seen->host)
            t->numbers[count++] = seen->host;
    }
    return count;
}

static bool store_cell(struct usage_table *t, const struct usage_scope *scope,
                       const struct cell *cell, size_t hosts)
{
    struct db_statement *s = db_prepare(
        t->db,
        "INSERT INTO usage (enterprise_id, site_id, endpoint, bucket, source, "
        "is_sample, is_scaled, flows, octets, packets, roctets, rpackets, "
        "minutes, "
        "hosts, names_confirmed, names_mismatched) VALUES (:enterprise, "
        ":site, :endpoint, :bucket, :source, :sample, :scaled, :flows, "
        ":octets, "
        ":packets, :roctets, :rpackets, :minutes, :hosts, :confirmed, "
        ":mismatched) ON CONFLICT (enterprise_id, endpoint, bucket, site_id, "
        "source, is_sample) DO UPDATE SET "
        "is_scaled = is_scaled | excluded.is_scaled, flows = flows + "
        "excluded.flows, "
        "octets = octets + excluded.octets, "
        "packets = packets + excluded.packets, "
        "roctets = roctets + excluded.roctets, "
        "rpackets = rpackets + excluded.rpackets, "
        "minutes = minutes | excluded.minutes, hosts = hosts + excluded.hosts, "
        "names_confirmed = names_confirmed + excluded.names_confirmed, "
        "names_mismatched = names_mismatched + excluded.names_mismatched");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", scope->enterprise_id);
    db_bind_text(s, ":site", scope->site_id);
    db_bind_i64(s, ":endpoint", cell->endpoint);
    db_bind_i64(s, ":bucket", cell->bucket);
    db_bind_text(s, ":source", scope->source);
    db_bind_i64(s, ":sample", scope->is_sample);
    db_bind_i64(s, ":scaled", scope->is_scaled);
    db_bind_u64(s, ":flows", cell->flows);
    db_bind_u64(s, ":octets", cell->octets);
    db_bind_u64(s, ":packets", cell->packets);
    db_bind_u64(s, ":roctets", cell->roctets);
    db_bind_u64(s, ":rpackets", cell->rpackets);
    db_bind_i64(s, ":minutes", cell->minutes);
    db_bind_u64(s, ":hosts", hosts);
    db_bind_u64(s, ":confirmed", cell->names_confirmed);
    db_bind_u64(s, ":mismatched", cell->names_mismatched);
    return db_do(s);
}

static bool reserve(int64_t **items, size_t *capacity, size_t count)
{
    if (count <= *capacity)
        return true;
    free(*items);
    *items = calloc(count, sizeof(**items));
    *capacity = *items != NULL ? count : 0;
    return *items != NULL;
}

/* Puts keys of the database in place of numbers within the batch. Endpoints
 * are asked for in the order in which the batch names them. */
static bool put_keys(struct usage_table *t, struct usage_sums *u, int64_t scope)
{
    if (!reserve(&t->keys, &t->key_capacity, u->endpoint_count) ||
        !reserve(&t->numbers, &t->number_capacity, u->seen_count))
        return false;
    for (size_t i = 0; i < u->endpoint_count; i++)
        if (!endpoint_key(t, u->endpoints[i].id, &t->keys[i]))
            return false;
    for (size_t i = 0; i < u->count; i++)
        u->cells[i].endpoint = t->keys[u->cells[i].endpoint];
    for (size_t i = 0; i < u->seen_count; i++) {
        struct sighting *seen = &u->seen[i];
        seen->endpoint = t->keys[seen->endpoint];
        if (!host_number(t, scope, seen->host, &seen->host))
            return false;
    }
    return true;
}

static void sort_sums(struct usage_sums *u)
{
    qsort(u->cells, u->count, sizeof(*u->cells), compare_cells);
    if (u->seen_count > 0)
        qsort(u->seen, u->seen_count, sizeof(*u->seen), compare_sightings);
}

bool usage_store(struct usage_table *table, struct usage_sums *sums,
                 const struct usage_scope *scope)
{
    int64_t key;
    size_t next = 0;
    /* What a supplier's probe saw is matched, not added up. */
    if (sums->count == 0 || scope->enterprise_id[0] == '\0') {
        usage_sums_reset(sums);
        return true;
    }
    bool good =
        find_scope(table->db, scope, &key) && put_keys(table, sums, key);
    if (good)
        sort_sums(sums);
    for (size_t i = 0; good && i < sums->count; i++) {
        const struct cell *cell = &sums->cells[i];
        size_t added, count = hosts_of_cell(table, sums, cell, &next);
        if (cell->bucket >= scope->from_bucket)
            good = join_hosts(table, key, cell, count, &added) &&
                   store_cell(table, scope, cell, added);
    }
    usage_sums_reset(sums);
    return good;
}

/* --- forgetting --- */

/* A bit for each host number of a scope that some cell still holds. */
struct used_hosts {
    uint8_t *bits;
    int64_t end; /* numbers are below it */
};

static bool mark_used(struct db *db, int64_t scope, struct used_hosts *used)
{
    struct db_statement *s =
        db_prepare(db, "SELECT hosts FROM usage_host WHERE scope = :scope");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW) {
        struct host_set_walk walk = {db_blob(s, 0), 0, false};
        while (host_set_next(&walk))
            if (walk.number < used->end)
                used->bits[walk.number / 8] |= (uint8_t)(1 << walk.number % 8);
    }
    db_reset(s);
    return step == DB_DONE;
}

static bool delete_host(struct db *db, int64_t scope, int64_t pseudonym)
{
    struct db_statement *s =
        db_prepare(db, "DELETE FROM host_key WHERE scope = :scope AND "
                       "pseudonym = :pseudonym");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    db_bind_i64(s, ":pseudonym", pseudonym);
    return db_do(s);
}

static bool delete_unused(struct db *db, int64_t scope,
                          const struct used_hosts *used)
{
    struct db_statement *s = db_prepare(
        db, "SELECT pseudonym, number FROM host_key WHERE scope = :scope");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":scope", scope);
    enum db_step step;
    bool good = true;
    while (good && (step = db_step(s)) == DB_ROW) {
        int64_t number = db_i64(s, 1);
        bool is_used = number >= 0 && number < used->end &&
                       used->bits[number / 8] >> number % 8 & 1;
        good = is_used || delete_host(db, scope, db_i64(s, 0));
    }
    db_reset(s);
    return good && step == DB_DONE;
}

static bool forget_in_scopes(struct db *db)
{
    struct db_statement *s =
        db_prepare(db, "SELECT key, next_host FROM usage_scope");
    if (s == NULL)
        return false;
    enum db_step step;
    bool good = true;
    while (good && (step = db_step(s)) == DB_ROW) {
        struct used_hosts used = {NULL, db_i64(s, 1)};
        used.bits = calloc((size_t)used.end / 8 + 1, 1);
        good = used.bits != NULL && mark_used(db, db_i64(s, 0), &used) &&
               delete_unused(db, db_i64(s, 0), &used);
        free(used.bits);
    }
    db_reset(s);
    return good && step == DB_DONE;
}

bool usage_forget_hosts(struct db *db, struct wall_time now,
                        struct wall_time demo)
{
    int64_t open = wall_to_s(now) - USAGE_OPEN_S;
    int64_t open_demo = wall_to_s(demo);
    struct db_statement *s = db_prepare(
        db, "DELETE FROM usage_host WHERE bucket < iif((SELECT is_sample FROM "
            "usage_scope WHERE key = scope), :demo, :open)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":open", open);
    db_bind_i64(s, ":demo", open_demo < open ? open_demo : open);
    return db_do(s) && forget_in_scopes(db);
}
