#include "portal/record/table_file.h"

#include "common/writer.h"

enum {
    HEADER_FIELDS_MIN = 6, /* fewer: a record of the head */
    RECORD_MAX_BYTES = 64 * 1024,
};

void table_file_open(struct table_file *file, struct slice csv)
{
    *file = (struct table_file){.rest = csv};
    buffer_init(&file->scratch, RECORD_MAX_BYTES);
}

void table_file_close(struct table_file *file)
{
    buffer_clear(&file->scratch);
}

static bool starts_with_digit(struct slice text)
{
    return text.length > 0 && slice_is_digit(text.data[0]);
}

static enum table_record take_names(struct table_file *file)
{
    file->has_english = file->column_count > 0;
    file->column_count = file->count;
    for (int i = 0; !file->has_english && i < file->count; i++)
        file->columns[i] = completion_column_of(file->fields[i]);
    return TABLE_NAMES;
}

enum table_record table_file_next(struct table_file *file)
{
    file->count = csv_read(&file->rest, &file->scratch, file->fields,
                           TABLE_FIELDS_MAX, &file->line);
    if (file->count <= 0)
        return file->count == 0 ? TABLE_END : TABLE_BROKEN;
    if (file->column_count == 0 && file->count < HEADER_FIELDS_MIN)
        return TABLE_HEAD;
    if (file->row == 0 && !file->has_english &&
        !starts_with_digit(file->fields[0]))
        return take_names(file);
    file->row++;
    return TABLE_ROW;
}

const struct completion_column *table_file_column(const struct table_file *file,
                                                  int place)
{
    return place < file->column_count ? file->columns[place] : NULL;
}
