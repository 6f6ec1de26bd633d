/*
 * Open addressing with linear probing over slots of 8 bytes (32 bits of hash,
 * index of the entry + 1), twice as many as entries; removal shifts later
 * slots back, so that there are no tombstones. Entries that were never used
 * are taken in order, so that memory is touched only as flows come.
 */
#include "meter/flow_table.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = 0, TOUCH_US = 1000 * 1000 };

struct slot {
    uint32_t hash;
    uint32_t entry; /* index + 1; NONE: empty */
};

/* Links are index + 1, too. */
struct list {
    uint32_t oldest, youngest;
};

struct flow_table {
    struct hash_key key;
    struct slot *slots;
    uint32_t slot_mask;
    struct flow_entry *entries;
    struct inspection *inspections;
    size_t limit, used, count;
    uint32_t free_first; /* through .next */
    struct list open, closing;
};

struct flow_table *flow_table_new(size_t limit, struct hash_key key)
{
    struct flow_table *t = calloc(1, sizeof(*t));
    if (t == NULL || limit == 0 || limit > UINT32_MAX / 4) {
        free(t);
        return NULL;
    }
    size_t slots = 16;
    while (slots < limit * 2)
        slots *= 2;
    t->key = key;
    t->limit = limit;
    t->slot_mask = (uint32_t)(slots - 1);
    t->slots = calloc(slots, sizeof(*t->slots));
    t->entries = calloc(limit, sizeof(*t->entries));
    t->inspections = calloc(limit, sizeof(*t->inspections));
    if (t->slots == NULL || t->entries == NULL || t->inspections == NULL) {
        flow_table_free(t);
        return NULL;
    }
    return t;
}

void flow_table_free(struct flow_table *t)
{
    if (t == NULL)
        return;
    free(t->slots);
    free(t->entries);
    free(t->inspections);
    free(t);
}

/* --- tuples --- */

static inline int64_t compare_ipv4(const uint8_t *a, const uint8_t *b)
{
    uint32_t x, y; /* any order will do, as long as it is one */
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (int64_t)x - y;
}

int flow_packet_side(const struct packet *p)
{
    int64_t order = p->ip_version == 4 ? compare_ipv4(p->source, p->destination)
                                       : memcmp(p->source, p->destination, 16);
    if (order == 0)
        order = p->source_port - p->destination_port;
    return order <= 0 ? SIDE_LOW : SIDE_HIGH;
}

void flow_tuple_of(const struct packet *p, int side, struct flow_tuple *tuple)
{
    size_t length = p->ip_version == 4 ? 4 : 16;
    bool is_low = side == SIDE_LOW;
    *tuple =
        (struct flow_tuple){.version = p->ip_version, .protocol = p->protocol};
    memcpy(tuple->low, is_low ? p->source : p->destination, length);
    memcpy(tuple->high, is_low ? p->destination : p->source, length);
    tuple->low_port = is_low ? p->source_port : p->destination_port;
    tuple->high_port = is_low ? p->destination_port : p->source_port;
}

uint32_t flow_table_hash(const struct flow_table *t,
                         const struct flow_tuple *tuple)
{
    uint8_t packed[16];
    if (tuple->version != 4)
        return (uint32_t)keyed_hash(&t->key, tuple, sizeof(*tuple));
    /* The same without the unused bytes of the addresses. */
    memcpy(packed, tuple->low, 4);
    memcpy(packed + 4, tuple->high, 4);
    memcpy(packed + 8, &tuple->low_port, 8);
    return (uint32_t)keyed_hash(&t->key, packed, sizeof(packed));
}

/* --- slots --- */

/* memcmp() in words, for this stands in the path of every packet. */
static inline bool tuple_equal(const struct flow_tuple *a,
                               const struct flow_tuple *b)
{
    enum { WORDS = sizeof(struct flow_tuple) / sizeof(uint64_t) };
    _Static_assert(sizeof(struct flow_tuple) % sizeof(uint64_t) == 0,
                   "a tuple is whole words");
    uint64_t x[WORDS], y[WORDS], difference = 0;
    memcpy(x, a, sizeof(x));
    memcpy(y, b, sizeof(y));
    for (int i = 0; i < WORDS; i++)
        difference |= x[i] ^ y[i];
    return difference == 0;
}

struct flow_entry *flow_table_find(const struct flow_table *t,
                                   const struct flow_tuple *tuple,
                                   uint32_t hash)
{
    for (uint32_t i = hash & t->slot_mask;; i = (i + 1) & t->slot_mask) {
        struct slot slot = t->slots[i];
        if (slot.entry == NONE)
            return NULL;
        if (slot.hash != hash)
            continue;
        struct flow_entry *entry = &t->entries[slot.entry - 1];
        if (tuple_equal(&entry->tuple, tuple))
            return entry;
    }
}

static uint32_t number_of(const struct flow_table *t,
                          const struct flow_entry *entry)
{
    return (uint32_t)(entry - t->entries) + 1;
}

static void slot_insert(struct flow_table *t, uint32_t hash, uint32_t number)
{
    uint32_t i = hash & t->slot_mask;
    while (t->slots[i].entry != NONE)
        i = (i + 1) & t->slot_mask;
    t->slots[i] = (struct slot){hash, number};
}

static void slot_remove(struct flow_table *t, uint32_t hash, uint32_t number)
{
    uint32_t hole = hash & t->slot_mask;
    while (t->slots[hole].entry != number)
        hole = (hole + 1) & t->slot_mask;
    for (uint32_t i = (hole + 1) & t->slot_mask; t->slots[i].entry != NONE;
         i = (i + 1) & t->slot_mask) {
        uint32_t distance = (i - t->slots[i].hash) & t->slot_mask;
        if (((i - hole) & t->slot_mask) <= distance) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = (struct slot){0, NONE};
}

/* --- lists --- */

static void list_append(struct flow_table *t, struct list *list,
                        struct flow_entry *entry)
{
    uint32_t number = number_of(t, entry);
    entry->previous = list->youngest;
    entry->next = NONE;
    if (list->youngest != NONE)
        t->entries[list->youngest - 1].next = number;
    else
        list->oldest = number;
    list->youngest = number;
}

static void list_remove(struct flow_table *t, struct list *list,
                        struct flow_entry *entry)
{
    if (entry->previous != NONE)
        t->entries[entry->previous - 1].next = entry->next;
    else
        list->oldest = entry->next;
    if (entry->next != NONE)
        t->entries[entry->next - 1].previous = entry->previous;
    else
        list->youngest = entry->previous;
}

void flow_table_touch(struct flow_table *t, struct flow_entry *entry,
                      int64_t now_us)
{
    if (entry->is_closing || now_us - entry->listed_us < TOUCH_US)
        return;
    list_remove(t, &t->open, entry);
    list_append(t, &t->open, entry);
    entry->listed_us = now_us;
}

void flow_table_close(struct flow_table *t, struct flow_entry *entry,
                      int64_t now_us)
{
    if (entry->is_closing)
        return;
    list_remove(t, &t->open, entry);
    list_append(t, &t->closing, entry);
    entry->is_closing = true;
    entry->listed_us = now_us;
}

/* --- entries --- */

static struct flow_entry *take_entry(struct flow_table *t)
{
    if (t->free_first != NONE) {
        struct flow_entry *entry = &t->entries[t->free_first - 1];
        t->free_first = entry->next;
        memset(flow_table_inspection(t, entry), 0, sizeof(struct inspection));
        return entry;
    }
    return t->used < t->limit ? &t->entries[t->used++] : NULL;
}

struct flow_entry *flow_table_add(struct flow_table *t,
                                  const struct flow_tuple *tuple, uint32_t hash,
                                  int64_t now_us)
{
    struct flow_entry *entry = take_entry(t);
    if (entry == NULL)
        return NULL;
    *entry = (struct flow_entry){
        .tuple = *tuple, .slot_hash = hash, .listed_us = now_us};
    slot_insert(t, hash, number_of(t, entry));
    list_append(t, &t->open, entry);
    t->count++;
    return entry;
}

void flow_table_remove(struct flow_table *t, struct flow_entry *entry)
{
    uint32_t number = number_of(t, entry);
    slot_remove(t, entry->slot_hash, number);
    list_remove(t, entry->is_closing ? &t->closing : &t->open, entry);
    entry->next = t->free_first;
    t->free_first = number;
    t->count--;
}

struct flow_entry *flow_table_oldest_open(const struct flow_table *t)
{
    return t->open.oldest != NONE ? &t->entries[t->open.oldest - 1] : NULL;
}

struct flow_entry *flow_table_oldest_closing(const struct flow_table *t)
{
    return t->closing.oldest != NONE ? &t->entries[t->closing.oldest - 1]
                                     : NULL;
}

size_t flow_table_count(const struct flow_table *t)
{
    return t->count;
}

struct inspection *flow_table_inspection(const struct flow_table *t,
                                         const struct flow_entry *entry)
{
    return &t->inspections[entry - t->entries];
}
