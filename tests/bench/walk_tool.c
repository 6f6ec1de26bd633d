/* A bare pcap_loop() over a capture: what libpcap itself needs, beside which
 * the probe is measured. Prints the number of packets. */
#include <inttypes.h>
#include <stdio.h>

#include <pcap/pcap.h>

static void on_packet(u_char *user, const struct pcap_pkthdr *header,
                      const u_char *data)
{
    (void)header;
    (void)data;
    ++*(uint64_t *)(void *)user;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    uint64_t packets = 0;
    if (argc != 2) {
        fputs("usage: walk_tool CAPTURE\n", stderr);
        return 2;
    }
    pcap_t *pcap = pcap_open_offline(argv[1], error);
    if (pcap == NULL) {
        fprintf(stderr, "walk_tool: %s\n", error);
        return 1;
    }
    int status = pcap_loop(pcap, -1, on_packet, (u_char *)&packets);
    printf("%" PRIu64 " packets\n", packets);
    pcap_close(pcap);
    return status == 0 ? 0 : 1;
}
