/*
 * See load_refusal.h. A table's keys are looked up only after it refused the
 * row, so that rows that are fine cost nothing more. What the database says is
 * for the log: nobody who loads a file knows its constraints.
 */
#include "portal/load/load_refusal.h"

#include <stdio.h>
#include <string.h>

#include "common/buffer.h"
#include "portal/load/load_row.h"

enum { PATH_SHOWN = 200 };

static void fill(struct error_text *error, enum language language,
                 const char *key, const struct text_argument *arguments)
{
    struct buffer out;
    buffer_init(&out, sizeof(error->text) * 4);
    text_fill_list(&out, language, key, arguments);
    struct slice said = buffer_slice(&out);
    error_set(error, "%.*s", (int)said.length, said.data);
    buffer_clear(&out);
}

bool load_refuse_list(struct load_row *row, const char *column, const char *key,
                      const struct text_argument *arguments)
{
    row->refused_column = column;
    fill(&row->refusal, row->options->language, key, arguments);
    return false;
}

bool load_say_list(struct error_text *error, const struct load_options *options,
                   const char *key, const struct text_argument *arguments)
{
    fill(error, options->language, key, arguments);
    return false;
}

bool load_say_trouble(struct error_text *error,
                      const struct load_options *options, const struct db *db)
{
    log_debug("load: %s", db_error(db));
    return load_say(error, options, "load.store",
                    text_plain("trouble", db_trouble(db)));
}

/* The end of a path that is too long to leave room for the sentence. */
static const char *path_shown(const char *path, const char **before)
{
    size_t length = strlen(path);
    *before = length > PATH_SHOWN ? "..." : "";
    if (length <= PATH_SHOWN)
        return path;
    path += length - PATH_SHOWN;
    while (((unsigned char)*path & 0xc0) == 0x80)
        path++;
    return path;
}

void load_place(const struct load_row *row, const char *column,
                const char *sentence, struct error_text *error)
{
    const char *before = "", *path = path_shown(row->path, &before);
    error_set(error, "%s%s:%u: %s%s%s", before, path, row->line,
              column != NULL ? column : "", column != NULL ? ": " : "",
              sentence);
}

void load_show_text(struct slice text, char shown[static LOAD_SHOWN_MAX])
{
    static const char CUT[] = "...";
    size_t at = 0;
    while (text.length > 0) {
        size_t length = slice_utf8_length(text);
        struct slice one = {text.data, length == 0 ? 1 : length};
        bool is_clean = length > 0 && slice_is_clean_utf8(one) &&
                        (unsigned char)one.data[0] >= ' ';
        if (!is_clean)
            one = SLICE("?");
        if (at + one.length + sizeof(CUT) > LOAD_SHOWN_MAX) {
            memcpy(shown + at, CUT, sizeof(CUT));
            return;
        }
        memcpy(shown + at, one.data, one.length);
        at += one.length;
        length = length == 0 ? 1 : length;
        text.data += length;
        text.length -= length;
    }
    shown[at] = '\0';
}

bool load_refuse_reference(struct load_row *row, size_t index)
{
    const struct load_column *column = &row->table->columns[index];
    return load_refuse(row, column->name, column->missing,
                       text_plain("value", row->shown[index]));
}

bool load_refuse_change(struct load_row *row, size_t index)
{
    const struct load_column *column = &row->table->columns[index];
    char key[LOAD_SHOWN_MAX], there[LOAD_SHOWN_MAX];
    load_row_key(row, key);
    load_value_show(column, &row->there[index], there);
    return load_refuse(
        row, column->name,
        column->correct == CORRECT_NOT ? TEXT_KEY("load.key.differs")
                                       : TEXT_KEY("load.key.ask"),
        text_plain("id", key), text_plain("value", row->shown[index]),
        text_plain("there", there));
}

/* The last column of a key, which people will look at. */
static const char *last_column(const char *columns)
{
    const char *bar = strrchr(columns, '|');
    return bar != NULL ? bar + 1 : columns;
}

bool load_refuse_taken(struct db *db, struct load_row *row)
{
    const struct load_table *table = row->table;
    char key[LOAD_SHOWN_MAX], there[LOAD_SHOWN_MAX];
    log_debug("load: %s: %s", table->name, db_error(db));
    for (size_t i = 1; i < LOAD_KEYS_MAX && table->keys[i].columns != NULL;
         i++) {
        const char *columns = table->keys[i].columns;
        struct db_statement *s = load_row_find(db, row, columns);
        bool is_taken = s != NULL && db_step(s) == DB_ROW;
        if (is_taken) {
            struct load_value first =
                load_value_stored(s, 0, &table->columns[0]);
            load_value_show(&table->columns[0], &first, there);
            load_row_show_key(row, columns, key);
            load_refuse(row, last_column(columns), table->keys[i].said,
                        text_plain("value", key), text_plain("there", there));
        }
        if (s != NULL)
            db_reset(s);
        if (is_taken)
            return false;
    }
    return load_refuse(row, NULL, "load.row.unfit",
                       text_plain("table", table->name));
}
