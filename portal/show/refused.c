#include "portal/show/refused.h"

#include <stdio.h>

#include "common/writer.h"

enum { KEY_LEN = 64, SENTENCE_MAX = 2048 };

struct refused_row {
    const char *code;
    int status;
    int retry_s;
};

static const struct refused_row ROWS[REFUSED_COUNT] = {
    [REFUSED_NONE] = {"", 200},
    [REFUSED_REQUEST] = {"E_REQUEST", 400},
    [REFUSED_ENCODING] = {"E_ENCODING", 400},
    [REFUSED_FIELD_COUNT] = {"E_FIELD_COUNT", 400},
    [REFUSED_FILE_COUNT] = {"E_FILE_COUNT", 400},
    [REFUSED_CONTENT_TYPE] = {"E_CONTENT_TYPE", 415},
    [REFUSED_BODY_SIZE] = {"E_BODY_SIZE", 413},
    [REFUSED_ADDRESS_SIZE] = {"E_ADDRESS_SIZE", 414},
    [REFUSED_HEADER_SIZE] = {"E_HEADER_SIZE", 431},
    [REFUSED_METHOD] = {"E_METHOD", 405},
    [REFUSED_NO_PAGE] = {"E_NO_PAGE", 404},
    [REFUSED_NO_RECORD] = {"E_NO_RECORD", 404},
    [REFUSED_LOGIN] = {"E_LOGIN", 401},
    [REFUSED_SESSION_ENDED] = {"E_SESSION_ENDED", 401},
    [REFUSED_ROLE] = {"E_ROLE", 403},
    [REFUSED_MANDATE] = {"E_MANDATE", 403},
    [REFUSED_COOKIE] = {"E_COOKIE", 403},
    [REFUSED_FORM_EXPIRED] = {"E_FORM_EXPIRED", 403},
    [REFUSED_FILE_HARMFUL] = {"E_FILE_HARMFUL", 403},
    [REFUSED_ACTIVATION] = {"E_ACTIVATION", 403},
    [REFUSED_SECOND_FACTOR] = {"E_SECOND_FACTOR", 403},
    [REFUSED_TOKEN] = {"E_TOKEN", 401},
    [REFUSED_BODY] = {"E_BODY", 400},
    [REFUSED_FIELD_VALUE] = {"E_FIELD_VALUE", 422},
    [REFUSED_IDEMPOTENCY] = {"E_IDEMPOTENCY", 409},
    [REFUSED_RATE] = {"E_RATE", 429, .retry_s = 60},
    [REFUSED_EXPORT_RUNNING] = {"E_EXPORT_RUNNING", 429, .retry_s = 10},
    [REFUSED_UPLOAD_RUNNING] = {"E_UPLOAD_RUNNING", 429, .retry_s = 10},
    [REFUSED_TOO_OFTEN] = {"E_TOO_OFTEN", 429, .retry_s = 3600},
    [REFUSED_INTERNAL] = {"E_INTERNAL", 500},
    [REFUSED_BUSY] = {"E_BUSY", 503, .retry_s = 10},
};

static const struct refused_row *row_of(enum refused refusal)
{
    return &ROWS[refusal < REFUSED_COUNT ? refusal : REFUSED_INTERNAL];
}

const char *refused_code(enum refused refusal)
{
    return row_of(refusal)->code;
}

int refused_status(enum refused refusal)
{
    return row_of(refusal)->status;
}

int refused_retry_s(enum refused refusal)
{
    return row_of(refusal)->retry_s;
}

enum refused refused_of_status(int status)
{
    for (int i = REFUSED_NONE; i < REFUSED_COUNT; i++)
        if (ROWS[i].status == status)
            return (enum refused)i;
    return REFUSED_INTERNAL;
}

void refused_text(const struct refused_words *words, enum refused_part part,
                  enum language language, struct buffer *out)
{
    char key[KEY_LEN];
    snprintf(key, sizeof(key), "%s%s",
             part == REFUSED_MEANING ? "refusal." : "refusal.help.",
             refused_code(words->refusal));
    text_fill_list(out, language, key,
                   words->values != NULL ? words->values : TEXT_ARGUMENTS());
}

static void add_sentence(struct json_writer *json, const char *key,
                         const struct refused_words *words,
                         enum refused_part part, enum language language)
{
    struct buffer text;
    buffer_init(&text, SENTENCE_MAX);
    refused_text(words, part, language, &text);
    json_slice(json, key, buffer_slice(&text));
    buffer_clear(&text);
}

void refused_write_json(const struct refused_words *words, struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_i64(&json, "status", refused_status(words->refusal));
    json_text(&json, "code", refused_code(words->refusal));
    add_sentence(&json, "error", words, REFUSED_MEANING, LANGUAGE_EN);
    add_sentence(&json, "error_zh", words, REFUSED_MEANING, LANGUAGE_ZH);
    add_sentence(&json, "help", words, REFUSED_HELP, LANGUAGE_EN);
    add_sentence(&json, "help_zh", words, REFUSED_HELP, LANGUAGE_ZH);
    if (words->detail != NULL)
        json_text(&json, "detail", words->detail);
    else
        json_no_value(&json, "detail");
    json_object_end(&json);
    buffer_add_text(out, "\n");
}

void refused_openapi(struct buffer *out)
{
    buffer_add_text(
        out, "    error:\n"
             "      type: object\n"
             "      additionalProperties: false\n"
             "      required: [status, code, error, error_zh, help, help_zh, "
             "detail]\n"
             "      properties:\n"
             "        status: {type: integer}\n"
             "        code:\n"
             "          description: \"What happened; it stays the same. The "
             "sentences may change.\"\n"
             "          enum:\n");
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++)
        buffer_addf(out, "            - %s # %d\n", ROWS[i].code,
                    ROWS[i].status);
    buffer_add_text(
        out, "        error: {type: string, description: \"What it means.\"}\n"
             "        error_zh: {type: string}\n"
             "        help: {type: string, description: \"What to do.\"}\n"
             "        help_zh: {type: string}\n"
             "        detail: {type: [string, \"null\"], description: \"The "
             "place in what was sent.\"}\n");
}

static bool is_first_of_status(int row)
{
    for (int i = REFUSED_NONE; i < row; i++)
        if (ROWS[i].status == ROWS[row].status)
            return false;
    return true;
}

void refused_openapi_responses(struct buffer *out)
{
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++) {
        if (!is_first_of_status(i))
            continue;
        buffer_addf(out, "    r%d:\n      description: \"", ROWS[i].status);
        for (int j = i; j < REFUSED_COUNT; j++)
            if (ROWS[j].status == ROWS[i].status)
                buffer_addf(out, "%s%s", j > i ? ", " : "", ROWS[j].code);
        buffer_add_text(out, "\"\n      content:\n"
                             "        application/json:\n"
                             "          schema: {$ref: "
                             "\"#/components/schemas/error\"}\n");
    }
}
