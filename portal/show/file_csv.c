/*
 * CSV for spreadsheets: UTF-8 with a byte order mark, without which Excel takes
 * Chinese for something else. What begins like a formula is defused by the
 * writer (common/writer.h). Digits that a spreadsheet would take for a number
 * and spoil (a zero in front, more than it counts exactly) get a tab behind
 * them, which is not seen and keeps them text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/writer.h"
#include "portal/show/file.h"

enum { FLUSH_BYTES = 64 * 1024, BUFFER_MAX = 1024 * 1024, EXACT_DIGITS = 11 };

struct file_writer {
    FILE *out;
    struct buffer buffer;
    struct csv_writer csv;
    bool failed;
};

static struct file_writer *csv_file_open(const char *title)
{
    (void)title;
    struct file_writer *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->out = tmpfile();
    file->failed = file->out == NULL;
    buffer_init(&file->buffer, BUFFER_MAX);
    buffer_add_text(&file->buffer, "\xEF\xBB\xBF");
    csv_start(&file->csv, &file->buffer);
    return file;
}

static bool is_spoiled_number(struct slice text)
{
    if (text.length > 1 && text.data[0] == '+')
        return is_spoiled_number(
            slice_of_bytes(text.data + 1, text.length - 1));
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.length > EXACT_DIGITS ||
           (text.length > 1 && text.data[0] == '0');
}

static void csv_file_text(struct file_writer *file, struct slice text)
{
    char digits[64];
    if (is_spoiled_number(text) && text.length < sizeof(digits)) {
        snprintf(digits, sizeof(digits), "%.*s\t", (int)text.length, text.data);
        csv_text(&file->csv, digits);
        return;
    }
    csv_slice(&file->csv, text);
}

static void csv_file_money(struct file_writer *file, struct money amount)
{
    char text[MONEY_TEXT_LEN];
    money_to_plain_text(amount, text);
    csv_text(&file->csv, text);
}

static void csv_file_count(struct file_writer *file, int64_t count)
{
    csv_i64(&file->csv, count);
}

static void flush(struct file_writer *file)
{
    struct slice bytes = buffer_slice(&file->buffer);
    file->failed = file->failed || file->buffer.failed ||
                   (bytes.length > 0 && fwrite(bytes.data, 1, bytes.length,
                                               file->out) != bytes.length);
    buffer_reset(&file->buffer);
}

static void csv_file_row_end(struct file_writer *file)
{
    csv_row_end(&file->csv);
    if (file->buffer.length > FLUSH_BYTES)
        flush(file);
}

static int csv_file_close(struct file_writer *file)
{
    int fd = -1;
    flush(file);
    if (file->out != NULL && fflush(file->out) == 0 && !file->failed)
        fd = dup(fileno(file->out));
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        fd = -1;
    }
    if (file->out != NULL)
        fclose(file->out);
    buffer_clear(&file->buffer);
    free(file);
    return fd;
}

const struct file_form FILE_CSV = {"csv",
                                   "text/csv; charset=utf-8",
                                   csv_file_open,
                                   csv_file_text,
                                   csv_file_money,
                                   csv_file_count,
                                   csv_file_row_end,
                                   csv_file_close};

const struct file_form *file_form_of(const char *extension)
{
    static const struct file_form *const FORMS[] = {&FILE_CSV, &FILE_XLSX};
    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++)
        if (strcmp(FORMS[i]->extension, extension) == 0)
            return FORMS[i];
    return NULL;
}
