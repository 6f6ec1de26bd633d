/*
 * A form that brings files (multipart/form-data), while it comes.
 *
 * Its parts are told one after the other, each in pieces. A field's value is
 * kept in memory, within bounds; a file goes to disk as it comes and is hashed on
 * the way (store/attachment_file.h). A file that is wrong, empty or too large
 * does not spoil the form: the rest is read, so that nothing that was typed is
 * lost, and the handler finds the file with what is wrong with it.
 *
 * The fields are then read like those of any other form. Files that the handler
 * does not keep are gone when the upload is freed.
 */
#ifndef PORTAL_HTTP_UPLOAD_H
#define PORTAL_HTTP_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "portal/http/request.h"
#include "portal/store/attachment_file.h"

enum {
    UPLOAD_FILES_MAX = 20,        /* of one form */
    UPLOAD_NAME_MAX = 128,        /* bytes of a field's name */
    UPLOAD_TEXT_MAX = 256 * 1024, /* of all names and values */
};

/* What a route takes. */
struct upload_limits {
    unsigned files;    /* so many; the next is refused */
    unsigned accepted; /* their types (store/attachment_type.h) */
};

struct upload_file {
    const char *field;
    const char *name; /* as it came, "" when it has none */
    struct attachment_file *file;
};

/* A piece of a part; offset 0 begins the next one. */
struct upload_piece {
    const char *field;
    const char *file_name; /* NULL: the value of a field */
    uint64_t offset;
    struct slice data;
};

/* What is wrong with the form as a whole. */
enum upload_state {
    UPLOAD_GOOD,
    UPLOAD_MALFORMED, /* no name, a bad name, control characters */
    UPLOAD_NOT_UTF8,  /* a value in another encoding */
    UPLOAD_TOO_MANY,  /* fields */
    UPLOAD_FILES,     /* more files than the route takes */
    UPLOAD_TOO_LONG,  /* names and values, without the files */
    UPLOAD_NO_MEMORY,
};

struct upload;

/* NULL when the account sends enough forms already, or without memory. */
struct upload *upload_new(struct attachments *attachments, const char *account,
                          const struct upload_limits *limits);
void upload_free(struct upload *upload);

/* False when the form is refused and the rest is of no interest. */
bool upload_take(struct upload *upload, const struct upload_piece *piece);
/* No more comes; false as above. */
bool upload_end(struct upload *upload);
/* Its files are synced, and scanned: slow work. */
void upload_settle(struct upload *upload);

enum upload_state upload_state(const struct upload *upload);
/* The fields, in the upload's memory. */
const struct form_data *upload_fields(const struct upload *upload);
/* A file input that was left empty is no file. */
size_t upload_file_count(const struct upload *upload);
const struct upload_file *upload_file(const struct upload *upload,
                                      size_t index);

#endif
