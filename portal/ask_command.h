/*
 * The programme's cases, asked of the program itself: each line of standard input
 * is a case as tests/data/policy/cases.jsonl has them ("id", "kind", "given",
 * "when"), each line of standard output what the program says to it:
 *
 *   {"id":"SP-DEADLINE-08","then":{"due":"2018-10-17"}}
 *
 * A kind, a machine or a fact that nothing here knows is said to be unknown, and
 * never guessed. What answers is what decides: the rules, the matrix, the
 * machines on a registry in memory.
 */
#ifndef PORTAL_ASK_COMMAND_H
#define PORTAL_ASK_COMMAND_H

int command_ask(int argc, char **argv);

#endif
