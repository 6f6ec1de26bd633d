/* A password for a new account, from a file, a pipe, or a person. */
#ifndef PORTAL_READ_PASSWORD_H
#define PORTAL_READ_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"

/* The first line of the file, of standard input with "-" or when that is not a
 * terminal, else asked twice without echo. False with a reason. */
bool read_password(const char *file, char *password, size_t size,
                   struct error_text *error);

#endif
