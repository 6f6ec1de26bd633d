/*
 * Import of routers' messages from files: IPFIX files (RFC 5655), or NetFlow v5
 * and v9 messages back to back.
 *
 * A file does not say who sent it: the exporter is named by its id in the
 * registry. The flows are batched by five minutes of their start, under a boot
 * id that is the file's hash, so the same file again makes the same batches and
 * counts nothing; what is older than 72 hours is kept and not counted.
 */
#ifndef COLLECTOR_IMPORT_ROUTER_H
#define COLLECTOR_IMPORT_ROUTER_H

#include <stdbool.h>

#include "collector/collector_config.h"
#include "collector/import.h"

/* As import_files(). Also false, with a reason, when the exporter is not
 * registered or a key cannot be read. */
bool import_router_files(struct store *store,
                         const struct collector_config *config,
                         const char *exporter, char *const *paths, size_t count,
                         struct import_result *result,
                         struct error_text *error);

#endif
