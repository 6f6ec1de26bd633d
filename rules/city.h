/* The list of cities (ORG-14): code by GB/T 2260, names. It is data. */
#ifndef RULES_CITY_H
#define RULES_CITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"
#include "common/slice.h"

enum { CITIES_MAX = 64, CITY_CODE_LEN = 7, CITY_NAME_LEN = 64 };

struct city {
    char code[CITY_CODE_LEN]; /* six digits */
    char name_zh[CITY_NAME_LEN];
    char name_en[CITY_NAME_LEN];
};

struct city_list {
    struct city items[CITIES_MAX]; /* by code */
    size_t count;
};

/* cities.csv: code,name_zh,name_en. A repeated code is refused. */
bool city_list_parse(struct slice csv, struct city_list *cities,
                     struct error_text *error);
/* NULL when there is no such city. */
const struct city *city_find(const struct city_list *cities, struct slice code);

#endif
