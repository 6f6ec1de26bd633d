/*
 * How many connections a name has at a time, over all workers.
 *
 * A probe whose line broke does not know that its old connection still seems
 * open here; locked out it would lose its evidence. So the newest one stays,
 * and the oldest is told to go.
 */
#ifndef COLLECTOR_PRESENCE_H
#define COLLECTOR_PRESENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One connection; its owner's memory, in the table between enter and leave. */
struct presence {
    struct presence *next; /* of its chain, newest first */
    const char *name;      /* borrowed */
    atomic_bool is_superseded;
};

struct presence_table;

struct presence_table *presence_table_new(uint64_t most); /* NULL: no memory */
void presence_table_free(struct presence_table *table);
void presence_enter(struct presence_table *table, struct presence *entry,
                    const char *name);
/* Nothing happens when it is not in there. */
void presence_leave(struct presence_table *table, struct presence *entry);

#endif
