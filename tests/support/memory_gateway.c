// SPDX-License-Identifier: Apache-2.0
/* `faaskeeper gateway` over a cloud in the memory of this process, for the tests of tests/e2e:
 *
 *     fk-memory-gateway gateway --deployment ANY [options of faaskeeper gateway]
 *
 * FK_MEMORY_PIPELINE=1 takes the pipeline topology, FK_MEMORY_DELAY_MS makes each call take so long. */
#include "cli/gateway.h"
#include "memory_cloud.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum fk_err open_cloud(const struct fk_gateway_place *place, struct fk_cloud_host_options *host, void **opened,
                              struct fk_diag *diag)
{
    const char *pipeline = getenv("FK_MEMORY_PIPELINE");
    const char *delay = getenv("FK_MEMORY_DELAY_MS");
    if (strcmp(place->deployment, "missing") == 0) {
        fk_diag_set(diag, "there is no deployment 'missing'");
        return FK_ERR_NOT_FOUND;
    }
    host->cloud.pipeline = pipeline != NULL && strcmp(pipeline, "1") == 0;
    struct memory_cloud *cloud = memory_cloud_new(&host->cloud, delay == NULL ? 0 : strtol(delay, NULL, 10));
    host->source = memory_cloud_source(cloud);
    host->open_mailbox = memory_cloud_mailbox;
    host->context = cloud;
    *opened = cloud;
    return FK_OK;
}

static void close_cloud(void *opened)
{
    memory_cloud_free((struct memory_cloud *)opened);
}

int main(int argc, char **argv)
{
    static const struct fk_gateway_cloud memory = {.open = open_cloud, .close = close_cloud};
    if (argc < 2 || strcmp(argv[1], "gateway") != 0) {
        (void)fprintf(stderr, "fk-memory-gateway gateway --deployment ANY [options]\n");
        return 2;
    }
    return fk_cli_gateway_over(argc - 1, argv + 1, &memory);
}
