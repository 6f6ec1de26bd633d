#include "portal/list/list_view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/digest.h"
#include "common/shown.h"
#include "common/writer.h"

enum {
    ADDRESS_MAX = 4096,
    HASH_BYTES_MAX = 64,
    SENTENCE_MAX = 1024,
    ROW_BYTES_MAX = 1024 * 1024
};

static const char *word(const struct list_view *view, const char *prefix,
                        const char *code)
{
    return text_word(view->language, prefix, code);
}

static unsigned places_of(const struct list_column *column)
{
    return column->places != 0 ? column->places
                               : LIST_PAGE | LIST_FILE | LIST_JSON;
}

static bool is_shown(const struct list_column *column, enum list_place place)
{
    return (places_of(column) & place) != 0;
}

/* --- addresses --- */

static const char *take_text(struct buffer *text, struct arena *arena)
{
    const char *copy =
        text->failed ? NULL : arena_copy_text(arena, buffer_slice(text));
    buffer_clear(text);
    return copy != NULL ? copy : "";
}

static void add_after(const struct list *list, const char *const *keys,
                      struct buffer *address)
{
    buffer_add_text(address, "after=");
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++) {
        buffer_add_text(address, i > 0 ? "," : "");
        address_add(address, slice_of_text(keys[i]));
    }
}

/* The list's address with its filters set: path is "/vouchers" or
 * "/vouchers.csv"; `keys` are those of the last row before, NULL: from the
 * start. */
static const char *address_of(const struct list_view *view, const char *path,
                              const char *const keys[LIST_KEYS_MAX])
{
    const char *sign = "?";
    struct buffer address;
    buffer_init(&address, ADDRESS_MAX);
    buffer_add_text(&address, path);
    for (size_t i = 0; i < view->list->filter_count; i++) {
        if (view->query->values[i][0] == '\0')
            continue;
        buffer_addf(&address, "%s%s=", sign, view->list->filters[i].name);
        address_add(&address, slice_of_text(view->query->values[i]));
        sign = "&";
    }
    if (keys != NULL) {
        buffer_add_text(&address, sign);
        add_after(view->list, keys, &address);
    }
    return take_text(&address, view->arena);
}

/* Only the last key may have commas. */
void list_read_after(const struct list *list, const char *after,
                     struct list_query *query, struct arena *arena)
{
    struct slice rest = slice_of_text(after);
    query->after[0] = NULL;
    if (after[0] == '\0')
        return;
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++) {
        bool is_last = i + 1 == LIST_KEYS_MAX || list->keys[i + 1].sql == NULL;
        struct slice key = rest;
        if (!is_last && !slice_next(&rest, ',', &key))
            key = SLICE("");
        query->after[i] = arena_copy_text(arena, key);
    }
}

/* --- values as words --- */

static const char *names_of(const struct list_view *view,
                            const struct list_value *value)
{
    bool is_en = view->language == LANGUAGE_EN && value->en.length > 0;
    const char *name =
        arena_copy_text(view->arena, is_en ? value->en : value->zh);
    return name != NULL ? name : "";
}

static const char *code_word(const struct list_view *view,
                             const struct list_column *column,
                             const struct list_value *value)
{
    const char *code = arena_copy_text(view->arena, value->text);
    if (code == NULL || code[0] == '\0')
        return "";
    return word(view, column->words, code);
}

static const char *hash_text(const struct list_view *view,
                             const struct list_value *value)
{
    char hex[2 * HASH_BYTES_MAX + 1] = "";
    if (value->text.length <= HASH_BYTES_MAX)
        hex_of(value->text.data, value->text.length, hex);
    const char *copy = arena_copy_text(view->arena, slice_of_text(hex));
    return copy != NULL ? copy : "";
}

static const char *money_text(const struct list_view *view, int64_t fen)
{
    char text[SHOWN_LEN];
    shown_amount((struct money){fen}, text);
    const char *copy = arena_copy_text(view->arena, slice_of_text(text));
    return copy != NULL ? copy : "";
}

static const char *time_text(const struct list_view *view,
                             const struct list_value *value, bool is_day)
{
    char text[SHOWN_LEN];
    struct wall_time time = {value->number};
    if (value->is_null)
        return "";
    if (is_day)
        shown_day_of(time, text);
    else
        shown_moment(time, text);
    const char *copy = arena_copy_text(view->arena, slice_of_text(text));
    return copy != NULL ? copy : "";
}

static const char *cell_text(const struct list_view *view,
                             const struct list_column *column,
                             const struct list_value *value)
{
    const char *text = NULL;
    switch (column->kind) {
    case LIST_TEXT:
    case LIST_LINK:
        text = arena_copy_text(view->arena, value->text);
        break;
    case LIST_NAMES:
        return names_of(view, value);
    case LIST_CODE:
    case LIST_MARK:
        return code_word(view, column, value);
    case LIST_MONEY:
        return value->is_null ? "" : money_text(view, value->number);
    case LIST_COUNT:
        text = value->is_null ? ""
                              : arena_format(view->arena, "%lld",
                                             (long long)value->number);
        break;
    case LIST_DAY:
    case LIST_TIME:
        return time_text(view, value, column->kind == LIST_DAY);
    case LIST_HASH:
        return hash_text(view, value);
    case LIST_TAG:
        return word(view, value->number != 0 ? "yes" : "no", "");
    }
    return text != NULL ? text : "";
}

/* --- the page --- */

static bool is_own_cell(const struct list_column *column)
{
    return column->kind != LIST_TAG && !column->is_note &&
           is_shown(column, LIST_PAGE);
}

static const char *link_of(const struct list_view *view,
                           const struct list_column *column,
                           const struct list_value *value)
{
    struct buffer address;
    if (column->kind != LIST_LINK)
        return "";
    buffer_init(&address, ADDRESS_MAX);
    buffer_add_text(&address, column->link);
    address_add(&address, value->text);
    if (column->sql[1] != NULL) {
        buffer_add_text(&address, "/");
        address_add(&address, value->zh);
    }
    return take_text(&address, view->arena);
}

static struct model *fill_cell(const struct list_view *view, struct model *row,
                               const struct list_column *column,
                               const struct list_value *value, bool is_first)
{
    const char *text = cell_text(view, column, value);
    bool is_mark = column->kind == LIST_MARK && text[0] != '\0';
    struct model *cell = model_append(row, "cells");
    model_bool(cell, "is_first", is_first);
    model_bool(cell, "is_number",
               column->kind == LIST_MONEY || column->kind == LIST_COUNT);
    model_bool(cell, "is_short",
               column->kind == LIST_CODE || column->kind == LIST_DAY);
    model_text(cell, "label", word(view, "", column->title));
    model_text(cell, "text", text);
    model_text(cell, "link", link_of(view, column, value));
    model_text(cell, "mark", "");
    if (is_mark)
        model_slice(cell, "mark", value->text);
    model_list(cell, "tags");
    model_list(cell, "notes");
    return cell;
}

static void fill_tag(const struct list_view *view, struct model *cell,
                     const struct list_column *column,
                     const struct list_value *value)
{
    if (value->number == 0)
        return;
    struct model *tag = model_append(cell, "tags");
    model_text(tag, "words", word(view, "", column->title));
    model_text(tag, "look", column->look != NULL ? column->look : "tag");
}

static void fill_note(const struct list_view *view, struct model *cell,
                      const struct list_column *column,
                      const struct list_value *value)
{
    const char *text = cell_text(view, column, value);
    if (text[0] == '\0')
        return;
    struct model *note = model_append(cell, "notes");
    model_text(note, "label", word(view, "", column->title));
    model_text(note, "text", text);
    model_bool(note, "is_code", column->kind == LIST_HASH);
}

static void fill_row(const struct list_view *view,
                     const struct list_reader *reader, struct model *model)
{
    struct model *row = model_append(model, "_rows"), *cell = NULL;
    for (size_t i = 0; i < view->list->column_count; i++) {
        const struct list_column *column = &view->list->columns[i];
        const struct list_value *value = &reader->values[i];
        if (!is_shown(column, LIST_PAGE))
            continue;
        if (is_own_cell(column))
            cell = fill_cell(view, row, column, value, cell == NULL);
        else if (column->kind == LIST_TAG)
            fill_tag(view, cell, column, value);
        else
            fill_note(view, cell, column, value);
    }
}

static void fill_heads(const struct list_view *view, struct model *model)
{
    for (size_t i = 0; i < view->list->column_count; i++) {
        const struct list_column *column = &view->list->columns[i];
        if (!is_own_cell(column))
            continue;
        struct model *head = model_append(model, "_heads");
        model_text(head, "words", word(view, "", column->title));
        model_bool(head, "is_number",
                   column->kind == LIST_MONEY || column->kind == LIST_COUNT);
    }
}

/* --- filters --- */

static void add_choice(struct model *filter, const char *code,
                       const char *words, const char *chosen)
{
    struct model *choice = model_append(filter, "choices");
    model_text(choice, "code", code);
    model_text(choice, "words", words);
    model_bool(choice, "is_chosen", strcmp(code, chosen) == 0);
}

static bool add_rows(const struct list_view *view,
                     const struct list_filter *filter, const char *chosen,
                     struct model *m)
{
    struct db_statement *s = db_prepare(view->db, filter->choices_sql);
    enum db_step step = DB_FAILED;
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        struct list_value names = {.zh = db_blob(s, 1), .en = db_blob(s, 2)};
        add_choice(m, db_text(s, 0),
                   filter->words != NULL
                       ? word(view, filter->words, db_text(s, 0))
                       : names_of(view, &names),
                   chosen);
    }
    return step == DB_DONE;
}

static bool fill_filter(const struct list_view *view,
                        const struct list_filter *filter, const char *value,
                        struct model *model)
{
    struct model *m = model_append(model, "_filters");
    model_text(m, "name", filter->name);
    model_text(m, "label", word(view, "", filter->title));
    model_text(m, "value", value);
    model_bool(m, "is_search", filter->kind == LIST_SEARCH);
    model_bool(m, "is_day", filter->kind == LIST_SINCE);
    model_bool(m, "is_choice",
               filter->kind == LIST_CHOICES || filter->kind == LIST_ROWS);
    model_list(m, "choices");
    for (size_t i = 0; i < filter->choice_count; i++)
        add_choice(m, filter->choices[i].code,
                   word(view, filter->words, filter->choices[i].code), value);
    return filter->kind != LIST_ROWS || add_rows(view, filter, value, m);
}

static bool fill_filters(const struct list_view *view, struct model *model)
{
    bool good = true;
    model_list(model, "_filters");
    for (size_t i = 0; i < view->list->filter_count; i++)
        if (list_filter_is_for(&view->list->filters[i], view->query->scope))
            good &= fill_filter(view, &view->list->filters[i],
                                view->query->values[i], model);
    model_bool(model, "_is_filtered",
               list_is_filtered(view->list, view->query));
    return good;
}

/* --- sums, and why there is nothing --- */

static struct slice shown_rows(const struct list_view *view, int64_t count,
                               bool is_all, struct buffer *sentence)
{
    buffer_init(sentence, SENTENCE_MAX);
    text_fill(sentence, view->language,
              is_all ? TEXT_KEY("list.all") : TEXT_KEY("list.page"),
              text_count("count", (uint64_t)count));
    return buffer_slice(sentence);
}

/* The first page with the sums of all rows. */
static const char *totals_address(const struct list_view *view)
{
    const char *path = arena_format(view->arena, "/%s", view->list->name);
    const char *address = path != NULL ? address_of(view, path, NULL) : "";
    const char *link = arena_format(view->arena, "%s%ctotals=1", address,
                                    strchr(address, '?') != NULL ? '&' : '?');
    return link != NULL ? link : "";
}

static void fill_sums(const struct list_view *view, int64_t count,
                      const int64_t *sums, bool is_all, struct model *model)
{
    struct buffer sentence;
    model_slice(model, "_shown", shown_rows(view, count, is_all, &sentence));
    buffer_clear(&sentence);
    model_text(model, "_totals_link", is_all ? "" : totals_address(view));
    model_list(model, "_sums");
    for (size_t i = 0; i < view->list->column_count; i++) {
        if (!view->list->columns[i].is_summed)
            continue;
        struct model *sum = model_append(model, "_sums");
        model_text(sum, "label", word(view, "", view->list->columns[i].title));
        model_text(sum, "text", money_text(view, sums[i]));
    }
}

/* Nobody of this scope has rows; the filters leave none; or there are none. */
static void fill_reason(const struct list_view *view, int64_t count,
                        struct model *model)
{
    const struct list *list = view->list;
    bool is_closed = list_is_closed(list, view->query->scope);
    bool is_missing = list_is_missing(list, view->query);
    bool is_filtered = list_is_filtered(list, view->query);
    model_bool(model, "_is_empty", count == 0);
    model_text(model, "_missing",
               !is_closed && is_missing ? word(view, "", list->missing) : "");
    model_text(model, "_help",
               list->help != NULL ? word(view, "", list->help) : "");
    model_text(model, "_reason",
               count > 0     ? ""
               : is_closed   ? word(view, TEXT_KEY("list.closed"), "")
               : is_filtered ? word(view, TEXT_KEY("list.filtered"), "")
                             : word(view, "", list->none));
    model_bool(model, "_has_filters", !is_closed && (count > 0 || is_filtered));
}

static void fill_links(const struct list_view *view,
                       const struct list_reader *last, bool has_more,
                       struct model *model)
{
    const char *path = arena_format(view->arena, "/%s", view->list->name);
    path = path != NULL ? path : "";
    model_text(model, "_path", path);
    model_text(model, "_name", view->list->name);
    model_text(model, "_first_link", address_of(view, path, NULL));
    model_bool(model, "_is_first", view->query->after[0] == NULL);
    model_text(model, "_next_link",
               has_more ? address_of(view, path, last->keys) : "");
    static const char *const FORMS[] = {"csv", "xlsx"};
    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
        struct model *file = model_append(model, "_files");
        const char *name = arena_format(view->arena, "%s.%s", path, FORMS[i]);
        model_text(file, "link", address_of(view, name, NULL));
        model_text(file, "form", word(view, "list.", FORMS[i]));
    }
}

static void keep_keys(struct list_reader *kept,
                      const struct list_reader *reader, struct arena *arena)
{
    for (size_t i = 0; i < LIST_KEYS_MAX; i++)
        kept->keys[i] =
            reader->keys[i] == NULL
                ? NULL
                : arena_copy_text(arena, slice_of_text(reader->keys[i]));
}

static bool add_sums(const struct list_view *view,
                     const struct list_reader *reader,
                     int64_t sums[LIST_COLUMNS_MAX])
{
    bool good = true;
    for (size_t i = 0; i < view->list->column_count; i++) {
        struct money sum = {sums[i]};
        if (!view->list->columns[i].is_summed)
            continue;
        good &= money_add(sum, (struct money){reader->values[i].number},
                          &sum) == MONEY_OK;
        sums[i] = sum.fen;
    }
    return good;
}

bool list_fill(const struct list_view *view, struct model *model)
{
    struct list_reader reader, last = {0};
    int64_t count = 0, sums[LIST_COLUMNS_MAX] = {0};
    enum db_step step = DB_FAILED;
    bool has_more = false, good = true;
    if (!list_open(&reader, view->db, view->list, view->query,
                   LIST_PAGE_ROWS + 1, view->arena))
        return false;
    model_list(model, "_rows");
    while (good && (step = list_next(&reader)) == DB_ROW) {
        has_more = count == LIST_PAGE_ROWS;
        if (has_more)
            break;
        fill_row(view, &reader, model);
        keep_keys(&last, &reader, view->arena);
        good = add_sums(view, &reader, sums);
        count++;
    }
    list_close(&reader);
    if (!good || step == DB_FAILED)
        return false;
    bool is_all = !has_more && view->query->after[0] == NULL;
    fill_reason(view, count, model);
    fill_heads(view, model);
    fill_links(view, &last, has_more, model);
    if (view->wants_totals && !is_all) {
        is_all = true;
        good = list_totals(view->db, view->list, view->query, view->arena,
                           &count, sums);
    }
    fill_sums(view, count, sums, is_all, model);
    return fill_filters(view, model) && good;
}

/* --- JSON --- */

static void json_names(struct json_writer *json, const char *name,
                       const struct list_value *value)
{
    if (value->is_null) {
        json_no_value(json, name);
        return;
    }
    json_object_begin(json, name);
    json_slice(json, "id", value->text);
    json_slice(json, "name_zh", value->zh);
    json_slice(json, "name_en", value->en);
    json_object_end(json);
}

static void json_time(struct json_writer *json, const char *name,
                      const struct list_value *value, bool is_day)
{
    char text[WALL_TEXT_LEN];
    struct wall_time time = {value->number};
    if (is_day)
        day_to_text(day_of_wall(time), text);
    else
        wall_to_text(time, text);
    json_text(json, name, text);
}

static void json_value(struct json_writer *json,
                       const struct list_column *column,
                       const struct list_value *value)
{
    const char *name = column->name;
    if (value->is_null && column->kind != LIST_TAG) {
        json_no_value(json, name);
        return;
    }
    switch (column->kind) {
    case LIST_NAMES:
        json_names(json, name, value);
        break;
    case LIST_MONEY:
    case LIST_COUNT:
        json_i64(json, name, value->number);
        break;
    case LIST_DAY:
    case LIST_TIME:
        json_time(json, name, value, column->kind == LIST_DAY);
        break;
    case LIST_TAG:
        json_bool(json, name, value->number != 0);
        break;
    case LIST_HASH:
        json_hex(json, name, value->text.data, value->text.length);
        break;
    case LIST_TEXT:
    case LIST_LINK:
    case LIST_CODE:
    case LIST_MARK:
        json_slice(json, name, value->text);
        break;
    }
}

static void json_row(struct json_writer *json, const struct list_reader *reader)
{
    json_object_begin(json, NULL);
    for (size_t i = 0; i < reader->list->column_count; i++)
        if (is_shown(&reader->list->columns[i], LIST_JSON))
            json_value(json, &reader->list->columns[i], &reader->values[i]);
    json_object_end(json);
}

static void json_next_page(const struct list_view *view,
                           struct json_writer *json,
                           const struct list_reader *last)
{
    const char *path =
        arena_format(view->arena, "/api/v1/%s", view->list->name);
    if (last == NULL || path == NULL)
        json_no_value(json, "next");
    else
        json_text(json, "next", address_of(view, path, last->keys));
}

bool list_write_json(const struct list_view *view, struct buffer *out)
{
    struct list_reader reader, last = {0};
    struct json_writer json;
    enum db_step step = DB_DONE;
    int64_t count = 0;
    bool has_more = false;
    if (!list_open(&reader, view->db, view->list, view->query,
                   LIST_PAGE_ROWS + 1, view->arena))
        return false;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_array_begin(&json, "items");
    while (!has_more && (step = list_next(&reader)) == DB_ROW) {
        has_more = count++ == LIST_PAGE_ROWS;
        if (has_more)
            break;
        json_row(&json, &reader);
        keep_keys(&last, &reader, view->arena);
    }
    list_close(&reader);
    json_array_end(&json);
    json_next_page(view, &json, has_more ? &last : NULL);
    json_object_end(&json);
    buffer_add_text(out, "\n");
    return step != DB_FAILED;
}

/* --- files --- */

/* "2026-11-23T16:00:00+08:00" */
static void file_time(struct file_writer *file, const struct file_form *form,
                      struct wall_time time)
{
    char moment[WALL_TEXT_LEN], text[WALL_TEXT_LEN + 8];
    wall_to_local_text(time, moment);
    moment[10] = 'T';
    snprintf(text, sizeof(text), "%s+08:00", moment);
    form->plain(file, slice_of_text(text));
}

static void file_value(const struct list_view *view, struct file_writer *file,
                       const struct file_form *form,
                       const struct list_column *column,
                       const struct list_value *value)
{
    if (value->is_null && column->kind != LIST_TAG)
        form->text(file, SLICE(""));
    else if (column->kind == LIST_MONEY)
        form->money(file, (struct money){value->number});
    else if (column->kind == LIST_COUNT)
        form->count(file, value->number);
    else if (column->kind == LIST_TIME)
        file_time(file, form, (struct wall_time){value->number});
    else if (column->kind == LIST_DAY)
        form->plain(file, slice_of_text(cell_text(view, column, value)));
    else
        form->text(file, slice_of_text(cell_text(view, column, value)));
}

static void file_row(const struct list_view *view, struct file_writer *file,
                     const struct file_form *form,
                     const struct list_reader *reader)
{
    for (size_t i = 0; i < view->list->column_count; i++)
        if (is_shown(&view->list->columns[i], LIST_FILE))
            file_value(view, file, form, &view->list->columns[i],
                       &reader->values[i]);
    form->row_end(file);
}

static void file_heads(const struct list_view *view, struct file_writer *file,
                       const struct file_form *form)
{
    for (size_t i = 0; i < view->list->column_count; i++)
        if (is_shown(&view->list->columns[i], LIST_FILE))
            form->text(file, slice_of_text(
                                 word(view, "", view->list->columns[i].title)));
    form->row_end(file);
}

/* What did not fit is said in the last row, with the address of the rest. */
static void file_rest(const struct list_view *view, struct file_writer *file,
                      const struct file_form *form,
                      const struct list_reader *last)
{
    const char *path =
        arena_format(view->arena, "/%s.%s", view->list->name, form->extension);
    const char *rest = path != NULL ? address_of(view, path, last->keys) : "";
    form->text(file, slice_of_text(word(view, "", TEXT_KEY("list.cut"))));
    form->text(file, slice_of_text(rest));
    form->row_end(file);
}

/* The words of a row are forgotten with the row. */
static struct list_view for_a_row(const struct list_view *view,
                                  struct arena *arena)
{
    struct list_view of_row = *view;
    of_row.arena = arena;
    return of_row;
}

static bool write_rows(const struct list_view *view, struct file_writer *file,
                       const struct file_form *form, int64_t most, bool *is_cut)
{
    struct list_reader reader;
    struct arena *arena = arena_new(ROW_BYTES_MAX);
    enum db_step step = DB_FAILED;
    int64_t count = 0;
    if (arena == NULL || !list_open(&reader, view->db, view->list, view->query,
                                    most + 1, view->arena))
        goto out;
    struct list_view of_row = for_a_row(view, arena);
    struct list_reader last = {0};
    while ((step = list_next(&reader)) == DB_ROW) {
        *is_cut = count++ == most;
        if (*is_cut)
            break;
        arena_reset(arena);
        file_row(&of_row, file, form, &reader);
        if (count == most)
            keep_keys(&last, &reader, view->arena);
    }
    list_close(&reader);
    if (*is_cut)
        file_rest(view, file, form, &last);
out:
    arena_free(arena);
    return step != DB_FAILED;
}

int list_write_file(const struct list_view *view, const struct file_form *form,
                    int64_t most, bool *is_cut)
{
    struct file_writer *file = form->open(word(view, "", view->list->title));
    *is_cut = false;
    if (file == NULL)
        return -1;
    file_heads(view, file, form);
    bool good = write_rows(view, file, form, most, is_cut);
    int fd = form->close(file);
    if (good || fd < 0)
        return fd;
    close(fd);
    return -1;
}
