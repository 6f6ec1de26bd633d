#include "portal/show/refused.h"

#include <stdio.h>
#include <string.h>

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

/* The paper's, of acts. */
static const struct refused_row ACTS[] = {
    {"E_ACCOUNT_LOCKED", 409},
    {"E_ACCOUNT_NAME", 422},
    {"E_CITY_NOT_ENABLED", 422},
    {"E_COMPANY_AGE", 422},
    {"E_CONFLICT_OF_INTEREST", 403},
    {"E_DECLARATION", 422},
    {"E_DUPLICATE", 409},
    {"E_FIELD_REQUIRED", 422},
    {"E_FILE_EMPTY", 422},
    {"E_FILE_NOT_KEPT", 500},
    {"E_FILE_REQUIRED", 422},
    {"E_FILE_TOO_BIG", 413},
    {"E_FILE_TYPE", 422},
    {"E_FLAG_UNANSWERED", 422},
    {"E_FOUR_EYES", 403},
    {"E_IMPORT_ROW", 422},
    {"E_MONEY_FORMAT", 422},
    {"E_MONEY_NEGATIVE", 422},
    {"E_NOT_GUANGDONG", 422},
    {"E_NOT_LEGAL_PERSON", 422},
    {"E_RANGE", 422},
    {"E_REASON_REQUIRED", 422},
    {"E_REGISTRATION_PENDING", 409},
    {"E_REJECT_GROUND", 422},
    {"E_RETURN_LIST_EMPTY", 422},
    {"E_RETURN_NOT_ONCE", 422},
    {"E_SCOPE", 404},
    {"E_STALE", 409},
    {"E_STATE", 409},
    {"E_USCC", 422},
    {"E_VER_HOST", 422},
    {"E_VER_PREFIX", 422},
};
enum { ACT_COUNT = sizeof(ACTS) / sizeof(ACTS[0]), ACT_STATUS = 422 };

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

int refused_status_of_code(const char *code)
{
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++)
        if (strcmp(ROWS[i].code, code) == 0)
            return ROWS[i].status;
    for (size_t i = 0; i < ACT_COUNT; i++)
        if (strcmp(ACTS[i].code, code) == 0)
            return ACTS[i].status;
    return ACT_STATUS;
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

static void add_text(struct json_writer *json, const char *key,
                     const char *value)
{
    if (value != NULL)
        json_text(json, key, value);
    else
        json_no_value(json, key);
}

void refused_answer_write(const struct refused_answer *answer,
                          struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_i64(&json, "status", answer->status);
    json_text(&json, "code", answer->code);
    json_text(&json, "error", answer->meaning[LANGUAGE_EN]);
    json_text(&json, "error_zh", answer->meaning[LANGUAGE_ZH]);
    json_text(&json, "help", answer->help[LANGUAGE_EN]);
    json_text(&json, "help_zh", answer->help[LANGUAGE_ZH]);
    add_text(&json, "field", answer->field);
    add_text(&json, "detail", answer->detail);
    json_object_end(&json);
    buffer_add_text(out, "\n");
}

/* The sentence as a text that ends. */
static const char *sentence(const struct refused_words *words,
                            enum refused_part part, enum language language,
                            struct buffer *text)
{
    buffer_init(text, SENTENCE_MAX);
    refused_text(words, part, language, text);
    buffer_add_u8(text, 0);
    return text->failed ? "" : (const char *)text->data;
}

void refused_write_json(const struct refused_words *words, struct buffer *out)
{
    struct buffer meaning[LANGUAGE_COUNT], help[LANGUAGE_COUNT];
    struct refused_answer answer = {
        .status = refused_status(words->refusal),
        .code = refused_code(words->refusal),
        .detail = words->detail,
    };
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        enum language language = (enum language)i;
        answer.meaning[i] =
            sentence(words, REFUSED_MEANING, language, &meaning[i]);
        answer.help[i] = sentence(words, REFUSED_HELP, language, &help[i]);
    }
    refused_answer_write(&answer, out);
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        buffer_clear(&meaning[i]);
        buffer_clear(&help[i]);
    }
}

static void add_code(const struct refused_row *row, struct buffer *out)
{
    buffer_addf(out, "            - %s # %d\n", row->code, row->status);
}

void refused_openapi(struct buffer *out)
{
    buffer_add_text(
        out, "    error:\n"
             "      type: object\n"
             "      additionalProperties: false\n"
             "      required: [status, code, error, error_zh, help, help_zh, "
             "field, detail]\n"
             "      properties:\n"
             "        status: {type: integer}\n"
             "        code:\n"
             "          description: \"What happened; it stays the same. The "
             "sentences may change.\"\n"
             "          enum:\n");
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++)
        add_code(&ROWS[i], out);
    for (size_t i = 0; i < ACT_COUNT; i++)
        add_code(&ACTS[i], out);
    buffer_add_text(
        out, "        error: {type: string, description: \"What it means.\"}\n"
             "        error_zh: {type: string}\n"
             "        help: {type: string, description: \"What to do.\"}\n"
             "        help_zh: {type: string}\n"
             "        field: {type: [string, \"null\"], description: \"Of the "
             "form, by its name.\"}\n"
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
        for (size_t j = 0; j < ACT_COUNT; j++)
            if (ACTS[j].status == ROWS[i].status)
                buffer_addf(out, ", %s", ACTS[j].code);
        buffer_add_text(out, "\"\n      content:\n"
                             "        application/json:\n"
                             "          schema: {$ref: "
                             "\"#/components/schemas/error\"}\n");
    }
}
