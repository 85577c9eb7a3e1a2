// SPDX-License-Identifier: Apache-2.0
#include "deploy/name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_word(const char *text, size_t size)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == size && size > 0 && text[0] != '-' &&
           text[size - 1] != '-';
}

static void print_part(char *out, const char *deployment, const char *suffix)
{
    (void)snprintf(out, FK_DEPLOY_PART_SIZE, "faaskeeper-%s%s", deployment, suffix);
}

enum fk_err fk_deploy_names_init(struct fk_deploy_names *names, const char *deployment, struct fk_diag *diag)
{
    struct fk_deployment parts;
    enum fk_err err = fk_deployment_init(&parts, deployment, diag);
    if (err != FK_OK) {
        return err;
    }
    *names = (struct fk_deploy_names){.deployment = ""};
    (void)snprintf(names->deployment, sizeof names->deployment, "%s", deployment);
    print_part(names->stack, deployment, "");
    print_part(names->requests, deployment, "-requests.fifo");
    print_part(names->distributor, deployment, "-distributor.fifo");
    print_part(names->dead, deployment, "-dead.fifo");
    print_part(names->gateway_prefix, deployment, "-gw-");
    print_part(names->writer_function, deployment, "-writer");
    print_part(names->distributor_function, deployment, "-distributor");
    print_part(names->heartbeat_function, deployment, "-heartbeat");
    print_part(names->schedule, deployment, "-heartbeat");
    return FK_OK;
}

enum fk_err fk_deploy_region_check(const char *region, struct fk_diag *diag)
{
    size_t size = strlen(region);
    const char *first = strchr(region, '-');
    const char *last = strrchr(region, '-');
    bool shaped = size <= 24 && is_word(region, size) && first != NULL && first != last && first - region >= 2 &&
                  strspn(last + 1, "0123456789") == strlen(last + 1);
    if (!shaped) {
        fk_diag_set(diag, "region '%.64s': expected one of AWS's, as eu-central-1 or us-east-1", region);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}
