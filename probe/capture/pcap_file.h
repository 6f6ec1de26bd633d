/*
 * Plain pcap files, read in large blocks and handed on where they lie.
 *
 * libpcap copies each packet out of a small buffer; over a file of gigabytes
 * that is most of what a probe's time goes into. Only the format that nearly
 * all captures have is read here: version 2.4, either byte order, micro- or
 * nanoseconds, and link types that mean the same in a file as in memory. For
 * everything else (pcapng, compressed, pipes, old variants) there is libpcap.
 *
 *   0  4  magic     4  2  major   6  2  minor   8  8  zero
 *  16  4  snap length            20  4  link type
 * then for each packet
 *   0  4  seconds   4  4  fraction   8  4  captured   12  4  length
 */
#ifndef PROBE_CAPTURE_PCAP_FILE_H
#define PROBE_CAPTURE_PCAP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"

struct pcap_file;

/* Times as the file has them: the fraction in microseconds. Borrowed until the
 * next call. */
struct pcap_record {
    const uint8_t *data;
    uint32_t captured, length; /* as the file says */
    uint32_t seconds, fraction_us;
};

enum pcap_status { PCAP_FILE_RECORD, PCAP_FILE_END, PCAP_FILE_DAMAGED };

/* NULL when this is not such a file, or cannot be opened: ask libpcap. */
struct pcap_file *pcap_file_open(const char *path);
void pcap_file_close(struct pcap_file *file);
int pcap_file_link_type(const struct pcap_file *file);
enum pcap_status pcap_file_next(struct pcap_file *file,
                                struct pcap_record *record);
/* Why the file is DAMAGED. */
const char *pcap_file_error(const struct pcap_file *file);

#endif
