#include "common/shown.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { S_PER_MINUTE = 60, S_PER_HOUR = 3600, S_PER_DAY = 24 * S_PER_HOUR };

/* ---- as text ---- */

void shown_moment(struct wall_time time, char text[static SHOWN_LEN])
{
    wall_to_local_text(time, text);
}

void shown_day_of(struct wall_time time, char text[static SHOWN_LEN])
{
    day_to_text(day_of_wall(time), text);
}

/* Periods are half open: what ends at a day's first instant ends with the day
 * before. Seconds are shown where there are some. */
void shown_end(struct wall_time time, char text[static SHOWN_LEN])
{
    struct civil_day day = day_of_wall(time);
    char whole[WALL_TEXT_LEN], ended[DAY_TEXT_LEN];
    if (day_start(day).us == time.us) {
        day.number--;
        day_to_text(day, ended);
        snprintf(text, SHOWN_LEN, "%s 24:00", ended);
        return;
    }
    wall_to_local_text(time, whole);
    size_t length = strlen(whole);
    if (length > 3 && strcmp(whole + length - 3, ":00") == 0)
        whole[length - 3] = '\0';
    snprintf(text, SHOWN_LEN, "%s", whole);
}

void shown_amount(struct money money, char text[static SHOWN_LEN])
{
    money_to_yuan_text(money, text);
}

/* A sentence that is short by its arguments, into a text of fixed length. */
static void fill(char text[static SHOWN_LEN], enum language language,
                 const char *key, const struct text_argument *arguments)
{
    struct buffer out;
    buffer_init(&out, SHOWN_LEN - 1);
    text_fill_list(&out, language, key, arguments);
    slice_copy(buffer_slice(&out), text, SHOWN_LEN);
    buffer_clear(&out);
}

void shown_money(enum language language, struct money money,
                 char text[static SHOWN_LEN])
{
    char amount[SHOWN_LEN];
    shown_amount(money, amount);
    fill(text, language, TEXT_KEY("shown.money"),
         TEXT_ARGUMENTS(text_plain("amount", amount)));
}

void shown_span(enum language language, int64_t seconds,
                char text[static SHOWN_LEN])
{
    static const struct {
        int64_t unit_s, part_s;
        const char *key;
    } forms[] = {
        {S_PER_DAY, S_PER_HOUR, TEXT_KEY("shown.days_hours")},
        {S_PER_HOUR, S_PER_MINUTE, TEXT_KEY("shown.hours_minutes")},
        {S_PER_MINUTE, 1, TEXT_KEY("shown.minutes_seconds")},
    };
    size_t i = 0;
    if (seconds < 0)
        seconds = 0;
    while (i < 2 && seconds < forms[i].unit_s)
        i++;
    fill(text, language, forms[i].key,
         TEXT_ARGUMENTS(
             text_number("whole", seconds / forms[i].unit_s),
             text_number("part", seconds % forms[i].unit_s / forms[i].part_s)));
}

void shown_size(uint64_t bytes, char text[static SHOWN_LEN])
{
    if (bytes >= 1 << 20)
        snprintf(text, SHOWN_LEN, "%" PRIu64 ".%" PRIu64 " MiB", bytes >> 20,
                 (bytes & 0xfffff) * 10 >> 20);
    else
        snprintf(text, SHOWN_LEN, "%" PRIu64 " KiB",
                 bytes / 1024 + (bytes % 1024 != 0));
}

/* ---- as arguments ---- */

static void add_moment(struct buffer *out, enum language language,
                       const struct text_argument *argument)
{
    char text[SHOWN_LEN];
    (void)language;
    shown_moment((struct wall_time){argument->number}, text);
    buffer_addf(out, "%s +08:00", text);
}

static void add_end(struct buffer *out, enum language language,
                    const struct text_argument *argument)
{
    char text[SHOWN_LEN];
    (void)language;
    shown_end((struct wall_time){argument->number}, text);
    buffer_addf(out, "%s +08:00", text);
}

static void add_day(struct buffer *out, enum language language,
                    const struct text_argument *argument)
{
    char text[SHOWN_LEN];
    (void)language;
    day_to_text((struct civil_day){(int32_t)argument->number}, text);
    buffer_add_text(out, text);
}

static void add_money(struct buffer *out, enum language language,
                      const struct text_argument *argument)
{
    char text[SHOWN_LEN];
    shown_money(language, (struct money){argument->number}, text);
    buffer_add_text(out, text);
}

static void add_span(struct buffer *out, enum language language,
                     const struct text_argument *argument)
{
    char text[SHOWN_LEN];
    shown_span(language, argument->number, text);
    buffer_add_text(out, text);
}

static void add_size(struct buffer *out, enum language language,
                     const struct text_argument *argument)
{
    char text[SHOWN_LEN];
    (void)language;
    shown_size(argument->count, text);
    buffer_add_text(out, text);
}

struct text_argument text_moment(const char *name, struct wall_time time)
{
    return (struct text_argument){
        .name = name, .add = add_moment, .number = time.us};
}

struct text_argument text_end(const char *name, struct wall_time time)
{
    return (struct text_argument){
        .name = name, .add = add_end, .number = time.us};
}

struct text_argument text_day(const char *name, struct civil_day day)
{
    return (struct text_argument){
        .name = name, .add = add_day, .number = day.number};
}

struct text_argument text_money(const char *name, struct money money)
{
    return (struct text_argument){
        .name = name, .add = add_money, .number = money.fen};
}

struct text_argument text_span(const char *name, int64_t seconds)
{
    return (struct text_argument){
        .name = name, .add = add_span, .number = seconds};
}

struct text_argument text_size(const char *name, uint64_t bytes)
{
    return (struct text_argument){
        .name = name, .add = add_size, .count = bytes};
}
