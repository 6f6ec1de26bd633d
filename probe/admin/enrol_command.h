/*
 * A machine becomes a probe.
 *
 *   enrol --portal URL --code CODE [--fingerprint SHA256 | --ca FILE] [-c FILE]
 *         [--tls-key-type p256|ed25519] [--batch-key-type ed25519|sm2]
 *         [--again] [--new-batch-key]
 *
 * A code "-" is read from standard input.
 *
 * Keys are born here and stay here. First the authority is fetched and compared
 * with the fingerprint that the programme office gave (RFC 7030, 4.1.1), or the
 * portal is verified with a file; nothing secret is sent before. Then come the
 * request with the code, and the files, each whole or not at all:
 *
 *   tls_key.enrol, signing_key.enrol   keys of an enrolment that is under way
 *   signing_key, tls_key, ca, receipt_key, the configuration's probe_id,
 *   collector, collector_name and portal, and last of all the certificate
 *   *.old                              what was there before (--again)
 *
 * Whenever it is cut short, the same command again goes on with the same keys,
 * and the portal gives the certificate for them again. Then `run` can follow.
 */
#ifndef PROBE_ADMIN_ENROL_COMMAND_H
#define PROBE_ADMIN_ENROL_COMMAND_H

int enrol_command_main(int argc, char **argv);

#endif
