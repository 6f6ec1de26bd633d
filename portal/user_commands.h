/* The subcommands about people's accounts: account_life.h on the server. */
#ifndef PORTAL_USER_COMMANDS_H
#define PORTAL_USER_COMMANDS_H

int command_user_add(int argc, char **argv); /* with a password */
int command_user_invite(int argc, char **argv);
int command_user_list(int argc, char **argv);
int command_user_disable(int argc, char **argv);
int command_user_enable(int argc, char **argv);
int command_user_unlock(int argc, char **argv);
int command_user_reset(int argc, char **argv);
int command_user_hand_over(int argc, char **argv);
int command_user_sessions(int argc, char **argv);

#endif
