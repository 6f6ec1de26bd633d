/*
 * Bytes are read in blocks; a line that reaches beyond the block is moved to
 * the front. Nothing larger than one line and one block is ever held.
 */
#include "collector/carrier/csv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/writer.h"

enum { BLOCK = 256 * 1024, FAULT_LEN = 160, NOWHERE = -1 };

struct csv_file {
    int fd;
    char *name;
    const struct csv_column *columns;
    size_t column_count;
    int place[CSV_COLUMNS_MAX]; /* of a column in the file; NOWHERE */
    int width;                  /* fields of the header */
    char *header;
    struct digest_stream *digest;
    char *block;
    size_t start, end; /* what of the block is not taken yet */
    bool at_end;
    uint64_t line;
    struct slice raw;
    struct buffer scratch;
    struct slice fields[CSV_COLUMNS_MAX];
    char fault[FAULT_LEN];
};

static enum csv_status fault(struct csv_file *f, enum csv_status status,
                             const char *why)
{
    snprintf(f->fault, sizeof(f->fault), "%s", why);
    return status;
}

/* More bytes behind those that are there. */
static bool fill(struct csv_file *f)
{
    memmove(f->block, f->block + f->start, f->end - f->start);
    f->end -= f->start;
    f->start = 0;
    ssize_t n;
    do
        n = read(f->fd, f->block + f->end, BLOCK - f->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return false;
    digest_stream_add(f->digest, f->block + f->end, (size_t)n);
    f->end += (size_t)n;
    f->at_end = n == 0;
    return true;
}

/* The next line without its end, into f->raw. */
static enum csv_status take_line(struct csv_file *f)
{
    const char *newline;
    while ((newline = memchr(f->block + f->start, '\n', f->end - f->start)) ==
               NULL &&
           !f->at_end && f->end - f->start <= CSV_LINE_MAX)
        if (!fill(f))
            return fault(f, CSV_FAILED, strerror(errno));
    const char *line = f->block + f->start;
    size_t length =
        newline != NULL ? (size_t)(newline - line) : f->end - f->start;
    if (length == 0 && newline == NULL)
        return CSV_END;
    f->line++;
    if (length > CSV_LINE_MAX)
        return fault(f, CSV_FAILED, "a line of more than 16 KiB");
    f->start += length + (newline != NULL ? 1 : 0);
    if (length > 0 && line[length - 1] == '\r')
        length--;
    f->raw = (struct slice){line, length};
    return CSV_ROW;
}

/* Splits f->raw; the number of its fields, -1 when it is malformed. */
static int split(struct csv_file *f)
{
    struct slice rest = f->raw;
    unsigned line = f->line == 1 ? 0 : 1; /* a mark only before the header */
    int count = csv_read(&rest, &f->scratch, f->fields, CSV_COLUMNS_MAX, &line);
    return rest.length > 0 ? -1 : count;
}

enum csv_status csv_file_next(struct csv_file *file)
{
    enum csv_status status;
    do
        status = take_line(file);
    while (status == CSV_ROW && slice_trim(file->raw).length == 0);
    if (status != CSV_ROW)
        return status;
    int count = split(file);
    if (count < 0)
        return fault(file, CSV_BAD_ROW, "not a row of a CSV table");
    if (count != file->width)
        return fault(file, CSV_BAD_ROW,
                     "has another number of fields than the header");
    return CSV_ROW;
}

static int find_column(const struct csv_file *f, struct slice name)
{
    for (size_t i = 0; i < f->column_count; i++)
        if (slice_equal_text(name, f->columns[i].name))
            return (int)i;
    return NOWHERE;
}

static bool read_header(struct csv_file *f, struct error_text *error)
{
    enum csv_status status = take_line(f);
    if (status == CSV_FAILED)
        return error_set(error, "%s: %s", f->name, f->fault);
    f->width = status == CSV_ROW ? split(f) : 0;
    if (f->width <= 0)
        return error_set(error, "%s:1: no header with names of columns",
                         f->name);
    free(f->header);
    f->header = strndup(f->raw.data, f->raw.length);
    if (f->header == NULL)
        return error_set(error, "%s: out of memory", f->name);
    for (size_t i = 0; i < CSV_COLUMNS_MAX; i++)
        f->place[i] = NOWHERE;
    for (int i = 0; i < f->width; i++) {
        struct slice name = slice_trim(f->fields[i]);
        int column = find_column(f, name);
        if (column == NOWHERE)
            return error_set(
                error, "%s:1: \"%.*s\" is no column of this table", f->name,
                (int)(name.length < 40 ? name.length : 40), name.data);
        if (f->place[column] != NOWHERE)
            return error_set(error, "%s:1: the column \"%s\" stands twice",
                             f->name, f->columns[column].name);
        f->place[column] = i;
    }
    for (size_t i = 0; i < f->column_count; i++)
        if (f->columns[i].is_required && f->place[i] == NOWHERE)
            return error_set(error, "%s:1: the column \"%s\" is missing",
                             f->name, f->columns[i].name);
    return true;
}

struct csv_file *csv_file_of(int fd, const char *name,
                             const struct csv_column *columns, size_t count,
                             struct error_text *error)
{
    struct csv_file *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        close(fd);
        error_set(error, "%s: out of memory", name);
        return NULL;
    }
    f->fd = fd;
    f->name = strdup(name);
    f->columns = columns;
    f->column_count = count;
    f->block = malloc(BLOCK);
    buffer_init(&f->scratch, 2 * CSV_LINE_MAX);
    if (f->name == NULL || f->block == NULL) {
        error_set(error, "%s: out of memory", name);
    } else if (csv_file_rewind(f, error)) {
        return f;
    }
    csv_file_close(f);
    return NULL;
}

struct csv_file *csv_file_open(const char *path,
                               const struct csv_column *columns, size_t count,
                               struct error_text *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    return csv_file_of(fd, path, columns, count, error);
}

void csv_file_close(struct csv_file *file)
{
    if (file == NULL)
        return;
    close(file->fd);
    free(file->name);
    free(file->block);
    free(file->header);
    digest_stream_free(file->digest);
    buffer_clear(&file->scratch);
    free(file);
}

bool csv_file_rewind(struct csv_file *file, struct error_text *error)
{
    if (lseek(file->fd, 0, SEEK_SET) < 0)
        return error_set(error, "%s: %s", file->name, strerror(errno));
    digest_stream_free(file->digest);
    file->digest = digest_stream_new();
    file->start = file->end = 0;
    file->at_end = false;
    file->line = 0;
    return read_header(file, error);
}

const char *csv_file_fault(const struct csv_file *file)
{
    return file->fault;
}

const char *csv_file_name(const struct csv_file *file)
{
    return file->name;
}

uint64_t csv_file_line(const struct csv_file *file)
{
    return file->line;
}

struct slice csv_file_field(const struct csv_file *file, size_t column)
{
    int place = file->place[column];
    return place == NOWHERE ? SLICE("") : slice_trim(file->fields[place]);
}

struct slice csv_file_raw(const struct csv_file *file)
{
    return file->raw;
}

const char *csv_file_header(const struct csv_file *file)
{
    return file->header;
}

struct digest csv_file_digest(const struct csv_file *file)
{
    return digest_stream_now(file->digest);
}

/* --- faults --- */

void csv_faults_init(struct csv_faults *faults)
{
    *faults = (struct csv_faults){0};
    buffer_init(&faults->text, 1 << 20);
}

void csv_faults_clear(struct csv_faults *faults)
{
    buffer_clear(&faults->text);
}

static void add_fault(struct csv_faults *faults, const char *place,
                      const char *format, va_list arguments)
{
    char why[FAULT_LEN + 120];
    if (faults->count++ >= CSV_FAULTS_MAX)
        return;
    vsnprintf(why, sizeof(why), format, arguments);
    buffer_addf(&faults->text, "%s: %s\n", place, why);
}

void csv_faults_add_at(struct csv_faults *faults, const char *place,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_fault(faults, place, format, arguments);
    va_end(arguments);
}

void csv_faults_add(struct csv_faults *faults, const char *name, uint64_t line,
                    const char *format, ...)
{
    char place[PATH_MAX + 24];
    va_list arguments;
    snprintf(place, sizeof(place), "%s:%llu", name, (unsigned long long)line);
    va_start(arguments, format);
    add_fault(faults, place, format, arguments);
    va_end(arguments);
}
