/*
 * Days that are exactly alike in two enterprises of one supplier (VER-14, S11):
 * same minutes, same sizes, on whatever dates. People do not do that; a script
 * delivered to several customers does.
 */
#ifndef VERIFIER_TWIN_H
#define VERIFIER_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct twin_day {
    const char *supplier_id, *enterprise_id; /* borrowed */
    uint64_t shape_hash;
};

struct twin_list {
    struct twin_day *days;
    size_t count, room;
};

bool twin_list_add(struct twin_list *list, struct twin_day day);
void twin_list_sort(struct twin_list *list);
/* Days of this enterprise that another of the supplier has too; after
 * sorting. */
uint64_t twin_list_count(const struct twin_list *list, const char *supplier_id,
                         const char *enterprise_id);
void twin_list_clear(struct twin_list *list);

#endif
