/* Subcommands about suppliers' tokens (api_token.h); each gives the exit
 * status. */
#ifndef PORTAL_TOKEN_COMMANDS_H
#define PORTAL_TOKEN_COMMANDS_H

int command_token_add(int argc, char **argv); /* shows a token, once */
int command_token_list(int argc, char **argv);
int command_token_revoke(int argc, char **argv);

#endif
