/* Fingerprints of client programs, sorted for a binary search. */
#include "rules/client.h"

#include <stdlib.h>

#include "common/buffer.h"
#include "common/writer.h"

enum { COLUMNS = 3 };

static bool read_client(const struct slice *f, struct client *client)
{
    uint8_t bytes[8];
    if (!parse_hex(f[0], bytes, sizeof(bytes)))
        return false;
    client->fingerprint = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        client->fingerprint = client->fingerprint << 8 | bytes[i];
    client->kind = slice_equal_text(f[1], "browser") ? CLIENT_BROWSER
                   : slice_equal_text(f[1], "tool")  ? CLIENT_TOOL
                                                     : CLIENT_UNKNOWN;
    return client->kind != CLIENT_UNKNOWN && slice_is_clean_utf8(f[2]) &&
           slice_copy(f[2], client->name, sizeof(client->name));
}

static bool read_rows(struct slice csv, struct buffer *scratch,
                      struct client_list *clients, struct error_text *error)
{
    struct slice f[COLUMNS];
    unsigned line = 0;
    int count = csv_read(&csv, scratch, f, COLUMNS, &line);
    if (count != COLUMNS || !slice_equal_text(f[0], "fingerprint") ||
        !slice_equal_text(f[1], "kind") || !slice_equal_text(f[2], "name"))
        return error_set(error,
                         "line 1: header fingerprint,kind,name expected");
    while ((count = csv_read(&csv, scratch, f, COLUMNS, &line)) > 0) {
        if (clients->count == CLIENTS_MAX)
            return error_set(error, "line %u: more than %d clients", line,
                             CLIENTS_MAX);
        if (count != COLUMNS ||
            !read_client(f, &clients->items[clients->count]))
            return error_set(error,
                             "line %u: 16 hex digits, browser or tool, and a "
                             "name expected",
                             line);
        clients->count++;
    }
    if (count < 0)
        return error_set(error, "line %u: malformed", line + 1);
    return true;
}

static int compare_clients(const void *a, const void *b)
{
    const struct client *x = a, *y = b;
    return (x->fingerprint > y->fingerprint) -
           (x->fingerprint < y->fingerprint);
}

bool client_list_parse(struct slice csv, struct client_list *clients,
                       struct error_text *error)
{
    struct buffer scratch;
    clients->count = 0;
    buffer_init(&scratch, 4096);
    bool good = read_rows(csv, &scratch, clients, error);
    buffer_clear(&scratch);
    if (!good)
        return false;
    qsort(clients->items, clients->count, sizeof(clients->items[0]),
          compare_clients);
    for (size_t i = 1; i < clients->count; i++) {
        if (compare_clients(&clients->items[i - 1], &clients->items[i]) == 0)
            return error_set(error, "%s has the fingerprint of another client",
                             clients->items[i].name);
    }
    return true;
}

enum client_kind client_kind_of(const struct client_list *clients,
                                uint64_t fingerprint)
{
    struct client key = {.fingerprint = fingerprint};
    const struct client *found =
        bsearch(&key, clients->items, clients->count, sizeof(clients->items[0]),
                compare_clients);
    return found == NULL ? CLIENT_UNKNOWN : found->kind;
}
