/* Stored facts: what decodes must encode to the same bytes, and judge without
 * harm. */
#include <stdlib.h>

#include "rules/fact.h"
#include "rules/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct day_fact *fact)
{
    static struct calendar calendar;
    static struct client_list clients;
    static struct line_verdict verdict;
    struct parameters parameters;
    parameters_set_defaults(&parameters);
    struct judge_rules rules = {&parameters, &calendar, &clients};
    struct judge_line line = {
        .from = {20000},
        .cut_off = day_start((struct civil_day){20030}),
        .facts = fact,
        .fact_count = 1,
    };
    judge_line(&line, &rules, &verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct day_fact fact;
    if (!fact_decode(slice_of_bytes(data, size), &fact))
        return 0;
    if (fact_shape_likeness(&fact, &fact) > 1000)
        abort();
    fact.day.number = 20010;
    judge(&fact);
    return 0;
}
