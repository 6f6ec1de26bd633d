/*
 * yz-probe run: capture, batch, send, in one loop that never waits for the
 * network.
 *
 *   run -c FILE       until SIGTERM or SIGINT: then flows are flushed, a last
 *                     batch is made and, for some seconds, sent; exit 0
 *   run -c FILE -n    print the configuration in normal form
 */
#ifndef PROBE_PROBE_RUN_H
#define PROBE_PROBE_RUN_H

int probe_run_main(int argc, char **argv);

#endif
