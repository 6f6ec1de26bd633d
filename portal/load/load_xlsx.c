/*
 * See load_xlsx.h. libzip and expat stop here. Each part is a stream through
 * expat with the handlers of one `struct part`; what they find stays in `struct
 * book`. A name may have a prefix ("x:row"), which says nothing.
 */
#include "portal/load/load_xlsx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>
#include <zip.h>

#include "common/clock.h"
#include "common/text.h"

enum {
    CHUNK = 16 * 1024,
    CELL_MAX_BYTES = 32 * 1024, /* Excel's own bound is 32,767 characters */
    STRINGS_MAX = 1 << 20,
    ROWS_MAX = 1 << 20, /* Excel's own */
    COLUMNS_MAX = 64,
    STYLES_MAX = 4096,
    FORMATS_MAX = 256,
    PATH_MAX_LEN = 256,
    SECONDS_PER_DAY = 86400,
    DAYS_TO_1970 = 25569, /* from Excel's day 0, 1899-12-30 */
    DAYS_1904 = 1462,     /* from there to the Macintosh's */
    SERIAL_MAX = 2958465, /* 9999-12-31 */
};

struct book {
    struct buffer *csv;
    const char *wrong;
    /* The first sheet. */
    char relation[PATH_MAX_LEN], sheet[PATH_MAX_LEN];
    bool is_1904;
    /* Strings that cells share: string i begins at starts[i]. */
    struct buffer strings;
    size_t *starts;
    size_t string_count, string_room;
    /* Which styles are dates. */
    long date_formats[FORMATS_MAX];
    size_t date_format_count;
    bool is_date[STYLES_MAX];
    size_t style_count;
    bool is_in_styles; /* within cellXfs */
    /* Where the sheet is being read. */
    struct buffer cell;
    bool is_in_text;
    int phonetic; /* depth in what only tells how to read a character aloud */
    size_t row, column;
    size_t written, width; /* fields of this row, and of the first one */
    char kind[16];
    size_t style;
};

static void refuse(struct book *book, const char *said)
{
    if (book->wrong == NULL)
        book->wrong = said;
}

static void refuse_unread(struct book *book)
{
    refuse(book, TEXT_KEY("load.file.xlsx"));
}

static void refuse_large(struct book *book)
{
    refuse(book, TEXT_KEY("load.file.xlsx_large"));
}

/* ---- XML ---- */

static bool is_named(const char *name, const char *wanted)
{
    const char *colon = strrchr(name, ':');
    return strcmp(colon != NULL ? colon + 1 : name, wanted) == 0;
}

/* NULL when it is not there. */
static const char *attribute(const char **attributes, const char *wanted)
{
    for (; attributes[0] != NULL; attributes += 2)
        if (is_named(attributes[0], wanted))
            return attributes[1];
    return NULL;
}

static bool number_of(const char *text, uint64_t max, uint64_t *number)
{
    return text != NULL && parse_u64(slice_of_text(text), 0, max, number);
}

static void XMLCALL take_text(void *user, const char *text, int length)
{
    struct book *book = user;
    if (!book->is_in_text || book->phonetic > 0)
        return;
    for (int i = 0; i < length; i++)
        buffer_add_u8(
            &book->cell,
            (uint8_t)(text[i] == '\n' || text[i] == '\r' || text[i] == '\t'
                          ? ' '
                          : text[i]));
    if (book->cell.failed)
        refuse_large(book);
}

/* ---- which sheet ---- */

static void XMLCALL workbook_start(void *user, const char *name,
                                   const char **attributes)
{
    struct book *book = user;
    const char *id = attribute(attributes, "id");
    const char *is_1904 = attribute(attributes, "date1904");
    if (is_named(name, "workbookPr"))
        book->is_1904 = is_1904 != NULL && (strcmp(is_1904, "1") == 0 ||
                                            strcmp(is_1904, "true") == 0);
    if (is_named(name, "sheet") && book->relation[0] == '\0' && id != NULL &&
        !slice_copy(slice_of_text(id), book->relation, PATH_MAX_LEN))
        refuse_unread(book);
}

static void XMLCALL relations_start(void *user, const char *name,
                                    const char **attributes)
{
    struct book *book = user;
    const char *id = attribute(attributes, "Id");
    const char *target = attribute(attributes, "Target");
    if (!is_named(name, "Relationship") || id == NULL || target == NULL ||
        strcmp(id, book->relation) != 0)
        return;
    int length = snprintf(book->sheet, PATH_MAX_LEN, "%s%s",
                          target[0] == '/' ? "" : "xl/",
                          target[0] == '/' ? target + 1 : target);
    if (length < 0 || length >= PATH_MAX_LEN)
        refuse_unread(book);
}

/* ---- strings ---- */

static void XMLCALL strings_start(void *user, const char *name,
                                  const char **attributes)
{
    struct book *book = user;
    (void)attributes;
    if (is_named(name, "si"))
        buffer_reset(&book->cell);
    book->phonetic += is_named(name, "rPh");
    book->is_in_text = is_named(name, "t");
}

static bool add_start(struct book *book)
{
    if (book->string_count == book->string_room) {
        size_t room = book->string_room == 0 ? 1024 : 2 * book->string_room;
        size_t *more = room > STRINGS_MAX
                           ? NULL
                           : realloc(book->starts, room * sizeof(*more));
        if (more == NULL)
            return false;
        book->starts = more;
        book->string_room = room;
    }
    book->starts[book->string_count++] = book->strings.length;
    return true;
}

static void XMLCALL strings_end(void *user, const char *name)
{
    struct book *book = user;
    book->is_in_text = false;
    book->phonetic -= is_named(name, "rPh");
    if (!is_named(name, "si"))
        return;
    if (!add_start(book))
        refuse_large(book);
    buffer_add_slice(&book->strings, buffer_slice(&book->cell));
    if (book->strings.failed)
        refuse_large(book);
}

static struct slice string_at(const struct book *book, uint64_t index)
{
    size_t start = book->starts[index];
    size_t end = index + 1 < book->string_count ? book->starts[index + 1]
                                                : book->strings.length;
    return slice_of_bytes(book->strings.data + start, end - start);
}

/* ---- styles ---- */

/* Of the formats that Excel does not write into the file, those of dates and
 * times, the Chinese ones included (ECMA-376 18.8.30). */
static bool is_builtin_date(long format)
{
    return (format >= 14 && format <= 22) || (format >= 27 && format <= 36) ||
           (format >= 45 && format <= 47) || (format >= 50 && format <= 58);
}

/* Whether a format has a day or an hour outside its quotes and brackets. */
static bool is_date_code(const char *code)
{
    bool is_quoted = false, is_bracketed = false;
    for (; *code != '\0'; code++) {
        if (*code == '"')
            is_quoted = !is_quoted;
        else if (*code == '[' || *code == ']')
            is_bracketed = *code == '[';
        else if (*code == '\\' && code[1] != '\0')
            code++;
        else if (!is_quoted && !is_bracketed &&
                 strchr("yYmMdDhHsS", *code) != NULL)
            return true;
    }
    return false;
}

static bool is_date_format(const struct book *book, long format)
{
    for (size_t i = 0; i < book->date_format_count; i++)
        if (book->date_formats[i] == format)
            return true;
    return is_builtin_date(format);
}

static void XMLCALL styles_start(void *user, const char *name,
                                 const char **attributes)
{
    struct book *book = user;
    uint64_t format = 0;
    const char *code = attribute(attributes, "formatCode");
    number_of(attribute(attributes, "numFmtId"), 100000, &format);
    if (is_named(name, "numFmt") && code != NULL && is_date_code(code) &&
        book->date_format_count < FORMATS_MAX)
        book->date_formats[book->date_format_count++] = (long)format;
    if (is_named(name, "cellXfs"))
        book->is_in_styles = true;
    if (is_named(name, "xf") && book->is_in_styles &&
        book->style_count < STYLES_MAX)
        book->is_date[book->style_count++] = is_date_format(book, (long)format);
}

static void XMLCALL styles_end(void *user, const char *name)
{
    struct book *book = user;
    if (is_named(name, "cellXfs"))
        book->is_in_styles = false;
}

/* ---- the sheet ---- */

/* "BC12" is column 54, from 0. */
static size_t column_of(const char *reference)
{
    size_t column = 0;
    for (; *reference >= 'A' && *reference <= 'Z' && column <= COLUMNS_MAX;
         reference++)
        column = 26 * column + (size_t)(*reference - 'A') + 1;
    return column > 0 ? column - 1 : COLUMNS_MAX;
}

static void begin_row(struct book *book, const char *reference)
{
    uint64_t row = book->row + 1;
    if (reference != NULL && !number_of(reference, ROWS_MAX, &row))
        row = 0;
    if (row <= book->row || row > ROWS_MAX) {
        refuse_unread(book);
        return;
    }
    for (; book->row + 1 < row; book->row++)
        buffer_add_u8(book->csv, '\n');
    book->column = book->written = 0;
}

static void end_row(struct book *book)
{
    if (book->width == 0)
        book->width = book->written;
    for (; book->written > 0 && book->written < book->width; book->written++)
        buffer_add_u8(book->csv, ',');
    buffer_add_u8(book->csv, '\n');
    book->row++;
    if (book->csv->failed)
        refuse_large(book);
}

static void begin_cell(struct book *book, const char **attributes)
{
    const char *reference = attribute(attributes, "r");
    const char *kind = attribute(attributes, "t");
    uint64_t style = 0;
    buffer_reset(&book->cell);
    if (reference != NULL)
        book->column = column_of(reference);
    number_of(attribute(attributes, "s"), STYLES_MAX, &style);
    book->style = (size_t)style;
    slice_copy(slice_of_text(kind != NULL ? kind : "n"), book->kind,
               sizeof(book->kind));
}

static void XMLCALL sheet_start(void *user, const char *name,
                                const char **attributes)
{
    struct book *book = user;
    if (is_named(name, "row"))
        begin_row(book, attribute(attributes, "r"));
    else if (is_named(name, "c"))
        begin_cell(book, attributes);
    book->phonetic += is_named(name, "rPh");
    book->is_in_text = is_named(name, "v") || is_named(name, "t");
}

/* "45848.333333" as a date and, where there is a part of a day, a time. In
 * integers: parts beyond a billionth of a day are less than a second. */
static bool date_of_serial(const struct book *book, struct slice text,
                           char date[static WALL_TEXT_LEN])
{
    struct slice days, part = text;
    uint64_t day = 0, fraction = 0, unit = 1;
    slice_next(&part, '.', &days);
    if (!parse_u64(days, 0, SERIAL_MAX, &day))
        return false;
    for (size_t i = 0; part.data != NULL && i < part.length && i < 9; i++) {
        if (part.data[i] < '0' || part.data[i] > '9')
            return false;
        fraction = 10 * fraction + (uint64_t)(part.data[i] - '0');
        unit *= 10;
    }
    int64_t seconds =
        ((int64_t)day + (book->is_1904 ? DAYS_1904 : 0) - DAYS_TO_1970) *
            SECONDS_PER_DAY +
        (int64_t)((fraction * SECONDS_PER_DAY + unit / 2) / unit);
    if (seconds < 0)
        return false;
    /* The cell is a time of Asia/Shanghai without saying so. */
    char local[WALL_TEXT_LEN];
    wall_to_text(wall_from_s(seconds), local);
    if (seconds % SECONDS_PER_DAY == 0)
        snprintf(date, WALL_TEXT_LEN, "%.10s", local);
    else
        snprintf(date, WALL_TEXT_LEN, "%.19s+08:00", local);
    return true;
}

static void write_field(struct book *book, struct slice text)
{
    if (book->column < book->written) {
        refuse_unread(book); /* cells out of order */
        return;
    }
    for (size_t i = book->written > 0 ? book->written - 1 : 0; i < book->column;
         i++)
        buffer_add_u8(book->csv, ',');
    book->written = book->column + 1;
    buffer_add_u8(book->csv, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"')
            buffer_add_u8(book->csv, '"');
        buffer_add_u8(book->csv, (uint8_t)text.data[i]);
    }
    buffer_add_u8(book->csv, '"');
}

static void end_cell(struct book *book)
{
    struct slice text = buffer_slice(&book->cell);
    char date[WALL_TEXT_LEN];
    uint64_t index = 0;
    if (strcmp(book->kind, "s") == 0) {
        if (!parse_u64(text, 0, STRINGS_MAX, &index) ||
            index >= book->string_count) {
            refuse_unread(book);
            return;
        }
        text = string_at(book, index);
    } else if (strcmp(book->kind, "n") == 0 &&
               book->style < book->style_count && book->is_date[book->style] &&
               date_of_serial(book, text, date)) {
        text = slice_of_text(date);
    }
    if (text.length > 0 && book->column >= COLUMNS_MAX)
        refuse_large(book);
    else if (text.length > 0)
        write_field(book, text);
    book->column++;
}

static void XMLCALL sheet_end(void *user, const char *name)
{
    struct book *book = user;
    book->is_in_text = false;
    book->phonetic -= is_named(name, "rPh");
    if (is_named(name, "c"))
        end_cell(book);
    else if (is_named(name, "row"))
        end_row(book);
}

/* ---- parts ---- */

struct part {
    const char *name;
    bool is_needed;
    XML_StartElementHandler start;
    XML_EndElementHandler end;
};

static void XMLCALL refuse_document_type(void *user, const char *name,
                                         const char *system, const char *public,
                                         int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    refuse_unread(user);
}

static void parse_file(struct book *book, zip_file_t *file, XML_Parser parser)
{
    char chunk[CHUNK];
    uint64_t total = 0;
    zip_int64_t length = 0;
    do {
        length = zip_fread(file, chunk, sizeof(chunk));
        total += length > 0 ? (uint64_t)length : 0;
        if (total > LOAD_XLSX_MAX_BYTES)
            refuse_large(book);
        else if (length < 0 || XML_Parse(parser, chunk, (int)length,
                                         length == 0) != XML_STATUS_OK)
            refuse_unread(book);
    } while (length > 0 && book->wrong == NULL);
}

static void read_part(struct book *book, zip_t *zip, const struct part *part)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    zip_file_t *file = zip_fopen(zip, part->name, 0);
    if (parser == NULL || (file == NULL && part->is_needed))
        refuse_unread(book);
    if (parser != NULL && file != NULL && book->wrong == NULL) {
        XML_SetUserData(parser, book);
        XML_SetElementHandler(parser, part->start, part->end);
        XML_SetCharacterDataHandler(parser, take_text);
        XML_SetStartDoctypeDeclHandler(parser, refuse_document_type);
        parse_file(book, file, parser);
    }
    if (file != NULL)
        zip_fclose(file);
    if (parser != NULL)
        XML_ParserFree(parser);
}

static void read_book(struct book *book, zip_t *zip)
{
    const struct part parts[] = {
        {"xl/workbook.xml", true, workbook_start, NULL},
        {"xl/_rels/workbook.xml.rels", true, relations_start, NULL},
        {"xl/sharedStrings.xml", false, strings_start, strings_end},
        {"xl/styles.xml", false, styles_start, styles_end},
        {book->sheet, true, sheet_start, sheet_end},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (book->wrong == NULL)
            read_part(book, zip, &parts[i]);
}

bool load_xlsx_read(struct slice file, struct buffer *csv, const char **wrong)
{
    struct book *book = calloc(1, sizeof(*book));
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source =
        zip_source_buffer_create(file.data, file.length, 0, &error);
    zip_t *zip = source != NULL
                     ? zip_open_from_source(source, ZIP_RDONLY, &error)
                     : NULL;
    *wrong = TEXT_KEY("load.file.xlsx");
    if (book != NULL && zip != NULL) {
        book->csv = csv;
        buffer_init(&book->strings, LOAD_XLSX_MAX_BYTES);
        buffer_init(&book->cell, CELL_MAX_BYTES);
        read_book(book, zip);
        *wrong = book->wrong;
        buffer_clear(&book->cell);
        buffer_clear(&book->strings);
        free(book->starts);
    }
    free(book);
    if (zip != NULL)
        zip_discard(zip);
    else if (source != NULL)
        zip_source_free(source);
    zip_error_fini(&error);
    return *wrong == NULL;
}
