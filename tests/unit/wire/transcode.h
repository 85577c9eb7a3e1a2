// SPDX-License-Identifier: Apache-2.0
/* Whole frames through src/wire: each record of a frame is read and at once written again. A frame that was understood
 * comes out as it went in (only a boolean other than 0 and 1 becomes 1). Used by the golden test and the fuzz target.
 */
#ifndef FK_TESTS_UNIT_WIRE_TRANSCODE_H
#define FK_TESTS_UNIT_WIRE_TRANSCODE_H

#include "wire/records.h"

enum frame_kind {
    FRAME_CONNECT_REQUEST,
    FRAME_CONNECT_REPLY,
    FRAME_REQUEST,
    FRAME_REPLY,
    FRAME_EVENT,
    FRAME_KINDS,
};

/* Reads a frame (without its length) and appends what was read to out. `op` is the operation that a reply answers, of
 * no meaning otherwise. An operation that src/wire has no record for fails the reader. */
void transcode(struct fk_reader *reader, enum frame_kind kind, int32_t op, struct fk_buf *out);

#endif
