/* The portal's configuration: one table of keys (common/config.h). */
#ifndef PORTAL_STORE_PORTAL_CONFIG_H
#define PORTAL_STORE_PORTAL_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

enum mail_tls { MAIL_TLS_STARTTLS, MAIL_TLS_FROM_START, MAIL_TLS_NONE };

struct portal_config {
    char listen[300];
    char portal_db[PATH_MAX];
    char usage_db[PATH_MAX];
    char verdict_db[PATH_MAX];
    char rules[PATH_MAX];
    char est_listen[300];
    char est_certificate[PATH_MAX], est_key[PATH_MAX];
    char ca_certificate[PATH_MAX], ca_key[PATH_MAX];
    uint64_t certificate_days, code_hours;
    char collector[300], collector_name[256];
    char receipt_key[PATH_MAX], registry_public_key[PATH_MAX];
    char registry_key[PATH_MAX]; /* "": none */
    char number_key[PATH_MAX];
    char account_key[PATH_MAX]; /* "": account.key beside portal_db */
    char public_url[300];       /* "": none */
    char trusted_proxies[600];
    int proxy_header;      /* enum proxy_header */
    bool second_factor;    /* required where its roles are named */
    char mail_server[300]; /* "": no mails */
    int mail_tls;          /* enum mail_tls */
    char mail_authority[PATH_MAX], mail_user[256];
    char mail_password_file[PATH_MAX], mail_from[255];
    char sms_hook[600], sms_token_file[PATH_MAX]; /* "": no short messages */
    uint64_t session_idle_minutes;
    uint64_t witness_quorum;
    char attachments[PATH_MAX]; /* "": beside portal_db */
    uint64_t attachment_mib;
    char clamd[PATH_MAX]; /* "": none */
    bool secure_cookie;
    bool demo_banner;
    int log_level; /* enum log_level */
};

extern const struct config_key PORTAL_CONFIG_KEYS[];
extern const size_t PORTAL_CONFIG_KEY_COUNT;

#endif
