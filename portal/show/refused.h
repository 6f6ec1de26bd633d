/*
 * What the portal answers when it does not do what was asked.
 *
 * A refusal is a row: a stable code in the style of the programme's paper
 * (requirements, section 1.3: REFUSE), which programs act on and people can
 * quote, and the HTTP status. The paper's code is used where the meaning is the
 * paper's. Its two sentences stand in text/portal.po: what it means
 * ("refusal.E_ROLE") and what to do now ("refusal.help.E_ROLE"), whose {names}
 * are given with it.
 *
 * Pages, JSON and OpenAPI read the same row. To add one: a name here, a row in
 * refused.c, its two sentences.
 *
 * What an act is refused with (portal/form/refusal.h) says its sentence itself;
 * its code has a row in refused.c, too, with its status.
 */
#ifndef PORTAL_SHOW_REFUSED_H
#define PORTAL_SHOW_REFUSED_H

#include <stddef.h>

#include "common/buffer.h"
#include "common/text.h"

enum refused {
    REFUSED_NONE = 0,
    /* of the request */
    REFUSED_REQUEST,      /* cannot be understood */
    REFUSED_ENCODING,     /* not UTF-8 */
    REFUSED_FIELD_COUNT,  /* {fields}: how many there may be */
    REFUSED_FILE_COUNT,   /* {files}: how many there may be */
    REFUSED_CONTENT_TYPE, /* {type}: the one that is taken */
    REFUSED_BODY_SIZE,    /* {limit} of the route */
    REFUSED_ADDRESS_SIZE, /* {limit} */
    REFUSED_HEADER_SIZE,  /* {limit} */
    REFUSED_METHOD,       /* {methods} that there are */
    /* of the address */
    REFUSED_NO_PAGE,
    REFUSED_NO_RECORD, /* not there, or not in scope: one answer for both */
    /* of the caller */
    REFUSED_LOGIN,
    REFUSED_SESSION_ENDED,
    REFUSED_ROLE,
    REFUSED_MANDATE, /* {end} of the account */
    REFUSED_COOKIE,
    REFUSED_FORM_EXPIRED,
    REFUSED_FILE_HARMFUL,
    REFUSED_ACTIVATION,    /* a link that is used up, over, or none of ours */
    REFUSED_SECOND_FACTOR, /* has to be set up first */
    /* of a supplier's program */
    REFUSED_TOKEN,
    REFUSED_BODY, /* not as agreed; the detail names the place */
    REFUSED_FIELD_VALUE,
    REFUSED_IDEMPOTENCY,
    REFUSED_RATE, /* {limit} a minute */
    /* of the platform */
    REFUSED_EXPORT_RUNNING,
    REFUSED_TOO_OFTEN, /* asked by strangers of one network */
    REFUSED_UPLOAD_RUNNING,
    REFUSED_INTERNAL,
    REFUSED_BUSY,
    REFUSED_COUNT
};

const char *refused_code(enum refused refusal); /* "E_ROLE" */
int refused_status(enum refused refusal);
/* The first of a status: how the server's own findings are called. */
enum refused refused_of_status(int status);
/* When to try again, 0: that is not known. */
int refused_retry_s(enum refused refusal);
/* Of any code; 422 (requirements, section 1.3) for one that has no row. */
int refused_status_of_code(const char *code);

/* What is said of one: its {names}, and the place in what was sent, in English
 * (NULL: none). */
struct refused_words {
    enum refused refusal;
    const struct text_argument *values; /* as TEXT_ARGUMENTS makes them; NULL */
    const char *detail;
};
enum refused_part { REFUSED_MEANING, REFUSED_HELP };
/* Adds the sentence. */
void refused_text(const struct refused_words *words, enum refused_part part,
                  enum language language, struct buffer *out);
/* The same bytes in whichever language the asker reads. */
void refused_write_json(const struct refused_words *words, struct buffer *out);

/* Every refusal as JSON has this form. */
struct refused_answer {
    int status;
    const char *code;
    const char *meaning[LANGUAGE_COUNT], *help[LANGUAGE_COUNT];
    const char *field, *detail; /* NULL: none */
};
void refused_answer_write(const struct refused_answer *answer,
                          struct buffer *out);
/* The schema of that with every code, and a response for each status. */
void refused_openapi(struct buffer *out);
void refused_openapi_responses(struct buffer *out);

#endif
