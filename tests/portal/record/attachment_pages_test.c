/* A file that cannot be kept: a sentence of its own for each reason, which names
 * the file and the way out, in both languages (CON-10). */
#include "portal/record/attachment_pages.h"

#include <string.h>

#include "portal/store/attachment_type.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const struct {
    const char *name;
    struct slice content;
    size_t repeated; /* of its last byte */
    const char *code, *en, *zh;
    bool is_full; /* the draft has no place for one more */
} CASES[] = {
    {"a good file", {"%PDF-1.7", 8}, 0, NULL, "", ""},
    {"CON-10: an empty file",
     {"", 0},
     0,
     "E_FILE_EMPTY",
     "“执照.pdf” is empty",
     "“执照.pdf”是空的"},
    {"CON-10: another type",
     {"<html>", 6},
     0,
     "E_FILE_TYPE",
     "is not PDF, JPG, PNG",
     "不是 PDF, JPG, PNG 格式"},
    {"CON-10: a type that this field does not take",
     {"<?xml version=\"1.0\"?>", 21},
     0,
     "E_FILE_TYPE",
     "is not PDF, JPG, PNG",
     "另存为"},
    {"CON-10: a file that is too large",
     {"%PDF-", 5},
     1 << 20,
     "E_FILE_TOO_BIG",
     "at most 1.0 MiB each",
     "最多 1.0 MiB"},
    {"a good file of a draft that is full",
     {"%PDF-1.7", 8},
     0,
     "E_FILE_COUNT",
     "at most 60 files",
     "最多 60 个文件",
     true},
};

static void run_case(size_t i, struct attachments *attachments,
                     struct arena *arena)
{
    struct refusal refusal = {0};
    struct attachment_file *file =
        attachment_file_new(attachments, ATTACHMENT_INVOICE);
    const struct upload_file upload = {"licence", "C:\\a\\执照.pdf", file};
    char *more = calloc(1, CASES[i].repeated + 1);
    attachment_file_add(file, CASES[i].content);
    attachment_file_add(file, slice_of_bytes(more, CASES[i].repeated));
    attachment_file_end(file);
    test_case(CASES[i].name);
    bool good =
        attachment_check_upload(attachments, &upload, ATTACHMENT_READABLE,
                                !CASES[i].is_full, arena, &refusal);
    CHECK(good == (CASES[i].code == NULL));
    if (!good) {
        CHECK_TEXT(refusal.code, CASES[i].code);
        CHECK_TEXT(refusal.field, "licence");
        CHECK(strstr(refusal_words(&refusal, LANGUAGE_EN, arena),
                     CASES[i].en) != NULL);
        CHECK(strstr(refusal_words(&refusal, LANGUAGE_ZH, arena),
                     CASES[i].zh) != NULL);
    }
    attachment_file_free(file);
    free(more);
}

int main(void)
{
    struct scratch scratch;
    struct error_text error;
    struct portal_config config = {.attachment_mib = 1};
    struct arena *arena = arena_new(1 << 20);
    scratch_open(&scratch);
    snprintf(config.portal_db, sizeof(config.portal_db), "%s", scratch.path);
    struct attachments *attachments = attachments_open(&config, &error);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        run_case(i, attachments, arena);
    attachments_close(attachments);
    arena_free(arena);
    scratch_close(&scratch);
    return test_end();
}
