/*
 * Carriers' records as IPFIX files (RFC 5655); NetFlow v9 and v5 messages in a
 * row are read, too.
 *
 *   element                                      becomes
 *   source/destinationIPv4/IPv6Address, ports    user and cloud side: the cloud
 *   (8, 12, 27, 28, 7, 11, 180-183)              side is the registered endpoint
 *   protocolIdentifier (4)                       protocol, needed
 *   octet/packetDeltaCount (1, 2), 231, 298      counts; of a biflow (RFC 5103,
 *   and their reverse, 232, 299                  PEN 29305) both ways
 *   octet/packetTotalCount (85, 86)              the same, of a flow whose end
 *                                                flowEndReason (136) tells
 *   flowStart, flowEnd in any form               times; at least one of each
 *   postNAT... and postNAPT... (225-228, 281,    the user side as the cloud sees
 *   282)                                         it, looked up first; then the
 *                                                one before translation
 *   mobileMSISDN (456)                           mobile number or IoT SIM
 *   mobileIMSI (455)                             IoT SIM
 *   userName (371)                               broadband account, mobile
 *                                                number or IoT SIM, whichever
 *                                                it is declared as
 *
 * Of several numbers the first of MSISDN, IMSI, user name that is not empty
 * counts. With a number the number decides; an address of somebody else makes
 * it a contradiction. A text that is no number is nobody's. Two records of one
 * way each become one (carrier_pair.h).
 *
 * Sampled counts are refused, since a carrier's records stand for what was; so
 * are total counts of flows that go on, whose new part cannot be told. A
 * message that cannot be read, or records without a template, refuse the file
 * with the byte at which the message starts. Everything is read in one block of
 * memory, however long the file is.
 */
#ifndef COLLECTOR_CARRIER_CARRIER_IPFIX_H
#define COLLECTOR_CARRIER_CARRIER_IPFIX_H

#include "collector/carrier/carrier_form.h"

/* The same of an open descriptor, which then belongs to it. */
void *carrier_ipfix_of(int fd, const char *name,
                       const struct endpoint_list *endpoints,
                       struct error_text *error);

#endif
