/*
 * Finding repeats: sort by token and time, then look from each record at those
 * before it. Names of enterprises are kept once, so that equal names are equal
 * pointers.
 */
#include "verifier/token.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/flow_record.h"
#include "verifier/evidence.h"

enum {
    SAME_MOMENT_MS = 2000,
    CONTINUES_WITHIN_MS = 60000,
    LOOK_BACK_MAX = 256
};

static bool make_room(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *moved =
        wanted > SIZE_MAX / size ? NULL : realloc(*items, wanted * size);
    if (moved == NULL)
        return false;
    *items = moved;
    *room = wanted;
    return true;
}

static int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int order_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Where the name stands in the sorted list, or belongs. */
static size_t place_of(const struct token_list *list, const char *id)
{
    size_t low = 0, high = list->enterprise_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list->enterprises[middle], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert_name(struct token_list *list, size_t place, const char *id)
{
    char *copy = strdup(id);
    if (copy == NULL ||
        !make_room((void **)&list->enterprises, list->enterprise_count,
                   &list->enterprise_room, sizeof(*list->enterprises))) {
        free(copy);
        return false;
    }
    memmove(&list->enterprises[place + 1], &list->enterprises[place],
            (list->enterprise_count - place) * sizeof(*list->enterprises));
    list->enterprises[place] = copy;
    list->enterprise_count++;
    return true;
}

bool token_list_add(struct token_list *list, const char *enterprise_id,
                    const struct token_record *record)
{
    size_t place = place_of(list, enterprise_id);
    bool is_known = place < list->enterprise_count &&
                    strcmp(list->enterprises[place], enterprise_id) == 0;
    if (!is_known && !insert_name(list, place, enterprise_id))
        return false;
    if (!make_room((void **)&list->records, list->count, &list->room,
                   sizeof(*list->records)))
        return false;
    list->records[list->count] = *record;
    list->records[list->count++].enterprise = list->enterprises[place];
    return true;
}

static int compare_records(const void *a, const void *b)
{
    const struct token_record *x = a, *y = b;
    int order = memcmp(x->token, y->token, sizeof(x->token));
    order = order ? order : order_i64(x->start_ms, y->start_ms);
    order = order ? order : strcmp(x->enterprise, y->enterprise);
    order = order ? order : order_i64(x->end_ms, y->end_ms);
    order = order ? order : order_i64(x->endpoint, y->endpoint);
    order = order ? order : order_u64(x->host, y->host);
    return order ? order : order_u64(x->end_reason, y->end_reason);
}

int token_compare_repeats(const void *a, const void *b)
{
    const struct token_repeat *x = a, *y = b;
    int order = strcmp(x->enterprise_id, y->enterprise_id);
    order = order ? order : order_u64(x->service, y->service);
    return order ? order : order_i64(x->day, y->day);
}

/* The record before this one of the same enterprise that it continues, or that
 * is the same connection seen by a second probe. */
static bool belongs_to(const struct token_record *earlier,
                       const struct token_record *r)
{
    if (earlier->enterprise != r->enterprise)
        return false;
    if (r->start_ms - earlier->start_ms <= SAME_MOMENT_MS)
        return true;
    return earlier->end_reason == FLOW_END_ACTIVE && earlier->host == r->host &&
           earlier->endpoint == r->endpoint &&
           r->start_ms <= earlier->end_ms + CONTINUES_WITHIN_MS;
}

struct repeat_sums {
    struct token_repeat *items;
    size_t count, room;
};

static bool add_repeat(const struct token_record *r, bool is_elsewhere,
                       struct repeat_sums *sums)
{
    if (r->service == TOKEN_NO_SERVICE)
        return true;
    if (!make_room((void **)&sums->items, sums->count, &sums->room,
                   sizeof(*sums->items)))
        return false;
    struct token_repeat *out = &sums->items[sums->count];
    *out = (struct token_repeat){
        .service = r->service,
        .day = day_of_wall(wall_from_ms(r->start_ms)).number,
        .repeated = !is_elsewhere,
        .elsewhere = is_elsewhere,
    };
    if (slice_copy(slice_of_text(r->enterprise), out->enterprise_id,
                   sizeof(out->enterprise_id)))
        sums->count++;
    return true;
}

/* What one record of a token comes to, given those of the token before it,
 * nearest first. A stranger's probe may send one token without end, so only so
 * many are looked at. */
static bool judge_record(const struct token_record *records, size_t first,
                         size_t i, struct repeat_sums *sums)
{
    const struct token_record *r = &records[i], *origin = &records[first];
    bool is_repeated = false, is_elsewhere = false;
    for (size_t j = i; j > first && i - j < LOOK_BACK_MAX; j--) {
        const struct token_record *earlier = &records[j - 1];
        if (belongs_to(earlier, r))
            return true;
        is_repeated |= earlier->enterprise == r->enterprise;
        is_elsewhere |= earlier->enterprise != r->enterprise;
    }
    /* Too close to say who was first: it counts for the other one too. */
    if (origin->enterprise != r->enterprise &&
        r->start_ms - origin->start_ms <= SAME_MOMENT_MS &&
        !add_repeat(origin, true, sums))
        return false;
    if (is_repeated)
        return add_repeat(r, false, sums);
    return !is_elsewhere || add_repeat(r, true, sums);
}

static void add_up(struct repeat_sums *sums)
{
    size_t n = 0;
    if (sums->count == 0)
        return;
    qsort(sums->items, sums->count, sizeof(sums->items[0]),
          token_compare_repeats);
    for (size_t i = 1; i < sums->count; i++) {
        struct token_repeat *next = &sums->items[i];
        if (token_compare_repeats(&sums->items[n], next) == 0) {
            sums->items[n].repeated += next->repeated;
            sums->items[n].elsewhere += next->elsewhere;
        } else {
            sums->items[++n] = *next;
        }
    }
    sums->count = n + 1;
}

bool token_list_find_repeats(struct token_list *list,
                             struct token_repeat **repeats, size_t *count)
{
    struct repeat_sums sums = {0};
    size_t first = 0;
    bool good = true;
    if (list->count > 0)
        qsort(list->records, list->count, sizeof(list->records[0]),
              compare_records);
    for (size_t i = 0; good && i < list->count; i++) {
        if (memcmp(list->records[first].token, list->records[i].token,
                   sizeof(list->records[i].token)) != 0)
            first = i;
        good = judge_record(list->records, first, i, &sums);
    }
    add_up(&sums);
    *repeats = sums.items;
    *count = sums.count;
    return good;
}

void token_list_clear(struct token_list *list)
{
    for (size_t i = 0; i < list->enterprise_count; i++)
        free(list->enterprises[i]);
    free(list->enterprises);
    free(list->records);
    *list = (struct token_list){0};
}
