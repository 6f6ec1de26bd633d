/* Templates: values, sections, parts, what is refused when the pages are read,
 * and what when one is shown. */
#include "portal/show/template.h"

#include <string.h>

#include "tests/test.h"

struct render_case {
    const char *name, *html, *wanted;
};

static const struct render_case SHOWN[] = {
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
    {"a hidden section asks the model for nothing",
     "{{#no}}{{huh}}{{rows}}{{/no}}.", "."},
    {"empty text is false", "{{#empty}}x{{/empty}}{{^empty}}y{{/empty}}", "y"},
    {"words by key", "{{=nav.login}}", "Log in"},
    {"words are escaped", "{{=refusal.E_HEADER_SIZE}}",
     "The request&#39;s headers are too large"},
    {"parts", "{{>part}}!", "part -7!"},
    {"a part twice, and inside a section", "{{>part}}{{#yes}}{{>part}}{{/yes}}",
     "part -7part -7"},
    {"braces that close only are text", "a }} b", "a }} b"},
    {"blanks around a name", "{{ count }}", "-7"},
    {"an empty page", "", ""},
};

/* Pages of which none is kept, and why. */
static const struct render_case BROKEN[] = {
    {"braces that never close", "a\n{{ b",
     "page.html:2: braces do not close: {{ b"},
    {"no name", "{{}}", "page.html:1: not a name: "},
    {"a name of two words", "{{a b}}", "page.html:1: not a name: a b"},
    {"a sign that means nothing", "{{!a}}", "page.html:1: not a name: !a"},
    {"an unknown key", "a\n\n{{=huh}}", "page.html:3: no such text: huh"},
    {"an unknown part", "{{>huh}}", "page.html:1: no such page: huh"},
    {"an unknown key in a hidden section", "{{#no}}{{=huh}}{{/no}}",
     "page.html:1: no such text: huh"},
    {"an unknown part in a hidden section", "{{#no}}\n{{>huh}}{{/no}}",
     "page.html:2: no such page: huh"},
    {"a section without end", "{{#yes}}\na\n",
     "page.html:1: section without end: yes"},
    {"an end without section", "a{{/yes}}",
     "page.html:1: end without section: yes"},
    {"sections that cross", "{{#yes}}{{^no}}\n{{/yes}}{{/no}}",
     "page.html:2: end of a section that is not the innermost: yes"},
    {"a part within itself", "{{>page}}", "page.html:1: too deep: page"},
    {"two parts within one another", "{{#no}}{{>loop}}{{/no}}",
     "page.html:1: too deep: loop"},
};

/* What only the model can tell. */
static const struct render_case REFUSED[] = {
    {"a name that the model has not", "\n{{huh}}",
     "page.html:2: no such name: huh"},
    {"a list is not a value", "{{rows}}",
     "page.html:1: not a text or integer: rows"},
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

/* The page under test with its parts; NULL: refused, with why. */
static struct template_set *parse(const char *html, struct error_text *error)
{
    const struct template_page pages[] = {
        {"page", html}, {"part", "part {{count}}"}, {"loop", "{{>page}}"}};
    bool loops = strstr(html, "{{>loop}}") != NULL;
    return template_set_new(pages, loops ? 3 : 2, error);
}

static void run_case(const struct render_case *c, const struct model *model,
                     bool is_shown)
{
    struct error_text error = {""};
    struct buffer out;
    buffer_init(&out, 4096);
    test_case(c->name);
    struct template_set *set = parse(c->html, &error);
    CHECK(set != NULL);
    bool good = set != NULL &&
                template_render(set, "page", LANGUAGE_EN, model, &out, &error);
    CHECK_I64(good, is_shown);
    buffer_add_u8(&out, 0);
    CHECK_TEXT(good ? (const char *)out.data : error.text, c->wanted);
    buffer_clear(&out);
    template_set_free(set);
}

static void run_broken(const struct render_case *c)
{
    struct error_text error = {""};
    test_case(c->name);
    CHECK(parse(c->html, &error) == NULL);
    CHECK_TEXT(error.text, c->wanted);
}

/* A page of `depth` sections inside one another, the innermost with a text. */
static bool parses_deep(const char *inside, int depth)
{
    struct buffer html;
    struct error_text error;
    buffer_init(&html, 4096);
    for (int i = 0; i < depth; i++)
        buffer_add_text(&html, "{{#rows}}");
    buffer_add_text(&html, inside);
    for (int i = 0; i < depth; i++)
        buffer_add_text(&html, "{{/rows}}");
    buffer_add_u8(&html, 0);
    struct template_set *set = parse((const char *)html.data, &error);
    bool good = set != NULL;
    template_set_free(set);
    buffer_clear(&html);
    return good;
}

static void test_depth(void)
{
    test_case("sections as deep as they may be");
    CHECK(parses_deep("x", TEMPLATE_DEPTH));
    test_case("one deeper is refused");
    CHECK(!parses_deep("x", TEMPLATE_DEPTH + 1));
    test_case("a part counts as a section does");
    CHECK(parses_deep("{{>part}}", TEMPLATE_DEPTH - 1));
    CHECK(!parses_deep("{{>part}}", TEMPLATE_DEPTH));
}

static void test_limits(struct arena *arena)
{
    struct buffer out;
    struct error_text error;
    struct template_set *set = parse("0123456789", &error);
    buffer_init(&out, 5);
    test_case("a page longer than its buffer is refused");
    CHECK(!template_render(set, "page", LANGUAGE_ZH, model_new(arena), &out,
                           &error));
    buffer_clear(&out);
    test_case("a page that is not there is refused");
    CHECK(!template_render(set, "huh", LANGUAGE_ZH, model_new(arena), &out,
                           &error));
    CHECK_TEXT(error.text, "huh.html: no such page");
    template_set_free(set);
    test_case("a model without memory says so");
    struct arena *small = arena_new(256);
    struct model *model = model_new(small);
    for (int i = 0; i < 100; i++)
        model_text(model_append(model, "rows"), "name", "something");
    CHECK(model == NULL || model_failed(model));
    arena_free(small);
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    struct arena *arena = arena_new(65536);
    struct model *model = make_model(arena);
    for (size_t i = 0; i < COUNT(SHOWN); i++)
        run_case(&SHOWN[i], model, true);
    for (size_t i = 0; i < COUNT(BROKEN); i++)
        run_broken(&BROKEN[i]);
    for (size_t i = 0; i < COUNT(REFUSED); i++)
        run_case(&REFUSED[i], model, false);
    test_depth();
    test_limits(arena);
    arena_free(arena);
    return test_end();
}
