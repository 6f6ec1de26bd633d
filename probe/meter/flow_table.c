/*
 * Open addressing with linear probing over slots of 8 bytes (32 bits of hash,
 * index of the entry + 1), at most three quarters full; removal shifts later
 * slots back, so that there are no tombstones. Entries that were never used
 * are taken in order, those given back last first, and of the slots as many are
 * in use as the flows need: memory is touched only as flows come, and few flows
 * stay close together in the caches.
 */
#include "probe/meter/flow_table.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = 0, SECOND_US = 1000 * 1000, SLOTS_MIN = 1024 };

struct slot {
    uint32_t hash;
    uint32_t entry; /* index + 1; NONE: empty */
};

/* Links are index + 1, too. */
struct list {
    uint32_t oldest, youngest;
    size_t count;
};

struct flow_table {
    struct hash_key key;
    struct slot *slots; /* enough for all */
    uint32_t slot_mask; /* of those in use; only grows */
    uint32_t slot_mask_max;
    struct flow_entry *entries;
    struct inspection *inspections;
    size_t limit, used, count;
    uint32_t free_first; /* through .next */
    struct list lists[FLOW_STATES];
    uint32_t report_oldest, report_youngest;
};

/* Slots that hold `limit` flows. */
static size_t slots_for(size_t limit)
{
    size_t slots = SLOTS_MIN;
    while (slots - slots / 4 < limit)
        slots *= 2;
    return slots;
}

size_t flow_table_flow_bytes(size_t limit)
{
    size_t slots = slots_for(limit) * sizeof(struct slot);
    return sizeof(struct flow_entry) + sizeof(struct inspection) +
           (slots + limit - 1) / limit;
}

struct flow_table *flow_table_new(size_t limit, struct hash_key key)
{
    struct flow_table *t = calloc(1, sizeof(*t));
    if (t == NULL || limit == 0 || limit > UINT32_MAX / 4) {
        free(t);
        return NULL;
    }
    size_t slots = slots_for(limit);
    t->key = key;
    t->limit = limit;
    t->slot_mask = SLOTS_MIN - 1;
    t->slot_mask_max = (uint32_t)(slots - 1);
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
    uint64_t packed[2];
    if (tuple->version != 4)
        return (uint32_t)keyed_hash(&t->key, tuple, sizeof(*tuple));
    /* The same without the unused bytes of the addresses. */
    memcpy(packed, tuple->low, 4);
    memcpy((uint8_t *)packed + 4, tuple->high, 4);
    memcpy(packed + 1, &tuple->low_port, 8);
    return (uint32_t)keyed_hash_pair(&t->key, packed[0], packed[1]);
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
        /* What is counted next, while the tuple is on its way. */
        __builtin_prefetch((const uint8_t *)entry + 64, 1);
        __builtin_prefetch((const uint8_t *)entry + 128, 1);
        __builtin_prefetch((const uint8_t *)entry + 192, 1);
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

/* Twice as many slots are used; all flows find their places again. */
static void grow_slots(struct flow_table *t)
{
    memset(t->slots, 0, (t->slot_mask + 1) * sizeof(*t->slots));
    t->slot_mask = 2 * t->slot_mask + 1;
    for (uint32_t n = t->report_oldest; n != NONE;
         n = t->entries[n - 1].next_report)
        slot_insert(t, t->entries[n - 1].slot_hash, n);
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

static struct flow_entry *entry_of(const struct flow_table *t, uint32_t number)
{
    return number != NONE ? &t->entries[number - 1] : NULL;
}

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
    list->count++;
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
    list->count--;
}

static void report_append(struct flow_table *t, struct flow_entry *entry)
{
    uint32_t number = number_of(t, entry);
    entry->previous_report = t->report_youngest;
    entry->next_report = NONE;
    if (t->report_youngest != NONE)
        t->entries[t->report_youngest - 1].next_report = number;
    else
        t->report_oldest = number;
    t->report_youngest = number;
}

static void report_remove(struct flow_table *t, struct flow_entry *entry)
{
    if (entry->previous_report != NONE)
        t->entries[entry->previous_report - 1].next_report = entry->next_report;
    else
        t->report_oldest = entry->next_report;
    if (entry->next_report != NONE)
        t->entries[entry->next_report - 1].previous_report =
            entry->previous_report;
    else
        t->report_youngest = entry->previous_report;
}

/* The order is by whole seconds, and `now` never runs backwards: only a flow's
 * first packet in a second moves it. */
void flow_table_touch(struct flow_table *t, struct flow_entry *entry,
                      int64_t now_us)
{
    int64_t before_us = entry->last_us;
    entry->last_us = now_us;
    if (entry->state != FLOW_OPEN ||
        now_us / SECOND_US == before_us / SECOND_US)
        return;
    list_remove(t, &t->lists[FLOW_OPEN], entry);
    list_append(t, &t->lists[FLOW_OPEN], entry);
}

void flow_table_move(struct flow_table *t, struct flow_entry *entry,
                     enum flow_state state, int64_t now_us)
{
    if (entry->state == state)
        return;
    list_remove(t, &t->lists[entry->state], entry);
    list_append(t, &t->lists[state], entry);
    entry->state = (unsigned)state & 3;
    entry->state_s = (uint32_t)(now_us / SECOND_US);
}

void flow_table_restart(struct flow_table *t, struct flow_entry *entry,
                        int64_t now_us)
{
    report_remove(t, entry);
    report_append(t, entry);
    entry->report_us = now_us;
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
    *entry = (struct flow_entry){.tuple = *tuple,
                                 .slot_hash = hash,
                                 .last_us = now_us,
                                 .report_us = now_us};
    if (t->count >= t->slot_mask - t->slot_mask / 4 &&
        t->slot_mask < t->slot_mask_max)
        grow_slots(t);
    slot_insert(t, hash, number_of(t, entry));
    list_append(t, &t->lists[FLOW_OPEN], entry);
    report_append(t, entry);
    t->count++;
    return entry;
}

void flow_table_remove(struct flow_table *t, struct flow_entry *entry)
{
    uint32_t number = number_of(t, entry);
    slot_remove(t, entry->slot_hash, number);
    list_remove(t, &t->lists[entry->state], entry);
    report_remove(t, entry);
    entry->next = t->free_first;
    t->free_first = number;
    t->count--;
}

struct flow_entry *flow_table_oldest(const struct flow_table *t,
                                     enum flow_state state)
{
    return entry_of(t, t->lists[state].oldest);
}

struct flow_entry *flow_table_oldest_report(const struct flow_table *t)
{
    return entry_of(t, t->report_oldest);
}

struct flow_entry *flow_table_younger_report(const struct flow_table *t,
                                             const struct flow_entry *entry)
{
    return entry_of(t, entry->next_report);
}

size_t flow_table_state_count(const struct flow_table *t, enum flow_state state)
{
    return t->lists[state].count;
}

struct inspection *flow_table_inspection(const struct flow_table *t,
                                         const struct flow_entry *entry)
{
    return &t->inspections[entry - t->entries];
}
