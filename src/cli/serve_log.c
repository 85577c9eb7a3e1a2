// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_log.h"

#include "base/log.h"
#include "host/log.h"

enum fk_err fk_serve_log_open(const struct fk_config *config, struct fk_diag *diag)
{
    const struct fk_host_log_options options = {
        .path = config->log.file, .level = (enum fk_log_level)config->log.level, .json = config->log.json};
    return fk_host_log_open(&options, diag);
}

static void warn_of_keys(const struct fk_config *config)
{
    struct fk_bytes left = fk_buf_view(&config->warnings);
    while (left.size > 0) {
        const uint8_t *end = (const uint8_t *)memchr(left.data, '\n', left.size);
        size_t size = end == NULL ? left.size : (size_t)(end - left.data);
        fk_log(FK_LOG_WARN, "%.*s", (int)size, (const char *)left.data);
        left = fk_bytes_tail(left, end == NULL ? size : size + 1);
    }
    if (fk_buf_left(&config->unknown) > 0) {
        fk_log(FK_LOG_WARN, "unknown keys are ignored: %.*s", (int)fk_buf_left(&config->unknown),
               (const char *)config->unknown.data);
    }
}

void fk_serve_log_posture(const struct fk_config *config, const struct fk_rules *rules, bool on_disk)
{
    warn_of_keys(config);
    if (!config->sync && on_disk) {
        fk_log(FK_LOG_WARN,
               "forceSync=no: what is acknowledged can be lost with the machine's power, up to a second of it");
    }
    if (rules->skip_acl) {
        fk_log_security(FK_LOG_WARN, "access control lists are not checked", fk_log_text("key", "skipACL"));
    }
    if (config->auth.super_digest != NULL) {
        fk_log_security(FK_LOG_INFO, "a super user with a password may do everything",
                        fk_log_text("key", "DigestAuthenticationProvider.superDigest"));
    }
}
