/*
 * Templates of foreign exporters, compiled when they arrive.
 *
 * A template becomes a short program: a list of "these bytes to that member".
 * Records whose fields all have a fixed length are read by it where they lie;
 * in others the fields are walked first. What can be wrong with a template is
 * refused here, so that reading needs two rules: a record has at least one
 * byte, and it ends inside its set.
 *
 *   IPFIX (RFC 7011 3.4)    id, field count, [scope count], specifiers;
 *                           enterprise bit; 65535: variable length
 *   NetFlow v9 (RFC 3954 5) id, field count, specifiers; options: id, bytes of
 *                           scope specifiers, bytes of option specifiers. No
 *                           enterprise bit, no variable length; scopes are
 *                           kinds of their own and are skipped
 */
#ifndef COLLECTOR_NETFLOW_NETFLOW_TEMPLATE_H
#define COLLECTOR_NETFLOW_NETFLOW_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/netflow/element.h"
#include "collector/netflow/netflow_record.h"
#include "common/cursor.h"

enum { NETFLOW_FIELDS_MAX = 128 };

/* As the exporter wrote it. */
struct netflow_specifier {
    uint32_t enterprise;
    uint16_t id;
    uint16_t length;
};

/* One step of the program. */
struct netflow_step {
    uint16_t source; /* bytes from the record's start, when all are fixed */
    uint16_t field;
    uint16_t target; /* offset in struct netflow_record */
    uint16_t length; /* bytes there; 0: variable */
    uint8_t size;    /* of the member; 0: a text, 16: bytes, else an integer */
};

struct netflow_template {
    uint32_t domain;
    uint16_t dialect; /* enum netflow_dialect */
    uint16_t id;
    uint16_t field_count;
    uint16_t scope_count;
    bool is_options;
    bool is_fixed;                  /* no variable field */
    uint8_t version;                /* of the addresses: 4, 6 or 0 */
    bool has_both;                  /* then 4; records may be of either */
    uint8_t totals;                 /* NETFLOW_TOTAL_ bits */
    uint8_t start_sense, end_sense; /* enum netflow_sense; PLAIN: no time */
    bool has_post_source, has_post_destination;
    uint16_t minimum; /* bytes of the shortest record, >= 1 */
    uint16_t step_count;
    int64_t defined_ms, used_ms;
    struct netflow_step steps[SLOT_COUNT];
    struct netflow_specifier fields[]; /* field_count */
};

enum netflow_template_status {
    NETFLOW_TEMPLATE_OK,
    NETFLOW_TEMPLATE_WITHDRAWAL, /* IPFIX: id with field count 0 */
    NETFLOW_TEMPLATE_BAD,        /* nothing behind it can be read either */
    NETFLOW_TEMPLATE_REFUSED,    /* its records cannot be read */
};

/* One template record of a set. With OK, *made is a new template (free()),
 * without domain and times; with REFUSED, *why is one line. */
enum netflow_template_status
netflow_template_read(struct cursor *set, enum netflow_dialect dialect,
                      bool is_options, uint16_t *id,
                      struct netflow_template **made, const char **why);
size_t netflow_template_bytes(const struct netflow_template *t);
bool netflow_template_equal(const struct netflow_template *a,
                            const struct netflow_template *b);
/* Fills the members that the template has; the others keep what they are. The
 * set is moved behind the record; false when the record does not end in it. */
bool netflow_template_run(const struct netflow_template *t, struct cursor *set,
                          struct netflow_record *record);

#endif
