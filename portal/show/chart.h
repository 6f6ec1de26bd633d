/*
 * The evidence timeline: where each shape of a line's chart stands.
 *
 * This computes coordinates only; the markup is portal/pages/chart.html, which
 * is filled from the members set here. The shapes of one kind are one path, so
 * a chart of 35 days costs about two kilobytes of page.
 *
 * A day without coverage is neither active nor inactive (VER-15) and is drawn
 * as a hatched column; it is not an empty bar. What the picture says is also in
 * the table beside it, and no meaning is carried by colour alone.
 */
#ifndef PORTAL_SHOW_CHART_H
#define PORTAL_SHOW_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "portal/show/model.h"

enum { CHART_DAYS_MAX = 62 };

enum chart_unit { CHART_MINUTES, CHART_OCTETS };

struct chart_day {
    bool is_covered; /* enough of the day was watched */
    bool is_active;  /* a two-way connection was seen */
    uint64_t value;  /* minutes or octets */
};

struct chart {
    struct civil_day first;
    size_t count; /* at most CHART_DAYS_MAX */
    struct chart_day days[CHART_DAYS_MAX];
    enum chart_unit unit;
    struct civil_day window_start, window_end; /* the best window, half open */
    bool has_window;
};

/* Sets the members that chart.html asks for. */
void chart_fill(const struct chart *chart, struct model *model);

enum { CHART_VALUE_TEXT_LEN = 32 };
/* Octets for people: "0 B", "812 B", "1.2 kB", "34.0 MB" (powers of 1000). */
void chart_octets_text(uint64_t octets, char text[static CHART_VALUE_TEXT_LEN]);
/* The smallest of 1, 2, 5 times a power of ten that is not below the value
 * (minutes: of the steps of a day). */
uint64_t chart_axis_top(uint64_t value, enum chart_unit unit);

#endif
