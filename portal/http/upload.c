#include "portal/http/upload.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buffer.h"

enum { ARENA_MAX = 4 * UPLOAD_TEXT_MAX };

struct upload {
    struct attachments *attachments;
    const char *account;
    struct upload_limits limits;
    enum upload_state state;
    struct arena *arena;
    struct form_data fields;
    struct upload_file files[UPLOAD_FILES_MAX];
    size_t file_count;

    /* The part that is coming. */
    const char *name;         /* NULL: none */
    struct upload_file *file; /* NULL: a field */
    struct buffer value;
    size_t text_bytes; /* so far, of all */
    bool has_parts;
};

struct upload *upload_new(struct attachments *attachments, const char *account,
                          const struct upload_limits *limits)
{
    struct arena *arena = arena_new(ARENA_MAX);
    struct upload *upload = calloc(1, sizeof(*upload));
    const char *copy =
        arena != NULL ? arena_copy_text(arena, slice_of_text(account)) : NULL;
    if (copy == NULL || upload == NULL ||
        !attachments_begin(attachments, account)) {
        arena_free(arena);
        free(upload);
        return NULL;
    }
    upload->attachments = attachments;
    upload->account = copy;
    upload->arena = arena;
    upload->limits = *limits;
    if (upload->limits.files > UPLOAD_FILES_MAX)
        upload->limits.files = UPLOAD_FILES_MAX;
    buffer_init(&upload->value, UPLOAD_TEXT_MAX);
    return upload;
}

void upload_free(struct upload *upload)
{
    if (upload == NULL)
        return;
    for (size_t i = 0; i < upload->file_count; i++)
        attachment_file_free(upload->files[i].file);
    attachments_end(upload->attachments, upload->account);
    buffer_clear(&upload->value);
    arena_free(upload->arena);
    free(upload);
}

/* Always false, so that it can be returned. */
static bool refuse_form(struct upload *upload, enum upload_state state)
{
    if (upload->state == UPLOAD_GOOD)
        upload->state = state;
    return false;
}

static bool is_utf8(struct slice text)
{
    while (text.length > 0) {
        size_t length = slice_utf8_length(text);
        if (length == 0)
            return false;
        text = slice_of_bytes(text.data + length, text.length - length);
    }
    return true;
}

/* Browsers end the lines of a value with CR and LF; LF is what is kept. */
static struct slice without_cr(char *text, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\r' || i + 1 == length || text[i + 1] != '\n')
            text[kept++] = text[i];
    return slice_of_bytes(text, kept);
}

/* The value that has come becomes a field. */
static bool end_field(struct upload *upload)
{
    struct slice value =
        without_cr((char *)upload->value.data, upload->value.length);
    if (!slice_is_clean_utf8(value))
        return refuse_form(upload,
                           is_utf8(value) ? UPLOAD_MALFORMED : UPLOAD_NOT_UTF8);
    if (upload->fields.count == FORM_FIELDS_MAX)
        return refuse_form(upload, UPLOAD_TOO_MANY);
    struct form_field field = {upload->name,
                               arena_copy_text(upload->arena, value)};
    if (field.value == NULL)
        return refuse_form(upload, UPLOAD_NO_MEMORY);
    upload->fields.fields[upload->fields.count++] = field;
    buffer_reset(&upload->value);
    return true;
}

static bool end_part(struct upload *upload)
{
    bool good =
        upload->name == NULL || upload->file != NULL || end_field(upload);
    upload->name = NULL;
    upload->file = NULL;
    return good;
}

static bool count_text(struct upload *upload, size_t bytes)
{
    upload->text_bytes += bytes;
    return upload->text_bytes <= UPLOAD_TEXT_MAX ||
           refuse_form(upload, UPLOAD_TOO_LONG);
}

static bool begin_file(struct upload *upload, const char *file_name)
{
    if (upload->file_count == upload->limits.files)
        return refuse_form(upload, UPLOAD_FILES);
    struct upload_file *file = &upload->files[upload->file_count];
    *file = (struct upload_file){
        upload->name, arena_copy_text(upload->arena, slice_of_text(file_name)),
        attachment_file_new(upload->attachments, upload->limits.accepted)};
    if (file->file == NULL)
        return refuse_form(upload, UPLOAD_NO_MEMORY);
    upload->file_count++;
    upload->file = file;
    return file->name != NULL || refuse_form(upload, UPLOAD_NO_MEMORY);
}

static bool begin_part(struct upload *upload, const struct upload_piece *piece)
{
    struct slice name = slice_of_text(piece->field != NULL ? piece->field : "");
    if (!end_part(upload))
        return false;
    if (name.length == 0 || name.length > UPLOAD_NAME_MAX ||
        !slice_is_clean_utf8(name))
        return refuse_form(upload, UPLOAD_MALFORMED);
    if (!count_text(upload, name.length))
        return false;
    upload->name = arena_copy_text(upload->arena, name);
    if (upload->name == NULL)
        return refuse_form(upload, UPLOAD_NO_MEMORY);
    if (piece->file_name == NULL)
        return true;
    return count_text(upload, strlen(piece->file_name)) &&
           begin_file(upload, piece->file_name);
}

/* What a browser sends for a file input that was left empty. */
static bool is_left_empty(const struct upload_piece *piece)
{
    return piece->offset == 0 && piece->data.length == 0 &&
           piece->file_name != NULL && piece->file_name[0] == '\0';
}

bool upload_take(struct upload *upload, const struct upload_piece *piece)
{
    if (upload->state != UPLOAD_GOOD)
        return false;
    upload->has_parts = true;
    if (is_left_empty(piece))
        return end_part(upload);
    if (piece->offset == 0 && !begin_part(upload, piece))
        return false;
    if (upload->name == NULL)
        return refuse_form(upload, UPLOAD_MALFORMED);
    if (upload->file != NULL) {
        attachment_file_add(upload->file->file, piece->data);
        return true;
    }
    buffer_add_slice(&upload->value, piece->data);
    return count_text(upload, piece->data.length);
}

bool upload_end(struct upload *upload)
{
    if (upload->state == UPLOAD_GOOD && !upload->has_parts)
        return refuse_form(upload, UPLOAD_MALFORMED);
    return upload->state == UPLOAD_GOOD && end_part(upload);
}

void upload_settle(struct upload *upload)
{
    bool answers = true; /* the scanner: it is not waited for again and again */
    for (size_t i = 0; i < upload->file_count; i++) {
        attachment_file_end(upload->files[i].file);
        answers = answers && attachment_file_look(upload->files[i].file);
    }
}

enum upload_state upload_state(const struct upload *upload)
{
    return upload->state;
}

const struct form_data *upload_fields(const struct upload *upload)
{
    return &upload->fields;
}

size_t upload_file_count(const struct upload *upload)
{
    return upload->file_count;
}

const struct upload_file *upload_file(const struct upload *upload, size_t index)
{
    return &upload->files[index];
}
