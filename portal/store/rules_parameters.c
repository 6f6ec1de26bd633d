/* See rules_parameters.h. */
#include "portal/store/rules_parameters.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { PARAMETERS_MAX_BYTES = 64 * 1024 };

bool rules_parameters_read(const char *folder, struct parameters *parameters,
                           struct error_text *error)
{
    char path[PATH_MAX];
    struct buffer text;
    struct error_text reason;
    int length = snprintf(path, sizeof(path), "%s/parameters.conf", folder);
    if (length < 0 || (size_t)length >= sizeof(path))
        return error_set(error, "%s: the name is too long", folder);
    bool good = buffer_read_file(&text, path, PARAMETERS_MAX_BYTES);
    if (!good)
        error_set(error, "%s: %s", path, strerror(errno));
    else if (!parameters_parse(buffer_slice(&text), parameters, &reason))
        good = error_set(error, "%s: %s", path, reason.text);
    buffer_clear(&text);
    return good;
}
