/*
 * See chart.h. Units of the drawing, from the top: the bracket of the best
 * window, the plot, one line of marks, the dates.
 *
 *        x  LEFT ... LEFT + count * DAY     y  0         window
 *                                              TOP       top of the plot
 *                                              BASE      foot of the bars
 *                                              MARKS     one mark a day
 *                                              DATES     Mondays
 */
#include "portal/show/chart.h"

#include <stdio.h>

enum {
    LEFT = 62,
    RIGHT = 10,
    DAY = 20,
    BAR = 14,
    TOP = 26,
    PLOT = 110,
    BASE = TOP + PLOT,
    MARKS = BASE + 20,
    DATES = MARKS + 22,
    HEIGHT = DATES + 8,
    PATH_MAX_BYTES = 8192,
};

struct path {
    char text[PATH_MAX_BYTES];
    size_t length;
};

/* "Mx yhWvHh-Wz": a box from its top left corner. */
static void path_box(struct path *path, int x, int y, int width, int height)
{
    size_t room = sizeof(path->text) - path->length;
    int n = snprintf(path->text + path->length, room, "M%d %dh%dv%dh-%dz", x, y,
                     width, height, width);
    if (n > 0 && (size_t)n < room)
        path->length += (size_t)n;
    else
        path->text[path->length] = '\0';
}

/* A cross of 6 by 6, for a day that was watched and had no use. */
static void path_cross(struct path *path, int x, int y)
{
    size_t room = sizeof(path->text) - path->length;
    int n =
        snprintf(path->text + path->length, room, "M%d %dl6 6m0-6l-6 6", x, y);
    if (n > 0 && (size_t)n < room)
        path->length += (size_t)n;
    else
        path->text[path->length] = '\0';
}

static int day_x(size_t index)
{
    return LEFT + (int)index * DAY;
}

static bool is_weekend(struct civil_day day)
{
    return day_of_week(day) >= DAY_SATURDAY;
}

void chart_octets_text(uint64_t octets, char text[static CHART_VALUE_TEXT_LEN])
{
    static const char *const UNITS[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    uint64_t unit = 1000;
    size_t i = 0;
    if (octets < 1000) {
        snprintf(text, CHART_VALUE_TEXT_LEN, "%u B", (unsigned)octets);
        return;
    }
    while (i < 5 && octets / 1000 >= unit) {
        unit *= 1000;
        i++;
    }
    snprintf(text, CHART_VALUE_TEXT_LEN, "%u.%u %s", (unsigned)(octets / unit),
             (unsigned)(octets % unit / (unit / 10)), UNITS[i]);
}

uint64_t chart_axis_top(uint64_t value, enum chart_unit unit)
{
    static const uint64_t MINUTES[] = {30, 60, 120, 240, 480, 720, 960, 1440};
    for (size_t i = 0; unit == CHART_MINUTES && i < 8; i++)
        if (value <= MINUTES[i])
            return MINUTES[i];
    uint64_t top = unit == CHART_OCTETS ? 1000 : 10;
    while (top < value && top <= UINT64_MAX / 10)
        top *= 10;
    if (top / 5 >= value && top / 5 >= 1000)
        return top / 5;
    return top / 2 >= value && top / 2 >= 1000 ? top / 2 : top;
}

static uint64_t top_value(const struct chart *chart)
{
    uint64_t most = 0;
    for (size_t i = 0; i < chart->count; i++)
        if (chart->days[i].value > most)
            most = chart->days[i].value;
    return chart_axis_top(most, chart->unit);
}

/* Height of a bar: at least 2 where there is something. Divided first where
 * the product would not fit. */
static int bar_height(uint64_t value, uint64_t top)
{
    if (value == 0)
        return 0;
    uint64_t height =
        value > UINT64_MAX / PLOT ? value / (top / PLOT) : value * PLOT / top;
    if (height > PLOT)
        height = PLOT;
    return height < 2 ? 2 : (int)height;
}

static void fill_days(const struct chart *chart, struct model *model)
{
    struct path weekends = {0}, gaps = {0}, bars = {0}, idle = {0},
                active = {0};
    uint64_t top = top_value(chart);
    for (size_t i = 0; i < chart->count; i++) {
        const struct chart_day *day = &chart->days[i];
        struct civil_day date = {chart->first.number + (int32_t)i};
        int x = day_x(i), height = bar_height(day->value, top);
        if (is_weekend(date))
            path_box(&weekends, x, TOP, DAY, PLOT);
        if (!day->is_covered)
            path_box(&gaps, x, TOP, DAY, PLOT);
        if (height > 0)
            path_box(&bars, x + (DAY - BAR) / 2, BASE - height, BAR, height);
        if (day->is_active)
            path_box(&active, x + DAY / 2 - 4, MARKS - 8, 8, 8);
        else if (day->is_covered)
            path_cross(&idle, x + DAY / 2 - 3, MARKS - 7);
    }
    model_text(model, "weekends", weekends.text);
    model_text(model, "gaps", gaps.text);
    model_text(model, "bars", bars.text);
    model_text(model, "active", active.text);
    model_text(model, "idle", idle.text);
}

static void value_text(uint64_t value, enum chart_unit unit,
                       char text[static CHART_VALUE_TEXT_LEN])
{
    if (unit == CHART_OCTETS)
        chart_octets_text(value, text);
    else
        snprintf(text, CHART_VALUE_TEXT_LEN, "%llu", (unsigned long long)value);
}

static void fill_axis(const struct chart *chart, struct model *model)
{
    uint64_t top = top_value(chart);
    model_list(model, "levels");
    for (unsigned i = 0; i <= 2; i++) {
        char text[CHART_VALUE_TEXT_LEN];
        struct model *level = model_append(model, "levels");
        value_text(top / 2 * i, chart->unit, text);
        model_text(level, "label", text);
        model_i64(level, "y", BASE - PLOT / 2 * (int)i);
        model_i64(level, "text_y", BASE - PLOT / 2 * (int)i + 4);
    }
    model_list(model, "dates");
    for (size_t i = 0; i < chart->count; i++) {
        struct civil_day date = {chart->first.number + (int32_t)i};
        if (day_of_week(date) != DAY_MONDAY)
            continue;
        char text[DAY_TEXT_LEN];
        day_to_text(date, text);
        struct model *label = model_append(model, "dates");
        model_text(label, "label", text + 5); /* month and day */
        model_i64(label, "x", day_x(i) + DAY / 2);
    }
}

/* The part of the best window that lies inside the drawing. */
static void fill_window(const struct chart *chart, struct model *model)
{
    int32_t last = chart->first.number + (int32_t)chart->count;
    int32_t start = chart->window_start.number, end = chart->window_end.number;
    start = start < chart->first.number ? chart->first.number : start;
    end = end > last ? last : end;
    if (!chart->has_window || start >= end)
        return;
    struct model *window = model_object(model, "window");
    int x = day_x((size_t)(start - chart->first.number));
    int width = (end - start) * DAY;
    model_textf(window, "path", "M%d %dv-8h%dv8", x + 1, TOP - 2, width - 2);
    model_i64(window, "x", x + width / 2);
    model_i64(window, "y", TOP - 14);
}

void chart_fill(const struct chart *chart, struct model *model)
{
    int right = day_x(chart->count);
    model_i64(model, "width", right + RIGHT);
    model_i64(model, "height", HEIGHT);
    model_i64(model, "left", LEFT);
    model_i64(model, "right", right);
    model_i64(model, "base", BASE);
    model_i64(model, "label_x", LEFT - 8);
    model_i64(model, "marks_y", MARKS);
    model_i64(model, "dates_y", DATES);
    fill_days(chart, model);
    fill_axis(chart, model);
    fill_window(chart, model);
}
