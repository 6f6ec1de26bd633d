/* The commands about the log that proves itself: checkpoint, proof, verify,
 * witness, cosign, check. verify and witness need nothing of the collector:
 * they are for others. */
#ifndef COLLECTOR_LOG_COMMANDS_H
#define COLLECTOR_LOG_COMMANDS_H

int command_checkpoint(int argc, char **argv);
int command_checkpoint_list(int argc, char **argv);
int command_checkpoint_show(int argc, char **argv);
int command_checkpoint_key(int argc, char **argv);
int command_proof(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_witness(int argc, char **argv);
int command_cosign(int argc, char **argv);
int command_check(int argc, char **argv);

#endif
