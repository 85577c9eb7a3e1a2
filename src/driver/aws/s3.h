// SPDX-License-Identifier: Apache-2.0
/* The blob port on S3. An object's key is the prefix and the name, in which bytes that S3 or something on the way might
 * take amiss are written as '!' (below '-') or '~' (above 'z') and two hexadecimal digits: keys sort as the names do,
 * and a name of FK_BLOB_NAME_SIZE_MAX bytes fits.
 *
 * Objects are put with If-None-Match, so that none is ever replaced, and with a CRC32C that S3 checks when it comes and
 * gives back with the object; here it is checked again. One request each: put, get, remove, and a page of the list. */
#ifndef FK_DRIVER_AWS_S3_H
#define FK_DRIVER_AWS_S3_H

#include "driver/aws/aws.h"
#include "port/blob.h"

enum {
    FK_S3_PREFIX_SIZE_MAX = 16,
};

/* `prefix` is "" or letters and digits that end with '/', FK_S3_PREFIX_SIZE_MAX characters at most. `aws` is borrowed,
 * the names are copied. Used by one thread. NULL without memory. Free with fk_blobs_free. */
struct fk_blobs *fk_s3_blobs_new(struct fk_aws *aws, const char *bucket, const char *prefix);

#endif
