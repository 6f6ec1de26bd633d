/* The portal's subcommands; each gives the exit status. */
#ifndef PORTAL_COMMANDS_H
#define PORTAL_COMMANDS_H

#include "common/buffer.h"
#include "common/db.h"
#include "portal/store/portal_config.h"

int command_serve(int argc, char **argv);     /* serve until SIGTERM */
int command_load(int argc, char **argv);      /* a folder into the registry */
int command_endpoints(int argc, char **argv); /* ENDPOINTS.csv to stdout */
int command_registry_publish(int argc, char **argv);
int command_registry_list(int argc, char **argv);
int command_audit_check(int argc, char **argv); /* is the audit chain whole? */

/* What they share: the file at -c, portal.db for writing (both end the program
 * when they fail), and how a failure is told; gives the exit status. */
void command_read_config(const char *path, struct portal_config *config);
struct db *command_open_registry(const struct portal_config *config);
int command_report(const struct error_text *error);

/* A command that prints what portal.db says: its only option is -c. The text
 * may have so many bytes. */
typedef bool command_print_fn(struct db *db, struct buffer *out);
int command_print(int argc, char **argv, size_t most_bytes,
                  command_print_fn *fn);

#endif
