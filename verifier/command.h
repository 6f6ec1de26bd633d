/* The subcommands; each gives the program's exit status. */
#ifndef VERIFIER_COMMAND_H
#define VERIFIER_COMMAND_H

int command_run(int argc, char **argv);
int command_explain(int argc, char **argv);

#endif
