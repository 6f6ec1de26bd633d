/*
 * Habits of made-up enterprises, as one day's connection records. The same
 * seed gives the same day on every machine that has the same libm.
 */
#ifndef TESTS_RULES_PERSONA_H
#define TESTS_RULES_PERSONA_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/wire/flow_record.h"
#include "rules/fact.h"

struct persona {
    struct fact_flow *flows;
    size_t count, room;
    uint64_t state;
    int64_t day_ms;
};

static inline uint64_t persona_next(struct persona *p)
{
    p->state ^= p->state << 13;
    p->state ^= p->state >> 7;
    p->state ^= p->state << 17;
    return p->state;
}

static inline double persona_unit(struct persona *p)
{
    return (double)(persona_next(p) >> 11) / 9007199254740992.0;
}

static inline double persona_wait(struct persona *p, double mean)
{
    return -log(1 - persona_unit(p)) * mean;
}

static inline uint64_t persona_between(struct persona *p, uint64_t low,
                                       uint64_t high)
{
    return low + persona_next(p) % (high - low + 1);
}

static inline void persona_begin(struct persona *p, uint64_t seed,
                                 struct civil_day day)
{
    p->count = 0;
    p->state = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)day.number * 77 +
               1234567;
    p->day_ms = wall_to_ms(day_start(day));
    for (int i = 0; i < 10; i++)
        persona_next(p);
}

static inline void persona_add(struct persona *p, double second, uint64_t host,
                               uint64_t up, uint64_t down)
{
    if (second < 0 || second >= 86400)
        return;
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 256;
        p->flows = realloc(p->flows, p->room * sizeof(*p->flows));
        if (p->flows == NULL)
            abort();
    }
    struct fact_flow *f = &p->flows[p->count++];
    *f = (struct fact_flow){
        .start_ms = p->day_ms + (int64_t)(second * 1000),
        .host = host,
        .octets = up,
        .packets = 4 + up / 1400,
        .roctets = down,
        .rpackets = 4 + down / 1400,
        .fingerprint = 0x1122334455667788,
        .endpoint = 1,
        .rtt_us = 8000,
        .name_evidence = NAME_SNI,
        .end_reason = FLOW_END_DETECTED,
    };
    f->end_ms = f->start_ms + (int64_t)persona_between(p, 200, 9000);
    uint64_t a = persona_next(p), b = persona_next(p);
    memcpy(f->token, &a, 8);
    memcpy(f->token + 8, &b, 8);
}

/* People: sessions of page views, each a handful of connections at once. */
static inline void persona_people(struct persona *p, int hosts, double opens,
                                  double closes)
{
    for (int h = 0; h < hosts; h++) {
        double t = opens + persona_wait(p, 1200);
        while (t < closes) {
            uint64_t views = persona_between(p, 3, 15);
            for (uint64_t v = 0; v < views && t < closes; v++) {
                uint64_t n = persona_between(p, 1, 5);
                for (uint64_t i = 0; i < n; i++)
                    persona_add(p, t + persona_unit(p) * 0.8, 100 + (uint64_t)h,
                                500 + (uint64_t)persona_wait(p, 1500),
                                2000 + (uint64_t)persona_wait(p, 40000));
                t += 3 + persona_wait(p, 45);
            }
            t += 300 + persona_wait(p, 2400);
        }
    }
}

static inline void persona_office(struct persona *p, int hosts)
{
    persona_people(p, hosts, 8.5 * 3600, 18 * 3600);
}

static inline void persona_shifts(struct persona *p, int hosts)
{
    persona_people(p, hosts, 0, 86400);
}

/* A timer: every `period` seconds, give or take a share of it. */
static inline void persona_timer(struct persona *p, double period,
                                 double jitter, uint64_t host)
{
    for (double t = period / 2; t < 86400; t += period)
        persona_add(p, t + (persona_unit(p) - 0.5) * 2 * jitter * period, host,
                    812, 3000 + persona_between(p, 0, 40));
}

/* Memoryless arrivals in office hours. */
static inline void persona_random(struct persona *p, double per_hour, int hosts)
{
    for (double t = 8.5 * 3600; t < 17.5 * 3600;
         t += persona_wait(p, 3600 / per_hour))
        persona_add(p, t, 300 + persona_between(p, 0, (uint64_t)hosts - 1),
                    400 + persona_between(p, 0, 4000),
                    1000 + persona_between(p, 0, 90000));
}

/* Machines: each reports every ten minutes, with or without varying sizes. */
static inline void persona_machines(struct persona *p, int machines,
                                    bool varies)
{
    for (int m = 0; m < machines; m++) {
        for (double t = 5.0 * m; t < 86400; t += 600)
            persona_add(p, t + persona_unit(p) * 3, 500 + (uint64_t)m,
                        varies ? 900 + persona_between(p, 0, 80) : 900,
                        varies ? 300 + persona_between(p, 0, 20) : 300);
    }
}

#endif
