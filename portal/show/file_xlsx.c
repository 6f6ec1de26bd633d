/*
 * XLSX through libxlsxwriter, which stops here. Its constant_memory mode keeps
 * one row; texts go inline and never become formulas.
 *
 * An amount is written as a number because people add amounts up. Spreadsheets
 * know doubles only: two decimals below 10^13 yuan have at most 15 digits and
 * come back as they went; what is larger is written as text. This is the one
 * place where an amount passes through floating point: it is on its way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

#include "common/log.h"
#include "portal/show/file.h"

enum {
    CELL_MAX = 32767,    /* characters, a limit of the format */
    MADE_S = 1514764800, /* 2018-01-01, in every file */
};
static const int64_t EXACT_FEN = INT64_C(1000000000000000);

struct file_writer {
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_format *money;
    lxw_row_t row;
    lxw_col_t column;
    bool failed;
    lxw_error reason; /* of the first failure */
    char path[32];
};

/* Without a time the library takes the clock's, and no two files are equal. */
static void set_title(lxw_workbook *book, const char *title)
{
    lxw_doc_properties properties = {.title = (char *)title, /* it is copied */
                                     .created = MADE_S};
    workbook_set_properties(book, &properties);
}

static struct file_writer *xlsx_open(const char *title)
{
    struct file_writer *file = calloc(1, sizeof(*file));
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    if (file == NULL)
        return NULL;
    snprintf(file->path, sizeof(file->path), "/tmp/yz-portal-XXXXXX");
    int fd = mkstemp(file->path);
    if (fd >= 0) {
        close(fd);
        file->book = workbook_new_opt(file->path, &options);
    }
    if (file->book != NULL)
        file->sheet = workbook_add_worksheet(file->book, NULL);
    file->failed = file->sheet == NULL;
    if (file->failed)
        return file;
    set_title(file->book, title);
    file->money = workbook_add_format(file->book);
    format_set_num_format(file->money, "0.00");
    worksheet_freeze_panes(file->sheet, 1, 1);
    return file;
}

static void note(struct file_writer *file, lxw_error error)
{
    if (error != LXW_NO_ERROR && !file->failed) {
        file->failed = true;
        file->reason = error;
    }
    file->column++;
}

/* What no XML can hold shows as a question mark. */
static void copy_clean(struct slice text, char *copy, size_t size)
{
    size_t length = text.length < size ? text.length : size - 1, n = 0;
    while (n < length) {
        struct slice rest = slice_of_bytes(text.data + n, text.length - n);
        size_t bytes = slice_utf8_length(rest);
        unsigned char c = (unsigned char)rest.data[0];
        if (n + bytes > length)
            break;
        bool is_bad =
            bytes == 0 || (c < ' ' && c != '\t' && c != '\n') ||
            (bytes == 3 && (memcmp(rest.data, "\xEF\xBF\xBE", 3) == 0 ||
                            memcmp(rest.data, "\xEF\xBF\xBF", 3) == 0));
        memcpy(copy + n, rest.data, bytes > 0 ? bytes : 1);
        if (is_bad)
            memset(copy + n, '?', bytes > 0 ? bytes : 1);
        n += bytes > 0 ? bytes : 1;
    }
    copy[n] = '\0';
}

static void xlsx_text(struct file_writer *file, struct slice text)
{
    char copy[CELL_MAX + 1];
    if (file->failed)
        return;
    copy_clean(text, copy, sizeof(copy));
    note(file, worksheet_write_string(file->sheet, file->row, file->column,
                                      copy, NULL));
}

static void xlsx_money(struct file_writer *file, struct money amount)
{
    char text[MONEY_TEXT_LEN];
    if (file->failed)
        return;
    if (amount.fen > -EXACT_FEN && amount.fen < EXACT_FEN) {
        note(file,
             worksheet_write_number(file->sheet, file->row, file->column,
                                    (double)amount.fen / 100, file->money));
        return;
    }
    money_to_plain_text(amount, text);
    xlsx_text(file, slice_of_text(text));
}

static void xlsx_count(struct file_writer *file, int64_t count)
{
    char text[24];
    if (file->failed)
        return;
    if (count > -EXACT_FEN && count < EXACT_FEN) {
        note(file, worksheet_write_number(file->sheet, file->row, file->column,
                                          (double)count, NULL));
        return;
    }
    snprintf(text, sizeof(text), "%lld", (long long)count);
    xlsx_text(file, slice_of_text(text));
}

static void xlsx_row_end(struct file_writer *file)
{
    file->row++;
    file->column = 0;
}

static int xlsx_close(struct file_writer *file)
{
    int fd = -1;
    if (file->book != NULL) {
        note(file, workbook_close(file->book));
        if (!file->failed)
            fd = open(file->path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        log_error("an export cannot be written to %s: %s", file->path,
                  file->reason != LXW_NO_ERROR ? lxw_strerror(file->reason)
                                               : strerror(errno));
    unlink(file->path);
    free(file);
    return fd;
}

const struct file_form FILE_XLSX = {
    "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    xlsx_open,
    xlsx_text,
    xlsx_text,
    xlsx_money,
    xlsx_count,
    xlsx_row_end,
    xlsx_close};
