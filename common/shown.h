/*
 * How times and money are shown to people: on pages, in tables, on a terminal.
 *
 * Programs get RFC 3339 UTC and fen (common/clock.h); what is here is for
 * reading, in Asia/Shanghai. A page says its zone once; a sentence on a
 * terminal says "+08:00" itself.
 *
 *   a moment                 2018-12-31 23:59:58
 *   the end of a period      2018-12-31 24:00   midnight is the day it ends
 *   a day                    2018-12-31         never with a time
 *   money                    80,000.50 元       the unit once; without it in a
 *                                               column whose head has it
 *
 * Each is also an argument of a sentence: text_fill(out, language, key,
 * text_day("day", day)).
 */
#ifndef COMMON_SHOWN_H
#define COMMON_SHOWN_H

#include <stdint.h>

#include "common/clock.h"
#include "common/money.h"
#include "common/text.h"

enum { SHOWN_LEN = 64 };

void shown_moment(struct wall_time time, char text[static SHOWN_LEN]);
/* An instant that ends something: a cut-off, a deadline. */
void shown_end(struct wall_time time, char text[static SHOWN_LEN]);
/* The day that an instant lies in. */
void shown_day_of(struct wall_time time, char text[static SHOWN_LEN]);
void shown_money(enum language language, struct money money,
                 char text[static SHOWN_LEN]);
/* For a column whose head has the unit: "80,000.50". */
void shown_amount(struct money money, char text[static SHOWN_LEN]);
/* "3 min 2 s", "2 d 4 h": the two largest units; below 0 as 0. */
void shown_span(enum language language, int64_t seconds,
                char text[static SHOWN_LEN]);
/* "12 KiB", "3.4 MiB". */
void shown_size(uint64_t bytes, char text[static SHOWN_LEN]);

/* Arguments. A moment and an end say their zone: "2018-12-31 24:00 +08:00". */
struct text_argument text_moment(const char *name, struct wall_time time);
struct text_argument text_end(const char *name, struct wall_time time);
struct text_argument text_day(const char *name, struct civil_day day);
struct text_argument text_money(const char *name, struct money money);
struct text_argument text_span(const char *name, int64_t seconds);
struct text_argument text_size(const char *name, uint64_t bytes);

#endif
