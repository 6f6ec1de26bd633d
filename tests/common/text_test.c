/* The table of sentences, languages, and filling: nothing is lost without being
 * seen, nothing filled in is read again. */
#include "common/text.h"

#include <stdlib.h>

#include "tests/test.h"

static void test_rows(void)
{
    test_case("every text is there in Chinese and English");
    for (size_t i = 0; i < text_row_count(); i++) {
        struct slice key = slice_of_text(text_row_key(i));
        for (int l = 0; l < LANGUAGE_COUNT; l++) {
            const char *text = text_find((enum language)l, key);
            if (!CHECK(text != NULL && text[0] != '\0' &&
                       slice_is_clean_utf8(slice_of_text(text))))
                printf("# %s\n", text_row_key(i));
        }
    }
    test_case("the table stands in order, each key once");
    for (size_t i = 1; i < text_row_count(); i++)
        if (!CHECK(strcmp(text_row_key(i - 1), text_row_key(i)) < 0))
            printf("# %s\n", text_row_key(i));
    test_case("what is not in the table is not found");
    CHECK(text_find(LANGUAGE_EN, slice_of_text("")) == NULL);
    CHECK(text_find(LANGUAGE_EN, slice_of_text("mark.")) == NULL);
    CHECK(text_find(LANGUAGE_EN, slice_of_text("\xff")) == NULL);
}

static void test_codes(void)
{
    /* What databases hold; handlers ask for the words by prefix and code. */
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
                                       "refusal.E_BODY_SIZE",
                                       "refusal.E_INTERNAL",
                                       "refusal.E_METHOD"};
    test_case("every code of the databases has its words");
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        if (!CHECK(text_find(LANGUAGE_EN, slice_of_text(KEYS[i])) != NULL))
            printf("# %s\n", KEYS[i]);
    test_case("an unknown code shows itself");
    CHECK_TEXT(text_word(LANGUAGE_ZH, "mark.", "HUH"), "HUH");
    CHECK_TEXT(text_word(LANGUAGE_ZH, "mark.", "COMPLETE"), "已完成");
}

static void test_languages(void)
{
    static const struct {
        const char *all, *messages, *lang;
        enum language language;
    } rows[] = {
        {"", "", "zh_CN.UTF-8", LANGUAGE_ZH},
        {"", "en_US.UTF-8", "zh_CN.UTF-8", LANGUAGE_EN},
        {"zh_CN", "en_US.UTF-8", "", LANGUAGE_ZH},
        {"C", "zh_CN", "zh_CN", LANGUAGE_EN},
        {"", "", "", LANGUAGE_EN},
    };
    enum language language = LANGUAGE_ZH;
    test_case("codes of languages");
    CHECK(language_from_code("en", &language) && language == LANGUAGE_EN);
    CHECK(!language_from_code("fr", &language) && language == LANGUAGE_EN);
    CHECK(!language_from_code("", &language) && language == LANGUAGE_EN);
    CHECK_TEXT(language_tag(LANGUAGE_ZH), "zh-CN");
    CHECK_TEXT(language_code(LANGUAGE_ZH), "zh");
    test_case("the first variable that is set decides");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        setenv("LC_ALL", rows[i].all, 1);
        setenv("LC_MESSAGES", rows[i].messages, 1);
        setenv("LANG", rows[i].lang, 1);
        CHECK(language_of_environment() == rows[i].language);
    }
}

/* The text that `fill` left, compared and cleared. */
static void check_filled(struct buffer *out, const char *expected)
{
    buffer_add_u8(out, '\0');
    if (CHECK(!out->failed))
        CHECK_TEXT((const char *)out->data, expected);
    buffer_reset(out);
}

/* A key that is not in the table is its own sentence, so that sentences that
 * nobody says need not stand in it. */
static void test_filling(void)
{
    struct buffer out;
    buffer_init(&out, 1000);
    test_case("names are filled, in the order of the sentence");
    text_fill(&out, LANGUAGE_EN, "shown.hours_minutes", text_number("part", 2),
              text_number("whole", -1));
    check_filled(&out, "-1 h 2 min");
    text_fill(&out, LANGUAGE_ZH, "shown.hours_minutes", text_number("part", 2),
              text_number("whole", 1));
    check_filled(&out, "1 小时 2 分");
    text_add(&out, LANGUAGE_ZH, "mark.COMPLETE");
    check_filled(&out, "已完成");

    test_case("each kind in its form");
    text_fill(&out, LANGUAGE_EN, "{a}|{b}|{c}|{d}|{e}|{f}",
              text_count("a", 1234567), text_count("b", UINT64_MAX),
              text_permille("c", 1005), text_words("d", "mark.COMPLETE"),
              text_slice("e", SLICE("a b")), text_plain("f", "云"));
    check_filled(&out, "1,234,567|18,446,744,073,709,551,615|100.5%|Complete|a "
                       "b|云");
    text_fill(&out, LANGUAGE_EN, "{a}", text_number("a", INT64_MIN));
    check_filled(&out, "-9223372036854775808");

    test_case("a stranger's text cannot steer a terminal");
    text_fill(&out, LANGUAGE_EN, "<{a}>",
              text_foreign("a", "a\x1b[2J\n云\xff~"));
    check_filled(&out, "<a?[2J???~>");

    text_fill(&out, LANGUAGE_ZH, "{a} {b}", text_code("a", "mark.", "COMPLETE"),
              text_code("b", "mark.", "\x1b云"));
    check_filled(&out, "已完成 ??");

    test_case("what is missing is seen, what is no name stays");
    text_fill(&out, LANGUAGE_EN, "{a} {b} {A} {} { } {{a}} {a",
              text_plain("a", "x"));
    check_filled(&out, "x {b} {A} {} { } {x} {a");

    test_case("what was filled in is not filled again");
    text_fill(&out, LANGUAGE_EN, "{a}{b}", text_plain("a", "{b}"),
              text_plain("b", "{a}"));
    check_filled(&out, "{b}{a}");

    test_case("an unknown key shows itself");
    text_add(&out, LANGUAGE_EN, "no.such.key");
    check_filled(&out, "no.such.key");

    test_case("the buffer's limit bounds a sentence");
    for (int i = 0; i < 200; i++)
        text_fill(&out, LANGUAGE_EN, "{a}", text_plain("a", "0123456789"));
    CHECK(out.failed && out.length == 1000);
    buffer_clear(&out);
}

int main(void)
{
    test_rows();
    test_codes();
    test_languages();
    test_filling();
    return test_end();
}
