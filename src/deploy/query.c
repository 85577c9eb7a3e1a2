// SPDX-License-Identifier: Apache-2.0
#include "deploy/query.h"

#include "deploy/form.h"
#include "deploy/stack.h"

enum {
    QUERY_MS = 30 * 1000, /* CloudFormation takes a while to look through a template */
};

void fk_query_begin(struct fk_query *query, enum fk_aws_service service, const char *action, const char *version)
{
    *query = (struct fk_query){.service = service, .form = FK_BUF_EMPTY};
    fk_form_add(&query->form, "Action", action);
    fk_form_add(&query->form, "Version", version);
}

enum fk_err fk_query_end(struct fk_query *query, struct fk_aws *aws, bool idempotent, struct fk_arena *arena,
                         struct fk_aws_reply *reply)
{
    const struct fk_http_header type = {.name = FK_BYTES_LITERAL("Content-Type"),
                                        .value = FK_BYTES_LITERAL("application/x-www-form-urlencoded; charset=utf-8")};
    const struct fk_aws_call call = {.service = query->service,
                                     .method = "POST",
                                     .target = FK_BYTES_LITERAL("/"),
                                     .headers = &type,
                                     .header_count = 1,
                                     .body = fk_buf_view(&query->form),
                                     .idempotent = idempotent,
                                     .timeout_ms = QUERY_MS};
    reply->error[0] = '\0';
    reply->message[0] = '\0';
    reply->repeated = false;
    enum fk_err err = query->form.failed ? FK_ERR_NOMEM : fk_aws_call(aws, &call, arena, reply);
    fk_buf_deinit(&query->form);
    return err;
}

enum fk_err fk_query_fail(struct fk_deploy *deploy, enum fk_err err, const char *what)
{
    if (err == FK_ERR_MALFORMED || err == FK_ERR_NOMEM) {
        fk_diag_set(&deploy->diag, "%s: %s", what, fk_err_text(err));
    } else if (err != FK_OK) {
        fk_diag_set(&deploy->diag, "%s: %s", what, fk_aws_diag(deploy->aws));
    }
    return err;
}
