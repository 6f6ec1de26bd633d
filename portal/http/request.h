/*
 * What a browser sends beside the path: form fields, query and cookies.
 *
 * Query and form are application/x-www-form-urlencoded: `name=value&...`, with
 * `+` for a blank and %XX for bytes; cookies are `name=value; ...` as they are.
 * Everything is decoded into an arena. A text that has too many fields, a bad
 * escape, or bytes that are not clean UTF-8 is refused whole, and it is said
 * which: no page needs such a thing, and no handler has to think of it. How long
 * a text may be is the server's and the route's to say.
 */
#ifndef PORTAL_HTTP_REQUEST_H
#define PORTAL_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/slice.h"

/* The longest form of the programme has 40 fields, and some of them are tables
 * with a row for each line of a contract. */
enum { FORM_FIELDS_MAX = 512 };

/* Other cookies are those of other programs on this host: browsers do not keep
 * ports apart. */
#define FORM_COOKIE_PREFIX "yz_"
/* In front of it where pages come over HTTPS: browsers then take a cookie of
 * that name from this host alone, over HTTPS, for all of its paths. */
#define FORM_COOKIE_HOST "__Host-"

struct form_field {
    const char *name;
    const char *value;
};

struct form_data {
    struct form_field fields[FORM_FIELDS_MAX];
    size_t count;
};

/* Whether a text could be read, and if not, why. */
enum form_reading {
    FORM_GOOD,
    FORM_MALFORMED,   /* a bad escape, a control character */
    FORM_NOT_UTF8,    /* another encoding: GBK, as older programs write it */
    FORM_TOO_MANY,    /* more than FORM_FIELDS_MAX fields */
    FORM_OUT_OF_ROOM, /* of the arena */
};

/* Anything but FORM_GOOD leaves the form empty. */
enum form_reading form_parse(struct form_data *form, struct slice text,
                             struct arena *arena);
/* Takes the portal's own cookies (FORM_COOKIE_PREFIX), with `is_host` those that
 * have FORM_COOKIE_HOST in front, without it; those that are not clean are left
 * out. This never fails. */
void form_parse_cookies(struct form_data *form, struct slice text, bool is_host,
                        struct arena *arena);
/* The value of the first field of that name, "" when there is none. */
const char *form_get(const struct form_data *form, const char *name);

/* The same for a reader of fields (portal/form/field.h), which tells one that is
 * empty from one that was not sent: NULL. */
const char *form_typed(const void *form, const char *name);

/* A path's segment or a query's value with its escapes resolved; "" when it is
 * not FORM_GOOD. `plus_is_blank` holds in queries and forms, not in paths. */
enum form_reading form_decode(struct slice text, bool plus_is_blank,
                              struct arena *arena, const char **decoded);
/* The reverse, for links: letters, digits and -_.~ stay. */
const char *form_encode(const char *text, struct arena *arena);

#endif
