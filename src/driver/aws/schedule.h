// SPDX-License-Identifier: Apache-2.0
/* The schedule that calls the heartbeat function once a minute (EventBridge Scheduler). It is enabled by the first
 * gateway and disabled by a sweep that finds none, so that nothing is called at rest. */
#ifndef FK_DRIVER_AWS_SCHEDULE_H
#define FK_DRIVER_AWS_SCHEDULE_H

#include "driver/aws/aws.h"

/* Whether the deployment's schedule is enabled. NOT_FOUND: there is none. Other errors as of fk_aws_call. */
enum fk_err fk_schedule_get(struct fk_aws *aws, const char *deployment, bool *enabled);

/* Enables or disables it: one read, and one write where that changes something. The rest of it stays as it is. Two that
 * do the opposite at once: the later write wins, so that who needs it enabled asks again from time to time. */
enum fk_err fk_schedule_set(struct fk_aws *aws, const char *deployment, bool enabled);

#endif
