/* Refusals (requirements, section 1.3): each row has a code of its own, a status
 * that refuses, and its sentences in both languages. */
#include "portal/show/refused.h"

#include <string.h>

#include "common/json.h"
#include "tests/test.h"

static bool is_code(const char *code)
{
    return strncmp(code, "E_", 2) == 0 &&
           code[2 + strspn(code + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] == '\0';
}

static void test_rows(void)
{
    test_case("each code is one, and stands once");
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++) {
        CHECK(is_code(refused_code((enum refused)i)));
        for (int j = REFUSED_NONE + 1; j < i; j++)
            CHECK(strcmp(refused_code((enum refused)i),
                         refused_code((enum refused)j)) != 0);
    }
    test_case("each status refuses; what can be tried again says when");
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++) {
        int status = refused_status((enum refused)i);
        CHECK(status >= 400 && status < 600);
        CHECK_I64(refused_retry_s((enum refused)i) > 0,
                  status == 429 || status == 503);
    }
    test_case("what the server finds has its row");
    static const int FOUND[] = {400, 413, 414, 431, 503};
    for (size_t i = 0; i < sizeof(FOUND) / sizeof(FOUND[0]); i++)
        CHECK_I64(refused_status(refused_of_status(FOUND[i])), FOUND[i]);
    CHECK_I64(refused_of_status(418), REFUSED_INTERNAL);
    test_case("a code has its status, whoever refuses with it");
    CHECK_I64(refused_status_of_code("E_ROLE"), 403);
    CHECK_I64(refused_status_of_code("E_STALE"), 409);
    CHECK_I64(refused_status_of_code("E_SCOPE"), 404);
    CHECK_I64(refused_status_of_code("E_FIELD_REQUIRED"), 422);
    CHECK_I64(refused_status_of_code("E_NONE_OF_OURS"), 422);
}

/* A sentence that is not there is its key. */
static void check_sentence(enum refused refusal, enum refused_part part,
                           enum language language)
{
    struct buffer text;
    struct refused_words words = {.refusal = refusal};
    buffer_init(&text, 4096);
    refused_text(&words, part, language, &text);
    buffer_add_u8(&text, 0);
    CHECK(!text.failed && text.length > 1 &&
          strncmp((const char *)text.data, "refusal.", 8) != 0);
    buffer_clear(&text);
}

static void test_sentences(void)
{
    test_case("each says what it means and what to do, in both languages");
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++)
        for (int language = 0; language < LANGUAGE_COUNT; language++) {
            check_sentence((enum refused)i, REFUSED_MEANING,
                           (enum language)language);
            check_sentence((enum refused)i, REFUSED_HELP,
                           (enum language)language);
        }
}

static void test_json(void)
{
    struct buffer out;
    struct error_text error;
    struct refused_words words = {
        .refusal = REFUSED_RATE,
        .values = TEXT_ARGUMENTS(text_number("limit", 16)),
    };
    buffer_init(&out, 4096);
    test_case("as JSON: status, code, both languages, the place or null");
    refused_write_json(&words, &out);
    struct json_document *doc = json_parse(buffer_slice(&out), "json", &error);
    const struct json_node *root = json_root(doc);
    CHECK_I64(json_want_i64(root, "status", 0, 999), 429);
    CHECK_TEXT(json_want_text(root, "code"), "E_RATE");
    CHECK(strstr(json_want_text(root, "help"), "At most 16 a minute") != NULL);
    CHECK(strstr(json_want_text(root, "help_zh"), "16") != NULL);
    CHECK(json_kind_of(json_want(root, "field")) == JSON_NULL_KIND);
    CHECK(json_kind_of(json_want(root, "detail")) == JSON_NULL_KIND);
    CHECK(json_error(doc) == NULL);
    json_free(doc);
    buffer_reset(&out);
    words.detail = "body:1";
    refused_write_json(&words, &out);
    buffer_add_u8(&out, 0);
    CHECK(strstr((const char *)out.data, "\"detail\":\"body:1\"") != NULL);
    buffer_clear(&out);
}

int main(void)
{
    test_rows();
    test_sentences();
    test_json();
    return test_end();
}
