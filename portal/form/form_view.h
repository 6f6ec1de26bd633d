/*
 * A form as a person meets it: inputs with label, hint and error; the summary
 * of errors; lines to be checked. What is filled here is shown by the parts
 * part_fields.html, part_errors.html and part_answers.html, which every page
 * with a form shares.
 *
 * Each name of a part is set in each object, also when it is empty: a template
 * looks outwards for what an object has not.
 */
#ifndef PORTAL_FORM_FORM_VIEW_H
#define PORTAL_FORM_FORM_VIEW_H

#include "portal/access/account.h"
#include "portal/form/form.h"
#include "portal/show/model.h"

/* A file as its page shows it; NULL for what is not known. */
struct form_view_file {
    const char *link;   /* where it opens */
    const char *remove; /* value of the button that takes it away */
    const char *scan;   /* words: not scanned, clean */
};

struct form_view {
    const struct form_context *context;
    enum language language;
    struct arena *arena;
    enum account_role role;       /* who looks: decides what is masked */
    const struct answers *theirs; /* what somebody else saved meanwhile; NULL */
    /* Fields that may be changed; NULL: all. */
    bool (*is_open)(const void *source, const struct field *field);
    /* What is known of a file; NULL: nothing but its name, size and hash. */
    struct form_view_file (*file)(const void *source,
                                  const struct field_file *file);
    const void *source;     /* of both */
    const char *visible_to; /* text key: who can see uploads; NULL */
};

/* For JSON: what the role does not see whole is masked in the answers. */
void form_view_mask(const struct form_view *view, struct answers *answers);
/* The list "_fields": part_fields.html. */
void form_view_fields(const struct form_view *view, struct answers *answers,
                      struct model *model);
/* The list "_errors": part_errors.html. A link leads to the input on the page,
 * or with `steps` ("/registration/") to that of the field's step. */
void form_view_errors(const struct form_view *view, const struct form *form,
                      const struct answers *answers, const char *steps,
                      struct model *model);
/* The list "_sections" with "lines": part_answers.html. `steps` as above, NULL:
 * nothing can be changed. */
void form_view_answers(const struct form_view *view, const struct form *form,
                       const struct answers *answers, const char *steps,
                       struct model *model);
/* A list of lines {label, old, new, is_file}: what changed, of the field alone when it
 * is not NULL. Gives how many. */
size_t form_view_changes(const struct form_view *view,
                         const struct form_change *changes, size_t count,
                         const char *field, struct model *model,
                         const char *key);

#endif
