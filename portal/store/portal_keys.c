#include "portal/store/portal_keys.h"

#include <stdio.h>
#include <string.h>

/* `account_key`, or "account.key" in the folder of portal.db. */
static bool key_path(const struct portal_config *config,
                     char path[static PATH_MAX])
{
    const char *slash = strrchr(config->portal_db, '/');
    int folder = slash != NULL ? (int)(slash - config->portal_db) + 1 : 0;
    int length = config->account_key[0] != '\0'
                     ? snprintf(path, PATH_MAX, "%s", config->account_key)
                     : snprintf(path, PATH_MAX, "%.*saccount.key", folder,
                                config->portal_db);
    return length > 0 && length < PATH_MAX;
}

bool portal_keys_load(const struct portal_config *config,
                      struct portal_keys *keys, struct error_text *error)
{
    char path[PATH_MAX];
    struct secret secret;
    if (!key_path(config, path))
        return error_set(error, "account_key: the path is too long");
    if (!secret_load(path, &secret, error))
        return false;
    *keys = (struct portal_keys){
        .form = secret_derive(&secret, "form"),
        .name = secret_derive(&secret, "login name"),
        .totp = secret_derive(&secret, "totp"),
        .code = secret_derive(&secret, "recovery code"),
    };
    return true;
}
