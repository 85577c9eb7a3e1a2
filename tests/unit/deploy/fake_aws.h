// SPDX-License-Identifier: Apache-2.0
/* AWS as a script: each call must be the next one that is expected, and gets the answer written for it. The table is
 * the one in memory; what else the code under test asks AWS for goes through fk_aws_call, which stands here. */
#ifndef FK_TESTS_UNIT_DEPLOY_FAKE_AWS_H
#define FK_TESTS_UNIT_DEPLOY_FAKE_AWS_H

#include "deploy/deploy.h"
#include "support/test.h"

struct fake_step {
    const char *call;    /* "CreateChangeSet" of a form, "AmazonSQS.ListQueues", "HEAD /bucket" */
    const char *answer;  /* the body; NULL: empty */
    const char *error;   /* a refusal: its code; NULL: none */
    const char *message; /* of the refusal */
};

/* Begins a test with this script. */
void fake_begin(struct fk_deploy *deploy, const char *name, const struct fake_step *steps, size_t count);
/* The whole script was played; gives everything back. */
void fake_end(void);
/* The nth call as it was sent: method, target and body. */
const char *fake_call(size_t nth);
/* The table in memory. */
struct fk_table *fake_table(void);

/* Answers. */
#define FAKE_STACK(status, more)                                                                                       \
    "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>arn:stack/1</StackId>"                     \
    "<CreationTime>2026-11-01T10:00:00.000Z</CreationTime><StackStatus>" status "</StackStatus>" more                  \
    "</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
#define FAKE_PARAMETER(key, value)                                                                                     \
    "<member><ParameterKey>" key "</ParameterKey><ParameterValue>" value "</ParameterValue></member>"
#define FAKE_OUTPUT(key, value) "<member><OutputKey>" key "</OutputKey><OutputValue>" value "</OutputValue></member>"
#define FAKE_EVENTS(events)                                                                                            \
    "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>" events                                     \
    "</StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>"
#define FAKE_EVENT(id, resource, type, status, reason)                                                                 \
    "<member><EventId>" id "</EventId><LogicalResourceId>" resource "</LogicalResourceId><ResourceType>" type          \
    "</ResourceType><ResourceStatus>" status "</ResourceStatus><ResourceStatusReason>" reason                          \
    "</ResourceStatusReason></member>"
#define FAKE_CHANGES(status, reason, changes)                                                                          \
    "<DescribeChangeSetResponse><DescribeChangeSetResult><Status>" status "</Status><StatusReason>" reason             \
    "</StatusReason><Changes>" changes "</Changes></DescribeChangeSetResult></DescribeChangeSetResponse>"
#define FAKE_OBJECTS(truncated, contents)                                                                              \
    "<ListBucketResult><IsTruncated>" truncated "</IsTruncated>" contents "</ListBucketResult>"
#define FAKE_OBJECT(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define FAKE_IDENTITY                                                                                                  \
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn><Account>1</Account>"                        \
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"

#endif
