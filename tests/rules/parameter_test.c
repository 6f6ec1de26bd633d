/* Parameters: shipped file, bounds, words, print that reads back. */
#include "rules/parameter.h"

#include "tests/test.h"

static const struct {
    const char *name, *text, *says;
} BAD[] = {
    {"ORG-10: unknown key", "ver.window = 3\n", "line 1: unknown key"},
    {"ORG-10: repeated key", "ver.window_days = 30\n\nver.window_days = 30\n",
     "line 3"},
    {"ORG-10: below its bound", "notice.min_days = 6\n", "7 to 366"},
    {"ORG-10: above its bound", "ver.window_days = 367\n", "1 to 366"},
    {"ORG-10: not a number", "ver.window_days = -1\n", "line 1"},
    {"ORG-10: unknown word", "ver.require_each_line = yes\n", "false|true"},
    {"ORG-10: no value", "# x\nver.window_days\n", "line 2: key = value"},
    {"VER-08: more active days than the window has", "ver.window_days = 7\n",
     "ver.min_active_days"},
    {"VER-08: the same for one class", "ver.min_active_days.C = 31\n",
     "class C"},
};

int main(void)
{
    struct parameters p, again;
    struct error_text error = {""};
    struct buffer shipped, printed;
    parameters_set_defaults(&p);
    buffer_init(&printed, 1 << 16);
    parameters_print(&p, &printed);
    test_case("ORG-10: the shipped file is the printed table");
    CHECK(buffer_read_file(&shipped, "rules/guangdong-2018/parameters.conf",
                           1 << 16));
    CHECK(slice_equal(buffer_slice(&shipped), buffer_slice(&printed)));
    test_case("ORG-10: the print reads back the same");
    CHECK(parameters_parse(buffer_slice(&printed), &again, &error));
    CHECK_TEXT(error.text, "");
    CHECK(memcmp(&p, &again, sizeof(p)) == 0);
    test_case("VER-08: numbers of a class, others as general");
    CHECK(parameters_parse(SLICE("ver.min_active_days.C = 2 \r\n"
                                 "  ver.window_days.C=90\n"),
                           &p, &error));
    CHECK_I64(parameters_min_active_days(&p, CLASS_C), 2);
    CHECK_I64(parameters_window_days(&p, CLASS_C), 90);
    CHECK_I64(parameters_min_active_days(&p, CLASS_A), 10);
    CHECK_I64(parameters_window_days(&p, CLASS_A), 30);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        test_case(BAD[i].name);
        error.text[0] = '\0';
        CHECK(!parameters_parse(slice_of_text(BAD[i].text), &p, &error));
        if (!CHECK(strstr(error.text, BAD[i].says) != NULL))
            printf("# %s\n", error.text);
    }
    buffer_clear(&shipped);
    buffer_clear(&printed);
    return test_end();
}
