/*
 * Nodes are visited parents first. A node's set is its parent's ranges with
 * its own, merged; the merged form is looked up among those already kept, by
 * hash, so that a thousand prefixes with "tcp 443" share one set.
 */
#include "probe/capture/filter_plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SET_RANGES_MAX = 8192, /* of one set; a class has 32768 at the very most */
    HASH_ROOM = 2 * FILTER_SETS_MAX,
};

struct own_range {
    int32_t node;
    struct port_range range;
};

struct filter_plan {
    size_t rule_count, room;
    struct prefix_map *map;
    int32_t *set_of_node;
    struct port_range *ranges; /* of all sets, one after another */
    size_t range_count, range_room;
    uint32_t first[FILTER_SETS_MAX + 1];
    size_t set_count;
    uint16_t hash[HASH_ROOM]; /* set + 1 */
};

static int compare_ranges(const struct port_range *x,
                          const struct port_range *y)
{
    if (x->class != y->class)
        return (int)x->class - (int)y->class;
    if (x->low != y->low)
        return (int)x->low - (int)y->low;
    return (int)x->high - (int)y->high;
}

static int compare_plain(const void *a, const void *b)
{
    return compare_ranges(a, b);
}

static int compare_own(const void *a, const void *b)
{
    const struct own_range *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return compare_ranges(&x->range, &y->range);
}

/* Sorts, and joins ranges that overlap or touch; gives the number left. */
static size_t merge(struct port_range *ranges, size_t count)
{
    size_t kept = 0;
    qsort(ranges, count, sizeof(*ranges), compare_plain);
    for (size_t i = 0; i < count; i++) {
        struct port_range *last = kept > 0 ? &ranges[kept - 1] : NULL;
        if (last != NULL && last->class == ranges[i].class &&
            ranges[i].low <= (uint32_t)last->high + 1) {
            if (ranges[i].high > last->high)
                last->high = ranges[i].high;
        } else {
            ranges[kept++] = ranges[i];
        }
    }
    return kept;
}

static bool set_equals(const struct filter_plan *plan, size_t set,
                       const struct port_range *ranges, size_t count)
{
    struct port_set have = filter_plan_set(plan, set);
    if (have.count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (compare_ranges(&have.ranges[i], &ranges[i]) != 0)
            return false;
    return true;
}

static size_t hash_ranges(const struct port_range *ranges, size_t count)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ ranges[i].class) * 1099511628211u;
        hash = (hash ^ ranges[i].low) * 1099511628211u;
        hash = (hash ^ ranges[i].high) * 1099511628211u;
    }
    return (size_t)(hash ^ hash >> 32) % HASH_ROOM;
}

static bool keep_ranges(struct filter_plan *plan,
                        const struct port_range *ranges, size_t count)
{
    if (plan->range_count + count > plan->range_room) {
        size_t room = 2 * (plan->range_room + count);
        void *bigger = reallocarray(plan->ranges, room, sizeof(*ranges));
        if (bigger == NULL)
            return false;
        plan->ranges = bigger;
        plan->range_room = room;
    }
    memcpy(&plan->ranges[plan->range_count], ranges, count * sizeof(*ranges));
    plan->range_count += count;
    return true;
}

/* Index of the set with these ranges, kept now if need be; FILTER_NO_SET when
 * there is no room. */
static int32_t intern(struct filter_plan *plan, const struct port_range *ranges,
                      size_t count)
{
    size_t place = hash_ranges(ranges, count);
    for (; plan->hash[place] != 0; place = (place + 1) % HASH_ROOM)
        if (set_equals(plan, plan->hash[place] - 1u, ranges, count))
            return plan->hash[place] - 1;
    if (plan->set_count == FILTER_SETS_MAX || !keep_ranges(plan, ranges, count))
        return FILTER_NO_SET;
    plan->hash[place] = (uint16_t)++plan->set_count;
    plan->first[plan->set_count] = (uint32_t)plan->range_count;
    return (int32_t)plan->set_count - 1;
}

/* The ranges of a rule, one for each class that it is about. */
static size_t ranges_of_rule(const struct endpoint_rule *rule,
                             struct port_range out[static 4])
{
    size_t count = 0;
    if (rule->protocol == 0 || rule->protocol == 6)
        out[count++] = (struct port_range){PORT_CLASS_TCP, rule->port_low,
                                           rule->port_high};
    if (rule->protocol == 0 || rule->protocol == 17)
        out[count++] = (struct port_range){PORT_CLASS_UDP, rule->port_low,
                                           rule->port_high};
    if (rule->protocol == 0)
        out[count++] = (struct port_range){PORT_CLASS_SCTP, rule->port_low,
                                           rule->port_high};
    if (rule->protocol == 0 && rule->port_low == 0)
        out[count++] = (struct port_range){PORT_CLASS_OTHER, 0, 0};
    return count;
}

static bool is_valid(const struct endpoint_rule *rule, struct wall_time when)
{
    return rule->from.us <= when.us && when.us < rule->to.us;
}

static bool make_map(struct filter_plan *plan, const struct endpoint_list *list,
                     struct wall_time when)
{
    plan->room = endpoint_rule_count(list);
    struct prefix *prefixes = calloc(plan->room + 1, sizeof(*prefixes));
    if (prefixes == NULL)
        return false;
    for (size_t i = 0; i < plan->room; i++) {
        struct endpoint_rule rule = endpoint_rule_at(list, i);
        if (is_valid(&rule, when))
            prefixes[plan->rule_count++] = rule.prefix;
    }
    plan->map = prefix_map_new(prefixes, plan->rule_count);
    free(prefixes);
    if (plan->map == NULL)
        return false;
    plan->set_of_node =
        calloc(prefix_map_count(plan->map) + 1, sizeof(*plan->set_of_node));
    return plan->set_of_node != NULL;
}

/* All ranges with their nodes, sorted by node; NULL without memory. */
static struct own_range *own_ranges(const struct filter_plan *plan,
                                    const struct endpoint_list *list,
                                    struct wall_time when, size_t *count)
{
    struct own_range *own = calloc(4 * plan->rule_count + 1, sizeof(*own));
    *count = 0;
    if (own == NULL)
        return NULL;
    for (size_t i = 0; i < plan->room; i++) {
        struct endpoint_rule rule = endpoint_rule_at(list, i);
        struct port_range ranges[4];
        if (!is_valid(&rule, when))
            continue;
        size_t n = ranges_of_rule(&rule, ranges);
        int32_t node = prefix_map_index(plan->map, &rule.prefix);
        for (size_t k = 0; k < n; k++)
            own[(*count)++] = (struct own_range){node, ranges[k]};
    }
    qsort(own, *count, sizeof(*own), compare_own);
    return own;
}

/* Gives every node its set. */
static const char *make_sets(struct filter_plan *plan,
                             const struct own_range *own, size_t count)
{
    static struct port_range no_ranges[1];
    struct port_range *work = calloc(SET_RANGES_MAX, sizeof(*work));
    const char *fault = work == NULL ? "no memory" : NULL;
    size_t next = 0;
    for (size_t i = 0; i < prefix_map_count(plan->map) && fault == NULL; i++) {
        int32_t parent = prefix_map_node(plan->map, i)->parent;
        struct port_set wider = {no_ranges, 0};
        if (parent != PREFIX_NONE)
            wider = filter_plan_set(plan, (size_t)plan->set_of_node[parent]);
        size_t used = wider.count;
        memcpy(work, wider.ranges, used * sizeof(*work));
        for (; next < count && own[next].node == (int32_t)i; next++) {
            if (used == SET_RANGES_MAX)
                used = merge(work, used);
            if (used == SET_RANGES_MAX)
                break;
            work[used++] = own[next].range;
        }
        used = merge(work, used);
        plan->set_of_node[i] =
            used < SET_RANGES_MAX ? intern(plan, work, used) : FILTER_NO_SET;
        if (plan->set_of_node[i] == FILTER_NO_SET)
            fault = "more different port lists than the kernel filter holds";
    }
    free(work);
    return fault;
}

struct filter_plan *filter_plan_new(const struct endpoint_list *list,
                                    struct wall_time when,
                                    struct error_text *error)
{
    struct filter_plan *plan = calloc(1, sizeof(*plan));
    struct own_range *own = NULL;
    size_t count = 0;
    const char *fault = "no memory";
    if (plan != NULL && make_map(plan, list, when) &&
        (own = own_ranges(plan, list, when, &count)) != NULL)
        fault = make_sets(plan, own, count);
    free(own);
    if (fault == NULL)
        return plan;
    error_set(error, "kernel filter: %s", fault);
    filter_plan_free(plan);
    return NULL;
}

void filter_plan_free(struct filter_plan *plan)
{
    if (plan == NULL)
        return;
    prefix_map_free(plan->map);
    free(plan->set_of_node);
    free(plan->ranges);
    free(plan);
}

size_t filter_plan_rule_count(const struct filter_plan *plan)
{
    return plan->rule_count;
}

const struct prefix_map *filter_plan_map(const struct filter_plan *plan)
{
    return plan->map;
}

int32_t filter_plan_set_of(const struct filter_plan *plan, int32_t node)
{
    return node == PREFIX_NONE ? FILTER_NO_SET : plan->set_of_node[node];
}

size_t filter_plan_set_count(const struct filter_plan *plan)
{
    return plan->set_count;
}

struct port_set filter_plan_set(const struct filter_plan *plan, size_t index)
{
    return (struct port_set){&plan->ranges[plan->first[index]],
                             plan->first[index + 1] - plan->first[index]};
}
