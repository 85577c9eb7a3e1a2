// SPDX-License-Identifier: Apache-2.0
#include "host/aws_ports.h"

#include "base/alloc.h"
#include "driver/aws/channel.h"
#include "driver/aws/dynamodb.h"
#include "driver/aws/s3.h"
#include "driver/aws/sqs.h"
#include "function/address.h"

struct fk_aws_ports {
    struct fk_ports ports;
};

enum fk_err fk_aws_ports_new(struct fk_aws *aws, const struct fk_deployment *deployment, struct fk_clock *clock,
                             struct fk_random *random, struct fk_aws_ports **result)
{
    struct fk_aws_ports *made = (struct fk_aws_ports *)fk_alloc_zero(sizeof *made);
    if (made == NULL) {
        return FK_ERR_NOMEM;
    }
    struct fk_ports *ports = &made->ports;
    ports->clock = clock;
    ports->random = random;
    ports->table = fk_dynamodb_table_new(aws, random, deployment->table);
    ports->blobs = fk_s3_blobs_new(aws, deployment->bucket, FK_DEPLOYMENT_BLOBS);
    ports->queue = fk_sqs_queue_new(aws, deployment->requests);
    ports->distributor = deployment->pipeline ? fk_sqs_queue_new(aws, deployment->distributor) : NULL;
    ports->channel = ports->table == NULL ? NULL : fk_aws_channel_new(aws, ports->table, fk_gateway_address, clock);
    if (ports->table == NULL || ports->blobs == NULL || ports->queue == NULL || ports->channel == NULL ||
        (deployment->pipeline && ports->distributor == NULL)) {
        fk_aws_ports_free(made);
        return FK_ERR_NOMEM;
    }
    *result = made;
    return FK_OK;
}

const struct fk_ports *fk_aws_ports_get(const struct fk_aws_ports *ports)
{
    return &ports->ports;
}

void fk_aws_ports_free(struct fk_aws_ports *ports)
{
    if (ports == NULL) {
        return;
    }
    fk_channel_free(ports->ports.channel);
    fk_queue_free(ports->ports.distributor);
    fk_queue_free(ports->ports.queue);
    fk_blobs_free(ports->ports.blobs);
    fk_table_free(ports->ports.table);
    fk_free(ports);
}
