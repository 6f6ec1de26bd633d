/* Subcommands about the authority, enrolment codes and probes; each gives the
 * exit status. */
#ifndef PORTAL_ENROLMENT_COMMANDS_H
#define PORTAL_ENROLMENT_COMMANDS_H

/* A private authority at ca_certificate and ca_key; nothing is overwritten. */
int command_authority_init(int argc, char **argv);
/* PREFIX.key and PREFIX.pem for a server: collector, enrolment port. */
int command_authority_issue(int argc, char **argv);
int command_authority_show(int argc, char **argv); /* name, end, fingerprint */

int command_code_issue(int argc, char **argv); /* shows a code, once */
int command_code_list(int argc, char **argv);
int command_code_revoke(int argc, char **argv);

int command_probe_list(int argc, char **argv);
int command_probe_revoke(int argc, char **argv);
int command_probe_restore(int argc, char **argv);

#endif
