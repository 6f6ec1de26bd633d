/*
 * Numbers are sorted by hash; addresses by prefix, found through a prefix map.
 */
#include "collector/carrier/identifier_map.h"

#include <stdlib.h>
#include <string.h>

#include "common/db.h"
#include "common/prefix_map.h"

struct entry {
    struct digest hash;   /* of a number */
    struct prefix prefix; /* of a fixed address */
    struct identifier_owner owner;
    int64_t from_us, to_us;
};

struct list {
    struct entry *entries;
    size_t count, capacity;
};

struct identifier_map {
    struct list numbers, addresses; /* each sorted */
    struct prefix_map *prefixes;
};

static struct entry *list_extend(struct list *l)
{
    if (l->count == IDENTIFIERS_MAX)
        return NULL;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        struct entry *more = realloc(l->entries, capacity * sizeof(*more));
        if (more == NULL)
            return NULL;
        l->entries = more;
        l->capacity = capacity;
    }
    l->entries[l->count] = (struct entry){0};
    return &l->entries[l->count++];
}

static int compare_hash(const void *a, const void *b)
{
    return memcmp(((const struct entry *)a)->hash.bytes,
                  ((const struct entry *)b)->hash.bytes, DIGEST_LEN);
}

static int order_of_prefix(const struct prefix *a, const struct prefix *b)
{
    int order = (int)a->address.version - (int)b->address.version;
    if (order == 0)
        order = memcmp(a->address.bytes, b->address.bytes, 16);
    return order != 0 ? order : (int)a->length - (int)b->length;
}

static int compare_prefix(const void *a, const void *b)
{
    return order_of_prefix(&((const struct entry *)a)->prefix,
                           &((const struct entry *)b)->prefix);
}

/* --- reading --- */

/* Rows that the portal would not have let in are left out. */
static bool add_row(struct identifier_map *m, struct db_statement *s)
{
    struct entry e = {.from_us = db_i64(s, 4), .to_us = db_i64(s, 5)};
    struct slice value = slice_of_text(db_text(s, 1));
    bool is_address = strcmp(db_text(s, 0), "fixed_ip") == 0;
    e.owner.is_sample = db_i64(s, 6) != 0;
    if (!slice_copy(slice_of_text(db_text(s, 2)), e.owner.enterprise_id,
                    sizeof(e.owner.enterprise_id)) ||
        !slice_copy(slice_of_text(db_text(s, 3)), e.owner.site_id,
                    sizeof(e.owner.site_id)))
        return true;
    if (is_address ? !prefix_from_text(value, &e.prefix)
                   : !parse_hex(value, e.hash.bytes, DIGEST_LEN))
        return true;
    struct entry *place = list_extend(is_address ? &m->addresses : &m->numbers);
    if (place == NULL)
        return false;
    *place = e;
    return true;
}

static bool read_rows(struct identifier_map *m, struct db *db,
                      struct error_text *error)
{
    struct db_statement *s = db_prepare(
        db, "SELECT i.kind, i.value, a.enterprise_id, i.site_id, "
            "i.valid_from, ifnull(i.valid_to, 9223372036854775807), "
            "e.is_sample FROM user_side_identifier AS i "
            "JOIN voucher AS v ON v.number = i.voucher_number "
            "JOIN voucher_application AS a ON a.id = v.application_id "
            "JOIN enterprise AS e ON e.id = a.enterprise_id "
            "WHERE v.state <> 'VOID' ORDER BY i.id");
    enum db_step step = s == NULL ? DB_FAILED : db_step(s);
    for (; step == DB_ROW; step = db_step(s))
        if (!add_row(m, s)) {
            db_reset(s);
            return error_set(error, "out of memory for identifiers");
        }
    return step == DB_DONE || error_set(error, "%s", db_error(db));
}

static bool make_prefixes(struct identifier_map *m)
{
    struct list *l = &m->addresses;
    struct prefix *prefixes = calloc(l->count + 1, sizeof(*prefixes));
    if (prefixes == NULL)
        return false;
    for (size_t i = 0; i < l->count; i++)
        prefixes[i] = l->entries[i].prefix;
    m->prefixes = prefix_map_new(prefixes, l->count);
    free(prefixes);
    return m->prefixes != NULL;
}

static void sort(struct list *l, int (*order)(const void *, const void *))
{
    if (l->count > 0)
        qsort(l->entries, l->count, sizeof(*l->entries), order);
}

struct identifier_map *identifier_map_load(const char *registry,
                                           struct error_text *error)
{
    struct db *db = db_open(registry, DB_READ, NULL, 0, error);
    struct identifier_map *m = calloc(1, sizeof(*m));
    bool good = db != NULL && m != NULL && read_rows(m, db, error);
    if (good) {
        sort(&m->numbers, compare_hash);
        sort(&m->addresses, compare_prefix);
        good = make_prefixes(m) || error_set(error, "out of memory");
    } else if (m == NULL) {
        error_set(error, "out of memory");
    }
    db_close(db);
    if (good)
        return m;
    identifier_map_free(m);
    return NULL;
}

void identifier_map_free(struct identifier_map *map)
{
    if (map == NULL)
        return;
    prefix_map_free(map->prefixes);
    free(map->numbers.entries);
    free(map->addresses.entries);
    free(map);
}

/* --- searching --- */

/* The first entry that is not before `wanted`. */
static size_t first_of(const struct list *l, const struct entry *wanted,
                       int (*order)(const void *, const void *))
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&l->entries[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum identifier_found find(const struct list *l,
                                  const struct entry *wanted,
                                  int (*order)(const void *, const void *),
                                  struct wall_time when,
                                  const struct identifier_owner **owner)
{
    enum identifier_found found = IDENTIFIER_UNKNOWN;
    for (size_t i = first_of(l, wanted, order);
         i < l->count && order(&l->entries[i], wanted) == 0; i++) {
        const struct entry *e = &l->entries[i];
        if (when.us < e->from_us || when.us >= e->to_us) {
            if (found == IDENTIFIER_UNKNOWN)
                found = IDENTIFIER_OUTSIDE;
            continue;
        }
        if (found == IDENTIFIER_FOUND &&
            strcmp((*owner)->enterprise_id, e->owner.enterprise_id) != 0)
            return IDENTIFIER_AMBIGUOUS;
        if (found != IDENTIFIER_FOUND)
            *owner = &e->owner;
        found = IDENTIFIER_FOUND;
    }
    return found;
}

enum identifier_found
identifier_map_number(const struct identifier_map *map, struct digest hash,
                      struct wall_time when,
                      const struct identifier_owner **owner)
{
    const struct entry wanted = {.hash = hash};
    return find(&map->numbers, &wanted, compare_hash, when, owner);
}

enum identifier_found
identifier_map_address(const struct identifier_map *map,
                       const struct address *address, struct wall_time when,
                       const struct identifier_owner **owner)
{
    enum identifier_found best = IDENTIFIER_UNKNOWN;
    int32_t node = prefix_map_find(map->prefixes, address);
    while (node != PREFIX_NONE) {
        const struct prefix_node *n =
            prefix_map_node(map->prefixes, (size_t)node);
        const struct entry wanted = {.prefix = n->prefix};
        enum identifier_found found =
            find(&map->addresses, &wanted, compare_prefix, when, owner);
        if (found == IDENTIFIER_FOUND || found == IDENTIFIER_AMBIGUOUS)
            return found;
        best = found;
        node = n->parent;
    }
    return best;
}
