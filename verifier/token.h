/*
 * Repeats of connection tokens (S9). A token is the hash of two random numbers
 * of one connection: seen again it is a replayed recording, unless the records
 * are of one long connection, or two probes of the enterprise saw the same one
 * (double capture). Demo data is compared with demo data only.
 */
#ifndef VERIFIER_TOKEN_H
#define VERIFIER_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct token_repeat; /* verifier/evidence.h */

#define TOKEN_NO_SERVICE SIZE_MAX /* of an endpoint not registered any more */

struct token_record {
    uint8_t token[16];
    const char *enterprise, *probe; /* in a list: its own copies */
    size_t service;
    int64_t endpoint, start_ms, end_ms;
    uint64_t host;
    uint8_t end_reason;
    bool is_sample;
};

struct token_list {
    struct token_record *records;
    size_t count, room;
    char **names; /* of enterprises and probes, sorted */
    size_t name_count, name_room;
};

/* Names are copied. False without memory. */
bool token_list_add(struct token_list *list, const struct token_record *record);
/* Sums for each enterprise, service and day, sorted; the caller frees them. In
 * an enterprise every later connection with the token counts, unless it is the
 * first that its probe reports and another probe did within five minutes.
 * Between two enterprises the later one counts, by the start of its record;
 * starts within two seconds count for both. */
bool token_list_find_repeats(struct token_list *list,
                             struct token_repeat **repeats, size_t *count);
void token_list_clear(struct token_list *list);
int token_compare_repeats(const void *a, const void *b);

#endif
