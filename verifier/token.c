/*
 * Finding repeats: sort by token and time, then look from each record at those
 * before it. Names of enterprises and probes are kept once, so that equal names
 * are equal pointers.
 */
#include "verifier/token.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/wire/flow_record.h"
#include "verifier/evidence.h"

enum {
    SAME_MOMENT_MS = 2000,
    /* Clocks of two probes of one enterprise differ by less than this. */
    DOUBLE_CAPTURE_MS = 300000,
    CONTINUES_WITHIN_MS = FLOW_PAUSE_MAX_S * 1000,
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
static size_t place_of(const struct token_list *list, const char *name)
{
    size_t low = 0, high = list->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list->names[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert_name(struct token_list *list, size_t place, const char *name)
{
    char *copy = strdup(name);
    if (copy == NULL || !make_room((void **)&list->names, list->name_count,
                                   &list->name_room, sizeof(*list->names))) {
        free(copy);
        return false;
    }
    memmove(&list->names[place + 1], &list->names[place],
            (list->name_count - place) * sizeof(*list->names));
    list->names[place] = copy;
    list->name_count++;
    return true;
}

/* The list's copy of a name; NULL without memory. */
static const char *keep_name(struct token_list *list, const char *name)
{
    size_t place = place_of(list, name);
    bool is_known =
        place < list->name_count && strcmp(list->names[place], name) == 0;
    if (!is_known && !insert_name(list, place, name))
        return NULL;
    return list->names[place];
}

bool token_list_add(struct token_list *list, const struct token_record *record)
{
    const char *enterprise = keep_name(list, record->enterprise);
    const char *probe = keep_name(list, record->probe);
    if (enterprise == NULL || probe == NULL ||
        !make_room((void **)&list->records, list->count, &list->room,
                   sizeof(*list->records)))
        return false;
    struct token_record *kept = &list->records[list->count++];
    *kept = *record;
    kept->enterprise = enterprise;
    kept->probe = probe;
    return true;
}

/* Demo data and real data have nothing to do with each other. */
static int compare_tokens(const struct token_record *x,
                          const struct token_record *y)
{
    int order = x->is_sample - y->is_sample;
    return order ? order : memcmp(x->token, y->token, sizeof(x->token));
}

static int compare_records(const void *a, const void *b)
{
    const struct token_record *x = a, *y = b;
    int order = compare_tokens(x, y);
    order = order ? order : order_i64(x->start_ms, y->start_ms);
    order = order ? order : strcmp(x->enterprise, y->enterprise);
    order = order ? order : strcmp(x->probe, y->probe);
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

/* The next piece of a connection that a probe reported at the active timeout. */
static bool continues(const struct token_record *earlier,
                      const struct token_record *r)
{
    return earlier->end_reason == FLOW_END_ACTIVE &&
           earlier->probe == r->probe && earlier->host == r->host &&
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

/* What a record is to those of its token before it. */
struct token_relation {
    bool is_same;      /* as one of them: its next piece, or the same moment */
    bool is_here;      /* its probe had the token before */
    bool is_double;    /* another probe of the enterprise saw it just before */
    bool is_in_house;  /* the enterprise had the token before */
    bool is_elsewhere; /* another enterprise had */
};

static void relate(const struct token_record *earlier,
                   const struct token_record *r, struct token_relation *to)
{
    int64_t after_ms = r->start_ms - earlier->start_ms;
    bool is_in_house = earlier->enterprise == r->enterprise;
    bool is_here = is_in_house && earlier->probe == r->probe;
    to->is_same |=
        is_in_house && (after_ms <= SAME_MOMENT_MS || continues(earlier, r));
    to->is_here |= is_here;
    to->is_double |= is_in_house && !is_here && after_ms <= DOUBLE_CAPTURE_MS;
    to->is_in_house |= is_in_house;
    to->is_elsewhere |= !is_in_house;
}

/* What one record of a token comes to, given those of the token before it,
 * nearest first. A stranger's probe may send one token without end, so only so
 * many are looked at. */
static bool judge_record(const struct token_record *records, size_t first,
                         size_t i, struct repeat_sums *sums)
{
    const struct token_record *r = &records[i], *origin = &records[first];
    struct token_relation to = {0};
    for (size_t j = i; j > first && i - j < LOOK_BACK_MAX && !to.is_same; j--)
        relate(&records[j - 1], r, &to);
    if (to.is_same || (to.is_double && !to.is_here))
        return true;
    /* Too close to say who was first: it counts for the other one too. */
    if (origin->enterprise != r->enterprise &&
        r->start_ms - origin->start_ms <= SAME_MOMENT_MS &&
        !add_repeat(origin, true, sums))
        return false;
    if (to.is_in_house)
        return add_repeat(r, false, sums);
    return !to.is_elsewhere || add_repeat(r, true, sums);
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
        if (compare_tokens(&list->records[first], &list->records[i]) != 0)
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
    for (size_t i = 0; i < list->name_count; i++)
        free(list->names[i]);
    free(list->names);
    free(list->records);
    *list = (struct token_list){0};
}
