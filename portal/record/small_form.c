#include "portal/record/small_form.h"

#include "portal/form/form_view.h"

static const char *typed_of(const void *source, const char *name)
{
    return form_get(source, name);
}

struct answers small_form_read(struct visit *visit, const struct form *form)
{
    struct answers answers = form_answers(form, visit->arena);
    if (visit->request.http->method == HTTP_POST)
        answers_read(&answers, typed_of, &visit->request.form);
    return answers;
}

bool small_form_check(struct visit *visit, const struct form *form,
                      struct answers *answers)
{
    const struct form_context context = {visit->db, visit->now};
    return !answers->failed && form_check(form, answers, true, &context) == 0;
}

void small_form_refuse(struct answers *answers, const char *field,
                       const char *code, const char *key)
{
    struct answer *answer = answers_find(answers, field);
    if (answer != NULL)
        refuse_list(&answer->refusal, code, field, key, TEXT_ARGUMENTS());
}

void small_form_show(struct visit *visit, const struct form *form,
                     struct answers *answers)
{
    const struct form_context context = {visit->db, visit->now};
    const struct form_view view = {.context = &context,
                                   .language = visit->caller.language,
                                   .arena = visit->arena,
                                   .role = visit->caller.account.role};
    form_view_fields(&view, answers, visit->model);
    form_view_errors(&view, form, answers, NULL, visit->model);
}
