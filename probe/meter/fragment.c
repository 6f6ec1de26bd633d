/* A set-associative table: the key's hash chooses a row of PLACES places. */
#include "probe/meter/fragment.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 256, PLACES = 4, LIFETIME_US = 30 * 1000 * 1000 };

struct fragment_key {
    uint8_t source[16], destination[16];
    uint32_t id;
    uint8_t version;
    uint8_t protocol; /* IPv4 only; IPv6 identifies without (RFC 8200 4.5) */
    uint8_t zero[2];
};

struct place {
    struct fragment_key key;
    int64_t when_us;
    uint16_t source_port, destination_port;
    uint8_t protocol;
    bool is_used;
};

struct fragment_table {
    struct hash_key hash_key;
    struct place rows[ROWS][PLACES];
};

struct fragment_table *fragment_table_new(struct hash_key key)
{
    struct fragment_table *t = calloc(1, sizeof(*t));
    if (t != NULL)
        t->hash_key = key;
    return t;
}

void fragment_table_free(struct fragment_table *table)
{
    free(table);
}

static struct fragment_key key_of(const struct packet *p)
{
    struct fragment_key key = {0};
    size_t length = p->ip_version == 4 ? 4 : 16;
    memcpy(key.source, p->source, length);
    memcpy(key.destination, p->destination, length);
    key.id = p->fragment_id;
    key.version = p->ip_version;
    key.protocol = p->ip_version == 4 ? p->protocol : 0;
    return key;
}

static bool is_fresh(const struct place *place, struct wall_time when)
{
    int64_t age = when.us - place->when_us;
    return place->is_used && age <= LIFETIME_US && age >= -LIFETIME_US;
}

static struct place *find(struct place row[static PLACES],
                          const struct fragment_key *key, struct wall_time when)
{
    for (size_t i = 0; i < PLACES; i++)
        if (is_fresh(&row[i], when) &&
            memcmp(&row[i].key, key, sizeof(*key)) == 0)
            return &row[i];
    return NULL;
}

static struct place *make_room(struct place row[static PLACES],
                               struct wall_time when)
{
    struct place *oldest = &row[0];
    for (size_t i = 0; i < PLACES; i++) {
        if (!is_fresh(&row[i], when))
            return &row[i];
        if (row[i].when_us < oldest->when_us)
            oldest = &row[i];
    }
    return oldest;
}

void fragment_table_apply(struct fragment_table *table, struct packet *packet,
                          struct wall_time when)
{
    struct fragment_key key = key_of(packet);
    uint64_t hash = keyed_hash(&table->hash_key, &key, sizeof(key));
    struct place *row = table->rows[hash % ROWS];
    struct place *place = find(row, &key, when);
    if (!packet->is_later_fragment) {
        if (place == NULL)
            place = make_room(row, when);
        *place = (struct place){.key = key,
                                .when_us = when.us,
                                .source_port = packet->source_port,
                                .destination_port = packet->destination_port,
                                .protocol = packet->protocol,
                                .is_used = true};
    } else if (place != NULL) {
        packet->source_port = place->source_port;
        packet->destination_port = place->destination_port;
        packet->protocol = place->protocol;
    }
}
