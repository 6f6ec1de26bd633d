/*
 * What a session of an exporter keeps between messages: its observation
 * domains, each with its sequence, times and sampling, and their templates.
 *
 * Both are bounded: NETFLOW_DOMAINS_MAX and NETFLOW_TEMPLATES_MAX, of which the
 * one not used for longest makes room, and by the budget that all sessions
 * share. Templates are known by domain and id; they expire over UDP, where they
 * cannot be withdrawn (RFC 7011 8.4). For netflow_session.c alone.
 */
#ifndef COLLECTOR_NETFLOW_NETFLOW_STATE_H
#define COLLECTOR_NETFLOW_NETFLOW_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/netflow/netflow_session.h"
#include "collector/netflow/netflow_template.h"
#include "collector/netflow/sequence.h"

struct netflow_selector {
    uint64_t id;
    struct netflow_rate rate;
};

struct netflow_domain {
    uint32_t id;
    enum netflow_dialect dialect;
    int64_t used_ms;
    struct netflow_sequence sequence;
    struct netflow_window window;
    uint64_t messages, records; /* for what a lost v9 message held */
    uint64_t init_ms;           /* 0: unknown */
    /* What the present run of late messages took off the counters. */
    uint64_t late_records, late_messages;
    struct netflow_selector selectors[NETFLOW_SELECTORS_MAX];
    size_t selector_count, selector_next;
};

struct netflow_state {
    enum netflow_transport transport;
    int64_t lifetime_ms;
    struct netflow_budget *budget;     /* borrowed */
    struct netflow_counters *counters; /* borrowed */
    struct netflow_template *templates[NETFLOW_TEMPLATES_MAX];
    size_t template_count;
    struct netflow_domain *domains[NETFLOW_DOMAINS_MAX];
    size_t domain_count;
};

void netflow_state_clear(struct netflow_state *s);

/* A new one when it is not known yet; NULL when the budget is used up. */
struct netflow_domain *netflow_state_domain(struct netflow_state *s,
                                            enum netflow_dialect dialect,
                                            uint32_t id, int64_t now_ms);
/* Options data about a selector, or (id 0) about the whole domain. */
void netflow_domain_learn_rate(struct netflow_domain *d, uint64_t selector,
                               struct netflow_rate rate);
/* A record that names no selector (0) is under the domain's only one. No rate:
 * nothing is known of it. */
struct netflow_rate netflow_domain_rate(const struct netflow_domain *d,
                                        uint64_t selector);

/* NULL: not defined, or not again in time. */
const struct netflow_template *
netflow_state_find(struct netflow_state *s, const struct netflow_domain *d,
                   uint16_t id, int64_t now_ms);
/* Takes the template, in place of the one before. */
enum netflow_status netflow_state_define(struct netflow_state *s,
                                         const struct netflow_domain *d,
                                         struct netflow_template *t,
                                         int64_t now_ms);
/* Set id 2 or 3 in place of a template's id withdraws all of that kind. */
enum netflow_status netflow_state_withdraw(struct netflow_state *s,
                                           const struct netflow_domain *d,
                                           uint16_t id, bool is_options);
/* Drops it when it is there. */
void netflow_state_forget(struct netflow_state *s,
                          const struct netflow_domain *d, uint16_t id);

#endif
