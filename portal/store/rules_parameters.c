/* See rules_parameters.h. */
#include "portal/store/rules_parameters.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { FILE_MAX_BYTES = 256 * 1024 };

typedef bool parse_fn(struct slice text, void *rules, struct error_text *error);

static bool read_file(const char *folder, const char *name, parse_fn *parse,
                      void *rules, struct error_text *error)
{
    char path[PATH_MAX];
    struct buffer text;
    struct error_text reason;
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return error_set(error, "%s: the name is too long", folder);
    bool good = buffer_read_file(&text, path, FILE_MAX_BYTES);
    if (!good)
        error_set(error, "%s: %s", path, strerror(errno));
    else if (!parse(buffer_slice(&text), rules, &reason))
        good = error_set(error, "%s: %s", path, reason.text);
    buffer_clear(&text);
    return good;
}

static bool parse_parameters(struct slice text, void *rules,
                             struct error_text *error)
{
    return parameters_parse(text, rules, error);
}

static bool parse_calendar(struct slice text, void *rules,
                           struct error_text *error)
{
    return calendar_parse(text, rules, error);
}

bool rules_parameters_read(const char *folder, struct parameters *parameters,
                           struct error_text *error)
{
    return read_file(folder, "parameters.conf", parse_parameters, parameters,
                     error);
}

bool rules_calendar_read(const char *folder, struct calendar *calendar,
                         struct error_text *error)
{
    return read_file(folder, "calendar.csv", parse_calendar, calendar, error);
}
