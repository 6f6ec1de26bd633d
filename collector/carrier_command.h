/* Import of carriers' files, for people: opens what is needed, prints what
 * became of each file. */
#ifndef COLLECTOR_CARRIER_COMMAND_H
#define COLLECTOR_CARRIER_COMMAND_H

#include "collector/collector_config.h"
#include "collector/import.h"

/* `rejects`: where rows that were not attributed go, as a table to be imported
 * later; NULL: nowhere. The exit status. */
int carrier_command(const struct collector_config *config,
                    enum import_form form, const char *carrier,
                    const char *rejects, char *const *paths, int count);

#endif
