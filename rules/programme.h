/*
 * A programme's identity, and the version of its rules.
 *
 * A rules folder holds everything a programme decides by numbers and names:
 * programme.json, catalogue-v1.json, parameters.conf, calendar.csv, cities.csv,
 * clients.csv. The code here is given the texts; whoever reads the folder is
 * the program's own business.
 */
#ifndef RULES_PROGRAMME_H
#define RULES_PROGRAMME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/slice.h"

enum { PROGRAMME_ID_LEN = 40, PROGRAMME_TITLE_LEN = 200 };

struct programme {
    char id[PROGRAMME_ID_LEN]; /* "guangdong-2018" */
    char title_zh[PROGRAMME_TITLE_LEN];
    char title_en[PROGRAMME_TITLE_LEN];
};

/* programme.json: {"id", "title_zh", "title_en"}. Unknown members are refused:
 * a misspelt rule must not pass for a missing one. */
bool programme_parse(struct slice json, struct programme *programme,
                     struct error_text *error);

/* One file of the rules folder. */
struct rules_file {
    const char *name; /* without its folder */
    struct slice content;
};

enum { RULES_FILES_MAX = 64 };

/* The version of the rules: SHA-256 over every file's name and content, in
 * order of names; the order of the array does not matter. At most
 * RULES_FILES_MAX files (more is a bug of the caller). The text form is its
 * hex. */
struct digest rules_version(const struct rules_file *files, size_t count);

#endif
