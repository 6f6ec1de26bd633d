/*
 * yz-probe read: the probe's path over a capture file.
 *
 *   read -r CAPTURE [-e ENDPOINTS.csv] [-w OUT.ipfix [--key FILE] [--probe ID]]
 *        [--local] [-c FILE]
 *
 * Without -e every address counts as registered. --local prints one JSON
 * object per flow before redaction, then a summary; -w writes what would leave
 * as signed batches. Nothing is sent.
 */
#ifndef PROBE_READ_H
#define PROBE_READ_H

int read_main(int argc, char **argv);

#endif
