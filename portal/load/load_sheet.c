/* See load_sheet.h. */
#include "portal/load/load_sheet.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "common/text.h"
#include "common/writer.h"
#include "portal/load/load_xlsx.h"

enum { RECORD_MAX_BYTES = 16 * 1024 };

/* ---- what the bytes are ---- */

static bool begins_with(struct slice text, const char *mark, size_t length)
{
    return text.length >= length && memcmp(text.data, mark, length) == 0;
}

/* How far the text is well-formed UTF-8; whether it has characters beyond
 * ASCII, and any of three bytes or more, as all Chinese ones have. */
static size_t utf8_until(struct slice text, bool *has_more, bool *has_wide)
{
    size_t at = 0;
    *has_more = *has_wide = false;
    while (at < text.length) {
        struct slice rest = {text.data + at, text.length - at};
        size_t length = slice_utf8_length(rest);
        if (length == 0)
            break;
        *has_more = *has_more || length > 1;
        *has_wide = *has_wide || length > 2;
        at += length;
    }
    return at;
}

static unsigned line_of(struct slice text, size_t at)
{
    unsigned line = 1;
    for (size_t i = 0; i < at; i++)
        line += text.data[i] == '\n';
    return line;
}

/* Into *out; the number of bytes that could be read, all of them or fewer. */
static size_t from_gb18030(struct slice text, struct buffer *out)
{
    iconv_t cd = iconv_open("UTF-8", "GB18030");
    if (cd == (iconv_t)-1)
        return 0;
    char piece[16384], *in = (char *)(uintptr_t)text.data;
    size_t left = text.length, result = 0;
    do {
        char *to = piece;
        size_t room = sizeof(piece);
        result = iconv(cd, &in, &left, &to, &room);
        buffer_add(out, piece, sizeof(piece) - room);
    } while (result == (size_t)-1 && errno == E2BIG);
    iconv_close(cd);
    return text.length - left;
}

/* Text that is no Unicode: GB18030, or nothing we know. */
static bool read_gb18030(struct load_sheet *sheet, size_t utf8_end)
{
    struct buffer out;
    struct slice bytes = buffer_slice(&sheet->text);
    buffer_init(&out, 3 * bytes.length + 1);
    size_t read = from_gb18030(bytes, &out);
    sheet->was_gb18030 = read == bytes.length && !out.failed;
    if (!sheet->was_gb18030) {
        sheet->wrong = TEXT_KEY("load.file.encoding");
        sheet->line = line_of(bytes, read > utf8_end ? read : utf8_end);
        buffer_clear(&out);
        return false;
    }
    buffer_clear(&sheet->text);
    sheet->text = out;
    return true;
}

/* UTF-8 whose only characters beyond ASCII have two bytes may as well be a few
 * Chinese characters in GBK: nobody can tell, so nobody guesses. */
static bool is_doubtful(struct slice text)
{
    struct buffer out;
    buffer_init(&out, 3 * text.length + 1);
    bool fits = from_gb18030(text, &out) == text.length;
    buffer_clear(&out);
    return fits;
}

static bool decode(struct load_sheet *sheet)
{
    bool has_more, has_wide;
    struct slice bytes = buffer_slice(&sheet->text);
    if (begins_with(bytes, "\xff\xfe", 2) ||
        begins_with(bytes, "\xfe\xff", 2)) {
        sheet->wrong = TEXT_KEY("load.file.utf16");
        sheet->line = 1;
        return false;
    }
    size_t end = utf8_until(bytes, &has_more, &has_wide);
    bool has_mark = begins_with(bytes, "\xef\xbb\xbf", 3);
    if (end < bytes.length && has_mark) {
        sheet->wrong = TEXT_KEY("load.file.encoding");
        sheet->line = line_of(bytes, end);
        return false;
    }
    if (end < bytes.length)
        return read_gb18030(sheet, end);
    if (has_more && !has_wide && is_doubtful(bytes)) {
        sheet->wrong = TEXT_KEY("load.file.doubtful");
        sheet->line = 1;
        return false;
    }
    return true;
}

/* ---- workbooks ---- */

static bool unpack(struct load_sheet *sheet)
{
    struct buffer csv;
    buffer_init(&csv, LOAD_XLSX_MAX_BYTES);
    bool good = load_xlsx_read(buffer_slice(&sheet->text), &csv, &sheet->wrong);
    buffer_clear(&sheet->text);
    sheet->text = csv;
    sheet->line = 1;
    return good;
}

/* ---- rows ---- */

bool load_sheet_open(struct load_sheet *sheet, const char *path)
{
    *sheet = (struct load_sheet){0};
    buffer_init(&sheet->scratch, RECORD_MAX_BYTES);
    if (!buffer_read_file(&sheet->text, path, LOAD_FILE_MAX_BYTES)) {
        if (errno == EFBIG)
            sheet->wrong = TEXT_KEY("load.file.large");
        return false;
    }
    bool is_book = slice_ends_with_nocase(slice_of_text(path), SLICE(".xlsx"));
    if (is_book ? !unpack(sheet) : !decode(sheet))
        return false;
    sheet->rest = buffer_slice(&sheet->text);
    sheet->line = 0;
    return true;
}

void load_sheet_close(struct load_sheet *sheet)
{
    buffer_clear(&sheet->text);
    buffer_clear(&sheet->scratch);
}

static bool all_empty(const struct slice *fields, int count)
{
    for (int i = 0; i < count; i++)
        if (slice_trim(fields[i]).length > 0)
            return false;
    return true;
}

int load_sheet_next(struct load_sheet *sheet, struct slice *fields, int max)
{
    int count = 0;
    do {
        sheet->row = sheet->line + 1;
        count =
            csv_read(&sheet->rest, &sheet->scratch, fields, max, &sheet->line);
    } while (count > 0 && all_empty(fields, count));
    if (count < 0) {
        sheet->line = sheet->row;
        sheet->wrong = TEXT_KEY("load.file.csv");
    }
    return count;
}
