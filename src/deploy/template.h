// SPDX-License-Identifier: Apache-2.0
/* deploy/aws/template.yaml, built in so that an installed program has it: tools/embed.py writes the bytes. */
#ifndef FK_DEPLOY_TEMPLATE_H
#define FK_DEPLOY_TEMPLATE_H

#include "base/bytes.h"

/* deploy/aws/template.yaml */
struct fk_bytes fk_deploy_template(void);

#endif
