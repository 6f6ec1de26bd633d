/* Changing one key of a configuration file's text and nothing else in it. */
#ifndef PROBE_STATE_CONFIG_EDIT_H
#define PROBE_STATE_CONFIG_EDIT_H

#include "common/buffer.h"
#include "common/slice.h"

/* The text with `key = value` in place of the first line that sets the key, or
 * at the end when none does. Comments and everything else stay. False for a
 * value that is no line of printable text, or a full buffer. */
bool config_edit_set(struct slice text, const char *key, const char *value,
                     struct buffer *out);

#endif
