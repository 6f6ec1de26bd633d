/* `yz-collector events`: what a person must look at, oldest first. */
#ifndef COLLECTOR_EVENTS_H
#define COLLECTOR_EVENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"

struct event_filter {
    struct wall_time since; /* last time seen; 0: ever */
    const char *kind;       /* NULL: any; an unknown one is refused */
    const char *probe;      /* NULL: any */
};

/* A line each, or a JSON object a line. False with a reason. */
bool events_print(struct db *usage, const struct event_filter *filter,
                  bool as_json, FILE *out, struct error_text *error);

#endif
