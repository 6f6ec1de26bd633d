#include "collector/presence.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/slice.h"

enum { CHAINS = 4096 };

struct presence_table {
    pthread_mutex_t lock;
    uint64_t most;
    struct presence *chains[CHAINS];
};

struct presence_table *presence_table_new(uint64_t most)
{
    struct presence_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    table->most = most;
    pthread_mutex_init(&table->lock, NULL);
    return table;
}

void presence_table_free(struct presence_table *table)
{
    if (table == NULL)
        return;
    pthread_mutex_destroy(&table->lock);
    free(table);
}

static struct presence **chain_of(struct presence_table *table,
                                  const char *name)
{
    return &table->chains[slice_hash(slice_of_text(name)) % CHAINS];
}

void presence_enter(struct presence_table *table, struct presence *entry,
                    const char *name)
{
    uint64_t count = 1;
    pthread_mutex_lock(&table->lock);
    struct presence **chain = chain_of(table, name);
    entry->name = name;
    entry->next = *chain;
    atomic_store(&entry->is_superseded, false);
    *chain = entry;
    for (struct presence *e = entry->next; e != NULL; e = e->next)
        if (strcmp(e->name, name) == 0 && ++count > table->most)
            atomic_store(&e->is_superseded, true);
    pthread_mutex_unlock(&table->lock);
}

void presence_leave(struct presence_table *table, struct presence *entry)
{
    if (entry->name == NULL)
        return;
    pthread_mutex_lock(&table->lock);
    struct presence **at = chain_of(table, entry->name);
    while (*at != NULL && *at != entry)
        at = &(*at)->next;
    if (*at == entry)
        *at = entry->next;
    entry->name = NULL;
    pthread_mutex_unlock(&table->lock);
}
