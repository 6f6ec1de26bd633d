/*
 * yz-probe show: what left, readably.
 *
 *   show [--key PUBLIC.pem] FILE.ipfix...
 *
 * One JSON line for each record in the file, in order, with the names of the
 * element table that encoder and collector use too; an element not in the
 * table is shown in hex. So nothing is in the file that is not in the print.
 * Each batch ends with a line of its hash and the state of its signature, each
 * receipt (of STATE/receipts; the key is then the collector's) with one of its
 * meaning and signature, each file with a line of its sums.
 */
#ifndef PROBE_ADMIN_SHOW_COMMAND_H
#define PROBE_ADMIN_SHOW_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/crypto/sign.h"

struct show_key {
    bool is_given;
    enum sign_algorithm algorithm;
    uint8_t bytes[SIGN_PUBLIC_MAX];
    size_t length;
};

/* The lines for a file's content. False when something in it could not be
 * read, or a signature is wrong; the lines say what. `flush` empties `out` now
 * and then; NULL: all of it stays there. */
bool show_content(struct slice content, const char *name,
                  const struct show_key *key, struct buffer *out,
                  void (*flush)(struct buffer *out));
int show_command_main(int argc, char **argv);

#endif
