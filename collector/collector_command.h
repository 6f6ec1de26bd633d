/* What the collector's commands share. Both functions end the program when they
 * fail. */
#ifndef COLLECTOR_COLLECTOR_COMMAND_H
#define COLLECTOR_COLLECTOR_COMMAND_H

#include "collector/collector_config.h"
#include "common/db.h"
#include "common/program.h"

#define COLLECTOR_CONFIG PROGRAM_CONFIG("collector") /* the file without -c */

/* The file at -c; its log level holds from then on. */
void collector_read_config(const char *path, struct collector_config *config);
struct db *collector_open_usage(const struct collector_config *config,
                                enum db_mode mode);

#endif
