/* The table of words: complete in both languages, in order, and every key that
 * a page asks for is there. */
#include <dirent.h>

#include "common/buffer.h"
#include "portal/show/text.h"
#include "tests/test.h"

static void test_rows(void)
{
    test_case("every text is there in Chinese and English");
    for (size_t i = 0; i < text_count(); i++) {
        struct slice key = slice_of_text(text_key(i));
        const char *zh = text_find(TEXT_ZH, key);
        const char *en = text_find(TEXT_EN, key);
        if (!CHECK(zh != NULL && zh[0] != '\0' && en != NULL && en[0] != '\0'))
            printf("# %s\n", text_key(i));
        if (en != NULL && zh != NULL)
            CHECK(slice_is_clean_utf8(slice_of_text(zh)) &&
                  slice_is_clean_utf8(slice_of_text(en)));
    }
    test_case("the table stands in order, each key once");
    for (size_t i = 1; i < text_count(); i++)
        if (!CHECK(strcmp(text_key(i - 1), text_key(i)) < 0))
            printf("# %s\n", text_key(i));
}

static void check_page(const char *path)
{
    struct buffer page;
    if (!CHECK(buffer_read_file(&page, path, 1 << 20)))
        return;
    const char *at = (const char *)page.data;
    const char *end = at + page.length;
    while ((at = memmem(at, (size_t)(end - at), "{{=", 3)) != NULL) {
        const char *close = memmem(at, (size_t)(end - at), "}}", 2);
        if (!CHECK(close != NULL))
            break;
        struct slice key = slice_of_bytes(at + 3, (size_t)(close - at) - 3);
        if (!CHECK(text_find(TEXT_ZH, key) != NULL))
            printf("# %s: %.*s\n", path, (int)key.length, key.data);
        at = close;
    }
    buffer_clear(&page);
}

static void test_pages(void)
{
    DIR *dir = opendir("portal/pages");
    int pages = 0;
    test_case("every key that a page asks for is in the table");
    if (!CHECK(dir != NULL))
        return;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[300];
        if (strstr(e->d_name, ".html") == NULL)
            continue;
        snprintf(path, sizeof(path), "portal/pages/%s", e->d_name);
        check_page(path);
        pages++;
    }
    closedir(dir);
    CHECK(pages >= 8);
}

static void test_codes(void)
{
    static const char *const KEYS[] = {"mark.COMPLETE",
                                       "mark.NOT_COMPLETE",
                                       "mark.UNDETERMINED",
                                       "machine.genuine",
                                       "machine.insufficient",
                                       "machine.suspicious",
                                       "outcome.pass",
                                       "outcome.insufficient",
                                       "outcome.suspicious",
                                       "outcome.flag",
                                       "outcome.not_applicable",
                                       "role.PROV",
                                       "role.CITY",
                                       "role.SUPP",
                                       "role.ENT",
                                       "role.AUDT",
                                       "class.A",
                                       "class.B",
                                       "class.C",
                                       "state.ACTIVE",
                                       "state.IN_SETTLEMENT",
                                       "state.PAID",
                                       "state.LAPSED",
                                       "state.VOID",
                                       "tier.0",
                                       "tier.1",
                                       "tier.2",
                                       "tier.3",
                                       "kind.fixed_ip",
                                       "kind.iot_sim",
                                       "error.400",
                                       "error.403",
                                       "error.404",
                                       "error.405",
                                       "error.413",
                                       "error.414",
                                       "error.431",
                                       "error.500"};
    test_case("every code of the databases has its words");
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        if (!CHECK(text_find(TEXT_EN, slice_of_text(KEYS[i])) != NULL))
            printf("# %s\n", KEYS[i]);
    test_case("an unknown code shows itself");
    CHECK_TEXT(text_word(TEXT_ZH, "mark.", "HUH"), "HUH");
    CHECK_TEXT(text_word(TEXT_ZH, "mark.", "COMPLETE"), "已完成");
    CHECK(text_language_from("en", TEXT_ZH) == TEXT_EN);
    CHECK(text_language_from("fr", TEXT_ZH) == TEXT_ZH);
}

int main(void)
{
    test_rows();
    test_pages();
    test_codes();
    return test_end();
}
