/*
 * yz-probe check: would it work, before anything is started.
 *
 *   check [-c FILE]
 *
 * Does what `run` does at its start, with the same rights, and undoes it: opens
 * the interface, attaches the kernel filter, reads lists, keys and certificate,
 * writes and removes one file in the state folder, shakes hands with the
 * collector. A line each: "ok", "warn" or "FAIL", and what to do. Exit status 0
 * without FAIL, else 1; 2 for a wrong configuration.
 */
#ifndef PROBE_ADMIN_CHECK_COMMAND_H
#define PROBE_ADMIN_CHECK_COMMAND_H

int check_command_main(int argc, char **argv);

#endif
