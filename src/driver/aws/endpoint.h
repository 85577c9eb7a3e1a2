// SPDX-License-Identifier: Apache-2.0
/* Where a service of AWS listens: by region, or as an URL says. */
#ifndef FK_DRIVER_AWS_ENDPOINT_H
#define FK_DRIVER_AWS_ENDPOINT_H

#include "base/err.h"
#include "driver/aws/aws.h"

enum {
    FK_AWS_HOST_SIZE = 256,
};

struct fk_aws_endpoint {
    bool is_own; /* named by an URL: not AWS's own */
    bool tls;
    char host[FK_AWS_HOST_SIZE];
    uint16_t port;
};

struct fk_aws_service_name {
    const char *id;     /* as in AWS_ENDPOINT_URL_<id>; in files in small letters */
    const char *prefix; /* of the host name */
    const char *scope;  /* in signatures */
};

const struct fk_aws_service_name *fk_aws_service_name(enum fk_aws_service service);

/* "eu-west-1", in small letters, digits and '-'. */
bool fk_aws_is_region(const char *text);

/* AWS's own one. USAGE: the region is of a part of AWS whose host names are not known here. */
enum fk_err fk_aws_endpoint_of(enum fk_aws_service service, const char *region, struct fk_aws_endpoint *endpoint,
                               struct fk_diag *diag);

/* Reads "http://host:port" or "https://host", with or without a '/' at the end; `path` gets what stands behind the
 * host, as a view of the text, or is NULL: then nothing may. `what` names the text in errors. USAGE: it is none. */
enum fk_err fk_aws_endpoint_parse(const char *url, const char *what, struct fk_aws_endpoint *endpoint,
                                  const char **path, struct fk_diag *diag);

#endif
