/*
 * The catalogue of services that may be subsidised (CAT-02), one version of it.
 *
 * Every item has a cap: a fixed amount, or an amount for each networked set of
 * equipment (AWARD-02, AWARD-03). The cumulative cap (AWARD-06) belongs to the
 * version too.
 */
#ifndef RULES_CATALOGUE_H
#define RULES_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"
#include "common/money.h"
#include "common/slice.h"

enum {
    CATALOGUE_ITEMS_MAX = 64,
    CATALOGUE_CODE_LEN = 40,
    CATALOGUE_NAME_LEN = 160,
};

enum cap_kind {
    CAP_FIXED,
    CAP_PER_SET, /* for each networked set; the contract names their number */
};

struct catalogue_item {
    int no; /* 1 to 999, unique */
    char code[CATALOGUE_CODE_LEN];
    char link_zh[CATALOGUE_NAME_LEN]; /* link of the value chain */
    char name_zh[CATALOGUE_NAME_LEN];
    char name_en[CATALOGUE_NAME_LEN];
    enum cap_kind cap_kind;
    struct money cap; /* the cap, or the cap for one set; above zero */
};

struct catalogue {
    char code[CATALOGUE_CODE_LEN]; /* "GD-CLOUD-PLATFORM" */
    int version;                   /* 1 to 999 */
    char title_zh[CATALOGUE_NAME_LEN];
    struct money cumulative_cap; /* per enterprise and cycle */
    struct catalogue_item items[CATALOGUE_ITEMS_MAX]; /* by number */
    size_t item_count;
};

/* catalogue-vN.json. Unknown or missing members, a repeated number or code, a
 * cap of zero, too many items: refused with a sentence. */
bool catalogue_parse(struct slice json, struct catalogue *catalogue,
                     struct error_text *error);
/* NULL when there is no such item. */
const struct catalogue_item *catalogue_find(const struct catalogue *catalogue,
                                            int no);

#endif
