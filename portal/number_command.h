/* `yz-portal number`: the keyed hash and the mask of declared numbers
 * (PRIV-04), as user_side_identifier.csv wants them. */
#ifndef PORTAL_NUMBER_COMMAND_H
#define PORTAL_NUMBER_COMMAND_H

/* Reads a number a line from standard input; the exit status. */
int command_number(int argc, char **argv);

#endif
