// SPDX-License-Identifier: Apache-2.0
#include "deploy/identity.h"

#include "deploy/query.h"
#include "deploy/xml.h"

enum fk_err fk_deploy_print_identity(struct fk_deploy *deploy)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_query query;
    struct fk_aws_reply reply;
    fk_query_begin(&query, FK_AWS_STS, "GetCallerIdentity", "2011-06-15");
    enum fk_err err = fk_query_end(&query, deploy->aws, true, &arena, &reply);
    if (err == FK_OK) {
        struct fk_bytes result = fk_xml_find(reply.http.body, "GetCallerIdentityResponse/GetCallerIdentityResult");
        const char *account = fk_xml_find_text(&arena, result, "Account");
        const char *who = fk_xml_find_text(&arena, result, "Arn");
        if (account == NULL || who == NULL) {
            err = FK_ERR_NOMEM;
        } else {
            fk_deploy_say(deploy, "account       %s (%s)", account, who);
            fk_deploy_say(deploy, "region        %s", deploy->region);
        }
    }
    fk_arena_deinit(&arena);
    return fk_query_fail(deploy, err, "who we are");
}
