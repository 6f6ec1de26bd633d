/*
 * See template.h. A page is scanned each time it is shown: it has a few
 * kilobytes, and nothing needs to be kept between requests.
 */
#include "portal/show/template.h"

#include <string.h>

#include "common/writer.h"

struct render {
    const struct template_set *set;
    enum language language;
    struct buffer *out;
    struct error_text *error;
    const struct model *scopes[TEMPLATE_DEPTH];
    size_t scope_count;
    int depth;
};

struct tag {
    struct slice before; /* text in front of it */
    char sign;           /* '#', '^', '/', '=', '>', or 0 for a value */
    struct slice name;
};

/* Takes the next tag off *rest. False at the end; then tag->before is all that
 * was left. Braces that never close are text. */
static bool next_tag(struct slice *rest, struct tag *tag)
{
    const char *open =
        rest->length > 0 ? memmem(rest->data, rest->length, "{{", 2) : NULL;
    size_t head = open != NULL ? (size_t)(open - rest->data) : rest->length;
    const char *close =
        open != NULL ? memmem(open, rest->length - head, "}}", 2) : NULL;
    if (close == NULL) {
        tag->before = *rest;
        rest->length = 0;
        return false;
    }
    tag->before = slice_of_bytes(rest->data, head);
    tag->name = slice_of_bytes(open + 2, (size_t)(close - open) - 2);
    tag->sign = 0;
    if (tag->name.length > 0 && strchr("#^/=>", tag->name.data[0]) != NULL) {
        tag->sign = tag->name.data[0];
        tag->name.data++;
        tag->name.length--;
    }
    tag->name = slice_trim(tag->name);
    size_t used = head + (size_t)(close - open) + 2;
    *rest = slice_of_bytes(rest->data + used, rest->length - used);
    return true;
}

/* Takes a section's body and its closing tag off *rest. */
static bool take_section(struct slice *rest, struct slice name,
                         struct slice *body)
{
    const char *start = rest->data;
    int open = 1;
    struct tag tag;
    while (next_tag(rest, &tag)) {
        if (!slice_equal(tag.name, name))
            continue;
        open += (tag.sign == '#' || tag.sign == '^') - (tag.sign == '/');
        if (open == 0) {
            const char *end = tag.before.data + tag.before.length;
            *body = slice_of_bytes(start, (size_t)(end - start));
            return true;
        }
    }
    return false;
}

static bool look_up(const struct render *render, struct slice name,
                    struct model_value *value)
{
    for (size_t i = render->scope_count; i > 0; i--)
        if (model_find(render->scopes[i - 1], name, value))
            return true;
    return false;
}

static bool complain(const struct render *render, const char *what,
                     struct slice name)
{
    return error_set(render->error, "%s: %.*s", what,
                     (int)(name.length < 60 ? name.length : 60), name.data);
}

static bool is_shown(const struct model_value *value)
{
    switch (value->kind) {
    case MODEL_TEXT:
        return value->text[0] != '\0';
    case MODEL_INTEGER:
    case MODEL_BOOL:
        return value->integer != 0;
    case MODEL_OBJECT:
    case MODEL_LIST:
        return value->object != NULL;
    case MODEL_JSON: /* is not found by pages */
        break;
    }
    return false;
}

static bool render_text(struct render *render, struct slice text);

static bool render_inside(struct render *render, const struct model *scope,
                          struct slice body)
{
    if (render->scope_count == TEMPLATE_DEPTH)
        return complain(render, "too many sections inside one another", body);
    render->scopes[render->scope_count++] = scope;
    bool good = render_text(render, body);
    render->scope_count--;
    return good;
}

static bool render_section(struct render *render, const struct tag *tag,
                           struct slice body)
{
    struct model_value value = {0};
    bool shown = look_up(render, tag->name, &value) && is_shown(&value);
    if (tag->sign == '^')
        return shown || render_text(render, body);
    if (!shown)
        return true;
    if (value.kind == MODEL_OBJECT)
        return render_inside(render, value.object, body);
    if (value.kind != MODEL_LIST)
        return render_text(render, body);
    for (const struct model *m = value.object; m != NULL; m = model_next(m))
        if (!render_inside(render, m, body))
            return false;
    return true;
}

static bool render_value(struct render *render, struct slice name)
{
    struct model_value value;
    if (!look_up(render, name, &value))
        return complain(render, "no such name", name);
    if (value.kind == MODEL_TEXT)
        html_add(render->out, slice_of_text(value.text));
    else if (value.kind == MODEL_INTEGER)
        buffer_addf(render->out, "%lld", (long long)value.integer);
    else
        return complain(render, "not a text or integer", name);
    return true;
}

static bool render_words(struct render *render, struct slice key)
{
    const char *words = text_find(render->language, key);
    if (words == NULL)
        return complain(render, "no such text", key);
    html_add(render->out, slice_of_text(words));
    return true;
}

static const char *find_page(const struct template_set *set, struct slice name)
{
    for (size_t i = 0; i < set->count; i++)
        if (slice_equal_text(name, set->pages[i].name))
            return set->pages[i].html;
    return NULL;
}

static bool render_part(struct render *render, struct slice name)
{
    const char *html = find_page(render->set, name);
    if (html == NULL)
        return complain(render, "no such page", name);
    return render_text(render, slice_of_text(html));
}

static bool render_tag(struct render *render, const struct tag *tag,
                       struct slice *rest)
{
    struct slice body;
    switch (tag->sign) {
    case '#':
    case '^':
        if (!take_section(rest, tag->name, &body))
            return complain(render, "section without end", tag->name);
        return render_section(render, tag, body);
    case '/':
        return complain(render, "end without section", tag->name);
    case '=':
        return render_words(render, tag->name);
    case '>':
        return render_part(render, tag->name);
    default:
        return render_value(render, tag->name);
    }
}

static bool render_text(struct render *render, struct slice text)
{
    struct tag tag;
    bool good = true;
    if (render->depth == TEMPLATE_DEPTH)
        return complain(render, "too deep", text);
    render->depth++;
    while (good && next_tag(&text, &tag)) {
        buffer_add_slice(render->out, tag.before);
        good = render_tag(render, &tag, &text);
    }
    if (good)
        buffer_add_slice(render->out, tag.before);
    render->depth--;
    return good;
}

bool template_render(const struct template_set *set, const char *name,
                     enum language language, const struct model *model,
                     struct buffer *out, struct error_text *error)
{
    struct render render = {.set = set,
                            .language = language,
                            .out = out,
                            .error = error,
                            .scopes = {model},
                            .scope_count = 1};
    if (!render_part(&render, slice_of_text(name)))
        return false;
    return !out->failed || error_set(error, "%s: the page is too long", name);
}
