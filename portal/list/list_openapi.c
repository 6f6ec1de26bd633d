#include "portal/list/list_openapi.h"

static const char *const FILTER_TYPES[] = {
    [LIST_SEARCH] = "{type: string}",
    [LIST_CHOICES] = "",
    [LIST_ROWS] = "{type: string}",
    [LIST_SINCE] = "{type: string, format: date}",
};

static const char *const COLUMN_TYPES[] = {
    [LIST_TEXT] = "{type: [string, \"null\"]}",
    [LIST_LINK] = "{type: [string, \"null\"]}",
    [LIST_NAMES] = "{oneOf: [{$ref: \"#/components/schemas/names\"}, "
                   "{type: \"null\"}]}",
    [LIST_CODE] = "{type: [string, \"null\"]}",
    [LIST_MARK] = "{type: [string, \"null\"]}",
    [LIST_MONEY] = "{type: [integer, \"null\"], format: int64, description: "
                   "fen}",
    [LIST_COUNT] = "{type: [integer, \"null\"], format: int64}",
    [LIST_DAY] = "{type: [string, \"null\"], format: date}",
    [LIST_TIME] = "{type: [string, \"null\"], format: date-time}",
    [LIST_HASH] = "{type: [string, \"null\"], pattern: \"^[0-9a-f]*$\"}",
    [LIST_TAG] = "{type: boolean}",
};

/* Those of a list that is asked for: see portal/show/refused.h. */
static const int REFUSED[] = {400, 401, 403, 500, 503};

static void add_filter(const struct list_filter *filter, struct buffer *out)
{
    buffer_addf(out, "        - {name: %s, in: query, schema: ", filter->name);
    buffer_add_text(out, FILTER_TYPES[filter->kind]);
    if (filter->kind == LIST_CHOICES) {
        buffer_add_text(out, "{enum: [");
        for (size_t i = 0; i < filter->choice_count; i++)
            buffer_addf(out, "%s%s", i > 0 ? ", " : "",
                        filter->choices[i].code);
        buffer_add_text(out, "]}");
    }
    buffer_add_text(out, "}\n");
}

void list_openapi_path(const struct list *list, struct buffer *out)
{
    buffer_addf(out,
                "  /%s:\n    get:\n      operationId: list_%s\n"
                "      summary: A page of the list\n      parameters:\n"
                "        - {name: after, in: query, schema: {type: string}, "
                "description: \"As in next of the page before.\"}\n",
                list->name, list->name);
    for (size_t i = 0; i < list->filter_count; i++)
        add_filter(&list->filters[i], out);
    buffer_addf(out,
                "      responses:\n        \"200\":\n"
                "          description: \"At most %d rows of what the account "
                "may see.\"\n"
                "          content:\n            application/json:\n"
                "              schema:\n                type: object\n"
                "                required: [items, next]\n"
                "                additionalProperties: false\n"
                "                properties:\n"
                "                  items: {type: array, maxItems: %d, items: "
                "{$ref: \"#/components/schemas/%s\"}}\n"
                "                  next: {type: [string, \"null\"], "
                "description: \"Address of the next page.\"}\n",
                LIST_PAGE_ROWS, LIST_PAGE_ROWS, list->name);
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++)
        buffer_addf(out,
                    "        \"%d\": {$ref: "
                    "\"#/components/responses/r%d\"}\n",
                    REFUSED[i], REFUSED[i]);
}

static bool is_in_json(const struct list_column *column)
{
    return column->places == 0 || (column->places & LIST_JSON) != 0;
}

void list_openapi_schema(const struct list *list, struct buffer *out)
{
    const char *comma = "";
    buffer_addf(out,
                "    %s:\n      type: object\n"
                "      additionalProperties: false\n      required: [",
                list->name);
    for (size_t i = 0; i < list->column_count; i++) {
        if (!is_in_json(&list->columns[i]))
            continue;
        buffer_addf(out, "%s%s", comma, list->columns[i].name);
        comma = ", ";
    }
    buffer_add_text(out, "]\n      properties:\n");
    for (size_t i = 0; i < list->column_count; i++)
        if (is_in_json(&list->columns[i]))
            buffer_addf(out, "        %s: %s\n", list->columns[i].name,
                        COLUMN_TYPES[list->columns[i].kind]);
}
