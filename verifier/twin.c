/* Sorted by supplier and shape, days alike stand side by side; sorting marks
 * those that stand with another enterprise's and keeps only them, so counting
 * is a walk over few. */
#include "verifier/twin.h"

#include <stdlib.h>
#include <string.h>

bool twin_list_add(struct twin_list *list, struct twin_day day)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 256 : list->room * 2;
        struct twin_day *moved = realloc(list->days, room * sizeof(*moved));
        if (moved == NULL)
            return false;
        list->days = moved;
        list->room = room;
    }
    list->days[list->count++] = day;
    return true;
}

static int compare_shapes(const void *a, const void *b)
{
    const struct twin_day *x = a, *y = b;
    int order = strcmp(x->supplier_id, y->supplier_id);
    order = order ? order
                  : (x->shape_hash > y->shape_hash) -
                        (x->shape_hash < y->shape_hash);
    return order ? order : strcmp(x->enterprise_id, y->enterprise_id);
}

static bool is_alike(const struct twin_day *x, const struct twin_day *y)
{
    return x->shape_hash == y->shape_hash &&
           strcmp(x->supplier_id, y->supplier_id) == 0;
}

void twin_list_sort(struct twin_list *list)
{
    size_t kept = 0, end;
    if (list->count == 0)
        return;
    qsort(list->days, list->count, sizeof(list->days[0]), compare_shapes);
    for (size_t begin = 0; begin < list->count; begin = end) {
        for (end = begin; end < list->count &&
                          is_alike(&list->days[begin], &list->days[end]);
             end++)
            ;
        bool is_shared = strcmp(list->days[begin].enterprise_id,
                                list->days[end - 1].enterprise_id) != 0;
        for (size_t i = begin; is_shared && i < end; i++)
            list->days[kept++] = list->days[i];
    }
    list->count = kept;
}

uint64_t twin_list_count(const struct twin_list *list, const char *supplier_id,
                         const char *enterprise_id)
{
    uint64_t n = 0;
    for (size_t i = 0; i < list->count; i++)
        n += strcmp(list->days[i].enterprise_id, enterprise_id) == 0 &&
             strcmp(list->days[i].supplier_id, supplier_id) == 0;
    return n;
}

void twin_list_clear(struct twin_list *list)
{
    free(list->days);
    *list = (struct twin_list){0};
}
