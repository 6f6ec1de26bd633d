/*
 * The rules folder, read once: its texts become the structs of rules/, and its
 * version covers every file in it. Whatever cannot be read or parsed is named.
 */
#ifndef VERIFIER_RULES_FOLDER_H
#define VERIFIER_RULES_FOLDER_H

#include "common/crypto/digest.h"
#include "common/log.h"
#include "rules/calendar.h"
#include "rules/catalogue.h"
#include "rules/city.h"
#include "rules/client.h"
#include "rules/judge.h"
#include "rules/parameter.h"
#include "rules/programme.h"

struct rules_folder {
    char version[DIGEST_HEX_LEN];
    struct programme programme;
    struct catalogue catalogue;
    struct parameters parameters;
    struct calendar calendar;
    struct city_list cities;
    struct client_list clients;
};

/* NULL with a sentence that names the file. */
struct rules_folder *rules_folder_read(const char *path,
                                       struct error_text *error);
void rules_folder_free(struct rules_folder *folder);
struct judge_rules rules_folder_for_judge(const struct rules_folder *folder);

#endif
