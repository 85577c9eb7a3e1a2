// SPDX-License-Identifier: Apache-2.0
/* Files of deploy/ that are built in, so that an installed program has them: tools/embed.py writes the bytes. */
#ifndef FK_DEPLOY_TEMPLATE_H
#define FK_DEPLOY_TEMPLATE_H

#include "base/bytes.h"

/* deploy/aws/template.yaml */
struct fk_bytes fk_deploy_template(void);
/* deploy/prices/aws-us-east-1.json */
struct fk_bytes fk_deploy_prices(void);

#endif
