/*
 * Who may become a probe: codes, first certificates, renewals, the deny list.
 *
 * A probe has one batch key for life: what it once signed can be proved by the
 * registry as it stands, and batches that wait on the probe stay valid through
 * every new certificate. A new batch key is a new probe. TLS keys may change
 * with every certificate.
 *
 * Whose probe it is, an enterprise's at a site or a supplier's at the cloud end,
 * comes from the code and from nothing else. A code is used
 * up by the transaction that issues its certificate; whoever lost the answer
 * asks again with the same code and the same keys and is given the same
 * certificate. Every act writes its audit row in its own transaction.
 */
#ifndef PORTAL_ENROL_ENROLMENT_H
#define PORTAL_ENROL_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/pki.h"
#include "common/db.h"
#include "common/text.h"
#include "portal/enrol/enrolment_code.h"

/* --- codes and the deny list: whole transactions, for commands --- */

struct enrolment_order {
    const char *enterprise_id, *site_id; /* both, or neither and */
    const char *supplier_id;             /* this; NULL: none */
    const char *probe_id; /* NULL: a new probe with an id by chance */
    struct wall_time agreed_at;
    unsigned hours;
};

/* The code, to be shown once. False with a sentence for an unknown enterprise
 * or supplier, a site of another one, a probe that is somewhere else or denied.
 */
bool enrolment_issue_code(struct db *db, struct wall_time now,
                          const struct enrolment_order *order,
                          char code[static ENROLMENT_CODE_LEN],
                          struct error_text *error);
/* False when there is no such code that could still be used. */
bool enrolment_revoke_code(struct db *db, struct wall_time now,
                           const char *handle, struct error_text *error);
/* From now on every batch is refused, and so is every renewal. */
bool enrolment_deny_probe(struct db *db, struct wall_time now, const char *id,
                          const char *reason, struct error_text *error);
bool enrolment_restore_probe(struct db *db, struct wall_time now,
                             const char *id, struct error_text *error);
/* Tables for people, a line each below their heads; false when the database
 * fails. */
bool enrolment_list_codes(struct db *db, struct wall_time now,
                          enum language language, struct buffer *out);
bool enrolment_list_probes(struct db *db, enum language language,
                           struct buffer *out);

/* --- certificates: inside a transaction of the caller --- */

enum enrolment_status {
    ENROLMENT_ISSUED,
    ENROLMENT_WRONG_CODE, /* unknown, expired or revoked */
    ENROLMENT_FORBIDDEN,  /* the code or certificate is good, the wish is not */
    ENROLMENT_FAILED,     /* database or authority */
};

struct enrolment_issuer {
    const struct pki_authority *authority;
    unsigned days;
};

/* The caller commits what was ISSUED, and rolls back everything else. */
enum enrolment_status enrolment_enrol(struct db *db, struct wall_time now,
                                      const struct enrolment_issuer *issuer,
                                      struct digest code,
                                      const struct pki_request *request,
                                      struct buffer *certificate,
                                      struct error_text *error);
/* `holder` is the client certificate, already verified. */
enum enrolment_status enrolment_renew(struct db *db, struct wall_time now,
                                      const struct enrolment_issuer *issuer,
                                      const struct pki_certificate *holder,
                                      const struct pki_request *request,
                                      struct buffer *certificate,
                                      struct error_text *error);

#endif
