/* See portal_config.h. The order here is the order of the sample file. */
#include "portal/store/portal_config.h"

#define MEMBER(name)                                                           \
    offsetof(struct portal_config, name),                                      \
        sizeof(((struct portal_config *)NULL)->name)

const struct config_key PORTAL_CONFIG_KEYS[] = {
    {"listen", CONFIG_ADDRESS, MEMBER(listen), .initial = "127.0.0.1:8080",
     .help = "Address and port to serve plain HTTP on. A proxy in front of it "
             "speaks HTTPS; port 0 takes a free one and logs it."},
    {"portal_db", CONFIG_PATH, MEMBER(portal_db),
     .initial = "/var/lib/yunzheng/portal.db",
     .help = "The portal's own database: registry, vouchers, accounts, audit "
             "log. Made when it is not there."},
    {"usage_db", CONFIG_PATH, MEMBER(usage_db),
     .initial = "/var/lib/yunzheng/usage.db",
     .help = "The collector's database, read only. Pages say so while it is "
             "not there."},
    {"verdict_db", CONFIG_PATH, MEMBER(verdict_db),
     .initial = "/var/lib/yunzheng/verdict.db",
     .help = "The verifier's database, read only. Pages say so while it is "
             "not there."},
    {"rules", CONFIG_PATH, MEMBER(rules),
     .initial = "/usr/local/share/yunzheng/guangdong-2018",
     .help = "Folder of the programme's rules."},
    {"est_listen", CONFIG_ADDRESS, MEMBER(est_listen), .initial = "",
     .help = "Address and port where probes are enrolled and renew their "
             "certificates (EST, RFC 7030), such as 0.0.0.0:8443. It speaks "
             "TLS 1.3 itself, as it has to see the probes' certificates; no "
             "proxy may stand in front of it. Empty: nobody is enrolled."},
    {"est_certificate", CONFIG_PATH, MEMBER(est_certificate),
     .initial = "/etc/yunzheng/est.pem",
     .help = "Certificate of that port, issued by the authority below "
             "(yz-portal authority issue)."},
    {"est_key", CONFIG_PATH, MEMBER(est_key),
     .initial = "/etc/yunzheng/est.key",
     .help = "Its private key; only its owner may read it."},
    {"ca_certificate", CONFIG_PATH, MEMBER(ca_certificate),
     .initial = "/etc/yunzheng/ca.pem",
     .help = "The authority that issues the probes' certificates: made by "
             "yz-portal authority init, or one that is there already."},
    {"ca_key", CONFIG_PATH, MEMBER(ca_key), .initial = "/etc/yunzheng/ca.key",
     .help = "Its private key; only its owner may read it."},
    {"certificate_days", CONFIG_U64, MEMBER(certificate_days), 1, 397,
     .initial = "30",
     .help = "Life of a probe's certificate in days. Probes renew it at two "
             "thirds."},
    {"code_hours", CONFIG_U64, MEMBER(code_hours), 1, 168, .initial = "24",
     .help = "Life of an enrolment code in hours."},
    {"collector", CONFIG_ADDRESS, MEMBER(collector), .initial = "",
     .help = "Where probes send their batches, HOST:PORT. They are told so "
             "when they are enrolled; this and the next three may be empty, "
             "and are then set on each probe by hand."},
    {"collector_name", CONFIG_TEXT, MEMBER(collector_name), .initial = "",
     .help = "Name in the collector's certificate."},
    {"receipt_key", CONFIG_PATH, MEMBER(receipt_key), .initial = "",
     .help = "Public key of the collector's receipts (PEM)."},
    {"registry_public_key", CONFIG_PATH, MEMBER(registry_public_key),
     .initial = "",
     .help = "Public key of the lists of registered endpoints (PEM)."},
    {"registry_key", CONFIG_PATH, MEMBER(registry_key), .initial = "",
     .help = "Key that signs the versions of the list of endpoints (PKCS#8 "
             "PEM, Ed25519 or SM2, mode 0600); probes know its public half. "
             "Empty: no versions are published."},
    {"number_key", CONFIG_PATH, MEMBER(number_key),
     .initial = "/var/lib/yunzheng/number.key",
     .help = "Key under which numbers (broadband accounts, mobile and SIM "
             "numbers) are hashed; made when it is missing. The collector has "
             "to name the same file."},
    {"account_key", CONFIG_PATH, MEMBER(account_key), .initial = "",
     .help = "Secret under which second factors are sealed and forms signed; "
             "made when it is missing. Keep a copy apart from portal.db, of "
             "which nothing can be opened without it. Empty: account.key in "
             "the folder of portal_db."},
    {"public_url", CONFIG_TEXT, MEMBER(public_url), .initial = "",
     .help = "Where people reach the portal, such as "
             "https://portal.example.gov.cn: links in mails begin so. Never "
             "taken from what a visitor sends."},
    {"trusted_proxies", CONFIG_TEXT, MEMBER(trusted_proxies), .initial = "",
     .help = "Addresses or networks, with commas between, of the proxies whose "
             "word about a visitor's address counts, such as 127.0.0.1. Empty: "
             "nobody's, and all who come through a proxy are one visitor for "
             "limits and log."},
    {"proxy_header", CONFIG_CHOICE, MEMBER(proxy_header),
     .choices = "x-forwarded-for|forwarded", .initial = "x-forwarded-for",
     .help = "The header in which they say it. Each must set it or add to it: "
             "one passed on as it came is a stranger's word."},
    {"second_factor", CONFIG_BOOL, MEMBER(second_factor), .initial = "yes",
     .help = "Reviewers and those who release money log in with a code of "
             "their telephone, too; the others may. With no everybody may and "
             "nobody must: for trials."},
    {"mail_server", CONFIG_ADDRESS, MEMBER(mail_server), .initial = "",
     .help = "Where mails are handed over (SMTP), HOST:PORT. Empty: none are "
             "sent. What people are told stands on the portal in any case; a "
             "mail is tried for five days and given up then."},
    {"mail_tls", CONFIG_CHOICE, MEMBER(mail_tls),
     .choices = "starttls|tls|none", .initial = "starttls",
     .help = "How that is kept secret: asked for by STARTTLS and refused "
             "without it, TLS from the start, or not at all, for a server on "
             "this machine only."},
    {"mail_authority", CONFIG_PATH, MEMBER(mail_authority), .initial = "",
     .help = "Certificates (PEM) that may vouch for the mail server. Empty: "
             "those of the system."},
    {"mail_user", CONFIG_TEXT, MEMBER(mail_user), .initial = "",
     .help = "Name to log in with there. Empty: without a login."},
    {"mail_password_file", CONFIG_PATH, MEMBER(mail_password_file),
     .initial = "",
     .help = "File with its password; only its owner should read it."},
    {"mail_from", CONFIG_TEXT, MEMBER(mail_from), .initial = "",
     .help = "The address that mails come from. Somebody should read what "
             "arrives there: mails that could not be delivered later on."},
    {"sms_hook", CONFIG_TEXT, MEMBER(sms_hook), .initial = "",
     .help = "Address of a gateway for short messages, which gets each as an "
             "HTTPS request (JSON: id, to, text). Empty: none are sent."},
    {"sms_token_file", CONFIG_PATH, MEMBER(sms_token_file), .initial = "",
     .help = "File with the token that the gateway expects. Empty: none."},
    {"session_idle_minutes", CONFIG_U64, MEMBER(session_idle_minutes), 1, 480,
     .initial = "15",
     .help = "A login ends after so many minutes without a request."},
    {"witness_quorum", CONFIG_U64, MEMBER(witness_quorum), 0, 64,
     .initial = "0",
     .help = "Cosignatures that a checkpoint of the collector should have; the "
             "events page counts those that have them (0: at least one)."},
    {"attachments", CONFIG_PATH, MEMBER(attachments), .initial = "",
     .help = "Folder of the files that people hand in, on one file system. "
             "Empty: attachments, beside portal_db. It is to be kept and saved "
             "together with the database."},
    {"attachment_mib", CONFIG_U64, MEMBER(attachment_mib), 1, 100,
     .initial = "20", .help = "The largest file that is taken, in MiB."},
    {"clamd", CONFIG_PATH, MEMBER(clamd), .initial = "",
     .help = "Socket of clamd, such as /run/clamav/clamd.ctl, which looks at "
             "every file; what it finds harmful is refused. Empty: pages say "
             "that files were not scanned."},
    {"secure_cookie", CONFIG_BOOL, MEMBER(secure_cookie), .initial = "yes",
     .help = "Browsers keep and send the login cookie over HTTPS only. Say no "
             "for a trial over plain HTTP on one machine: `listen` must then "
             "be one of its loopback addresses, and the login page says so."},
    {"demo_banner", CONFIG_BOOL, MEMBER(demo_banner), .initial = "no",
     .help = "Every page says that this is a demonstration."},
    {"log_level", CONFIG_CHOICE, MEMBER(log_level),
     .choices = "error|warn|info|debug", .initial = "info",
     .help = "How much is written to standard error."},
};
const size_t PORTAL_CONFIG_KEY_COUNT =
    sizeof(PORTAL_CONFIG_KEYS) / sizeof(PORTAL_CONFIG_KEYS[0]);
