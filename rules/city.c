/* The list of cities, kept sorted by code so that pages and tables agree on
 * the order. */
#include "rules/city.h"

#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/writer.h"

enum { COLUMNS = 3 };

static bool read_city(const struct slice *fields, struct city *city)
{
    uint64_t number;
    return fields[0].length == CITY_CODE_LEN - 1 &&
           parse_u64(fields[0], 100000, 999999, &number) &&
           slice_copy(fields[0], city->code, sizeof(city->code)) &&
           fields[1].length > 0 && slice_is_clean_utf8(fields[1]) &&
           slice_copy(fields[1], city->name_zh, sizeof(city->name_zh)) &&
           fields[2].length > 0 && slice_is_clean_utf8(fields[2]) &&
           slice_copy(fields[2], city->name_en, sizeof(city->name_en));
}

static bool read_rows(struct slice csv, struct buffer *scratch,
                      struct city_list *cities, struct error_text *error)
{
    struct slice f[COLUMNS];
    unsigned line = 0;
    int count = csv_read(&csv, scratch, f, COLUMNS, &line);
    if (count != COLUMNS || !slice_equal_text(f[0], "code") ||
        !slice_equal_text(f[1], "name_zh") ||
        !slice_equal_text(f[2], "name_en"))
        return error_set(error, "line 1: header code,name_zh,name_en expected");
    while ((count = csv_read(&csv, scratch, f, COLUMNS, &line)) > 0) {
        if (cities->count == CITIES_MAX)
            return error_set(error, "line %u: more than %d cities", line,
                             CITIES_MAX);
        if (count != COLUMNS || !read_city(f, &cities->items[cities->count]))
            return error_set(
                error, "line %u: six digits and two names expected", line);
        cities->count++;
    }
    if (count < 0)
        return error_set(error, "line %u: malformed", line + 1);
    return true;
}

static int compare_cities(const void *a, const void *b)
{
    const struct city *x = a, *y = b;
    return strcmp(x->code, y->code);
}

bool city_list_parse(struct slice csv, struct city_list *cities,
                     struct error_text *error)
{
    struct buffer scratch;
    cities->count = 0;
    buffer_init(&scratch, 4096);
    bool good = read_rows(csv, &scratch, cities, error);
    buffer_clear(&scratch);
    if (!good)
        return false;
    qsort(cities->items, cities->count, sizeof(cities->items[0]),
          compare_cities);
    for (size_t i = 1; i < cities->count; i++) {
        if (compare_cities(&cities->items[i - 1], &cities->items[i]) == 0)
            return error_set(error, "city %s stands there twice",
                             cities->items[i].code);
    }
    return true;
}

const struct city *city_find(const struct city_list *cities, struct slice code)
{
    for (size_t i = 0; i < cities->count; i++) {
        if (slice_equal_text(code, cities->items[i].code))
            return &cities->items[i];
    }
    return NULL;
}
