/*
 * yz-probe explain: what leaves my network, on one page.
 *
 *   explain [-c FILE] [--html]
 *
 * The fields are not written down here: a sample batch is made by the encoder
 * that makes the real ones, decoded again, and every field that came out is
 * listed with its row of the element table. A field that is added to a template
 * appears by itself; one without a meaning is an error.
 */
#ifndef PROBE_ADMIN_EXPLAIN_COMMAND_H
#define PROBE_ADMIN_EXPLAIN_COMMAND_H

int explain_command_main(int argc, char **argv);

#endif
