/* Templates: values, sections, parts, and what is refused. */
#include "portal/show/template.h"
#include "tests/test.h"

struct render_case {
    const char *name, *html, *wanted; /* NULL: refused */
};

static const struct render_case CASES[] = {
    {"text is escaped", "<p title=\"{{text}}\">{{text}}</p>",
     "<p title=\"&lt;b&gt;&amp;&quot;&#39;\">&lt;b&gt;&amp;&quot;&#39;</p>"},
    {"integers", "{{count}}", "-7"},
    {"claims",
     "{{#yes}}a{{/yes}}{{^yes}}b{{/yes}}{{#no}}c{{/no}}{{^no}}d{{/no}}", "ad"},
    {"lists repeat, inner names first, outer ones after",
     "{{#rows}}[{{name}} {{count}}]{{/rows}}", "[one -7][two -7]"},
    {"an empty list", "{{#none}}x{{/none}}{{^none}}empty{{/none}}", "empty"},
    {"objects open a scope", "{{#object}}{{name}}{{/object}}", "inner"},
    {"sections of one name inside one another",
     "{{#rows}}{{#rows}}{{/rows}}{{name}};{{/rows}}", "one;two;"},
    {"a name that is not there makes a section false", "{{#huh}}x{{/huh}}.",
     "."},
    {"empty text is false", "{{#empty}}x{{/empty}}{{^empty}}y{{/empty}}", "y"},
    {"words by key", "{{=nav.login}}", "Log in"},
    {"parts", "{{>part}}!", "part -7!"},
    {"braces that never close are text", "a {{ b", "a {{ b"},
    {"blanks around a name", "{{ count }}", "-7"},
    {"an unknown name is refused", "{{huh}}", NULL},
    {"an unknown key is refused", "{{=huh}}", NULL},
    {"an unknown part is refused", "{{>huh}}", NULL},
    {"a section without end is refused", "{{#yes}}a", NULL},
    {"an end without section is refused", "a{{/yes}}", NULL},
    {"a list is not a value", "{{rows}}", NULL},
    {"a part within itself ends", "{{>loop}}", NULL},
};

static struct model *make_model(struct arena *arena)
{
    struct model *m = model_new(arena);
    model_text(m, "text", "<b>&\"'");
    model_text(m, "empty", "");
    model_i64(m, "count", -7);
    model_bool(m, "yes", true);
    model_bool(m, "no", false);
    model_list(m, "none");
    model_text(model_append(m, "rows"), "name", "one");
    model_text(model_append(m, "rows"), "name", "two");
    model_text(model_object(m, "object"), "name", "inner");
    return m;
}

static void run_case(const struct render_case *c, const struct model *model)
{
    const struct template_page pages[] = {
        {"page", c->html}, {"part", "part {{count}}"}, {"loop", "{{>loop}}"}};
    const struct template_set set = {pages, 3};
    struct error_text error = {""};
    struct buffer out;
    buffer_init(&out, 4096);
    test_case(c->name);
    bool good = template_render(&set, "page", LANGUAGE_EN, model, &out, &error);
    CHECK_I64(good, c->wanted != NULL);
    if (good) {
        buffer_add_u8(&out, 0);
        CHECK_TEXT((const char *)out.data, c->wanted);
    } else {
        CHECK(error.text[0] != '\0');
    }
    buffer_clear(&out);
}

static void test_depth(const struct model *model)
{
    struct buffer page, out;
    struct error_text error;
    buffer_init(&page, 4096);
    buffer_init(&out, 4096);
    for (int i = 0; i < 40; i++)
        buffer_add_text(&page, "{{#yes}}");
    for (int i = 0; i < 40; i++)
        buffer_add_text(&page, "{{/yes}}");
    buffer_add_u8(&page, 0);
    const struct template_page pages[] = {{"page", (const char *)page.data}};
    const struct template_set set = {pages, 1};
    test_case("sections too deep are refused");
    CHECK(!template_render(&set, "page", LANGUAGE_ZH, model, &out, &error));
    buffer_clear(&page);
    buffer_clear(&out);
}

static void test_limits(struct arena *arena)
{
    struct buffer out;
    struct error_text error;
    const struct template_page pages[] = {{"page", "0123456789"}};
    const struct template_set set = {pages, 1};
    buffer_init(&out, 5);
    test_case("a page longer than its buffer is refused");
    CHECK(!template_render(&set, "page", LANGUAGE_ZH, model_new(arena), &out,
                           &error));
    buffer_clear(&out);
    test_case("a model without memory says so");
    struct arena *small = arena_new(256);
    struct model *model = model_new(small);
    for (int i = 0; i < 100; i++)
        model_text(model_append(model, "rows"), "name", "something");
    CHECK(model == NULL || model_failed(model));
    arena_free(small);
}

static void test_json(const struct model *model)
{
    struct buffer out;
    buffer_init(&out, 4096);
    model_write_json(model, &out);
    buffer_add_u8(&out, 0);
    test_case("the same model as JSON");
    CHECK_TEXT((const char *)out.data,
               "{\"text\":\"<b>&\\\"'\",\"empty\":\"\",\"count\":-7,"
               "\"yes\":true,\"no\":false,\"none\":[],"
               "\"rows\":[{\"name\":\"one\"},{\"name\":\"two\"}],"
               "\"object\":{\"name\":\"inner\"}}\n");
    buffer_clear(&out);
}

int main(void)
{
    struct arena *arena = arena_new(65536);
    struct model *model = make_model(arena);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        run_case(&CASES[i], model);
    test_depth(model);
    test_limits(arena);
    test_json(model);
    arena_free(arena);
    return test_end();
}
