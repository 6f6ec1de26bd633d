/* Forms in steps: views of a step, marks, editions, and what changed. */
#include "portal/form/form.h"

#include "tests/test.h"

static const struct field ROW[] = {
    {"who", FIELD_TEXT, "yes"},
    {"share", FIELD_COUNT, "yes", .max = 100},
};
static const struct field FIRST[] = {
    {"name", FIELD_TEXT, "yes"},
    {"certified", FIELD_YES_NO, "yes"},
};

static bool is_certified(const struct answers *answers)
{
    return answers_is_yes(answers, "certified");
}

static const struct field SECOND[] = {
    {"number", FIELD_TEXT, "yes", .is_asked = is_certified},
    {"licence", FIELD_FILE, "yes", .max = 3},
    {"owners", FIELD_ROWS, "yes", .rows = ROW, .row_fields = 2,
     .is_optional = true},
};
static const struct form_step STEPS[] = {
    {"first", "yes", NULL, FIRST, 2},
    {"second", "yes", NULL, SECOND, 3},
};

static void not_twice(struct answers *answers, bool is_complete,
                      const struct form_context *context)
{
    (void)is_complete, (void)context;
    const char *name = answers_text(answers, "name");
    if (name[0] != '\0' && strcmp(name, answers_text(answers, "number")) == 0)
        refuse(&answers_find(answers, "number")->refusal, "E_FIELD_VALUE",
               "number", TEXT_KEY("yes"));
}

static const struct form FORM = {"form", STEPS, 2, not_twice};

static struct answers read(const char *json, struct arena *arena)
{
    struct refusal refusal = {0};
    struct answers answers = form_answers(&FORM, arena);
    CHECK(answers_read_json(&answers, slice_of_text(json), &refusal));
    return answers;
}

static void test_steps(struct arena *arena)
{
    struct answers answers = form_answers(&FORM, arena);
    struct form_context context = {.db = NULL};
    test_case("a step is a view of the form");
    struct answers second =
        form_step_answers(&FORM, &answers, form_step_find(&FORM, "second"));
    CHECK_I64(second.count, 3);
    answer_read(answers_find(&answers, "certified"), "yes", &answers);
    answer_read(answers_find(&answers, "name"), "A", &answers);
    answer_read(answers_find(&second, "number"), "A", &second);
    CHECK_TEXT(answers_text(&answers, "number"), "A");
    CHECK(is_certified(&second));
    CHECK(form_step_find(&FORM, "third") == NULL);
    CHECK_TEXT(form_step_of(&FORM, "owners.1.who")->name, "second");
    CHECK(form_step_of(&FORM, "own") == NULL);
    test_case("checks of the whole");
    CHECK_I64(form_check(&FORM, &answers, false, &context), 1);
    CHECK_TEXT(answers_refusal(&answers)->field, "number");
    CHECK_I64(form_check(&FORM, &answers, true, &context), 2);
}

static void test_marks(struct arena *arena)
{
    char one[FORM_MARK_LEN], two[FORM_MARK_LEN];
    struct answers a = read("{\"name\":\"A\"}", arena);
    struct answers b = read("{\"name\":\" A \"}", arena);
    struct answers c = read("{\"name\":\"B\"}", arena);
    test_case("SYS-02 a mark is of what is answered");
    form_mark(&a, one);
    form_mark(&b, two);
    CHECK_TEXT(one, two);
    form_mark(&c, two);
    CHECK(strcmp(one, two) != 0);
    struct form_edition edition;
    CHECK(form_edition(&a, arena, &edition));
    CHECK_TEXT(edition.json, "{\"name\":\"A\"}");
    CHECK(digest_equal(edition.sha256,
                       digest_of(edition.json, strlen(edition.json))));
}

#define FILE_OF(letter)                                                        \
    "{\"media_type\":\"image/png\",\"name\":\"" letter                         \
    ".png\",\"sha256\":\"" letter "\",\"size\":3}"

struct change_case {
    const char *name, *before, *after;
    const char *changes; /* names, each with a blank behind it */
};

static const struct change_case CHANGES[] = {
    {"nothing", "{\"name\":\"A\"}", "{\"name\":\"A\"}", ""},
    {"a value", "{\"name\":\"A\"}", "{\"name\":\"B\"}", "name "},
    {"a value that was not there", "{}", "{\"name\":\"B\"}", "name "},
    {"a value that is gone", "{\"name\":\"B\"}", "{}", "name "},
    {"what is not asked is no change", "{}", "{\"number\":\"1\"}", ""},
    {"it is asked now", "{\"number\":\"1\"}",
     "{\"number\":\"1\",\"certified\":true}", "certified number "},
    {"a file exchanged, another kept",
     "{\"licence\":[" FILE_OF("a") "," FILE_OF("b") "]}",
     "{\"licence\":[" FILE_OF("b") "," FILE_OF("c") "]}", "licence licence "},
    {"a row more", "{\"owners\":[{\"who\":\"A\",\"share\":60}]}",
     "{\"owners\":[{\"who\":\"A\",\"share\":50},{\"who\":\"B\"}]}",
     "owners.0.share owners.1.who "},
};

static void test_changes(struct arena *arena)
{
    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
        const struct change_case *c = &CHANGES[i];
        struct answers before = read(c->before, arena);
        struct answers after = read(c->after, arena);
        size_t count;
        char names[200] = "";
        test_case(c->name);
        const struct form_change *changes =
            form_changes(&before, &after, arena, &count);
        CHECK(changes != NULL);
        for (size_t j = 0; j < count; j++) {
            size_t used = strlen(names);
            snprintf(names + used, sizeof(names) - used, "%s ",
                     changes[j].name);
            CHECK(form_change_is_of(&changes[j], changes[j].name));
        }
        CHECK_TEXT(names, c->changes);
    }
}

int main(void)
{
    struct arena *arena = arena_new(4 * 1024 * 1024);
    test_steps(arena);
    test_marks(arena);
    test_changes(arena);
    arena_free(arena);
    return test_end();
}
