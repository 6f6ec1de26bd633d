/* An extract of the company register into portal.db (ENT-11, F29). */
#ifndef PORTAL_EXTRACT_COMMAND_H
#define PORTAL_EXTRACT_COMMAND_H

int command_extract_import(int argc, char **argv);

#endif
