// SPDX-License-Identifier: Apache-2.0
/* The ports of a deployment on AWS, for one thread: what functions run over on Lambda, and the threads of a gateway. */
#ifndef FK_HOST_AWS_PORTS_H
#define FK_HOST_AWS_PORTS_H

#include "driver/aws/deployment.h"
#include "function/cloud.h"

struct fk_aws_ports;

/* Everything is borrowed for as long as the ports live. Opens nothing: connections come with the first calls. NOMEM. */
enum fk_err fk_aws_ports_new(struct fk_aws *aws, const struct fk_deployment *deployment, struct fk_clock *clock,
                             struct fk_random *random, struct fk_aws_ports **ports);
const struct fk_ports *fk_aws_ports_get(const struct fk_aws_ports *ports);
void fk_aws_ports_free(struct fk_aws_ports *ports);

#endif
