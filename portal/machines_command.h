/* The state machines as tables, to standard output: transitions, or with
 * --states on whose desk a record of each state lies. */
#ifndef PORTAL_MACHINES_COMMAND_H
#define PORTAL_MACHINES_COMMAND_H

int command_machines(int argc, char **argv);

#endif
