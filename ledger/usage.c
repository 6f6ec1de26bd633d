/*
 * Cells are found through an open-addressed index; before they are written
 * they are sorted, because ordered upserts into the table's tree cost half of
 * random ones, and because the same batch must always do the same work.
 */
#include "ledger/usage.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"

enum {
    FIRST_CELLS = 256,
    KEPT_CELLS = 1 << 14,
    BUCKET_MS = USAGE_BUCKET_S * 1000,
    MINUTE_MS = 60000,
};

struct cell {
    int64_t endpoint, bucket; /* bucket: seconds since 1970 */
    uint64_t flows, octets, packets, roctets, rpackets;
    uint64_t names_confirmed, names_mismatched;
    uint32_t minutes;
};

struct sighting {
    int64_t endpoint, bucket, host;
};

struct usage {
    struct db *db;
    struct cell *cells;
    size_t count, capacity;
    uint32_t *index; /* cell number + 1, 0: empty; 2 * capacity of them */
    struct sighting *seen;
    size_t seen_count, seen_capacity;
};

struct usage_scope usage_scope_of(const struct ledger_row *row)
{
    return (struct usage_scope){row->enterprise_id, row->site_id,
                                ledger_source_text(row->source), row->is_sample,
                                row->is_scaled};
}

struct usage *usage_new(struct db *db)
{
    struct usage *usage = calloc(1, sizeof(*usage));
    if (usage != NULL)
        usage->db = db;
    return usage;
}

static void free_tables(struct usage *u)
{
    free(u->cells);
    free(u->index);
    free(u->seen);
    *u = (struct usage){.db = u->db};
}

void usage_free(struct usage *usage)
{
    if (usage == NULL)
        return;
    free_tables(usage);
    free(usage);
}

/* The memory of an unusually large batch is not kept. */
void usage_reset(struct usage *usage)
{
    if (usage->capacity > KEPT_CELLS || usage->seen_capacity > KEPT_CELLS)
        free_tables(usage);
    usage->count = usage->seen_count = 0;
    if (usage->index != NULL)
        memset(usage->index, 0, 2 * usage->capacity * sizeof(*usage->index));
}

static uint32_t *slot_of(struct usage *u, int64_t endpoint, int64_t bucket)
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

static bool grow_cells(struct usage *u)
{
    size_t capacity = u->capacity ? 2 * u->capacity : FIRST_CELLS;
    if (capacity > USAGE_CELLS_MAX)
        return false;
    struct cell *cells = realloc(u->cells, capacity * sizeof(*cells));
    if (cells == NULL)
        return false;
    u->cells = cells;
    uint32_t *index = calloc(2 * capacity, sizeof(*index));
    if (index == NULL)
        return false;
    free(u->index);
    u->index = index;
    u->capacity = capacity;
    for (size_t i = 0; i < u->count; i++)
        *slot_of(u, u->cells[i].endpoint, u->cells[i].bucket) = (uint32_t)i + 1;
    return true;
}

static struct cell *cell_of(struct usage *u, int64_t endpoint, int64_t bucket)
{
    if (u->count == u->capacity && !grow_cells(u))
        return NULL;
    uint32_t *slot = slot_of(u, endpoint, bucket);
    if (*slot == 0) {
        u->cells[u->count] = (struct cell){endpoint, bucket};
        *slot = (uint32_t)++u->count;
    }
    return &u->cells[*slot - 1];
}

static bool add_sighting(struct usage *u, struct sighting seen)
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

static bool mark_minutes(struct usage *u, int64_t endpoint,
                         const struct flow_record *r)
{
    int64_t last = r->end_ms / MINUTE_MS;
    for (int64_t minute = r->start_ms / MINUTE_MS; minute <= last;) {
        int64_t bucket = minute / 5 * USAGE_BUCKET_S;
        struct cell *cell = cell_of(u, endpoint, bucket);
        if (cell == NULL)
            return false;
        do
            cell->minutes |= 1u << (minute % 5);
        while (++minute <= last && minute % 5 != 0);
    }
    return true;
}

/* Counts were bounded at intake so that no batch can pass 64 bits. */
bool usage_add(struct usage *usage, int64_t endpoint,
               const struct flow_record *record)
{
    const struct flow_record *r = record;
    int64_t bucket = r->start_ms / BUCKET_MS * USAGE_BUCKET_S;
    struct cell *cell = cell_of(usage, endpoint, bucket);
    if (cell == NULL)
        return false;
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
    return add_sighting(usage, seen) &&
           (!flow_record_is_two_way(r) || mark_minutes(usage, endpoint, r));
}

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
        "INSERT INTO usage_scope (enterprise_id, site_id, source, is_sample) "
        "VALUES (:enterprise, :site, :source, :sample)");
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

/* Writes the sightings of one cell, which start at u->seen[*next]; *added is
 * the number of hosts not seen there before. */
static bool store_hosts(struct usage *u, int64_t scope, const struct cell *cell,
                        size_t *next, int64_t *added)
{
    *added = 0;
    for (; *next < u->seen_count; (*next)++) {
        const struct sighting *seen = &u->seen[*next];
        if (seen->endpoint != cell->endpoint || seen->bucket != cell->bucket)
            return true;
        if (*next > 0 && compare_sightings(seen, seen - 1) == 0)
            continue;
        struct db_statement *s = db_prepare(
            u->db, "INSERT OR IGNORE INTO usage_host (scope, endpoint, bucket, "
                   "host) VALUES (:scope, :endpoint, :bucket, :host)");
        if (s == NULL)
            return false;
        db_bind_i64(s, ":scope", scope);
        db_bind_i64(s, ":endpoint", seen->endpoint);
        db_bind_i64(s, ":bucket", seen->bucket);
        db_bind_i64(s, ":host", seen->host);
        if (!db_do(s))
            return false;
        *added += db_changes(u->db);
    }
    return true;
}

static bool store_cell(struct usage *u, const struct usage_scope *scope,
                       const struct cell *cell, int64_t hosts)
{
    struct db_statement *s = db_prepare(
        u->db,
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
    db_bind_i64(s, ":hosts", hosts);
    db_bind_u64(s, ":confirmed", cell->names_confirmed);
    db_bind_u64(s, ":mismatched", cell->names_mismatched);
    return db_do(s);
}

bool usage_store(struct usage *usage, const struct usage_scope *scope)
{
    struct usage *u = usage;
    bool good = true;
    int64_t key;
    size_t next = 0;
    if (u->count == 0)
        return true;
    qsort(u->cells, u->count, sizeof(*u->cells), compare_cells);
    if (u->seen_count > 0)
        qsort(u->seen, u->seen_count, sizeof(*u->seen), compare_sightings);
    good = find_scope(u->db, scope, &key);
    for (size_t i = 0; good && i < u->count; i++) {
        int64_t hosts;
        good = store_hosts(u, key, &u->cells[i], &next, &hosts) &&
               store_cell(u, scope, &u->cells[i], hosts);
    }
    usage_reset(u);
    return good;
}
