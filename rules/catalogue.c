/*
 * A catalogue version from its JSON.
 *
 * The reader asks for every member it knows and refuses others: a misspelt cap
 * must not become a missing one.
 */
#include "rules/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static const int64_t FEN_MAX =
    INT64_C(100000000000000); /* a bound, 10^12 yuan */

static void copy_text(const struct json_node *object, const char *key,
                      char *text, size_t size)
{
    const struct json_node *node = json_want(object, key);
    const char *value = json_as_text(node);
    if (value[0] == '\0' || !slice_copy(slice_of_text(value), text, size))
        json_fail(node, "1 to %zu bytes are expected", size - 1);
}

static void read_cap(const struct json_node *node, struct catalogue_item *item)
{
    static const char *const FIXED[] = {"no",      "code",    "link_zh",
                                        "name_zh", "name_en", "cap_kind",
                                        "cap_fen", NULL};
    static const char *const PER_SET[] = {"no",          "code",    "link_zh",
                                          "name_zh",     "name_en", "cap_kind",
                                          "per_set_fen", NULL};
    const char *kind = json_want_text(node, "cap_kind");
    if (strcmp(kind, "FIXED") == 0) {
        item->cap_kind = CAP_FIXED;
        json_only_keys(node, FIXED);
        item->cap.fen = json_want_i64(node, "cap_fen", 1, FEN_MAX);
    } else if (strcmp(kind, "PER_SET") == 0) {
        item->cap_kind = CAP_PER_SET;
        json_only_keys(node, PER_SET);
        item->cap.fen = json_want_i64(node, "per_set_fen", 1, FEN_MAX);
    } else {
        json_fail(node, "cap_kind is FIXED or PER_SET");
    }
}

static void read_item(const struct json_node *node, struct catalogue_item *item)
{
    item->no = (int)json_want_i64(node, "no", 1, 999);
    copy_text(node, "code", item->code, sizeof(item->code));
    copy_text(node, "link_zh", item->link_zh, sizeof(item->link_zh));
    copy_text(node, "name_zh", item->name_zh, sizeof(item->name_zh));
    copy_text(node, "name_en", item->name_en, sizeof(item->name_en));
    read_cap(node, item);
}

static bool is_repeated(const struct catalogue *catalogue)
{
    size_t last = catalogue->item_count - 1;
    const struct catalogue_item *item = &catalogue->items[last];
    for (size_t i = 0; i < last; i++) {
        if (catalogue->items[i].no == item->no ||
            strcmp(catalogue->items[i].code, item->code) == 0)
            return true;
    }
    return false;
}

static void read_items(const struct json_node *list,
                       struct catalogue *catalogue)
{
    const struct json_node *n = json_first(json_as_array(list));
    for (; n != NULL; n = json_next(n)) {
        if (catalogue->item_count == CATALOGUE_ITEMS_MAX) {
            json_fail(n, "more than %d items", CATALOGUE_ITEMS_MAX);
            return;
        }
        read_item(n, &catalogue->items[catalogue->item_count++]);
        if (is_repeated(catalogue)) {
            json_fail(n, "number or code is there twice");
            return;
        }
    }
    if (catalogue->item_count == 0)
        json_fail(list, "no items");
}

static int compare_items(const void *a, const void *b)
{
    const struct catalogue_item *x = a, *y = b;
    return x->no - y->no;
}

static void read_catalogue(const struct json_node *root,
                           struct catalogue *catalogue)
{
    static const char *const KEYS[] = {
        "catalogue",        "version", "title_zh", "cumulative_cap_fen",
        "cumulative_scope", "items",   NULL};
    json_only_keys(root, KEYS);
    copy_text(root, "catalogue", catalogue->code, sizeof(catalogue->code));
    catalogue->version = (int)json_want_i64(root, "version", 1, 999);
    copy_text(root, "title_zh", catalogue->title_zh,
              sizeof(catalogue->title_zh));
    catalogue->cumulative_cap.fen =
        json_want_i64(root, "cumulative_cap_fen", 1, FEN_MAX);
    const struct json_node *scope = json_want(root, "cumulative_scope");
    if (strcmp(json_as_text(scope), "PER_ENTERPRISE_PER_CYCLE") != 0)
        json_fail(scope, "PER_ENTERPRISE_PER_CYCLE is expected");
    read_items(json_want(root, "items"), catalogue);
}

bool catalogue_parse(struct slice json, struct catalogue *catalogue,
                     struct error_text *error)
{
    struct json_document *doc = json_parse(json, "catalogue", error);
    if (doc == NULL)
        return false;
    *catalogue = (struct catalogue){0};
    read_catalogue(json_as_object(json_root(doc)), catalogue);
    bool good = json_error(doc) == NULL;
    if (!good)
        error_set(error, "%s", json_error(doc));
    else
        qsort(catalogue->items, catalogue->item_count,
              sizeof(catalogue->items[0]), compare_items);
    json_free(doc);
    return good;
}

const struct catalogue_item *catalogue_find(const struct catalogue *catalogue,
                                            int no)
{
    for (size_t i = 0; i < catalogue->item_count; i++) {
        if (catalogue->items[i].no == no)
            return &catalogue->items[i];
    }
    return NULL;
}
