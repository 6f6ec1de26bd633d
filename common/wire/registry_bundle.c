/*
 * Which lines stay is found by sorting both lists' lines; that those which stay
 * stand in the same order is then seen by walking both lists side by side. The
 * portal writes lists in one order, so it holds; where it does not, all lines
 * are sent, which is longer and as right.
 */
#include "common/wire/registry_bundle.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNED_LEN = sizeof(REGISTRY_SIGN_PREFIX) - 1 + 8 + DIGEST_LEN + 8 + 1 };

/* --- the head --- */

static void put_u64(uint8_t *at, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

static void bytes_to_sign(const struct registry_head *head,
                          uint8_t bytes[static SIGNED_LEN])
{
    size_t at = sizeof(REGISTRY_SIGN_PREFIX) - 1;
    memcpy(bytes, REGISTRY_SIGN_PREFIX, at);
    put_u64(bytes + at, head->serial);
    memcpy(bytes + at + 8, head->hash.bytes, DIGEST_LEN);
    put_u64(bytes + at + 8 + DIGEST_LEN, (uint64_t)head->issued_ms);
    bytes[SIGNED_LEN - 1] = (uint8_t)head->algorithm;
}

bool registry_head_sign(struct registry_head *head, const struct sign_key *key)
{
    uint8_t bytes[SIGNED_LEN];
    head->algorithm = sign_key_algorithm(key);
    bytes_to_sign(head, bytes);
    return sign_make(key, bytes, sizeof(bytes), head->signature);
}

bool registry_head_check(const struct registry_head *head,
                         enum sign_algorithm algorithm, struct slice public_key)
{
    uint8_t bytes[SIGNED_LEN];
    bytes_to_sign(head, bytes);
    return head->algorithm == algorithm &&
           sign_verify(algorithm, public_key, bytes, sizeof(bytes),
                       head->signature);
}

/* --- lists of lines --- */

struct lines {
    struct slice *all;
    struct slice *sorted;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return memcmp(x->data, y->data, x->length);
}

static void lines_clear(struct lines *l)
{
    free(l->all);
    free(l->sorted);
}

/* The next line with its newline; false at the end or without one. */
static bool next_line(struct slice *text, struct slice *line)
{
    const char *end =
        text->length > 0 ? memchr(text->data, '\n', text->length) : NULL;
    if (end == NULL)
        return false;
    *line = (struct slice){text->data, (size_t)(end - text->data) + 1};
    text->data += line->length;
    text->length -= line->length;
    return true;
}

static bool lines_split(struct lines *l, struct slice text)
{
    struct slice line, rest = text;
    *l = (struct lines){0};
    while (next_line(&rest, &line))
        l->count++;
    if (rest.length != 0)
        return false;
    l->all = malloc((l->count + 1) * sizeof(*l->all));
    l->sorted = malloc((l->count + 1) * sizeof(*l->sorted));
    if (l->all == NULL || l->sorted == NULL)
        return false;
    for (size_t i = 0; next_line(&text, &line); i++)
        l->all[i] = l->sorted[i] = line;
    qsort(l->sorted, l->count, sizeof(*l->sorted), compare);
    return true;
}

static bool has_line(const struct lines *l, const struct slice *line)
{
    return l->count > 0 &&
           bsearch(line, l->sorted, l->count, sizeof(*line), compare) != NULL;
}

/* --- changes --- */

struct script {
    struct buffer *out;
    char operation; /* of the run, 0: none is open */
    size_t run;
};

static void end_run(struct script *s)
{
    if (s->operation != 0)
        buffer_addf(s->out, "%c%zu\n", s->operation, s->run);
    s->operation = 0;
    s->run = 0;
}

static void add_run(struct script *s, char operation)
{
    if (s->operation != operation)
        end_run(s);
    s->operation = operation;
    s->run++;
}

static void add_line(struct script *s, struct slice line)
{
    end_run(s);
    buffer_add_u8(s->out, '+');
    buffer_add_slice(s->out, line);
}

static void add_all(const struct lines *list, struct script *s)
{
    for (size_t i = 0; i < list->count; i++)
        add_line(s, list->all[i]);
}

/* False when lines that stay stand in another order. */
static bool walk(const struct lines *old, const struct lines *list,
                 struct script *s)
{
    size_t i = 0, k = 0;
    while (i < old->count || k < list->count) {
        if (i < old->count && !has_line(list, &old->all[i])) {
            add_run(s, '-');
            i++;
        } else if (k < list->count && !has_line(old, &list->all[k])) {
            add_line(s, list->all[k++]);
        } else if (i < old->count && k < list->count &&
                   compare(&old->all[i], &list->all[k]) == 0) {
            add_run(s, '=');
            i++;
            k++;
        } else {
            return false;
        }
    }
    end_run(s);
    return true;
}

bool registry_changes(struct slice old, struct slice list, struct buffer *out)
{
    struct lines before = {0}, after = {0};
    struct script script = {.out = out};
    buffer_init(out, REGISTRY_CHANGES_MAX);
    bool good = list.length <= REGISTRY_LIST_MAX && lines_split(&after, list);
    bool is_list = good && old.length > 0 && lines_split(&before, old);
    if (good && !(is_list && walk(&before, &after, &script))) {
        buffer_reset(out);
        script = (struct script){.out = out};
        add_all(&after, &script);
    }
    lines_clear(&before);
    lines_clear(&after);
    return good && !out->failed;
}

/* `count` lines of the old list, kept or left out. */
static bool take_run(struct slice *old, struct slice number, bool is_kept,
                     struct buffer *list)
{
    uint64_t count;
    struct slice line;
    if (!parse_u64(number, 1, REGISTRY_LIST_MAX, &count))
        return false;
    for (; count > 0; count--) {
        if (!next_line(old, &line))
            return false;
        if (is_kept)
            buffer_add_slice(list, line);
    }
    return true;
}

bool registry_apply(struct slice old, struct slice changes, struct buffer *list)
{
    struct slice line;
    bool good = true;
    buffer_init(list, REGISTRY_LIST_MAX);
    while (good && next_line(&changes, &line)) {
        struct slice rest = {line.data + 1, line.length - 1};
        struct slice number = {line.data + 1,
                               line.length > 1 ? line.length - 2 : 0};
        switch (line.data[0]) {
        case '+':
            buffer_add_slice(list, rest);
            break;
        case '=':
        case '-':
            good = take_run(&old, number, line.data[0] == '=', list);
            break;
        default:
            good = false;
        }
    }
    return good && changes.length == 0 && !list->failed;
}
