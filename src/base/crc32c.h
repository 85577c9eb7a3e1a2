// SPDX-License-Identifier: Apache-2.0
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of log frames and checkpoint rows. */
#ifndef FK_BASE_CRC32C_H
#define FK_BASE_CRC32C_H

#include "base/bytes.h"

/* CRC of bytes, continued from `crc` (0 to start): fk_crc32c(fk_crc32c(0, a), b) is that of a followed by b. */
uint32_t fk_crc32c(uint32_t crc, struct fk_bytes bytes);

/* The same without the processor's instruction: the fallback, and what tests compare with. */
uint32_t fk_crc32c_portable(uint32_t crc, struct fk_bytes bytes);

#endif
