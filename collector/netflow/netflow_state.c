#include "collector/netflow/netflow_state.h"

#include <stdlib.h>

#include "common/wire/ipfix.h"

static void remove_template(struct netflow_state *s, size_t index)
{
    s->budget->used -= netflow_template_bytes(s->templates[index]);
    free(s->templates[index]);
    s->templates[index] = s->templates[--s->template_count];
}

static void remove_domain(struct netflow_state *s, size_t index)
{
    for (size_t i = s->template_count; i-- > 0;)
        if (s->templates[i]->domain == s->domains[index]->id &&
            s->templates[i]->dialect == s->domains[index]->dialect)
            remove_template(s, i);
    s->budget->used -= sizeof(*s->domains[index]);
    free(s->domains[index]);
    s->domains[index] = s->domains[--s->domain_count];
}

void netflow_state_clear(struct netflow_state *s)
{
    while (s->domain_count > 0)
        remove_domain(s, 0);
    while (s->template_count > 0)
        remove_template(s, 0);
}

/* --- domains --- */

static void evict_domain(struct netflow_state *s)
{
    size_t oldest = 0;
    for (size_t i = 1; i < s->domain_count; i++)
        if (s->domains[i]->used_ms < s->domains[oldest]->used_ms)
            oldest = i;
    remove_domain(s, oldest);
}

struct netflow_domain *netflow_state_domain(struct netflow_state *s,
                                            enum netflow_dialect dialect,
                                            uint32_t id, int64_t now_ms)
{
    for (size_t i = 0; i < s->domain_count; i++)
        if (s->domains[i]->id == id && s->domains[i]->dialect == dialect) {
            s->domains[i]->used_ms = now_ms;
            return s->domains[i];
        }
    if (s->domain_count == NETFLOW_DOMAINS_MAX)
        evict_domain(s);
    struct netflow_domain *d = NULL;
    if (s->budget->used + sizeof(*d) <= s->budget->max)
        d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    s->budget->used += sizeof(*d);
    d->id = id;
    d->dialect = dialect;
    d->used_ms = now_ms;
    s->domains[s->domain_count++] = d;
    return d;
}

void netflow_domain_learn_rate(struct netflow_domain *d, uint64_t selector,
                               struct netflow_rate rate)
{
    size_t i = 0;
    while (i < d->selector_count && d->selectors[i].id != selector)
        i++;
    if (i == NETFLOW_SELECTORS_MAX) { /* the oldest makes room */
        i = d->selector_next;
        d->selector_next = (i + 1) % NETFLOW_SELECTORS_MAX;
    } else if (i == d->selector_count) {
        d->selector_count++;
    }
    d->selectors[i] = (struct netflow_selector){selector, rate};
}

struct netflow_rate netflow_domain_rate(const struct netflow_domain *d,
                                        uint64_t selector)
{
    struct netflow_rate none = {0};
    for (size_t i = 0; i < d->selector_count; i++)
        if (d->selectors[i].id == selector)
            return d->selectors[i].rate;
    return selector == 0 && d->selector_count == 1 ? d->selectors[0].rate
                                                   : none;
}

/* --- templates --- */

static size_t template_index(const struct netflow_state *s,
                             const struct netflow_domain *d, uint16_t id)
{
    size_t i = 0;
    while (i < s->template_count &&
           (s->templates[i]->id != id || s->templates[i]->domain != d->id ||
            s->templates[i]->dialect != d->dialect))
        i++;
    return i;
}

const struct netflow_template *
netflow_state_find(struct netflow_state *s, const struct netflow_domain *d,
                   uint16_t id, int64_t now_ms)
{
    size_t i = template_index(s, d, id);
    if (i == s->template_count)
        return NULL;
    struct netflow_template *t = s->templates[i];
    if (s->transport == NETFLOW_UDP &&
        now_ms - t->defined_ms > s->lifetime_ms) {
        s->counters->templates_expired++;
        remove_template(s, i);
        return NULL;
    }
    t->used_ms = now_ms;
    return t;
}

static void evict_template(struct netflow_state *s)
{
    size_t oldest = 0;
    for (size_t i = 1; i < s->template_count; i++)
        if (s->templates[i]->used_ms < s->templates[oldest]->used_ms)
            oldest = i;
    s->counters->templates_evicted++;
    remove_template(s, oldest);
}

static enum netflow_status keep_template(struct netflow_state *s,
                                         struct netflow_template *t)
{
    size_t bytes = netflow_template_bytes(t);
    while (s->template_count > 0 &&
           (s->template_count == NETFLOW_TEMPLATES_MAX ||
            s->budget->used + bytes > s->budget->max))
        evict_template(s);
    if (s->budget->used + bytes > s->budget->max) {
        free(t);
        return NETFLOW_NO_MEMORY;
    }
    s->budget->used += bytes;
    s->templates[s->template_count++] = t;
    return NETFLOW_OK;
}

enum netflow_status netflow_state_define(struct netflow_state *s,
                                         const struct netflow_domain *d,
                                         struct netflow_template *t,
                                         int64_t now_ms)
{
    size_t i = template_index(s, d, t->id);
    t->domain = d->id;
    t->dialect = d->dialect;
    t->defined_ms = t->used_ms = now_ms;
    s->counters->templates++;
    if (i == s->template_count)
        return keep_template(s, t);
    if (netflow_template_equal(s->templates[i], t)) {
        s->templates[i]->defined_ms = s->templates[i]->used_ms = now_ms;
        free(t);
        return NETFLOW_OK;
    }
    if (s->transport == NETFLOW_STREAM && d->dialect == NETFLOW_IPFIX) {
        free(t);
        return NETFLOW_REDEFINED;
    }
    remove_template(s, i);
    return keep_template(s, t);
}

enum netflow_status netflow_state_withdraw(struct netflow_state *s,
                                           const struct netflow_domain *d,
                                           uint16_t id, bool is_options)
{
    bool is_all =
        id == (is_options ? IPFIX_SET_OPTIONS_TEMPLATE : IPFIX_SET_TEMPLATE);
    if (!is_all && id < IPFIX_SET_DATA_MIN)
        return NETFLOW_BAD_TEMPLATE;
    s->counters->withdrawals++;
    if (s->transport == NETFLOW_UDP)
        return NETFLOW_OK;
    for (size_t i = s->template_count; i-- > 0;) {
        const struct netflow_template *t = s->templates[i];
        if (t->domain == d->id && t->dialect == d->dialect &&
            t->is_options == is_options && (is_all || t->id == id))
            remove_template(s, i);
    }
    return NETFLOW_OK;
}

void netflow_state_forget(struct netflow_state *s,
                          const struct netflow_domain *d, uint16_t id)
{
    size_t i = template_index(s, d, id);
    if (i < s->template_count)
        remove_template(s, i);
}
