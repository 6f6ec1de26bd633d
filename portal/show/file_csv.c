/*
 * CSV for spreadsheets: UTF-8 with a byte order mark, without which Excel takes
 * Chinese for something else. What begins like a formula is defused by the
 * writer (common/writer.h). A text that a spreadsheet would take for a number, a
 * date, a time or a claim and show as another one ("3-4" is the fourth of March,
 * "1E5" a hundred thousand, a zero in front is gone) gets a tab behind it, which
 * is not seen and keeps it text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/writer.h"
#include "portal/show/file.h"

enum { FLUSH_BYTES = 64 * 1024, BUFFER_MAX = 1024 * 1024, EXACT_DIGITS = 11 };

struct file_writer {
    FILE *out;
    struct buffer buffer;
    struct csv_writer csv;
    bool failed;
    int reason; /* errno of the first failure */
};

static struct file_writer *csv_file_open(const char *title)
{
    (void)title;
    struct file_writer *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->out = tmpfile();
    file->failed = file->out == NULL;
    file->reason = errno;
    buffer_init(&file->buffer, BUFFER_MAX);
    buffer_add_text(&file->buffer, "\xEF\xBB\xBF");
    csv_start(&file->csv, &file->buffer);
    return file;
}

/* What numbers, dates, times and claims are made of, digits apart. The longer
 * words stand before those that they begin with. */
static const char *const PARTS[] = {" ",
                                    "+",
                                    "-",
                                    ".",
                                    ",",
                                    ":",
                                    "/",
                                    "%",
                                    "(",
                                    ")",
                                    "$",
                                    "\u00a5",
                                    "\uffe5",
                                    "\u5e74",
                                    "\u6708",
                                    "\u65e5",
                                    "\u65f6",
                                    "\u5206",
                                    "\u79d2",
                                    "\u4e0a\u5348",
                                    "\u4e0b\u5348",
                                    "january",
                                    "february",
                                    "march",
                                    "april",
                                    "may",
                                    "june",
                                    "july",
                                    "august",
                                    "september",
                                    "october",
                                    "november",
                                    "december",
                                    "jan",
                                    "feb",
                                    "mar",
                                    "apr",
                                    "jun",
                                    "jul",
                                    "aug",
                                    "sep",
                                    "oct",
                                    "nov",
                                    "dec",
                                    "am",
                                    "pm",
                                    "a",
                                    "p",
                                    "e"};

static bool begins_with(struct slice text, const char *word)
{
    size_t length = strlen(word);
    if (text.length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (slice_lower((char)text.data[i]) != word[i])
            return false;
    return true;
}

static size_t length_of_part(struct slice text)
{
    for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++)
        if (begins_with(text, PARTS[i]))
            return strlen(PARTS[i]);
    return 0;
}

static bool is_claim(struct slice text)
{
    return (text.length == 4 && begins_with(text, "true")) ||
           (text.length == 5 && begins_with(text, "false"));
}

/* A number that is shown as it stands. */
static bool is_kept(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!slice_is_digit(text.data[i]))
            return false;
    return text.length <= EXACT_DIGITS &&
           (text.length < 2 || text.data[0] != '0');
}

/* Whether a spreadsheet would show something else. */
static bool is_taken_for_another(struct slice text)
{
    bool has_digit = false;
    if (is_claim(text))
        return true;
    for (size_t at = 0, part; at < text.length; at += part) {
        struct slice rest = slice_of_bytes(text.data + at, text.length - at);
        bool digit = slice_is_digit(rest.data[0]);
        part = digit ? 1 : length_of_part(rest);
        has_digit = has_digit || digit;
        if (part == 0)
            return false;
    }
    return has_digit && !is_kept(text);
}

static void csv_file_text(struct file_writer *file, struct slice text)
{
    char kept[64];
    if (text.length + 2 <= sizeof(kept) && is_taken_for_another(text)) {
        snprintf(kept, sizeof(kept), "%.*s\t", (int)text.length, text.data);
        csv_text(&file->csv, kept);
        return;
    }
    csv_slice(&file->csv, text);
}

static void csv_file_plain(struct file_writer *file, struct slice text)
{
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
    bool good = !file->buffer.failed && file->out != NULL &&
                fwrite(bytes.data, 1, bytes.length, file->out) == bytes.length;
    if (!good && !file->failed) {
        file->failed = true;
        file->reason = errno;
    }
    buffer_reset(&file->buffer);
}

static void csv_file_row_end(struct file_writer *file)
{
    csv_row_end(&file->csv);
    if (file->buffer.length > FLUSH_BYTES)
        flush(file);
}

/* The stream's file, without the stream, at its start. */
static int take_file(FILE *out, bool good)
{
    int fd = -1;
    if (fflush(out) == 0 && good)
        fd = dup(fileno(out));
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        fd = -1;
    }
    fclose(out);
    return fd;
}

static int csv_file_close(struct file_writer *file)
{
    int fd = -1;
    flush(file);
    if (file->out != NULL)
        fd = take_file(file->out, !file->failed);
    if (fd < 0)
        log_error("an export cannot be written to %s: %s", P_tmpdir,
                  strerror(file->failed ? file->reason : errno));
    buffer_clear(&file->buffer);
    free(file);
    return fd;
}

int file_of_bytes(struct slice bytes)
{
    FILE *out = tmpfile();
    if (out == NULL)
        return -1;
    bool good = bytes.length == 0 ||
                fwrite(bytes.data, 1, bytes.length, out) == bytes.length;
    return take_file(out, good);
}

const struct file_form FILE_CSV = {"csv",          "text/csv; charset=utf-8",
                                   csv_file_open,  csv_file_text,
                                   csv_file_plain, csv_file_money,
                                   csv_file_count, csv_file_row_end,
                                   csv_file_close};

const struct file_form *file_form_of(const char *extension)
{
    static const struct file_form *const FORMS[] = {&FILE_CSV, &FILE_XLSX};
    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++)
        if (strcmp(FORMS[i]->extension, extension) == 0)
            return FORMS[i];
    return NULL;
}
