/*
 * A field of a form is a row, and this row is all that is said about it:
 *
 *   {"revenue", FIELD_MONEY, TEXT_KEY("registration.revenue"),
 *    .min = 0, .requirement = "ELIG-05"},
 *
 * From it come reading (forms, JSON, CSV), checking, the input on the page, the
 * line on the check page, JSON out, the schema in OpenAPI, and who sees it
 * masked. To add a field is to add a row and its label in text/ in both
 * languages.
 *
 * What people type is read as they mean it: full-width digits, letters and
 * signs, blanks around and inside numbers and codes, "12,000.50", "2018-1-5" or
 * "2018年1月5日"; it is kept clean, so that everything behind the reader sees one
 * form. What cannot be read is kept as it was typed, with the refusal, so that
 * a draft loses nothing.
 */
#ifndef PORTAL_FORM_FIELD_H
#define PORTAL_FORM_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/slice.h"
#include "portal/form/refusal.h"

enum field_kind {
    FIELD_TEXT,        /* one line; min, max: characters (0: 1, 200) */
    FIELD_LONG_TEXT,   /* lines; the same (0: 1, 2000) */
    FIELD_CREDIT_CODE, /* unified social credit code, GB 32100 */
    FIELD_CHOICE,      /* one of `choices`, by its code */
    FIELD_YES,         /* a declaration: only "yes" will do */
    FIELD_YES_NO,      /* a question */
    FIELD_MONEY,       /* yuan as typed, fen as kept; min, max: fen */
    FIELD_COUNT,       /* a whole number; min, max (0, 0: 0 and more) */
    FIELD_YEAR,        /* 1900 to 9999; min, max where they are set */
    FIELD_DAY,         /* a date of Asia/Shanghai */
    FIELD_PHONE,       /* 5 to 20 digits with + - ( ) between them */
    FIELD_MOBILE,      /* 11 digits from 13 on, +86 in front allowed */
    FIELD_MAIL,        /* one address */
    FIELD_DIGITS, /* a number that is a name: an account; min, max: digits */
    FIELD_NET,    /* address or prefix, in normal form */
    FIELD_HOST,   /* a host name, "*." in front allowed */
    FIELD_PORTS,  /* "443,8000-8010" */
    FIELD_FILE,   /* 1 to max files (0: 1) */
    FIELD_ROWS,   /* 1 to max rows (0: 20) of the fields in `rows` */
    FIELD_KIND_COUNT,
};

/* Who sees it whole: form_view.c. */
enum field_privacy {
    FIELD_OPEN,   /* whoever sees the record */
    FIELD_PERSON, /* of a person: the parties of the procedure (PRIV-09) */
    FIELD_BANK,   /* an account: its owner, and those who pay and audit */
};

/* A closed set: codes with words in text/, or rows of a table. */
struct choices {
    const char *const *codes; /* NULL-terminated; NULL: rows */
    const char *words;        /* text keys of codes start so: "legal_form." */
    const char *sql;          /* of rows: code, zh, en */
};

struct answer;
struct answers;

/* With what answers are checked. */
struct form_context {
    struct db *db; /* for choices that are rows */
    struct wall_time now;
};

struct field {
    const char *name; /* in forms, JSON and CSV */
    enum field_kind kind;
    const char *label; /* text key */
    const char *hint;  /* text key, or NULL */
    int64_t min, max;
    const struct choices *choices;
    const struct field *rows; /* of FIELD_ROWS: the fields of one row */
    size_t row_fields;
    bool is_optional;
    bool is_not_future; /* a day or a year: today is the last one */
    /* Whether it is asked at all; NULL: yes. What is not asked stays in a draft
     * and is no part of what is submitted. */
    bool (*is_asked)(const struct answers *answers);
    /* What the record knows beside the kind: may refuse a value that could be
     * read, or name the refusal of one that could not better. */
    void (*check)(const struct answers *answers, struct answer *answer,
                  const struct form_context *context);
    enum field_privacy privacy;
    const char *autocomplete; /* HTML's token: "organization" */
    const char *requirement;  /* "CON-04" */
};

/* ---- what was answered ---- */

/* A file as an edition names it; its bytes are in the store of attachments. */
struct field_file {
    char sha256[65]; /* hex */
    const char *name;
    const char *media_type;
    uint64_t size;
};

struct answer {
    const struct field *field;
    const char *typed; /* as it came, "" when nothing did; not of files, rows */
    bool is_given;     /* something is there */
    bool is_good;      /* and could be read: the members below hold */
    const char *text;  /* its clean form: a text, a choice's code, a prefix,
                          "2018-01-05", fen in digits, "yes" */
    int64_t number;    /* fen, count, year, day number, yes is 1 */
    struct answers *rows; /* an array of them, one a row */
    size_t row_count;
    const struct field_file *files;
    size_t file_count;
    struct refusal refusal; /* code NULL: none */
};

/* The answers of a form, or of one row; in the arena that they were made in. */
struct answers {
    struct answer *of;
    size_t count;
    const struct answers *outer; /* of a row: the form's */
    struct arena *arena;
    bool failed; /* no memory: nothing in it is to be used */
};

/* Empty answers to these fields. */
struct answers answers_new(const struct field *fields, size_t count,
                           struct arena *arena);
/* NULL when there is no such field; "points.2.reason" finds one of a row. */
struct answer *answers_find(const struct answers *answers, const char *name);
/* What was read, or ""/0/false while it is not there or could not be read. */
const char *answers_text(const struct answers *answers, const char *name);
int64_t answers_number(const struct answers *answers, const char *name);
bool answers_is_yes(const struct answers *answers, const char *name);
/* Whether the field is asked, by what else was answered. */
bool answer_is_asked(const struct answers *answers,
                     const struct answer *answer);

/* Reads what was typed into one field, as a form or a cell of a CSV sends it. */
void answer_read(struct answer *answer, const char *typed,
                 const struct answers *answers);
/* The same for several fields, and for rows ("points.0.reason"); what the
 * source does not have counts as empty. Files are not read so: answer_files(). */
typedef const char *typed_fn(const void *source, const char *name);
void answers_read(struct answers *answers, typed_fn *typed, const void *source);
void answer_files(struct answer *answer, const struct field_file *files,
                  size_t count);

/* Adds refusals: what is missing (only with `is_complete`), what choices do not
 * have, what the fields' own checks say. Gives the number of all refusals. */
size_t answers_check(struct answers *answers, bool is_complete,
                     const struct form_context *context);
/* The first one, NULL: none. */
const struct refusal *answers_refusal(const struct answers *answers);

/* Canonical JSON: keys sorted, no blanks, fen and counts as integers, days as
 * 'YYYY-MM-DD', choices by code, files as [{media_type, name, sha256, size}],
 * rows as arrays of objects; what is empty is left out. With `is_draft` also what could not be read
 * (as typed, a text) and what is not asked. */
void answers_write_json(const struct answers *answers, bool is_draft,
                        struct buffer *out);
/* The same members into an object that is open. */
struct json_writer;
void answers_write_members(const struct answers *answers, bool is_draft,
                           struct json_writer *json);
/* Reads it back: typed values of the kinds above, and texts as people type them
 * wherever a value stands. A member that is no field, or has a wrong type, is
 * refused: false with the refusal. Members that are not there are untouched. */
bool answers_read_json(struct answers *answers, struct slice json,
                       struct refusal *refusal);

struct json_node;
bool answers_read_node(struct answers *answers, const struct json_node *object,
                       struct refusal *refusal);

/* What a person reads: "80,000.50 元", "2018-12-31", the words of a choice, or
 * what was typed. "" when nothing is there. */
const char *answer_shown(const struct answer *answer, enum language language,
                         struct arena *arena,
                         const struct form_context *context);
/* As above, of persons and accounts the middle is hidden: "138****5678". */
const char *answer_masked(const struct answer *answer, enum language language,
                          struct arena *arena,
                          const struct form_context *context);

#endif
