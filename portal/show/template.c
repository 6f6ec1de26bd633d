/*
 * See template.h. A page becomes a row of nodes in the order of its text. A
 * section's node knows where its inside ends, so that showing it is going over
 * the nodes between, once, many times or never. Text between tags and the words
 * of keys are both pieces of HTML by then, one for each language: the keys were
 * found and escaped when the page was parsed.
 */
#include "portal/show/template.h"

#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/slice.h"
#include "common/writer.h"

enum {
    MEMORY_MAX = 64 * 1024 * 1024, /* of a set, and of what parsing needs */
    WORDS_MAX = 64 * 1024,         /* of one key, escaped */
    NAME_SHOWN_MAX = 60,           /* of a wrong tag, in the reason */
};

enum node_kind { NODE_HTML, NODE_VALUE, NODE_SECTION, NODE_UNLESS, NODE_PART };

struct node {
    enum node_kind kind;
    int line;
    struct slice html[LANGUAGE_COUNT];
    struct model_name name; /* of a value, section or part */
    size_t end;             /* of a section: the node behind it */
    const struct page *part;
};

struct page {
    const char *name;
    struct node *nodes;
    size_t count;
};

struct template_set {
    struct arena *arena;
    struct page *pages;
    size_t count;
};

static bool complain(struct error_text *error, const struct page *page,
                     int line, const char *what, struct slice name)
{
    size_t shown = name.length < NAME_SHOWN_MAX ? name.length : NAME_SHOWN_MAX;
    return error_set(error, "%s.html:%d: %s: %.*s", page->name, line, what,
                     (int)shown, name.data);
}

/* ---- parsing ---- */

struct parser {
    struct template_set *set;
    struct page *page;
    struct slice rest;
    int line;
    size_t open[TEMPLATE_DEPTH]; /* the sections that stand open */
    size_t open_count;
    struct error_text *error;
};

struct tag {
    char sign; /* '#', '^', '/', '=', '>', or 0 for a value */
    struct slice name;
};

static int count_lines(struct slice text)
{
    int lines = 0;
    for (size_t i = 0; i < text.length; i++)
        lines += text.data[i] == '\n';
    return lines;
}

static bool refuse(const struct parser *p, const char *what, struct slice name)
{
    return complain(p->error, p->page, p->line, what, name);
}

/* Takes what stands in front of the next "{{", or all that is left. */
static struct slice take_html(struct parser *p)
{
    const char *open = p->rest.length > 0
                           ? memmem(p->rest.data, p->rest.length, "{{", 2)
                           : NULL;
    size_t length =
        open != NULL ? (size_t)(open - p->rest.data) : p->rest.length;
    struct slice html = slice_of_bytes(p->rest.data, length);
    p->rest.data += length;
    p->rest.length -= length;
    p->line += count_lines(html);
    return html;
}

/* Takes the tag that the rest starts with. */
static bool take_tag(struct parser *p, struct tag *tag)
{
    const char *close = memmem(p->rest.data, p->rest.length, "}}", 2);
    if (close == NULL)
        return refuse(p, "braces do not close", p->rest);
    size_t length = (size_t)(close - p->rest.data);
    *tag = (struct tag){0, {p->rest.data + 2, length - 2}};
    if (tag->name.length > 0 && strchr("#^/=>", tag->name.data[0]) != NULL) {
        tag->sign = tag->name.data[0];
        tag->name.data++;
        tag->name.length--;
    }
    tag->name = slice_trim(tag->name);
    p->line += count_lines(slice_of_bytes(p->rest.data, length));
    p->rest.data += length + 2;
    p->rest.length -= length + 2;
    return slice_is_id(tag->name) || refuse(p, "not a name", tag->name);
}

static struct node *add_node(struct parser *p, enum node_kind kind)
{
    struct node *node = &p->page->nodes[p->page->count++];
    *node = (struct node){.kind = kind, .line = p->line};
    return node;
}

static void add_html(struct parser *p, struct slice html)
{
    if (html.length == 0)
        return;
    struct node *node = add_node(p, NODE_HTML);
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        node->html[i] = html;
}

/* The words of a key as HTML. */
static bool add_words(struct parser *p, struct slice key)
{
    struct node *node = add_node(p, NODE_HTML);
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        const char *words = text_find((enum language)i, key);
        if (words == NULL)
            return refuse(p, "no such text", key);
        struct buffer html;
        buffer_init(&html, WORDS_MAX);
        html_add(&html, slice_of_text(words));
        char *copy = arena_copy_text(p->set->arena, buffer_slice(&html));
        node->html[i] = slice_of_bytes(copy, html.length);
        bool good = copy != NULL && !html.failed;
        buffer_clear(&html);
        if (!good)
            return refuse(p, "no memory for the text", key);
    }
    return true;
}

static struct page *find_page(const struct template_set *set, struct slice name)
{
    for (size_t i = 0; i < set->count; i++)
        if (slice_equal_text(name, set->pages[i].name))
            return &set->pages[i];
    return NULL;
}

static bool add_part(struct parser *p, struct slice name)
{
    struct node *node = add_node(p, NODE_PART);
    node->name.text = name;
    node->part = find_page(p->set, name);
    return node->part != NULL || refuse(p, "no such page", name);
}

static bool open_section(struct parser *p, const struct tag *tag)
{
    if (p->open_count == TEMPLATE_DEPTH)
        return refuse(p, "too many sections inside one another", tag->name);
    p->open[p->open_count++] = p->page->count;
    add_node(p, tag->sign == '#' ? NODE_SECTION : NODE_UNLESS)->name =
        model_name_of(tag->name);
    return true;
}

/* Sections end in the reverse order of their beginnings. */
static bool close_section(struct parser *p, struct slice name)
{
    if (p->open_count == 0)
        return refuse(p, "end without section", name);
    struct node *node = &p->page->nodes[p->open[--p->open_count]];
    node->end = p->page->count;
    return slice_equal(node->name.text, name) ||
           refuse(p, "end of a section that is not the innermost", name);
}

static bool add_tag(struct parser *p, const struct tag *tag)
{
    switch (tag->sign) {
    case '#':
    case '^':
        return open_section(p, tag);
    case '/':
        return close_section(p, tag->name);
    case '=':
        return add_words(p, tag->name);
    case '>':
        return add_part(p, tag->name);
    default:
        add_node(p, NODE_VALUE)->name = model_name_of(tag->name);
        return true;
    }
}

static bool parse_text(struct parser *p)
{
    struct tag tag = {0};
    for (;;) {
        add_html(p, take_html(p));
        if (p->rest.length == 0)
            break;
        if (!take_tag(p, &tag) || !add_tag(p, &tag))
            return false;
    }
    if (p->open_count == 0)
        return true;
    const struct node *open = &p->page->nodes[p->open[p->open_count - 1]];
    p->line = open->line;
    return refuse(p, "section without end", open->name.text);
}

/* At most one node for each tag and one for the text in front of it. */
static size_t count_nodes(struct slice html)
{
    size_t count = 1;
    for (size_t i = 0; i + 1 < html.length; i++)
        count += html.data[i] == '{' && html.data[i + 1] == '{' ? 2 : 0;
    return count;
}

static bool parse_page(struct template_set *set, struct page *page,
                       const char *html, struct error_text *error)
{
    struct parser p = {.set = set,
                       .page = page,
                       .rest = slice_of_text(html),
                       .line = 1,
                       .error = error};
    page->nodes =
        arena_take_array(set->arena, count_nodes(p.rest), sizeof(*page->nodes));
    if (page->nodes == NULL)
        return refuse(&p, "no memory", slice_of_text(page->name));
    return parse_text(&p);
}

/* ---- how deep a page goes, with its parts ---- */

/* The nodes from..to, which stand `depth` sections and parts inside a page. A
 * page that is a part of itself ends here too. */
static bool check_depth(const struct page *page, size_t from, size_t to,
                        int depth, struct error_text *error)
{
    for (size_t i = from; i < to; i++) {
        const struct node *node = &page->nodes[i];
        if (node->kind == NODE_HTML || node->kind == NODE_VALUE)
            continue;
        if (depth == TEMPLATE_DEPTH)
            return complain(error, page, node->line, "too deep",
                            node->name.text);
        bool is_part = node->kind == NODE_PART;
        const struct page *inside = is_part ? node->part : page;
        if (!check_depth(inside, is_part ? 0 : i + 1,
                         is_part ? inside->count : node->end, depth + 1, error))
            return false;
        i = is_part ? i : node->end - 1;
    }
    return true;
}

static bool parse_set(struct template_set *set,
                      const struct template_page *pages,
                      struct error_text *error)
{
    for (size_t i = 0; i < set->count; i++)
        set->pages[i].name = pages[i].name;
    for (size_t i = 0; i < set->count; i++)
        if (!parse_page(set, &set->pages[i], pages[i].html, error))
            return false;
    for (size_t i = 0; i < set->count; i++)
        if (!check_depth(&set->pages[i], 0, set->pages[i].count, 0, error))
            return false;
    return true;
}

static struct template_set *make_set(size_t count)
{
    struct arena *arena = arena_new(MEMORY_MAX);
    struct template_set *set =
        arena != NULL ? arena_take(arena, sizeof(*set)) : NULL;
    struct page *pages =
        set != NULL ? arena_take_array(arena, count, sizeof(*pages)) : NULL;
    if (pages == NULL) {
        arena_free(arena);
        return NULL;
    }
    *set = (struct template_set){arena, pages, count};
    return set;
}

struct template_set *template_set_new(const struct template_page *pages,
                                      size_t count, struct error_text *error)
{
    struct template_set *set = make_set(count);
    if (set == NULL)
        error_set(error, "no memory for the pages");
    if (set != NULL && parse_set(set, pages, error))
        return set;
    template_set_free(set);
    return NULL;
}

void template_set_free(struct template_set *set)
{
    if (set != NULL)
        arena_free(set->arena);
}

/* ---- showing ---- */

struct render {
    enum language language;
    struct buffer *out;
    struct error_text *error;
    const struct model *scopes[TEMPLATE_DEPTH + 1];
    size_t scope_count;
};

static bool look_up(const struct render *render, struct model_name name,
                    struct model_value *value)
{
    for (size_t i = render->scope_count; i > 0; i--)
        if (model_find(render->scopes[i - 1], name, value))
            return true;
    return false;
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
    }
    return false;
}

static bool render_nodes(struct render *render, const struct page *page,
                         size_t from, size_t to);

/* What stands in the section, inside one more object. */
static bool render_inside(struct render *render, const struct page *page,
                          size_t section, const struct model *scope)
{
    assert(render->scope_count <= TEMPLATE_DEPTH);
    render->scopes[render->scope_count++] = scope;
    bool good =
        render_nodes(render, page, section + 1, page->nodes[section].end);
    render->scope_count--;
    return good;
}

static bool render_section(struct render *render, const struct page *page,
                           size_t i)
{
    const struct node *node = &page->nodes[i];
    struct model_value value = {0};
    bool shown = look_up(render, node->name, &value) && is_shown(&value);
    if (shown == (node->kind == NODE_UNLESS))
        return true;
    if (shown && value.kind == MODEL_OBJECT)
        return render_inside(render, page, i, value.object);
    if (!shown || value.kind != MODEL_LIST)
        return render_nodes(render, page, i + 1, node->end);
    for (const struct model *m = value.object; m != NULL; m = model_next(m))
        if (!render_inside(render, page, i, m))
            return false;
    return true;
}

static bool render_value(struct render *render, const struct page *page,
                         const struct node *node)
{
    struct model_value value;
    if (!look_up(render, node->name, &value))
        return complain(render->error, page, node->line, "no such name",
                        node->name.text);
    if (value.kind == MODEL_TEXT)
        html_add(render->out, slice_of_text(value.text));
    else if (value.kind == MODEL_INTEGER)
        buffer_addf(render->out, "%lld", (long long)value.integer);
    else
        return complain(render->error, page, node->line,
                        "not a text or integer", node->name.text);
    return true;
}

static bool render_nodes(struct render *render, const struct page *page,
                         size_t from, size_t to)
{
    bool good = true;
    for (size_t i = from; good && i < to; i++) {
        const struct node *node = &page->nodes[i];
        switch (node->kind) {
        case NODE_HTML:
            buffer_add_slice(render->out, node->html[render->language]);
            break;
        case NODE_VALUE:
            good = render_value(render, page, node);
            break;
        case NODE_SECTION:
        case NODE_UNLESS:
            good = render_section(render, page, i);
            i = node->end - 1;
            break;
        case NODE_PART:
            good = render_nodes(render, node->part, 0, node->part->count);
            break;
        }
    }
    return good;
}

bool template_render(const struct template_set *set, const char *name,
                     enum language language, const struct model *model,
                     struct buffer *out, struct error_text *error)
{
    const struct page *page = find_page(set, slice_of_text(name));
    struct render render = {.language = language,
                            .out = out,
                            .error = error,
                            .scopes = {model},
                            .scope_count = 1};
    if (page == NULL)
        return error_set(error, "%s.html: no such page", name);
    if (!render_nodes(&render, page, 0, page->count))
        return false;
    return !out->failed || error_set(error, "%s: the page is too long", name);
}
