/* Client programs by their fingerprint (rule S8): what is a browser, what is a
 * tool. The list is data and may be empty; then the rule is not asked. */
#ifndef RULES_CLIENT_H
#define RULES_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/slice.h"

enum { CLIENTS_MAX = 1024, CLIENT_NAME_LEN = 48 };
enum client_kind { CLIENT_UNKNOWN, CLIENT_BROWSER, CLIENT_TOOL };

struct client {
    uint64_t fingerprint;
    enum client_kind kind;
    char name[CLIENT_NAME_LEN];
};

struct client_list {
    struct client items[CLIENTS_MAX]; /* by fingerprint */
    size_t count;
};

/* clients.csv: fingerprint,kind,name; 16 hex digits, browser or tool. */
bool client_list_parse(struct slice csv, struct client_list *clients,
                       struct error_text *error);
enum client_kind client_kind_of(const struct client_list *clients,
                                uint64_t fingerprint);

#endif
