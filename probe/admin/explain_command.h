/*
 * yz-probe explain: what leaves my network, on one page.
 *
 *   explain [-c FILE] [--html]
 *
 * The fields are not written down here: a sample batch is made by the encoder
 * that makes the real ones, decoded again, and every field that came out is
 * listed with its row of the element table. A field that is added to a template
 * appears by itself; one without a meaning is an error.
 */
#ifndef PROBE_ADMIN_EXPLAIN_COMMAND_H
#define PROBE_ADMIN_EXPLAIN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/log.h"
#include "common/text.h"
#include "common/wire/ipfix.h"
#include "probe/state/probe_config.h"

enum { EXPLAIN_FIELDS_MAX = 128, EXPLAIN_EXAMPLE_LEN = 48 };

enum explain_part { EXPLAIN_FLOW, EXPLAIN_BATCH, EXPLAIN_PART_COUNT };

struct explain_field {
    enum explain_part part;
    const struct ipfix_element *element;
    char example[EXPLAIN_EXAMPLE_LEN];
};

struct explain_fields {
    struct explain_field list[EXPLAIN_FIELDS_MAX];
    size_t count;
    bool has_fault; /* too many, or an element that is not in the table */
};

/* The fields of a sample batch, in the order of the wire. False when one has
 * no meaning; the sentence names it. */
bool explain_collect(const char *probe_id, struct explain_fields *fields,
                     struct error_text *error);

struct explain_page {
    const struct probe_config *config;
    const char *config_path; /* NULL: none was given, names stand for values */
    uint64_t endpoint_count; /* registered prefixes */
    const struct explain_fields *fields;
};

void explain_add_text(struct buffer *out, const struct explain_page *page,
                      enum language language);
/* A page for each language whose bit (1 << language) is set. */
void explain_add_html(struct buffer *out, const struct explain_page *page,
                      unsigned languages);
int explain_command_main(int argc, char **argv);

#endif
